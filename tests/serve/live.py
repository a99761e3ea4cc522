"""`relwise serve` as a process, for tests that need a real one."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.command import ENVIRONMENT


@dataclass(frozen=True, eq=False)
class Live:
    """A server that answers.

    Args:
        process: its own.
        url: as it printed it.
        stderr: the file that its log goes to.
    """

    process: subprocess.Popen[str]
    url: str
    stderr: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def log(self) -> str:
        return self.stderr.read_text(encoding="utf-8")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """One a request."""
        return [json.loads(line) for line in self.log.splitlines()]

    def stop(self) -> int:
        """Tell it to stop; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def served(*arguments: object) -> Iterator[Live]:
    """A server on a free port, ended afterwards if the test has not ended it."""
    command = [sys.executable, "-m", "relwise", "serve", *map(str, arguments), "--port", "0"]
    # To a file: a pipe that nobody reads would fill up, and the server wait.
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=ENVIRONMENT)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, (line, Path(log.name).read_text(encoding="utf-8"))
            yield Live(process, found[0], Path(log.name))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
