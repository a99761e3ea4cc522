"""`RelationshipPredictor`: what it answers, against brute force; what it measures; what it refuses."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import relwise
from relwise.data.edges import Edges
from relwise.data.graph import Graph, NodeType, Relation
from relwise.data.split import LabelledEdges
from relwise.errors import InputError
from relwise.evaluate.metrics import average_precision
from relwise.evaluate.table import evaluate
from relwise.predict import missing
from relwise.predict.lists import Query
from relwise.predictor import RelationshipPredictor
from relwise.settings import Settings
from tests.fakes import small_graph
from tests.small_data import TINY, triples

COLUMNS = ["head", "relation", "tail", "name", "probability", "known", "evidence"]
RELATIONS = ["works_at", "owns", "knows", "located_in"]
Triple = tuple[str, str, str]


def fit(graph: Graph, **given: Any) -> RelationshipPredictor:
    return RelationshipPredictor(**{**TINY, **given}).fit(graph)


@pytest.fixture(scope="module")
def model() -> RelationshipPredictor:
    return fit(small_graph())


@pytest.fixture(scope="module")
def twins() -> RelationshipPredictor:
    """Two node types with the same ids; a relation each way between them, and one within, directed."""
    rng = np.random.default_rng(0)
    types = (NodeType("left", [str(i) for i in range(15)]), NodeType("right", [str(i) for i in range(20)]))  # type: ignore[arg-type]
    relations = (Relation("to", "left", "right"), Relation("back", "right", "left"), Relation("on", "left", "left"))
    columns = []
    for code, (heads, tails) in enumerate([((0, 15), (15, 35)), ((15, 35), (0, 15)), ((0, 15), (0, 15))]):
        drawn = np.stack([rng.integers(*heads, 60), np.full(60, code), rng.integers(*tails, 60)])
        columns.append(np.unique(drawn, axis=1))
    return fit(Graph(types, relations, Edges(*np.concatenate(columns, axis=1))))


def every_pair(model: RelationshipPredictor, relation: str) -> list[Triple]:
    """All edges that a relation could have, self-loops apart; an undirected one's both ways round."""
    graph = model.graph
    kind = graph.relations[graph.relation_index(relation)]
    heads, tails = (graph.node_types[graph.type_index[name]].ids for name in (kind.head, kind.tail))
    return [(h, relation, t) for h in heads for t in tails if (kind.head, h) != (kind.tail, t)]


def known_triples(model: RelationshipPredictor) -> set[Triple]:
    """All edges of the graph, of every part; an undirected one both ways round."""
    graph = model.graph
    undirected = {n for n, r in zip(graph.relation_names, graph.relations, strict=True) if not r.directed}
    known = set(triples(graph))
    return known | {(t, r, h) for h, r, t in known if r in undirected}


def as_triples(found: pd.DataFrame) -> list[Triple]:
    return list(found[["head", "relation", "tail"]].itertuples(index=False, name=None))


def assert_best(model: RelationshipPredictor, found: pd.DataFrame, candidates: list[Triple], k: int) -> None:
    """The table lists the k likeliest candidates, each once, likeliest first; of equals any."""
    assert list(found.columns) == COLUMNS
    listed = as_triples(found)
    assert len(set(listed)) == len(listed) == min(k, len(candidates))
    assert set(listed) <= set(candidates)
    best = np.sort(model.predict_proba(candidates))[::-1][:k]
    np.testing.assert_allclose(found["probability"], best, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["probability"], model.predict_proba(listed), rtol=0, atol=1e-6)
    assert (np.diff(found["probability"]) <= 0).all()


# -- probabilities ----------------------------------------------------------------------------------------


def test_probabilities_lie_between_nought_and_one_and_differ(model: RelationshipPredictor) -> None:
    edges = [pair for relation in RELATIONS for pair in every_pair(model, relation)]
    probability = model.predict_proba(edges)
    assert probability.shape == (len(edges),)
    assert probability.dtype == np.float64
    assert ((probability >= 0) & (probability <= 1)).all()
    assert len(np.unique(probability)) > 500


def test_probabilities_do_not_depend_on_what_else_is_asked(model: RelationshipPredictor) -> None:
    edges = triples(model.graph)
    together = model.predict_proba(edges)
    shuffled = np.random.default_rng(0).permutation(len(edges))
    np.testing.assert_array_equal(model.predict_proba([edges[i] for i in shuffled]), together[shuffled])
    np.testing.assert_array_equal([model.predict_proba([edge])[0] for edge in edges[::30]], together[::30])


