"""The command line as tests run it: in this process, which is quick, or in one of its own, as people do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import NamedTuple
from unittest.mock import patch

from relwise.cli import main

# Threads that wait by spinning take minutes where other work fills the cores, as it may where tests run.
ENVIRONMENT = {**os.environ, "OMP_WAIT_POLICY": "passive"}


class Ran(NamedTuple):
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


Command = Callable[..., Ran]


def here(*arguments: object) -> Ran:
    """`relwise ...` in this process."""
    out, err = StringIO(), StringIO()
    code: object = 0
    with patch.object(sys, "argv", ["relwise", *map(str, arguments)]), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())


def start(*arguments: object) -> subprocess.Popen[str]:
    """`python -m relwise ...`, begun."""
    command = [sys.executable, "-m", "relwise", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=ENVIRONMENT
    )


def finish(process: subprocess.Popen[str]) -> Ran:
    """Its end."""
    out, err = process.communicate(timeout=300)
    return Ran(process.returncode, out, err)


def apart(*arguments: object) -> Ran:
    """`python -m relwise ...` from beginning to end."""
    return finish(start(*arguments))
