"""What can be seen of a server: a line of JSON for each request, and counters for Prometheus.

Neither has anything that was asked or answered: routes as they are declared, never as they were called.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relwise.serve.refusal import Refusal

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

PAGE = "/page"
COUNTS = "relwise.counts"
"""Where in a request's scope an endpoint leaves what it counted: edges, queries."""


class Meters:
    """The counters of one application.

    Args:
        runs: how many runs are loaded.
    """

    def __init__(self, runs: int) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "relwise_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "relwise_request_seconds", "Time to answer", ["route"], buckets=BUCKETS, registry=self.registry
        )
        self.edges = Counter("relwise_edges_scored", "Edges scored by /v1/score", registry=self.registry)
        self.queries = Counter("relwise_queries_answered", "Queries answered by /v1/top-k", registry=self.registry)
        Gauge("relwise_runs_loaded", "Runs loaded", registry=self.registry).set(runs)


class Observe:
    """The outermost layer: times each request, logs and counts it, and answers 500 where the code failed.

    Args:
        app: what is observed.
        meters: where it is counted.
    """

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self.app, self.meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        counts: dict[str, int] = {}
        scope[COUNTS] = counts
        failed: dict[str, Any] = {}

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            failed = {"failed": failure(error)}
            if status == 0:
                refusal = Refusal(500, "internal", "the server failed", remedy="its log says where")
                await refusal.response()(scope, receive, watched)
        finally:
            # Of a client that went away nothing was answered.
            self._note(scope, status or 499, time.perf_counter() - began, counts, failed)

    def _note(self, scope: Scope, status: int, seconds: float, counts: dict[str, int], failed: dict[str, Any]) -> None:
        route = getattr(scope.get("route"), "path", None) or "other"
        if route != "other" and scope.get("root_path", "").startswith(PAGE):
            route = PAGE + route  # the page is an application of its own, which knows nothing of where it is
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.meters.requests.labels(method, route, str(status)).inc()
        self.meters.seconds.labels(route).observe(seconds)
        self.meters.edges.inc(counts.get("edges", 0))
        self.meters.queries.inc(counts.get("queries", 0))
        note(method=method, route=route, status=status, ms=round(1000 * seconds, 2), **counts, **failed)


def note(**what: object) -> None:
    """A line of the log."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **what}
    print(json.dumps(line), file=sys.stderr, flush=True)


class Lines(logging.Handler):
    """What libraries log, as lines of the same kind. An exception's words, and those around it, are left out."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        said = {"failed": failure(error)} if error is not None else {"message": record.getMessage()}
        note(level=record.levelname.lower(), logger=record.name, **said)


def log_in_lines() -> None:
    """Have all that is logged in this process from warnings on, Python's own warnings too, written as `Lines`."""
    logging.basicConfig(handlers=[Lines()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)


def failure(error: BaseException) -> str:
    """What failed and where in the code; an exception's words may hold data, and are left out."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__