def test_an_undirected_edge_is_as_likely_either_way_round(model: RelationshipPredictor) -> None:
    edges = [edge for edge in triples(model.graph) if edge[1] == "knows"]
    there, back = (model.predict_proba(list(each)) for each in (edges, [(t, r, h) for h, r, t in edges]))
    np.testing.assert_allclose(there, back, rtol=0, atol=1e-6)


def test_nothing_asked_is_nothing_answered(model: RelationshipPredictor) -> None:
    assert model.predict_proba([]).shape == (0,)


def test_edges_may_be_any_rows_of_three(model: RelationshipPredictor) -> None:
    edges = triples(model.graph)[:5]
    expected = model.predict_proba(edges)
    frame = pd.DataFrame(edges, columns=["head", "relation", "tail"])
    for given in ([list(edge) for edge in edges], np.array(edges), frame.to_numpy(), tuple(edges)):
        np.testing.assert_array_equal(model.predict_proba(given), expected)


def test_a_relation_may_be_called_by_its_full_name(model: RelationshipPredictor) -> None:
    edge = ("pe1", "works_at", "co1")
    assert model.predict_proba([edge]) == model.predict_proba([("pe1", "person.works_at.company", "co1")])


def test_ids_may_be_integers() -> None:
    rows = [(i, "likes", (i + k) % 30) for i in range(30) for k in (1, 2, 3)]
    model = fit(Graph.from_triples(rows))
    words = model.predict_proba([("0", "likes", "1"), ("7", "likes", "20")])
    np.testing.assert_array_equal(model.predict_proba([(0, "likes", 1), (7, "likes", 20)]), words)
    np.testing.assert_array_equal(model.predict_proba([(np.int64(0), "likes", np.int32(1)), (7, "likes", "20")]), words)
    pd.testing.assert_frame_equal(model.top_k("likes", head=0, k=3), model.top_k("likes", head="0", k=3))
    assert model.top_k("likes", head=0, k=3)["head"].tolist() == ["0"] * 3


