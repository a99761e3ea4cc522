"""A client in Python: a method for each endpoint, an answer of its own type each. Needs httpx and Pydantic alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from relwise.serve.shapes import (
    ErrorAnswer,
    ExplainAnswer,
    HealthAnswer,
    ModelAnswer,
    NodesAnswer,
    Problem,
    Query,
    RelationsAnswer,
    RunsAnswer,
    ScoreAnswer,
    TopKAnswer,
)

Answer = TypeVar("Answer", bound=BaseModel)


class ServiceError(Exception):
    """An answer that is no success.

    Args:
        status: the HTTP status.
        problem: which part of the request is wrong, how, and what would mend it.
    """

    def __init__(self, status: int, problem: Problem) -> None:
        self.status, self.problem = status, problem
        text = f"{problem.field}: {problem.what}" if problem.field else problem.what
        super().__init__(f"{status}: {text}; {problem.remedy}" if problem.remedy else f"{status}: {text}")


class Client:
    """Asks a server that `relwise serve` started; keeps its connection. Close it, or use it in a `with` statement.

    What fails below HTTP (no connection, no answer in time) is httpx's error.

    Args:
        url: as the server printed it.
        token: the word in the server's token file.
        run: which of its runs to ask; None: the first.
        timeout: seconds to wait for an answer.

    Raises:
        ServiceError: by every method, where the server refuses.
    """

    def __init__(self, url: str, token: str | None = None, run: str | None = None, timeout: float = 60.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.run = run
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def score(self, edges: Iterable[tuple[str, str, str]], prior: float | None = None) -> ScoreAnswer:
        """The probability of each edge (head id, relation, tail id), where a share `prior` of them is true."""
        asked = [{"head": head, "relation": relation, "tail": tail} for head, relation, tail in edges]
        return self._post("/v1/score", ScoreAnswer, {"edges": asked, "prior": prior})

    def top_k(
        self, queries: Iterable[Query], k: int = 10, known: bool = False, prior: float | None = None
    ) -> TopKAnswer:
        """The k likeliest answers of each query: `Query(head="N14228", relation="visits")` asks for tails."""
        asked = [query.model_dump(exclude_none=True) for query in queries]
        return self._post("/v1/top-k", TopKAnswer, {"queries": asked, "k": k, "known": known, "prior": prior})

    def explain(self, head: str, relation: str, tail: str) -> ExplainAnswer:
        """Why an edge has its probability."""
        return self._post("/v1/explain", ExplainAnswer, {"head": head, "relation": relation, "tail": tail})

    def relations(self) -> RelationsAnswer:
        """The relations there are."""
        return self._get("/v1/relations", RelationsAnswer)

    def nodes(self, search: str = "", type: str | None = None, limit: int = 20) -> NodesAnswer:
        """The nodes that hold all words of a search in id, label or attributes."""
        return self._get("/v1/nodes", NodesAnswer, search=search, type=type, limit=limit)

    def model(self) -> ModelAnswer:
        """Settings, measures and warnings of the run."""
        return self._get("/v1/model", ModelAnswer)

    def runs(self) -> RunsAnswer:
        """The runs that are served."""
        return _read(RunsAnswer, self._http.get("/v1/runs"))

    def health(self) -> HealthAnswer:
        """Whether the server is up."""
        return _read(HealthAnswer, self._http.get("/healthz"))

    def metrics(self) -> str:
        """Its counters, in Prometheus's text."""
        return _checked(self._http.get("/metrics")).text

    def _post(self, path: str, answer: type[Answer], asked: dict[str, Any]) -> Answer:
        body = {**asked, "run": self.run} if self.run is not None else asked
        return _read(answer, self._http.post(path, json=body))

    def _get(self, path: str, answer: type[Answer], **asked: object) -> Answer:
        given = {name: str(value) for name, value in {**asked, "run": self.run}.items() if value is not None}
        return _read(answer, self._http.get(path, params=given))


def _read(answer: type[Answer], response: httpx.Response) -> Answer:
    return answer.model_validate_json(_checked(response).content)


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    try:
        problem = ErrorAnswer.model_validate_json(response.content).error
    except ValidationError:
        # Something between here and the server answered.
        problem = Problem(code="refused", field=None, what=response.reason_phrase or "refused", remedy=None)
    raise ServiceError(response.status_code, problem)
