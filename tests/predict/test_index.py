"""The index: with all centres it finds what scoring everything does; it is kept, and refused where it is another's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from relwise.data.graph import Graph
from relwise.errors import InputError
from relwise.predict import index as searched
from relwise.predict import index_build as module
from relwise.predict import top
from relwise.predict.index import Index, Measured, TypeIndex
from relwise.predict.index_build import build_index, recall_of
from relwise.predict.lengthened import columns_of, key_table, lengthen_queries, query_vectors
from relwise.predict.lists import Query
from relwise.predict.top import Asked
from relwise.predictor import RelationshipPredictor
from tests.fakes import small_graph
from tests.predict.judged import judged
from tests.predict.test_scorer import dense_graph
from tests.small_data import TINY

pytest.importorskip("faiss")


def many_nodes() -> Graph:
    """300 people who know each other in circles, and 100 things that they like."""
    rng = np.random.default_rng(0)
    rows = [(f"p{i}", "knows", f"p{(i + k) % 300}") for i in range(300) for k in (1, 2)]
    rows += [(f"p{i}", "likes", f"t{j}") for i in range(300) for j in rng.integers(0, 100, 3)]
    return Graph.from_triples(sorted(set(rows)))


@pytest.fixture(scope="module")
def model() -> RelationshipPredictor:
    return judged(RelationshipPredictor(**TINY).fit(many_nodes()))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def built(model: RelationshipPredictor) -> Index:
    return build_index(model.final, small=10)


def looking_everywhere(index: Index) -> Index:
    """With all centres looked at, nothing is overlooked."""
    types = {}
    for name, one in index.types.items():
        values = one.measured
        every = Measured(**{**vars(values), "nprobe": values.centres})
        types[name] = TypeIndex(one.faiss, one.scales, every)
    return Index(index.scorer, types)


def asked_of(graph: Graph, count: int) -> list[Asked]:
    """Queries of every relation and end."""
    rng, out = np.random.default_rng(1), []
    for relation in range(graph.num_relations):
        for missing in ("head", "tail"):
            low, high = (graph.tail_ranges if missing == "head" else graph.head_ranges)[relation]
            out += [Asked(relation, int(node), missing) for node in rng.integers(low, high, count)]  # type: ignore[arg-type]
    return out


@pytest.mark.parametrize("make", [many_nodes, small_graph, dense_graph])
def test_products_of_what_is_lengthened_are_final_logits_but_for_paths(make) -> None:
    model = judged(RelationshipPredictor(**TINY).fit(make()))
    graph, scorer, rng = model.graph, model.final, np.random.default_rng(0)
    for one in asked_of(graph, 3):
        kind = graph.relations[one.relation]
        name = kind.tail if one.missing == "tail" else kind.head
        low, high = graph.type_range(name)
        if not kind.directed:
            continue  # there a candidate is told of as the head or as the tail, and the product is between the two
        scales = rng.uniform(0.5, 2, len(columns_of(scorer, name)))
        plain = query_vectors(scorer, one.relation, one.missing, np.array([one.anchor]))
        query = lengthen_queries(scorer, one.relation, one.missing, plain, scales)
        product = key_table(scorer, name, scales) @ query[0]
        final = scorer.block(one.missing, np.array([one.relation]), np.array([one.anchor]))[0]
        reached, told = scorer.evidence.reached(
            one.relation, one.missing == "head", one.anchor, (low, high), scorer.judge.shared[one.relation],
            scorer.judge.own[one.relation],
        )  # fmt: skip
        final[reached - low] -= told
        rest = final - product
        np.testing.assert_allclose(rest, rest[0], rtol=0, atol=2e-5)


@pytest.mark.parametrize("make", [many_nodes, small_graph, dense_graph])
@pytest.mark.parametrize("known", [False, True])
def test_with_all_centres_it_finds_what_scoring_everything_finds(make, known: bool) -> None:
    model = judged(RelationshipPredictor(**TINY).fit(make()))
    index = looking_everywhere(build_index(model.final, small=10))
    assert set(index.types) == {node_type.name for node_type in model.graph.node_types if len(node_type) >= 10}
    asked = asked_of(model.graph, 8)
    allowed = np.random.default_rng(2).random(model.graph.num_nodes) < 0.3
    for some in (None, allowed):
        found = index.find(asked, 7, known, some)
        expected = top.find(model.final, asked, 7, known, some)
        for one, got, best in zip(asked, found, expected, strict=True):
            assert len(got[0]) == len(best[0]) == len(set(got[0].tolist()))
            np.testing.assert_allclose(got[1], best[1], rtol=0, atol=2e-5)
            edges = top.edges_of(one.relation, np.full(len(got[0]), one.anchor), got[0], one.missing)
            np.testing.assert_allclose(got[1], model.final.logits(edges), rtol=0, atol=2e-5)
            partners = top.KnownPartners.of(model.graph).find(one.relation, one.anchor, one.missing)
            assert got[2].tolist() == np.isin(got[0], partners).tolist()
            assert one.anchor not in got[0][~got[2]]
            assert some is None or some[got[0]].all()


def test_of_what_paths_reach_the_weightiest_are_candidates(
    model: RelationshipPredictor, built: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searched, "MOST", 3)
    narrow = {name: TypeIndex(one.faiss, one.scales, one.measured) for name, one in built.types.items()}
    index, judge = Index(model.final, narrow), model.final.judge
    cut = 0
    for one in asked_of(model.graph, 10):
        shared, own = judge.shared[one.relation], judge.own[one.relation]
        reached, told = model.evidence.reached(one.relation, one.missing == "head", one.anchor, (0, 400), shared, own)
        nodes, logits, _ = index.find([one], 400, known=True)[0]
        weightiest = reached[told > np.sort(told)[-4]] if len(told) > 3 else reached  # of equal ones any three
        assert set(weightiest.tolist()) <= set(nodes.tolist())
        cut += not set(reached.tolist()) <= set(nodes.tolist())
        edges = top.edges_of(one.relation, np.full(len(nodes), one.anchor), nodes, one.missing)
        np.testing.assert_allclose(logits, model.final.logits(edges), rtol=0, atol=2e-5)
    assert cut, "some that are reached are no candidates"


def test_recall_is_measured_and_reached(model: RelationshipPredictor, built: Index) -> None:
    for name, one in built.types.items():
        values = one.measured
        assert values.nodes == len(model.graph.node_types[model.graph.type_index[name]])
        assert (values.recall >= module.GOAL) | (values.nprobe == values.centres)
        assert 0 < values.exact_ms < 1e4
        assert 0 < values.approximate_ms < 1e4
        asked = module._drawn(model.final, name, 0)
        pairs = zip(built.find(asked, module.K), top.find(model.final, asked, module.K), strict=True)
        assert np.mean([recall_of(*pair) for pair in pairs]) == pytest.approx(values.recall, abs=1e-12)


def test_recall_counts_what_is_as_likely() -> None:
    best = np.arange(4), np.array([4.0, 3.0, 2.0, 2.0], np.float32), np.zeros(4, bool)
    assert recall_of(best, best) == 1
    assert recall_of((np.array([0, 9, 5]), np.array([4.0, 2.0, 1.0], np.float32), best[2][:3]), best) == 0.5
    none = np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, bool)
    assert recall_of(none, none) == 1
    assert recall_of(none, best) == 0


def test_the_queries_drawn_are_of_the_type_and_differ_by_seed(model: RelationshipPredictor) -> None:
    graph = model.graph
    for node_type in graph.node_types:
        asked = module._drawn(model.final, node_type.name, 0)
        assert asked == module._drawn(model.final, node_type.name, 0) != module._drawn(model.final, node_type.name, 1)
        for one in asked:
            kind = graph.relations[one.relation]
            assert (kind.tail if one.missing == "tail" else kind.head) == node_type.name


# -- through the predictor ---------------------------------------------------------------------------------


def test_top_k_asks_the_index_when_told_to(
    model: RelationshipPredictor, built: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "_index", looking_everywhere(built))
    calls, search = [], Index.find
    monkeypatch.setattr(Index, "find", lambda self, *asked: calls.append(asked) or search(self, *asked))
    exact = model.top_k("likes", head="p3", k=6, prior=0.2, where="id like '%1%'")
    assert not calls
    found = model.top_k("likes", head="p3", k=6, prior=0.2, where="id like '%1%'", exact=False)
    assert len(calls) == 1
    assert list(found.columns) == list(exact.columns)
    np.testing.assert_allclose(found["probability"], exact["probability"], rtol=0, atol=1e-5)
    assert found["tail"].tolist() == exact["tail"].tolist()
    batch = model.top_k_batch([Query("likes", head="p3"), Query("knows", tail="p4")], 6, exact=False)
    assert [len(one) for one in batch] == [6, 6]


def test_small_types_are_not_indexed_and_scored_whole(model: RelationshipPredictor) -> None:
    index = build_index(model.final)
    assert not index.types
    asked = asked_of(model.graph, 2)
    for got, best in zip(index.find(asked, 5), top.find(model.final, asked, 5), strict=True):
        np.testing.assert_array_equal(got[0], best[0])


def test_it_is_kept_beside_the_run_and_found_there(model: RelationshipPredictor, built: Index, tmp_path: Path) -> None:
    model.save(tmp_path / "run")
    built.save(tmp_path / "run" / "index", model.digest)
    loaded = RelationshipPredictor.load(tmp_path / "run")
    assert {name: one.measured for name, one in loaded.index.types.items()} == {
        name: one.measured for name, one in built.types.items()
    }
    asked = asked_of(model.graph, 4)
    for got, best in zip(loaded.index.find(asked, 5), built.find(asked, 5), strict=True):
        np.testing.assert_array_equal(got[0], best[0])
        np.testing.assert_array_equal(got[1], best[1])


# -- mistakes ----------------------------------------------------------------------------------------------


def test_without_an_index_there_is_none(model: RelationshipPredictor, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no index") as caught:
        model.top_k("likes", head="p3", exact=False)
    assert "build_index()" in str(caught.value.remedy)
    model.save(tmp_path / "run")
    with pytest.raises(InputError, match="there is no index") as caught:
        RelationshipPredictor.load(tmp_path / "run").top_k("likes", head="p3", exact=False)
    assert "relwise index RUN" in str(caught.value.remedy)


def test_one_of_another_run_or_damaged_is_refused(model: RelationshipPredictor, built: Index, tmp_path: Path) -> None:
    built.save(tmp_path, model.digest)
    with pytest.raises(InputError, match="the index is of another run") as caught:
        Index.load(tmp_path, "0" * 64, model.final)
    assert "relwise index RUN" in str(caught.value.remedy)
    note = tmp_path / "index.json"
    text, content = note.read_text(), (tmp_path / "0.faiss").read_bytes()
    for spoil in (
        lambda: (tmp_path / "0.faiss").write_bytes(content[:-1]),
        lambda: (tmp_path / "0.faiss").write_bytes(content[:-1] + bytes([content[-1] ^ 1])),
        lambda: (tmp_path / "0.faiss").unlink(),
        lambda: note.write_text(text[:50]),
        lambda: note.write_text("{}"),
    ):
        note.write_text(text)
        (tmp_path / "0.faiss").write_bytes(content)
        assert Index.load(tmp_path, model.digest, model.final).types
        spoil()
        with pytest.raises(InputError, match="the index is damaged"):
            Index.load(tmp_path, model.digest, model.final)
    note.write_text(json.dumps({**json.loads(text), "format": 99}))
    with pytest.raises(InputError, match="another version of relwise"):
        Index.load(tmp_path, model.digest, model.final)


def test_another_judgement_is_another_run(model: RelationshipPredictor) -> None:
    other = RelationshipPredictor(**TINY)  # type: ignore[arg-type]
    other._answer_from(model.graph, model.split, model.network)
    other._judge_by(model.judgement)
    assert other.digest == model.digest
    judged(other, seed=3)
    assert other.digest != model.digest


def test_without_the_library_it_says_what_to_install(
    model: RelationshipPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(InputError, match="needs the extra 'index'") as caught:
        build_index(model.final, small=10)
    assert "pip install 'relwise[index]'" in str(caught.value.remedy)
