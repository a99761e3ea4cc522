"""schemathesis asks whatever the OpenAPI document allows, and what it does not: no 500, and answers as declared."""

from __future__ import annotations

import copy
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from relwise.predictor import RelationshipPredictor
from relwise.serve.app import create_app
from relwise.serve.options import ServeOptions

# More of them: RELWISE_EXAMPLES=300 pytest tests/serve/test_openapi.py
asked_often = settings(
    max_examples=int(os.environ.get("RELWISE_EXAMPLES", "10")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
POSTS = ["/v1/score", "/v1/top-k", "/v1/explain"]
GETS = ["/v1/relations", "/v1/nodes", "/v1/model"]
ASKED_NOTHING = ["/v1/runs", "/healthz", "/metrics"]
KNOWN = {
    "head": ["pe0", "pe1", "co0", "co5"],
    "relation": ["works_at", "owns", "knows", "located_in"],
    "tail": ["co0", "co7", "pe3", "ci1"],
    "run": ["shop", "second"],
}


TOKEN = "a-token-that-is-long-enough"
BEARING = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def document(loaded: RelationshipPredictor) -> Any:
    app = create_app({"shop": loaded, "second": loaded}, ServeOptions(token=TOKEN))
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.parametrize(
    ("path", "mode"),
    [(path, GenerationMode.POSITIVE) for path in (*POSTS, *GETS, *ASKED_NOTHING)]
    + [(path, GenerationMode.NEGATIVE) for path in (*POSTS, *GETS)],
)
def test_every_answer_is_as_declared(document: Any, path: str, mode: GenerationMode) -> None:
    operation = document[path]["post" if path in POSTS else "get"]

    @asked_often
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        # What cannot stand in an address (a list of nothing) is left out of it: such a request is a good one.
        lenient = [negative_data_rejection] if path in GETS else []
        case.call_and_validate(headers=BEARING, excluded_checks=lenient)

    ask()


@pytest.mark.parametrize("path", POSTS)
def test_and_so_is_that_about_what_is_there(document: Any, path: str) -> None:
    """What schemathesis makes up is hardly ever in the graph: here its ids and names are replaced by such as are."""
    operation = document[path]["post"]

    @asked_often
    @given(case=operation.as_strategy(), data=st.data())
    def ask(case: Any, data: st.DataObject) -> None:
        case.body = _replaced(copy.deepcopy(case.body), data)
        # What fits the document may still not fit the graph: a person who works at a person.
        answer = case.call(headers=BEARING)
        assert answer.status_code in (200, 404), answer.text
        case.validate_response(answer, headers=BEARING)

    ask()


def _replaced(body: Any, data: st.DataObject) -> Any:
    if isinstance(body, list):
        return [_replaced(part, data) for part in body]
    if not isinstance(body, dict):
        return body
    return {
        key: data.draw(st.sampled_from(KNOWN[key]))
        if key in KNOWN and isinstance(value, str)
        else _replaced(value, data)
        for key, value in body.items()
    }
