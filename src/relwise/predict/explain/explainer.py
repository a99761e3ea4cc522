"""Why an edge is likely, or not: the ties and attributes the network went by, paths, and known edges like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.nn.model import RelGNN
from relwise.predict.evidence.ties import Ties
from relwise.predict.explain.attributes import attribute_effects
from relwise.predict.explain.cone import MOST, cone_of
from relwise.predict.explain.explanation import Carrier, Explanation, Side
from relwise.predict.explain.influence import Influence, influence_of
from relwise.predict.explain.occlusion import Case, Occlusion
from relwise.predict.explain.paths import nodes_of, paths_between
from relwise.predict.explain.sentence import sentence
from relwise.predict.explain.similar import SimilarEdges
from relwise.predict.explain.states import LayerStates

if TYPE_CHECKING:
    from relwise.predict.answers import Answers

SHOWN, AGAINST = 10, 5  # ties for and against that are shown
TRIED = 2  # times as many are silenced, to find those: the gradient alone would misplace some


class Explainer:
    """Explains the edges of one run; what is the same for all edges is computed once.

    Args:
        answers: the run.
    """

    def __init__(self, answers: Answers) -> None:
        self.graph, self.split, self.network = answers.graph, answers.split, answers.network
        self.scorer = answers.scorer
        self.inputs, adjacency, edge_inputs = answers._prepared()
        self.ties = Ties.of(self.graph, self.split.message)
        self.similar = SimilarEdges(self.scorer)
        self.states: LayerStates | None = None
        if isinstance(self.network, RelGNN):
            self.states = LayerStates.of(self.network, self.inputs, adjacency, edge_inputs)
        self._oriented = _oriented(self.graph, self.split.message)

    def explain(self, edge: Edges, probability: float) -> Explanation:
        """The explanation of one edge.

        Args:
            edge: one edge, of indices.
            probability: what the run says of it.
        """
        graph, edges = self.graph, self.graph.edges
        head, relation, tail = (int(array[0]) for array in (edge.heads, edge.relations, edge.tails))
        here = (edges.relations == relation) & (edges.heads == head) & (edges.tails == tail)
        if not graph.directed[relation]:
            here |= (edges.relations == relation) & (edges.heads == tail) & (edges.tails == head)
        paths, notes = paths_between(graph, self.ties, head, relation, tail)
        similar, more = self.similar.find(head, relation, tail)
        ends = nodes_of(graph, [head, tail])
        name = graph.relation_names[relation]
        base = Explanation(
            "", ends[0], name, ends[1], bool(here.any()), probability, float(self.scorer.logits(edge)[0]),
            paths=tuple(paths), similar=tuple(similar), notes=(*notes, *more),
        )  # fmt: skip
        if self.states is None:
            note = f"carriers, attributes: of RelGNN alone, and this network is {type(self.network).__name__}"
            found = replace(base, notes=(note, *base.notes))
            return replace(found, sentence=sentence(found, looked=False))
        found = self._carried(base, self.occlusion(head, relation, tail))
        return replace(found, sentence=sentence(found))

    def occlusion(self, head: int, relation: int, tail: int) -> Occlusion:
        """What the logit of an edge depends on, the edge itself silent."""
        assert self.states is not None
        occlusion = Occlusion(self.states, cone_of(self.states, head, tail), relation)
        asked = self.fact(head, relation, tail)
        return occlusion if asked is None else occlusion.without(occlusion.cone.fact_place(asked))

    def fact(self, head: int, relation: int, tail: int) -> int | None:
        """The fact of the message graph that an edge states; None where it carries no message."""
        assert self.states is not None
        arrays = self.states.messages
        into = arrays.into(tail)
        same = np.flatnonzero((arrays.source[into] == head) & (arrays.relation[into] == relation))
        return int(arrays.fact[into][same[0]]) if len(same) else None

    def strongest(self, occlusion: Occlusion, influence: Influence) -> tuple[float, np.ndarray, np.ndarray]:
        """The logit; the facts of the cone of most influence either way, and how much lower it is without each.

        Those that the logit needs most come first.
        """
        facts = np.flatnonzero(influence.layer)  # the edge asked about, if it was one of them, has no message left
        order = facts[np.argsort(-influence.effect[facts], kind="stable")]
        tried = np.unique(np.concatenate([order[: TRIED * SHOWN], order[::-1][: TRIED * AGAINST]]))
        logits = occlusion.logits([Case(), *(Case(silent=(int(fact),)) for fact in tried)])
        effects = logits[0] - logits[1:]
        order = np.argsort(-effects, kind="stable")
        return float(logits[0]), tried[order], effects[order]

    def _carried(self, base: Explanation, occlusion: Occlusion) -> Explanation:
        """With the ties and attributes that bore on the logit."""
        ties = influence_of(occlusion)
        logit, tried, effects = self.strongest(occlusion, ties)
        carriers = self._carriers(occlusion, ties, tried, effects)
        attributes = attribute_effects(self.graph, self.inputs, occlusion, logit)
        skipped = sum(level.skipped for level in occlusion.cone.levels)
        notes = list(base.notes)
        if skipped:
            notes.append(
                f"carriers: ties of {skipped:,} neighbours with the most were not looked at ({MOST:,} a layer are)"
            )
        if len(ties.effect) > len(tried):
            notes.append(f"carriers: of {len(ties.effect):,} ties the {len(tried)} of most influence were silenced")
        return replace(
            base,
            logit=logit,
            carriers=tuple(c for c in carriers if c.effect > 0)[:SHOWN],
            against=tuple(c for c in reversed(carriers) if c.effect < 0)[:AGAINST],
            attributes=tuple(attributes),
            notes=tuple(notes),
        )

    def _carriers(self, occlusion: Occlusion, ties: Influence, facts: np.ndarray, effects: np.ndarray) -> list[Carrier]:
        """Facts of the cone as the data state them."""
        cone, found = occlusion.cone, []
        sides: Sequence[Side] = ("head", "tail", "both")
        for fact, effect in zip(facts.tolist(), effects.tolist(), strict=True):
            level, message = cone.levels[ties.layer[fact] - 1], ties.message[fact]
            source, target = (int(cone.nodes[array[message]]) for array in (level.source, level.target))
            head, relation, tail = self._stated(source, int(level.relation[message]), target)
            ends = nodes_of(self.graph, [head, tail])
            found.append(
                Carrier(
                    ends[0], self.graph.relation_names[relation], ends[1], int(ties.layer[fact]),
                    float(ties.attention[fact]), effect, sides[ties.side[fact] - 1],
                )
            )  # fmt: skip
        return found

    def _stated(self, source: int, relation: int, target: int) -> tuple[int, int, int]:
        """The edge, as the data have it, whose message this is."""
        graph = self.graph
        if relation >= graph.num_relations:
            return target, int(np.flatnonzero(graph.directed)[relation - graph.num_relations]), source
        if not graph.directed[relation]:
            key = (relation * graph.num_nodes + source) * graph.num_nodes + target
            place = np.searchsorted(self._oriented, key)
            if place == len(self._oriented) or self._oriented[place] != key:
                return target, relation, source
        return source, relation, target


def explainer_of(answers: Answers) -> Explainer:
    """The explainer of a run, made once for each network and graph that it answers from."""
    kept = answers.__dict__.get("_explainer")
    if not isinstance(kept, Explainer) or kept.scorer is not answers.scorer:
        kept = answers.__dict__["_explainer"] = Explainer(answers)
    return kept


def _oriented(graph: Graph, edges: Edges) -> np.ndarray:
    """The keys of the edges of undirected relations, ascending, each as it is stated."""
    some = ~graph.directed[edges.relations]
    heads, relations, tails = edges.heads[some], edges.relations[some], edges.tails[some]
    return np.sort((relations * graph.num_nodes + heads) * graph.num_nodes + tails)
