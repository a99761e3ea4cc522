"""The known edges most like one that is asked about: those whose ends' states agree with each other in the same way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.nn.decoders import DistMult, Slices
from relwise.predict.explain.explanation import Similar
from relwise.predict.explain.paths import nodes_of
from relwise.predict.scorer import Scorer

MOST = 100_000  # known edges of a relation that are compared
SHOWN = 3


@dataclass(frozen=True, eq=False)
class Known:
    """The known edges of a relation.

    Args:
        heads, tails: (n,) their ends.
        norms: (n,) the length of each one's product of states.
        of: how many the relation has.
    """

    heads: torch.Tensor
    tails: torch.Tensor
    norms: torch.Tensor
    of: int


@dataclass(frozen=True, eq=False)
class SimilarEdges:
    """Finds the known edges (a, r, b) with the largest cosine of `h_a ⊙ h_b` and `h_head ⊙ h_tail`.

    Args:
        scorer: of the graph, with the final states.
    """

    scorer: Scorer
    _known: dict[int, Known] = field(default_factory=dict)

    @torch.no_grad()
    def find(self, head: int, relation: int, tail: int) -> tuple[list[Similar], list[str]]:
        """The most similar edges but the one asked about, and what was capped, in sentences."""
        graph, states = self.scorer.graph, self._states(relation)
        known = self._of(relation)
        asked = states[head] * states[tail]
        same = (known.heads == head) & (known.tails == tail)
        if not graph.directed[relation]:
            same |= (known.heads == tail) & (known.tails == head)
        cosine = _products(states, asked, known.heads, known.tails) / (known.norms * float(asked.norm())).clamp_min(
            1e-30
        )
        cosine[same] = -np.inf
        best = cosine.topk(min(SHOWN, int((~same).sum()))).indices.tolist()
        found = [_named(graph, int(known.heads[i]), int(known.tails[i]), float(cosine[i])) for i in best]
        capped = known.of > len(known.heads)
        return found, [f"similar: among {len(known.heads):,} of {known.of:,} known edges"] if capped else []

    def _of(self, relation: int) -> Known:
        if relation not in self._known:
            edges: Edges = self.scorer.graph.edges
            places: npt.NDArray = np.flatnonzero(edges.relations == relation)
            count = len(places)
            if count > MOST:
                places = places[np.linspace(0, count - 1, MOST).astype(np.int64)]
            heads, tails = (torch.from_numpy(a[places].copy()) for a in (edges.heads, edges.tails))
            states = self._states(relation)
            norms = _products(states.square(), torch.ones(states.shape[1]), heads, tails).sqrt()
            self._known[relation] = Known(heads, tails, norms, count)
        return self._known[relation]

    def _states(self, relation: int) -> torch.Tensor:
        """(N, d) final states; of a network that has some for each relation, that relation's."""
        nodes, decoder = self.scorer.nodes, self.scorer.decoder
        if isinstance(decoder, Slices):
            return nodes.view(len(nodes), *decoder.relation.shape)[:, relation].contiguous()
        return nodes


def _products(states: torch.Tensor, weights: torch.Tensor, heads: torch.Tensor, tails: torch.Tensor) -> torch.Tensor:
    """(n,) `Σ_k w_k a_k b_k` of the states a, b of each edge's ends: DistMult's score."""
    decoder = DistMult(1, len(weights))
    decoder.relation.data = weights[None].contiguous()
    return decoder(states, heads, torch.zeros_like(heads), tails)


def _named(graph: Graph, head: int, tail: int, similarity: float) -> Similar:
    ends = nodes_of(graph, [head, tail])
    return Similar(ends[0], ends[1], similarity)