# -- the likeliest of one node ----------------------------------------------------------------------------


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("k", [1, 7, 1000])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("end", ["head", "tail"])
def test_the_likeliest_of_one_node_are_those_of_brute_force(
    model: RelationshipPredictor, relation: str, k: int, known: bool, end: str
) -> None:
    there = known_triples(model)
    pairs = every_pair(model, relation)
    side = 0 if end == "head" else 2
    anchors = sorted({pair[side] for pair in pairs})
    for anchor in anchors[:: len(anchors) // 3]:
        found = model.top_k(relation, k=k, known=known, **{end: anchor})
        candidates = [pair for pair in pairs if pair[side] == anchor and (known or pair not in there)]
        assert_best(model, found, candidates, k)
        assert found["known"].tolist() == [pair in there for pair in as_triples(found)]
        assert found["known"].dtype == bool


def test_known_relationships_are_listed_and_marked_when_asked_for(model: RelationshipPredictor) -> None:
    there = known_triples(model)
    mine = {edge for edge in there if edge[0] == "pe0" and edge[1] == "works_at"}
    assert mine
    everything = model.top_k("works_at", head="pe0", k=100, known=True)
    assert set(as_triples(everything[everything["known"]])) == mine
    missing = model.top_k("works_at", head="pe0", k=100)
    assert not set(as_triples(missing)) & mine
    assert len(missing) + len(mine) == len(everything) == 20


def test_an_undirected_relation_has_the_same_partners_from_either_end(model: RelationshipPredictor) -> None:
    tails = model.top_k("knows", head="pe2", k=100)
    heads = model.top_k("knows", tail="pe2", k=100)
    assert set(tails["tail"]) == set(heads["head"])
    assert set(heads["tail"]) == {"pe2"}
    np.testing.assert_allclose(tails["probability"], heads["probability"], rtol=0, atol=1e-6)
    stored = {(h, t) for h, r, t in triples(model.graph) if r == "knows"}
    assert any(t == "pe2" for _, t in stored), "the test wants edges stored the other way round"
    assert not {pair for partner in tails["tail"] for pair in (("pe2", partner), (partner, "pe2"))} & stored


def test_the_name_is_that_of_the_node_found(model: RelationshipPredictor) -> None:
    found = model.top_k("works_at", head="pe0", k=100, known=True)
    assert found["name"].tolist() == [
        tail if tail == "co3" else f"Company {tail.removeprefix('co')}" for tail in found["tail"]
    ]
    found = model.top_k("works_at", tail="co3", k=5)
    assert found["name"].tolist() == [f"Person {head.removeprefix('pe')}" for head in found["head"]]
    assert model.top_k("located_in", head="co0", k=3)["name"].str.startswith("ci").all()


@pytest.mark.parametrize("relation", ["to", "back", "on"])
def test_two_node_types_may_have_the_same_ids(twins: RelationshipPredictor, relation: str) -> None:
    there, pairs = known_triples(twins), every_pair(twins, relation)
    for anchor in ("0", "3", "14"):
        tails = [pair for pair in pairs if pair[0] == anchor and pair not in there]
        assert_best(twins, twins.top_k(relation, head=anchor, k=5), tails, 5)
        heads = [pair for pair in pairs if pair[2] == anchor and pair not in there]
        assert_best(twins, twins.top_k(relation, tail=anchor, k=5), heads, 5)
    with pytest.raises(InputError, match="there is no left with the id '17'"):
        twins.top_k("to", head="17")
    assert len(twins.top_k("to", tail="17")) == 10


def test_a_node_tied_to_all_others_has_nothing_missing() -> None:
    rows = [(0, "likes", i) for i in range(1, 20)] + [(i, "likes", i % 19 + 1) for i in range(1, 20)]
    model = fit(Graph.from_triples(rows))
    found = model.top_k("likes", head=0)
    assert (list(found.columns), len(found)) == (COLUMNS, 0)
    assert len(model.top_k("likes", head=0, k=100, known=True)) == 19


# -- the likeliest of a relation --------------------------------------------------------------------------


def missing_pairs(model: RelationshipPredictor, relation: str) -> list[Triple]:
    """What brute force chooses from: each missing pair once, in the order of the graph's nodes."""
    graph, there = model.graph, known_triples(model)
    kind = graph.relations[graph.relation_index(relation)]
    pairs = [pair for pair in every_pair(model, relation) if pair not in there]
    if kind.directed:
        return pairs
    order = {id_: i for i, id_ in enumerate(graph.node_types[graph.type_index[kind.head]].ids)}
    return [(h, r, t) for h, r, t in pairs if order[h] < order[t]]


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("k", [1, 10, 200, 10_000])
def test_the_likeliest_of_a_relation_are_those_of_brute_force(
    model: RelationshipPredictor, relation: str, k: int
) -> None:
    found = model.predict_missing(relation, k=k)
    assert_best(model, found, missing_pairs(model, relation), k)
    assert not found["known"].any()


@pytest.mark.parametrize("relation", ["to", "back", "on"])
def test_the_likeliest_of_a_directed_relation_within_one_type_stand_both_ways(
    twins: RelationshipPredictor, relation: str
) -> None:
    for k in (5, 50):
        assert_best(twins, twins.predict_missing(relation, k=k), missing_pairs(twins, relation), k)


@pytest.mark.parametrize("block", [1, 4 * 28 * 3, 10**6])
@pytest.mark.parametrize("relation", ["knows", "works_at"])
def test_the_likeliest_of_a_relation_do_not_depend_on_the_size_of_a_block(
    model: RelationshipPredictor, monkeypatch: pytest.MonkeyPatch, relation: str, block: int
) -> None:
    monkeypatch.setattr(missing, "BLOCK", block)
    assert_best(model, model.predict_missing(relation, k=30), missing_pairs(model, relation), 30)


# -- mistakes ---------------------------------------------------------------------------------------------

MISTAKES: list[tuple[Callable[[RelationshipPredictor], object], str, str]] = [
    (lambda m: m.top_k("work_at", head="pe0"), "no relation 'work_at'", "'works_at'"),
    (lambda m: m.predict_missing("know"), "no relation 'know'", "'knows'"),
    (lambda m: m.predict_proba([("pe0", "own", "co0")]), "no relation 'own'", "'owns'"),
    (lambda m: m.top_k("zzz", head="pe0"), "no relation 'zzz'", "the relations are works_at, owns"),
    (lambda m: m.top_k("works_at", head="pe100"), "no person with the id 'pe100'", "'pe10'"),
    (lambda m: m.top_k("works_at", tail="Co0"), "no company with the id 'Co0'", "'co0'"),
    (lambda m: m.top_k("works_at", head="co0"), "no person with the id 'co0'", ""),
    (lambda m: m.predict_proba([("pe0", "knows", "pe1"), ("pe0", "knows", "pe1x")]), "the id 'pe1x'", "'pe1'"),
    (lambda m: m.predict_proba([("pe0", "works_at", "")]), "no company with the id ''", ""),
    (lambda m: m.top_k("works_at"), "one end must be given", "head or tail"),
    (lambda m: m.top_k("works_at", head="pe0", tail="co0"), "one end must be given", "head or tail"),
    (lambda m: m.top_k("works_at", head="pe0", k=0), "k = 0", "at least 1"),
    (lambda m: m.predict_missing("works_at", k=0), "k = 0", "at least 1"),
    (lambda m: m.predict_missing("works_at", k=-3), "k = -3", "at least 1"),
    (lambda m: m.evaluate("train"), "no split 'train'", "valid or test"),
    (lambda m: m.metrics("tset"), "no split 'tset'", "valid or test"),
]


@pytest.mark.parametrize(("ask", "what", "remedy"), MISTAKES)
def test_a_mistake_is_one_error_with_a_remedy(
    model: RelationshipPredictor, ask: Callable[[RelationshipPredictor], object], what: str, remedy: str
) -> None:
    with pytest.raises(InputError) as caught:
        ask(model)
    assert what in caught.value.what
    assert remedy in str(caught.value.remedy)


@pytest.mark.parametrize(
    "ask",
    [
        lambda m: m.predict_proba([("a", "b", "c")]),
        lambda m: m.top_k("b", head="a"),
        lambda m: m.predict_missing("b"),
        lambda m: m.score(),
        lambda m: m.metrics(),
        lambda m: m.leakage(),
        lambda m: m.save("nowhere"),
        lambda m: m.graph,
        lambda m: m.split,
        lambda m: m.network,
    ],
)
def test_a_model_that_is_not_trained_says_so(ask: Callable[[RelationshipPredictor], object]) -> None:
    with pytest.raises(InputError, match="not trained yet") as caught:
        ask(RelationshipPredictor())
    assert "fit(graph)" in str(caught.value.remedy)
    assert not Path("nowhere").exists()


# -- scikit-learn's habits --------------------------------------------------------------------------------


def test_the_parameters_are_those_of_scikit_learn() -> None:
    model = RelationshipPredictor(seed=3, dim=8, sampler="asa")
    assert model.get_params() == {"seed": 3, **Settings.of({"dim": 8, "sampler": "asa"}).model_dump()}
    assert RelationshipPredictor(**model.get_params()).get_params() == model.get_params()
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(seed=4, dim=16) is model
    assert (model.seed, model.settings.dim, model.settings.sampler) == (4, 16, "asa")
    assert repr(model).startswith("RelationshipPredictor(seed=4, ")
    assert eval(repr(model)).get_params() == model.get_params()
    assert "graph" in inspect.signature(model.fit).parameters
    for ask in (lambda: model.set_params(dimm=3), lambda: RelationshipPredictor(dimm=3)):
        with pytest.raises(InputError, match="'dim'"):
            ask()
    assert model.settings.dim == 16


def test_fit_gives_itself_back_and_forgets_the_fit_before() -> None:
    graph = small_graph()
    model = RelationshipPredictor(**TINY)  # type: ignore[arg-type]
    assert model.fit(graph) is model
    first, metrics, log = model.predict_proba(triples(graph)), model.metrics(), model.log
    model.fit(graph)
    np.testing.assert_array_equal(model.predict_proba(triples(graph)), first)
    assert model.log == log
    model.set_params(seed=1).fit(graph)
    assert model.log != log
    assert model.metrics()["micro"] != metrics["micro"]
    assert (model.predict_proba(triples(graph)) != first).any()


def test_parameters_set_after_the_fit_are_for_the_next(tmp_path: Path) -> None:
    model = fit(small_graph())
    before = model.predict_proba(triples(model.graph))
    model.set_params(dim=16, seed=7)
    np.testing.assert_array_equal(model.predict_proba(triples(model.graph)), before)
    model.save(tmp_path)
    loaded = relwise.load(tmp_path)
    assert (loaded.settings.dim, loaded.seed) == (8, 0)
    np.testing.assert_array_equal(loaded.predict_proba(triples(model.graph)), before)


def test_a_loaded_model_answers_measures_and_fits_again(model: RelationshipPredictor, tmp_path: Path) -> None:
    model.save(tmp_path)
    loaded = RelationshipPredictor.load(tmp_path)
    assert type(loaded) is RelationshipPredictor
    pd.testing.assert_frame_equal(loaded.top_k("knows", head="pe3"), model.top_k("knows", head="pe3"))
    pd.testing.assert_frame_equal(loaded.predict_missing("owns"), model.predict_missing("owns"))
    assert loaded.score() == model.score()
    assert {**loaded.metrics(), "seconds": 0} == {**model.metrics(), "seconds": 0}
    assert json.loads((tmp_path / "metrics.json").read_text())["micro"] == model.metrics()["micro"]
    assert loaded.get_params() == model.get_params()
    assert loaded.fit(loaded.graph).log == model.log


# -- measures ---------------------------------------------------------------------------------------------

MEASURES = {"auc", "ap", "f1", "mrr", "hits@1", "hits@10", "hits@30"}
BASELINES = {"degree_product", "adamic_adar", "path3"}


def test_the_score_is_the_average_precision(model: RelationshipPredictor) -> None:
    test = model.split.test
    edges = [
        (model.graph.node_id(h), model.graph.relation_names[r], model.graph.node_id(t))
        for h, r, t in zip(test.edges.heads, test.edges.relations, test.edges.tails, strict=True)
    ]
    expected = average_precision(test.labels, model.predict_proba(edges))
    assert model.score() == pytest.approx(expected)
    assert model.score(edges, test.labels) == pytest.approx(expected)
    assert model.score(edges, [int(label) for label in test.labels]) == pytest.approx(expected)
    assert model.metrics()["micro"]["ap"] == pytest.approx(expected)
    with pytest.raises(ValueError, match="truth"):
        model.score(edges, [1])


@pytest.mark.parametrize("split", ["valid", "test"])
def test_the_measures_have_all_that_the_command_line_promises(model: RelationshipPredictor, split: str) -> None:
    metrics = model.metrics(split)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert {"split", "micro", "relations", "baselines", "seconds", "version"} <= metrics.keys()
    assert metrics["split"] == split
    assert metrics["version"] == relwise.__version__
    assert metrics["seconds"] >= 0
    assert set(metrics["relations"]) == set(RELATIONS)
    assert set(metrics["baselines"]) == BASELINES
    for values in (metrics["micro"], *metrics["relations"].values(), *metrics["baselines"].values()):
        assert values.keys() >= MEASURES
        assert all(0 <= values[name] <= 1 for name in MEASURES)
    part = model.split.part(split)
    assert metrics["counts"]["micro"] == {"positives": int(part.labels.sum()), "negatives": int((~part.labels).sum())}


def test_a_relation_without_test_edges_has_no_measures_and_breaks_nothing(tmp_path: Path) -> None:
    rows = [(i, "likes", (i + k) % 40) for i in range(40) for k in (1, 2, 3, 4)] + [(0, "rare", 1), (2, "rare", 3)]
    model = fit(Graph.from_triples(rows))
    assert not (model.split.test.edges.relations == 1).any()
    metrics = model.metrics()
    json.dumps(metrics, allow_nan=False)
    assert set(metrics["relations"]["rare"].values()) == {None}
    assert metrics["counts"]["rare"] == {"positives": 0, "negatives": 0}
    assert metrics["micro"]["auc"] == metrics["relations"]["likes"]["auc"] is not None
    model.save(tmp_path)
    assert relwise.load(tmp_path).metrics()["micro"] == metrics["micro"]
    assert len(model.top_k("rare", head=5, k=3)) == 3


def leaky_graph() -> Graph:
    """Test edges that stand reversed in train, or under another relation, or as they are; and others."""
    rng = np.random.default_rng(2)
    rows = sorted({(int(h), "to", int(t)) for h, t in rng.integers(0, 30, (150, 2)) if h != t})
    rng.shuffle(rows)
    rows = [(int(h), r, int(t)) for h, r, t in rows]
    test, valid, train = rows[:30], rows[30:45], rows[45:]
    train += [(t, r, h) for h, r, t in test[:10]] + [(h, "also", t) for h, _, t in test[5:15]] + test[20:23]
    return Graph.from_triples({"train": train, "valid": valid, "test": test})


def test_the_measures_without_reversed_edges_are_those_of_the_edges_that_are_left() -> None:
    graph = leaky_graph()
    model = fit(graph)
    metrics, part = model.metrics(), model.split.test
    train = set(zip(model.split.message.heads, model.split.message.relations, model.split.message.tails, strict=True))
    ties = {frozenset((h, t)) for h, _, t in train}
    edges = list(zip(part.edges.heads, part.edges.relations, part.edges.tails, strict=True))
    reversed_ = np.array([((t, r, h) in train or (h, r, t) in train) for h, r, t in edges]) & part.labels
    leaked = np.array([frozenset((h, t)) in ties for h, _, t in edges]) & part.labels
    assert 10 <= reversed_.sum() < leaked.sum() < part.labels.sum()
    assert metrics["leakage"]["counts"]["leaked"] == leaked.sum()
    assert len(metrics["leakage"]["sentences"]) == 2
    for key, left_out in (("without_reversed", reversed_), ("without_leaked", leaked)):
        left = LabelledEdges(part.edges[~left_out], part.labels[~left_out])
        again = evaluate(graph, left, model.split, model.scorer.probabilities, model.scorer.block).to_json()
        for name in ("micro", "baselines", "counts"):
            assert metrics[key][name] == again[name]
        assert metrics[key]["micro"] != metrics["micro"]


def test_where_everything_leaks_the_measures_without_are_none_and_still_json(tmp_path: Path) -> None:
    rows = [(i, "to", (i + k) % 20) for i in range(20) for k in (1, 2, 3)]
    train = rows + [(t, r, h) for h, r, t in rows]
    graph = Graph.from_triples({"train": train, "valid": train[:10], "test": train[10:20]})
    model = fit(graph)
    metrics = model.metrics()
    json.dumps(metrics, allow_nan=False)
    assert metrics["without_leaked"]["micro"]["auc"] is None
    assert metrics["without_leaked"]["counts"]["micro"]["positives"] == 0
    model.save(tmp_path)
    assert "(100.0 %)" in (tmp_path / "MODEL_CARD.md").read_text()


# -- more ways to ask -------------------------------------------------------------------------------------


def test_a_batch_answers_as_its_queries_do_one_by_one(model: RelationshipPredictor) -> None:
    queries = [
        Query("works_at", head="pe0"), Query("knows", tail="pe3"), Query("works_at", head="pe4"),
        Query("works_at", tail="co1"), Query("knows", head="pe3"),
    ]  # fmt: skip
    for frame, query in zip(model.top_k_batch(queries, 4), queries, strict=True):
        pd.testing.assert_frame_equal(frame, model.top_k(query.relation, query.head, query.tail, 4))
    assert model.top_k_batch([]) == []


def test_a_condition_says_who_may_be_listed(model: RelationshipPredictor) -> None:
    everyone = model.top_k("works_at", head="pe0", k=100)
    some = model.top_k("works_at", head="pe0", k=100, where="id in ('co1', 'co2', 'co4')")
    assert set(some["tail"]) == set(everyone["tail"]) & {"co1", "co2", "co4"}
    rest = everyone[everyone["tail"].isin(some["tail"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(some, rest)
    assert len(model.top_k("works_at", head="pe0", where="false")) == 0


def test_the_likeliest_relations_between_two_nodes(model: RelationshipPredictor) -> None:
    found = model.top_relations("pe0", "co1", known=True)
    graph = model.graph
    fits = {r.name for r in graph.relations if (r.head, r.tail) == ("person", "company")}
    assert set(found["relation"]) == fits
    assert found["probability"].tolist() == sorted(found["probability"], reverse=True)
    expected = model.predict_proba([(h, r, t) for h, r, t in found[["head", "relation", "tail"]].to_numpy()])
    np.testing.assert_allclose(found["probability"], expected)
    with pytest.raises(InputError, match="no relation leads from city to"):
        model.top_relations("ci0", "pe0")
    with pytest.raises(InputError, match="no node has the id 'x'"):
        model.top_relations("x", "pe0")


@pytest.mark.parametrize("prior", [0.01, 0.9])
def test_the_share_of_true_pairs_can_be_stated(model: RelationshipPredictor, prior: float) -> None:
    edges = [("pe0", "works_at", "co1"), ("pe0", "works_at", "co2")]
    before, after = model.predict_proba(edges), model.predict_proba(edges, prior=prior)
    share = model.final.share_true
    odds = before / (1 - before) * (prior / (1 - prior)) / (share / (1 - share))
    np.testing.assert_allclose(after, odds / (1 + odds))
    listed = model.top_k("works_at", head="pe0", k=1, prior=prior)
    asked = [tuple(listed.loc[0, ["head", "relation", "tail"]])]
    np.testing.assert_allclose(listed["probability"], model.predict_proba(asked, prior=prior), rtol=1e-5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="is no share"):
        model.predict_proba(edges, prior=1.0)
