"""Each endpoint's answer is the predictor's, and each mistake is named by its field."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import relwise
from relwise.predictor import RelationshipPredictor
from relwise.serve.shapes import MOST_EDGES, MOST_K, MOST_QUERIES

EDGES = [("pe0", "works_at", "co0"), ("pe1", "works_at", "co2"), ("pe3", "knows", "pe7"), ("co1", "located_in", "ci1")]


def as_json(edge: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("head", "relation", "tail"), edge, strict=True))


def refused(answer: Any, status: int, field: str | None, *words: str) -> None:
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    problem = answer.json()["error"]
    assert list(problem) == ["code", "field", "what", "remedy"]
    assert problem["field"] == field
    for word in words:
        assert word in f"{problem['what']} {problem['remedy']}"


# -- answers ----------------------------------------------------------------------------------------------


def test_score(asking: TestClient, loaded: RelationshipPredictor) -> None:
    answer = asking.post("/v1/score", json={"edges": [as_json(edge) for edge in EDGES]})
    assert answer.status_code == 200
    assert answer.json()["run"] == "shop"
    assert answer.json()["probabilities"] == loaded.predict_proba(EDGES).tolist()
    assert answer.json()["prior"] == loaded.final.share_true
    rare = asking.post("/v1/score", json={"edges": [as_json(edge) for edge in EDGES], "prior": 0.01}).json()
    assert rare["prior"] == 0.01
    assert rare["probabilities"] == loaded.predict_proba(EDGES, prior=0.01).tolist()


@pytest.mark.parametrize("known", [False, True])
def test_top_k_of_either_end(asking: TestClient, loaded: RelationshipPredictor, known: bool) -> None:
    queries = [{"relation": "works_at", "head": "pe0"}, {"relation": "knows", "tail": "pe5"}]
    answer = asking.post("/v1/top-k", json={"queries": queries, "k": 7, "known": known})
    assert answer.status_code == 200
    for query, found in zip(queries, answer.json()["answers"], strict=True):
        frame = loaded.top_k(query["relation"], query.get("head"), query.get("tail"), 7, known)
        assert len(found) == len(frame) == 7
        for column in ("head", "relation", "tail", "name", "known"):
            assert [row[column] for row in found] == frame[column].tolist()
        assert [row["evidence"] or "" for row in found] == frame["evidence"].tolist()
        np.testing.assert_allclose([row["probability"] for row in found], frame["probability"])


def test_relations_between_two_nodes(asking: TestClient, loaded: RelationshipPredictor) -> None:
    query = {"head": "pe0", "tail": "co5"}
    found = asking.post("/v1/top-k", json={"queries": [query], "known": True}).json()["answers"][0]
    expected = {r: loaded.predict_proba([("pe0", r, "co5")])[0] for r in ("works_at", "owns")}
    np.testing.assert_allclose([row["probability"] for row in found], sorted(expected.values(), reverse=True))
    assert {row["relation"] for row in found} == set(expected)
    first = loaded.graph.edges[np.array([0])]
    pair = {"head": loaded.graph.node_id(int(first.heads[0])), "tail": loaded.graph.node_id(int(first.tails[0]))}
    listed, missing = (
        asking.post("/v1/top-k", json={"queries": [pair], "known": flag}).json()["answers"][0] for flag in (True, False)
    )
    assert [row for row in listed if not row["known"]] == missing
    assert "works_at" in [row["relation"] for row in listed if row["known"]]
    assert asking.post("/v1/top-k", json={"queries": [{"head": "ci0", "tail": "pe0"}]}).json()["answers"] == [[]]


def test_explain(asking: TestClient, loaded: RelationshipPredictor) -> None:
    answer = asking.post("/v1/explain", json={**as_json(EDGES[0]), "run": "second"}).json()
    explained = loaded.explain(*EDGES[0])
    assert answer["run"] == "second"
    assert answer["sentence"] == explained.sentence
    # Its shape has every part that an explanation has.
    assert answer["explanation"] == json.loads(json.dumps(explained.to_json()))
    assert answer["explanation"]["carriers"]
    assert answer["explanation"]["attributes"]
    assert answer["explanation"]["paths"]
    refused(asking.post("/v1/explain", json=as_json(("pe0", "works_at", "co99"))), 404, "tail", "did you mean 'co9'")


def test_relations(asking: TestClient, loaded: RelationshipPredictor) -> None:
    relations = asking.get("/v1/relations").json()["relations"]
    assert [row["name"] for row in relations] == list(loaded.graph.relation_names)
    assert [row["edges"] for row in relations] == [100, 60, 100, 40]
    assert [row["directed"] for row in relations] == [True, True, False, True]


def test_nodes(asking: TestClient) -> None:
    found = asking.get("/v1/nodes", params={"search": "person 1", "type": "person", "limit": 3}).json()
    assert found["nodes"][0] == {
        "type": "person", "id": "pe1", "label": "Person 1", "matched": "label", "text": "Person 1",
    }  # fmt: skip
    assert len(found["nodes"]) == 3
    assert found["total"] == 12  # 1, 10 to 19, 21


def test_model(asking: TestClient, loaded: RelationshipPredictor) -> None:
    model = asking.get("/v1/model", params={"run": "second"}).json()
    assert model["run"] == "second"
    assert model["settings"]["dim"] == 8
    assert model["nodes"] == {"person": 28, "company": 20, "city": 12}
    assert model["measures"]["micro"]["auc"] == pytest.approx(loaded.metrics("test")["micro"]["auc"])
    assert set(model["measures"]["relations"]) == set(loaded.metrics("test")["relations"])
    assert set(model["measures"]["baselines"]) == {"degree_product", "adamic_adar", "path3"}
    assert model["leakage"] == loaded.leakage().describe()
    assert model["audit"] == loaded.audited.describe()
    assert sum(model["edges"].values()) == len(loaded.graph.edges)


def test_runs_and_health(asking: TestClient) -> None:
    assert [run["name"] for run in asking.get("/v1/runs").json()["runs"]] == ["shop", "second"]
    assert asking.get("/healthz").json() == {"status": "ok", "runs": 2, "version": relwise.__version__}


# -- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edge", "field", "word"),
    [
        (("pe0", "works_att", "co0"), "edges.1.relation", "works_at"),
        (("pe99", "works_at", "co0"), "edges.1.head", "did you mean 'pe9'"),
        (("pe0", "works_at", "pe1"), "edges.1.tail", "no company with the id 'pe1'"),
    ],
)
def test_what_is_unknown_is_named_with_near_ones(
    asking: TestClient, edge: tuple[str, str, str], field: str, word: str
) -> None:
    answer = asking.post("/v1/score", json={"edges": [as_json(EDGES[0]), as_json(edge)]})
    refused(answer, 404, field, word)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"relation": "works_at", "head": "pe999"}, "queries.0.head"),
        ({"relation": "works_at", "tail": "pe1"}, "queries.0.tail"),
        ({"relation": "nothing", "tail": "pe1"}, "queries.0.relation"),
        ({"head": "pe1", "tail": "Atlantis"}, "queries.0.tail"),
    ],
)
def test_unknown_in_a_query(asking: TestClient, query: dict[str, str], field: str) -> None:
    refused(asking.post("/v1/top-k", json={"queries": [query]}), 404, field)


def test_unknown_run_and_type(asking: TestClient) -> None:
    refused(asking.get("/v1/model", params={"run": "shopp"}), 404, "run", "did you mean 'shop'")
    refused(asking.get("/v1/nodes", params={"type": "persn"}), 404, "type", "did you mean 'person'")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 422, "body"),
        (b"{", 400, None),
        (b"[]", 422, "body"),
        (b"\xff\xfe", 400, None),
        (b'{"edges": []}', 422, "edges"),
        (b'{"edges": [{"head": "", "relation": "knows", "tail": "pe1"}]}', 422, "edges.0.head"),
        (b'{"edges": [{"head": "\\ud800", "relation": "knows", "tail": "pe1"}]}', 422, "edges.0.head"),
        (b'{"edges": [{"head": NaN, "relation": "knows", "tail": "pe1"}]}', 422, "edges.0.head"),
        (b'{"edges": [{"head": "pe1", "relation": "knows"}]}', 422, "edges.0.tail"),
        (b'{"edges": [{"head": "pe1", "relation": "knows", "tail": "pe2", "x": 1}]}', 422, "edges.0.x"),
        (b'{"edges": [{"head": "' + b"x" * 1001 + b'", "relation": "knows", "tail": "pe2"}]}', 422, "edges.0.head"),
        (b'{"\\ud800": 1, "edges": [{"head": "pe1", "relation": "knows", "tail": "pe2"}]}', 422, "body"),
    ],
)
def test_a_bad_body(asking: TestClient, body: bytes, status: int, field: str | None) -> None:
    refused(asking.post("/v1/score", content=body, headers={"content-type": "application/json"}), status, field)


@pytest.mark.parametrize("k", ["0", "-1", "NaN", "Infinity", "1e400", "9" * 30, "9" * 5000, "1.5", '"many"', "null"])
def test_a_bad_k(asking: TestClient, k: str) -> None:
    body = '{"queries": [{"relation": "knows", "head": "pe1"}], "k": ' + k + "}"
    answer = asking.post("/v1/top-k", content=body.encode(), headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["field"] in ("k", None)


def test_a_prior_may_be_null(asking: TestClient) -> None:
    """The client sends it so."""
    asked = {"edges": [as_json(EDGES[0])], "prior": None}
    assert asking.post("/v1/score", json=asked).json()["prior"] == 0.5


@pytest.mark.parametrize(
    ("key", "value"), [("k", "true"), ("k", '"3"'), ("known", '"yes"'), ("known", "1"), ("prior", '"0.5"')]
)
def test_what_the_handbook_calls_a_number_is_none_in_words(asking: TestClient, key: str, value: str) -> None:
    body = '{"queries": [{"relation": "knows", "head": "pe1"}], "' + key + '": ' + value + "}"
    answer = asking.post("/v1/top-k", content=body, headers={"content-type": "application/json"})
    refused(answer, 422, key)


def test_a_body_that_no_reader_holds_is_no_json(asking: TestClient) -> None:
    answer = asking.post("/v1/score", content=b"[" * 90_000, headers={"content-type": "application/json"})
    refused(answer, 400, None, "the body is no JSON")
    assert answer.json()["error"]["code"] == "no_json"


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_is_not_said_to_be_json(asking: TestClient, kind: str) -> None:
    """What curl sends without the header."""
    body = json.dumps({"edges": [as_json(EDGES[0])]}).encode()
    refused(
        asking.post("/v1/score", content=body, headers={"content-type": kind}), 422, "Content-Type", "send the header"
    )


@pytest.mark.parametrize("prior", ["0", "1", "-0.5", "NaN", "Infinity", '"half"'])
def test_a_prior_is_a_share(asking: TestClient, prior: str) -> None:
    body = '{"queries": [{"relation": "knows", "head": "pe1"}], "prior": ' + prior + "}"
    answer = asking.post("/v1/top-k", content=body, headers={"content-type": "application/json"})
    refused(answer, 422, "prior")


@pytest.mark.parametrize("query", [{}, {"head": "pe1"}, {"head": "pe1", "relation": "knows", "tail": "pe2"}])
def test_a_query_asks_for_one_part(asking: TestClient, query: dict[str, str]) -> None:
    refused(asking.post("/v1/top-k", json={"queries": [query]}), 422, "queries.0", "two of head, relation and tail")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/nodes?limit=0", "limit"),
        ("/v1/nodes?limit=many", "limit"),
        ("/v1/nodes?serach=x", "serach"),
        ("/v1/relations?run=", "run"),
        ("/v1/model?k=3", "k"),
    ],
)
def test_a_bad_parameter(asking: TestClient, path: str, field: str) -> None:
    refused(asking.get(path), 422, field)


def test_batches_are_limited(asking: TestClient) -> None:
    refused(asking.post("/v1/score", content=b"x" * 100_001), 413, "body", "100,000 bytes")

    def pieces() -> Any:
        yield from [b" " * 50_000] * 3

    refused(asking.post("/v1/score", content=pieces()), 413, "body")
    query = {"relation": "knows", "head": "pe1"}
    refused(asking.post("/v1/top-k", json={"queries": [query] * (MOST_QUERIES + 1)}), 422, "queries")
    refused(asking.post("/v1/top-k", json={"queries": [query], "k": MOST_K + 1}), 422, "k")
    refused(asking.post("/v1/top-k", json={"queries": [query] * 21, "k": MOST_K}), 422, "k", "20,000 rows")
    assert MOST_EDGES == 10_000


def test_unknown_places_and_methods(asking: TestClient) -> None:
    refused(asking.get("/v1/nothing"), 404, None, "/docs")
    answer = asking.get("/v1/score")
    refused(answer, 405, None)
    assert answer.headers["allow"] == "POST"


def test_probabilities_that_are_no_numbers_are_null(asking: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        RelationshipPredictor, "predict_proba", lambda self, edges, prior: np.array([np.nan, np.inf, 0.5])
    )
    answer = asking.post("/v1/score", json={"edges": [as_json(edge) for edge in EDGES[:3]]})
    assert answer.json()["probabilities"] == [None, None, 0.5]
