"""Whole explanations: what they hold, what they never hold, and what they cost a refused question."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from relwise.data.graph import Graph
from relwise.errors import InputError
from relwise.nn.attributes import TypeEncoder
from relwise.predict.evidence.features import Evidence
from relwise.predict.evidence.plan import describe_pattern
from relwise.predict.explain import Carrier, explainer_of
from relwise.predict.explain.attributes import missing
from relwise.predict.final import FinalScorer
from relwise.predictor import RelationshipPredictor
from tests.predict.explain.graphs import asked, some_edges, trained, whole_logit
from tests.predict.judged import judged
from tests.small_data import TINY


def ids(graph: Graph, edge: tuple[int, int, int]) -> tuple[str, str, str]:
    return graph.node_id(edge[0]), graph.relation_names[edge[1]], graph.node_id(edge[2])


def stated(tie: Carrier) -> tuple[str, str, str]:
    return tie.head.id, tie.relation, tie.tail.id


@pytest.fixture(scope="module")
def model() -> RelationshipPredictor:
    return trained()


def test_carriers_are_known_edges_as_stated_and_their_effects_are_the_whole_networks(
    model: RelationshipPredictor,
) -> None:
    graph, explainer = model.graph, explainer_of(model)
    message = model.split.message
    known = set(zip(message.heads.tolist(), message.relations.tolist(), message.tails.tolist(), strict=True))
    for edge in some_edges(model):
        own = asked(model, explainer, edge)
        found = model.explain(*ids(graph, edge))
        base = whole_logit(model, edge, own)
        assert found.logit == pytest.approx(base, abs=1e-4)
        assert found.probability == model.predict_proba([ids(graph, edge)])[0]
        assert [tie.effect for tie in found.carriers] == sorted((t.effect for t in found.carriers), reverse=True)
        assert [tie.effect for tie in found.against] == sorted(tie.effect for tie in found.against)
        assert all(tie.effect > 0 for tie in found.carriers)
        assert all(tie.effect < 0 for tie in found.against)
        assert found.carriers or found.against
        for tie in (*found.carriers[:2], *found.against[:1]):
            triple = model.indexed([stated(tie)])
            single = int(triple.heads[0]), int(triple.relations[0]), int(triple.tails[0])
            assert single in known
            (fact,) = asked(model, explainer, single)
            assert tie.effect == pytest.approx(base - whole_logit(model, edge, [*own, fact]), abs=1e-4)
            touches = {single[0], single[2]} & {edge[0], edge[2]}
            assert (tie.layer == 2) == bool(touches)
            assert tie.attention is not None
            assert 0 < tie.attention <= 1


def test_the_edge_asked_about_is_never_its_own_evidence(model: RelationshipPredictor) -> None:
    graph, message = model.graph, model.split.message
    for i in range(0, len(message), 9):
        edge = int(message.heads[i]), int(message.relations[i]), int(message.tails[i])
        for head, relation, tail in {edge, edge if graph.directed[edge[1]] else (edge[2], edge[1], edge[0])}:
            own = {ids(graph, (head, relation, tail))}
            own |= set() if graph.directed[relation] else {ids(graph, (tail, relation, head))}
            found = model.explain(*ids(graph, (head, relation, tail)))
            assert found.known
            assert not own & {stated(tie) for tie in (*found.carriers, *found.against)}
            name = graph.relation_names[relation]
            assert name not in {paths.pattern for paths in found.paths}
            # Nor does a longer path pass over it: it would pass an end twice.
            for paths in found.paths:
                for example in paths.examples:
                    assert len({node.id for node in example}) == len(example)
            assert not own & {(one.head.id, name, one.tail.id) for one in found.similar}


def test_attributes_are_the_whole_networks_without_their_values(model: RelationshipPredictor) -> None:
    graph, edge = model.graph, (1, 0, 45)
    own = asked(model, explainer_of(model), edge)
    found, base = model.explain(*ids(graph, edge)), whole_logit(model, edge, own)
    inputs, *_ = model._prepared()
    effects = {}
    for side, node in (("head", edge[0]), ("tail", edge[2])):
        kind = int(np.searchsorted(graph.offsets, node, side="right")) - 1
        encoder, row = model.network.encoders[kind], node - graph.offsets[kind]
        assert isinstance(encoder, TypeEncoder)
        for attribute in graph.node_types[kind].attributes:
            values = attribute.values.copy()
            values[row] = missing(attribute)[0]
            changed = replace(
                graph.node_types[kind],
                attributes=tuple(
                    replace(one, values=values) if one.name == attribute.name else one
                    for one in graph.node_types[kind].attributes
                ),
            )
            whole = [encoder.prepare(changed) if i == kind else table for i, table in enumerate(inputs)]
            effects[side, attribute.name] = base - whole_logit(model, edge, own, whole)
    assert found.attributes
    for one in found.attributes:
        assert one.effect == pytest.approx(effects.pop((one.side, one.name)), abs=2e-4)
    # What is not told has no value.
    assert all(abs(effect) < 1e-4 for effect in effects.values())
    sizes = [abs(one.effect) for one in found.attributes]
    assert sizes == sorted(sizes, reverse=True)
    assert {one.value for one in found.attributes if one.name == "role"} <= {"clerk", "engineer", "cook", "pilot"}


def test_similar_ones_are_the_cosines_best(model: RelationshipPredictor) -> None:
    graph, nodes = model.graph, model.scorer.nodes.numpy().astype(np.float64)
    for edge in some_edges(model):
        head, relation, tail = edge
        found = model.explain(*ids(graph, edge)).similar
        wanted, scores = nodes[head] * nodes[tail], []
        for h, r, t in zip(graph.edges.heads, graph.edges.relations, graph.edges.tails, strict=True):
            same = (h, t) == (head, tail) or (not graph.directed[r] and (t, h) == (head, tail))
            if r == relation and not same:
                other = nodes[h] * nodes[t]
                scores.append((wanted @ other / np.linalg.norm(wanted) / np.linalg.norm(other), h, t))
        best = sorted(scores, reverse=True)[:3]
        assert [one.similarity for one in found] == pytest.approx([score for score, _, _ in best], abs=1e-5)
        assert (found[0].head.id, found[0].tail.id) == (graph.node_id(best[0][1]), graph.node_id(best[0][2]))


def test_the_effect_of_paths_is_what_the_final_logit_loses_without_them(model: RelationshipPredictor) -> None:
    other = judged(model.with_graph(model.graph))
    both, graph, seen = other.judgement.both, model.graph, 0
    for edge in some_edges(model):
        found, relation = other.explain(*ids(graph, edge)), edge[1]
        sizes = [abs(paths.effect or 0) for paths in found.paths]
        assert sizes == sorted(sizes, reverse=True)
        if not graph.directed[relation]:
            continue  # told from the end with fewer ties: tests/predict/evidence/test_features.py
        indexed = other.indexed([ids(graph, edge)])
        chosen = {describe_pattern(graph, p): i for i, p in enumerate(other.judgement.patterns[relation])}
        for paths in found.paths:
            if paths.pattern not in chosen:
                assert paths.effect == 0
                continue
            # Neither the evidence nor the judge has ever heard of the pattern.
            column, patterns, own = chosen[paths.pattern], list(other.judgement.patterns), both.own.copy()
            patterns[relation] = [p for i, p in enumerate(patterns[relation]) if i != column]
            own[relation, :-1] = np.delete(own[relation], column)
            evidence = Evidence(other.ties, patterns)
            judge = replace(both, own=own[:, : evidence.width])
            less = FinalScorer(other.scorer, evidence, judge).logits(indexed)[0]
            assert paths.effect == pytest.approx(other.final.logits(indexed)[0] - less, abs=1e-6)
            seen += 1
    assert seen > 5
    assert {paths.effect for paths in model.explain(*ids(graph, some_edges(model)[0])).paths} == {None}


def test_as_json(model: RelationshipPredictor) -> None:
    found = model.explain(*ids(model.graph, some_edges(model)[0]))
    value = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert next(iter(value)) == "sentence"
    assert value["sentence"].startswith("Known (")
    assert value["carriers"][0]["head"]["id"] == found.carriers[0].head.id
    assert value["paths"][0]["examples"][0][0] == {"id": found.head.id, "name": found.head.name}


def test_what_is_unknown_is_refused(model: RelationshipPredictor) -> None:
    with pytest.raises(InputError, match="there is no person with the id 'nobody'"):
        model.explain("nobody", "owns", "co1")
    with pytest.raises(InputError, match="did you mean 'owns'"):
        model.explain("pe1", "own", "co1")


def test_a_node_with_itself_and_nodes_without_ties() -> None:
    graph = Graph.from_triples([(i, "likes", (i + k) % 20) for i in range(20) for k in (1, 2, 3)])
    model = RelationshipPredictor(**TINY).fit(graph)
    loop = model.explain(3, "likes", 3)
    assert loop.logit == pytest.approx(whole_logit(model, (3, 0, 3)), abs=1e-4)
    grown = model.with_graph(graph.add_nodes("node", [{"id": "new"}, {"id": "newer"}]))
    alone = grown.explain("new", "likes", "newer")
    assert not alone.carriers
    assert not alone.against
    assert not alone.paths
    assert "no known path" in alone.sentence
    assert np.isfinite(alone.logit)


def test_after_another_fit_another_network_explains() -> None:
    model = RelationshipPredictor(**TINY)
    graph = Graph.from_triples([(i, "likes", (i + k) % 20) for i in range(20) for k in (1, 2, 3)])
    before = model.fit(graph).explain(1, "likes", 9)
    after = model.set_params(seed=1).fit(graph).explain(1, "likes", 9)
    assert before.logit != after.logit
    assert after.logit == pytest.approx(whole_logit(model, (1, 0, 9)), abs=1e-4)
