"""The endpoints."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Security
from fastapi.security import HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

import relwise
from relwise.errors import InputError
from relwise.serve import answering
from relwise.serve.observe import COUNTS
from relwise.serve.refusal import Refusal
from relwise.serve.service import Service
from relwise.serve.shapes import (
    MOST_ROWS,
    ErrorAnswer,
    ExplainAnswer,
    ExplainRequest,
    HealthAnswer,
    ModelAnswer,
    NodesAnswer,
    OfNodes,
    OfRun,
    RelationsAnswer,
    RunsAnswer,
    ScoreAnswer,
    ScoreRequest,
    TopKAnswer,
    TopKRequest,
)


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    told = {
        400: "The body is no JSON, or the server is called by a wrong name",
        401: "The token is missing or wrong",
        404: "An id, a relation or a run is unknown; near ones are named",
        413: "The body is too long",
        422: "A part of the request is wrong; which, is said",
        503: "Too many requests wait",
        504: "It takes too long",
    }
    return {status: {"model": ErrorAnswer, "description": told[status]} for status in statuses}


ASKING = _problems(400, 401, 404, 413, 422, 503, 504)
LOOKING = _problems(400, 401, 404, 413, 422, 504)


def api(service: Service, *, needs_token: bool) -> APIRouter:
    """`/v1/...`, and `/healthz` and `/metrics`. That a token is needed is told here, and checked by `Guard`."""
    router = APIRouter()
    bearer = HTTPBearer(auto_error=False, description="the word in the server's token file")
    guarded = [Security(bearer)] if needs_token else []
    v1 = APIRouter(prefix="/v1", dependencies=guarded)

    @v1.post("/score", responses=ASKING, summary="Probabilities of edges")
    async def score(asked: ScoreRequest, request: Request) -> ScoreAnswer:
        run = service.runs.get(asked.run)
        request.scope[COUNTS]["edges"] = len(asked.edges)
        found = await service.worker.run(lambda: answering.score(run.predictor, asked.edges, asked.prior))
        return ScoreAnswer(run=run.name, prior=asked.prior or run.prior, probabilities=found)

    @v1.post("/top-k", responses=ASKING, summary="The likeliest relationships of each query")
    async def top_k(asked: TopKRequest, request: Request) -> TopKAnswer:
        run = service.runs.get(asked.run)
        if len(asked.queries) * asked.k > MOST_ROWS:
            raise Refusal(
                422,
                "invalid",
                f"{len(asked.queries)} queries of k = {asked.k} are more than {MOST_ROWS:,} rows",
                field="k",
                remedy="ask for less at a time",
            )
        request.scope[COUNTS]["queries"] = len(asked.queries)
        found = await service.worker.run(
            lambda: answering.top_k(run.predictor, asked.queries, asked.k, asked.known, asked.prior)
        )
        return TopKAnswer(run=run.name, prior=asked.prior or run.prior, answers=found)

    @v1.post("/explain", responses=ASKING, summary="Why an edge has its probability")
    async def explain(asked: ExplainRequest) -> ExplainAnswer:
        run = service.runs.get(asked.run)
        found = await service.worker.run(lambda: answering.explain(run.predictor, asked))
        return ExplainAnswer(run=run.name, sentence=found.sentence, explanation=found)

    @v1.get("/relations", responses=LOOKING, summary="The relations there are")
    async def relations(asked: Annotated[OfRun, Query()]) -> RelationsAnswer:
        served = service.runs.get(asked.run)
        return RelationsAnswer(run=served.name, relations=served.relations)

    # Not async: it runs in a thread, for a search through long texts takes a while.
    @v1.get("/nodes", responses=LOOKING, summary="Nodes by any text in them")
    def nodes(asked: Annotated[OfNodes, Query()]) -> NodesAnswer:
        served = service.runs.get(asked.run)
        try:
            found, total = served.search.find(asked.search, asked.type, asked.limit)
        except InputError as error:
            raise Refusal.of(error, "type") from None
        return NodesAnswer(run=served.name, nodes=found, total=total)

    @v1.get("/model", responses=LOOKING, summary="Settings, measures, warnings of a run")
    async def model(asked: Annotated[OfRun, Query()]) -> ModelAnswer:
        return service.runs.get(asked.run).model

    @v1.get("/runs", responses=_problems(400, 401, 413, 504), summary="The runs that are served")
    async def runs() -> RunsAnswer:
        return RunsAnswer(runs=[run.info() for run in service.runs.by_name.values()])

    @router.get("/healthz", responses=_problems(400), summary="Whether the server is up")
    async def healthz() -> HealthAnswer:
        return HealthAnswer(status="ok", runs=len(service.runs.by_name), version=relwise.__version__)

    @router.get(
        "/metrics",
        responses={**_problems(400, 401), 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        response_class=Response,
        dependencies=guarded,
        summary="Counters, for Prometheus",
    )
    async def metrics() -> Response:
        return Response(generate_latest(service.meters.registry), media_type=CONTENT_TYPE_LATEST)

    router.include_router(v1)
    return router
