"""`create_app`: the application, which any ASGI server runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI

import relwise
from relwise.predictor import RelationshipPredictor
from relwise.serve.guard import Guard
from relwise.serve.handbook import add_handbook
from relwise.serve.limits import Limits
from relwise.serve.observe import Meters, Observe
from relwise.serve.options import ServeOptions
from relwise.serve.refusal import handle_refusals
from relwise.serve.routes import api
from relwise.serve.runs import Runs
from relwise.serve.service import Service
from relwise.serve.worker import Worker


def create_app(
    runs: Mapping[str, RelationshipPredictor], options: ServeOptions | None = None, *, worker: Worker | None = None
) -> FastAPI:
    """The application that serves runs; warm when this returns.

    `app.state.service` is what a page mounted on it works with (see `Service`).

    Args:
        runs: trained predictors by name; the first is the one asked by default.
        options: token and limits.
        worker: the thread that the predictors were loaded in; None: a new one.
    """
    options = options or ServeOptions()
    worker = worker or Worker(options.waiting)
    service = Service(Runs(runs), worker, Meters(len(runs)))
    for run in service.runs.by_name.values():
        worker.run_now(run.warm)
        _ = run.model, run.relations

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        worker.drop_waiting()

    app = FastAPI(
        title="relwise",
        description="Relationships that are missing from a graph: probabilities, the likeliest ones, and why.",
        version=relwise.__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    # The last added is the outermost.
    app.add_middleware(Limits, body=options.body, timeout=options.timeout)
    app.add_middleware(Guard, token=options.token, hosts=options.hosts)
    app.add_middleware(Observe, meters=service.meters)
    handle_refusals(app)
    app.include_router(api(service, needs_token=options.token is not None))
    add_handbook(app)
    return app
