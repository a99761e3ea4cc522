"""`Service`: what the endpoints and the page share: the runs, the thread that they work in, the counters."""

from __future__ import annotations

from dataclasses import dataclass

from relwise.serve.observe import Meters
from relwise.serve.runs import Runs
from relwise.serve.worker import Worker


@dataclass(frozen=True, eq=False)
class Service:
    """An application has it as `app.state.service`.

    Args:
        runs: by name.
        worker: where every question to a predictor is asked: `await service.worker.run(lambda: ...)`.
        meters: what is counted.
    """

    runs: Runs
    worker: Worker
    meters: Meters
