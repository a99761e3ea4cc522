"""Why an edge is likely, or not: the ties and attributes the network went by, paths, and known edges like it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from relwise.data.edges import Edges
from relwise.data.graph import counted
from relwise.kernels.adjacency import Adjacency
from relwise.nn.edge_encoder import EdgeInputs
from relwise.nn.model import RelGNN
from relwise.predict.explain import cone as cones
from relwise.predict.explain import plain as plains
from relwise.predict.explain.attributes import attribute_effects
from relwise.predict.explain.cone import cone_of
from relwise.predict.explain.explanation import Carrier, Explanation
from relwise.predict.explain.influence import Influence, influence_of
from relwise.predict.explain.naming import Naming
from relwise.predict.explain.occlusion import Case, Occlusion
from relwise.predict.explain.paths import nodes_of, paths_between
from relwise.predict.explain.plain import plain_of, why_not
from relwise.predict.explain.sentence import sentence
from relwise.predict.explain.similar import SimilarEdges
from relwise.predict.explain.states import LayerStates, MessageArrays

if TYPE_CHECKING:
    from relwise.predict.final import FinalScorer
    from relwise.predict.fitted import Fitted

SHOWN, AGAINST = 10, 5  # ties for and against that are shown
TRIED = 2  # times as many are silenced to find those: influence alone would misplace some
WORK = 400_000  # messages computed anew for that: where an end has thousands, fewer are tried, but a quarter at least


class Explainer:
    """Explains the edges of one run; what is the same for all edges is computed once.

    Args:
        run: the run. Where it has no scorer yet it gets one from what is computed here anyway: to encode a large graph
            takes seconds.
    """

    def __init__(self, run: Fitted) -> None:
        self.graph, self.split, self.network, self.ties = run.graph, run.split, run.network, run.ties
        self.inputs, adjacency, edge_inputs = run._prepared()
        self.states: LayerStates | None = None
        if isinstance(self.network, RelGNN):
            self.states = LayerStates.of(self.network, self.inputs, adjacency, edge_inputs)
            self.messages = self.states.messages
        else:
            self.messages = MessageArrays.of(adjacency)
            with torch.no_grad():
                self.start = self.network.start(self.inputs, adjacency)
        if not run.encoded:
            run.scorer_of(self._encoded(adjacency, edge_inputs))
        self.scorer = run.scorer
        self.similar = SimilarEdges(self.scorer)
        self.naming = Naming(self.graph, self.split.message)

    @torch.no_grad()
    def _encoded(self, adjacency: Adjacency, edge_inputs: EdgeInputs | None) -> Tensor:
        """(N, d) the network's final states."""
        final = None if self.states is None else self.states.final()
        return self.network.encode(self.inputs, adjacency, edge_inputs=edge_inputs) if final is None else final

    def explain(self, edge: Edges, final: FinalScorer) -> Explanation:
        """The explanation of one edge.

        Args:
            edge: one edge, of indices.
            final: of the run.
        """
        graph, edges = self.graph, self.graph.edges
        head, relation, tail = (int(array[0]) for array in (edge.heads, edge.relations, edge.tails))
        here = (edges.relations == relation) & (edges.heads == head) & (edges.tails == tail)
        if not graph.directed[relation]:
            here |= (edges.relations == relation) & (edges.heads == tail) & (edges.tails == head)
        probability = float(final.probabilities(edge)[0])
        effects = None if final.evidence is None else final.path_effects(edge)[0]
        paths, notes = paths_between(graph, self.ties, head, relation, tail, effects)
        similar, more = self.similar.find(head, relation, tail)
        ends = nodes_of(graph, [head, tail])
        base = Explanation(
            "", ends[0], graph.relation_names[relation], ends[1], bool(here.any()), probability, math.nan,
            paths=tuple(paths), similar=tuple(similar), notes=(*notes, *more),
        )  # fmt: skip
        if self.states is not None:
            return self._carried(base, self.occlusion(head, relation, tail))
        if why := why_not(self.network):
            note = f"carriers, attributes, attention: not of {type(self.network).__name__}, {why}"
            whole = replace(base, logit=float(self.scorer.logits(edge)[0]))
            return _told(whole, [], base.notes, [note], looked=False)
        return self._occluded(base, (head, relation, tail))

    def occlusion(self, head: int, relation: int, tail: int) -> Occlusion:
        """What the logit of an edge depends on, the edge itself silent."""
        if self.states is None:
            raise ValueError("occlusion message by message is RelGNN's alone")
        occlusion = Occlusion(self.states, cone_of(self.states, head, tail), relation)
        asked = self.fact(head, relation, tail)
        return occlusion if asked is None else occlusion.without(occlusion.cone.fact_place(asked))

    def fact(self, head: int, relation: int, tail: int) -> int | None:
        """The fact of the message graph that an edge states; None where it carries no message."""
        arrays, into = self.messages, self.messages.into(tail)
        same = np.flatnonzero((arrays.source[into] == head) & (arrays.relation[into] == relation))
        return int(arrays.fact[into][same[0]]) if len(same) else None

    def strongest(self, occlusion: Occlusion, influence: Influence) -> tuple[float, np.ndarray, np.ndarray]:
        """The logit; the facts of the cone of most influence either way, and how much lower it is without each.

        Those that the logit needs most come first.
        """
        facts = np.flatnonzero(influence.layer)  # the edge asked about, if it was one of them, has no message left
        order = facts[np.argsort(-influence.effect[facts], kind="stable")]
        ends = list(occlusion.cone.ends)
        each = sum(int(np.isin(level.target, ends).sum()) for level in occlusion.cone.levels)
        share = min(1.0, max(0.25, WORK / max(1, each) / (TRIED * (SHOWN + AGAINST))))
        most, least = (int(share * TRIED * count) for count in (SHOWN, AGAINST))
        tried = np.unique(np.concatenate([order[:most], order[::-1][:least]]))
        logits = occlusion.logits([Case(), *(Case(silent=(int(fact),)) for fact in tried)])
        effects = logits[0] - logits[1:]
        order = np.argsort(-effects, kind="stable")
        return float(logits[0]), tried[order], effects[order]

    def _carried(self, base: Explanation, occlusion: Occlusion) -> Explanation:
        """With the ties and attributes that bore on the logit."""
        cone, influence = occlusion.cone, influence_of(occlusion)
        logit, tried, effects = self.strongest(occlusion, influence)
        carriers = []
        for fact, effect in zip(tried.tolist(), effects.tolist(), strict=True):
            layer, place = int(influence.layer[fact]), influence.message[fact]
            level = cone.levels[layer - 1]
            message = (
                int(cone.nodes[level.source[place]]),
                int(level.relation[place]),
                int(cone.nodes[level.target[place]]),
            )
            attention, side = float(influence.attention[fact]), int(influence.side[fact])
            carriers.append(self.naming.carrier(message, layer, attention, effect, side))
        head, tail = ((int(cone.nodes[end]), end, cone.states[0][end]) for end in cone.ends)
        of_nodes = self.graph, list(self.network.encoders), self.inputs
        attributes = attribute_effects(*of_nodes, (head, tail), occlusion.logits, logit)
        notes, ties = [], int((influence.layer > 0).sum())
        if skipped := sum(level.skipped for level in cone.levels):
            many = f"{cones.MOST:,} messages a layer are"
            whose = f"{counted(skipped, 'neighbour')} with the most"
            notes.append(f"carriers: the ties of {whose} were not looked at; {many}")
        if ties > len(tried):
            notes.append(f"carriers: of {ties:,} ties the {len(tried)} of most influence were silenced one by one")
        return _told(replace(base, logit=logit, attributes=tuple(attributes)), carriers, base.notes, notes)

    def _occluded(self, base: Explanation, edge: tuple[int, int, int]) -> Explanation:
        """The same of a network whose attention is not known: ties of the two ends, silenced one by one."""
        plain = plain_of(self.network, self.start, self.graph, self.messages, edge, self.fact(*edge))
        ties = plain.ties()
        tried = ties[: plains.TRIED]
        logit, *without = plain.logits([Case(), *(Case(silent=(tie.fact,)) for tie in tried)]).tolist()
        carriers = []
        for tie, other in zip(tried, without, strict=True):
            message = int(plain.nodes[tie.source]), tie.relation, int(plain.nodes[tie.target])
            carriers.append(self.naming.carrier(message, plain.depth, None, logit - other, tie.side))
        head, tail = ((int(plain.nodes[end]), end, plain.start[end].numpy()) for end in plain.ends)
        of_nodes = self.graph, list(self.network.encoders), self.inputs
        attributes = attribute_effects(*of_nodes, (head, tail), plain.logits, logit)
        name = type(self.network).__name__
        notes = [f"carriers: of {name} by occlusion alone, and of the two ends' own ties alone; no attention is told"]
        if len(tried) < len(ties):
            notes.append(f"carriers: of {len(ties):,} ties {len(tried)} were silenced, to those with few ties first")
        if plain.cut:
            whose = f"{counted(plain.cut, 'neighbour')} with the most"
            notes.append(f"carriers: the messages into {whose} were left out")
        return _told(replace(base, logit=logit, attributes=tuple(attributes)), carriers, base.notes, notes)


def explainer_of(run: Fitted) -> Explainer:
    """The explainer of a run, made once for each network and graph that it answers from."""
    kept = run.__dict__.get("_explainer")
    if not isinstance(kept, Explainer) or not run.encoded or kept.scorer is not run.scorer:
        kept = run.__dict__["_explainer"] = Explainer(run)
    return kept


def _told(
    base: Explanation, carriers: Sequence[Carrier], notes: Sequence[str], more: Sequence[str], looked: bool = True
) -> Explanation:
    """With the ties for and against, all notes, and the sentence."""
    order = sorted(carriers, key=lambda carrier: -carrier.effect)
    found = replace(
        base,
        carriers=tuple(c for c in order if c.effect > 0)[:SHOWN],
        against=tuple(c for c in reversed(order) if c.effect < 0)[:AGAINST],
        notes=(*more, *notes),
    )
    return replace(found, sentence=sentence(found, looked))
