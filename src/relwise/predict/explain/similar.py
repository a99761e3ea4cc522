"""The known edges most like one that is asked about: those whose ends' states agree with each other in the same way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from numba import njit

from relwise.kernels.compiling import OUTER
from relwise.nn.decoders import Slices
from relwise.predict.explain.explanation import Similar
from relwise.predict.explain.layers import Floats
from relwise.predict.explain.paths import nodes_of
from relwise.predict.scorer import Scorer

MOST = 100_000  # known edges of a relation that are compared
SHOWN = 3

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Known:
    """The known edges of a relation.

    Args:
        heads, tails: (n,) their ends.
        norms: (n,) the length of each one's product of states.
        of: how many the relation has.
    """

    heads: Ints
    tails: Ints
    norms: Floats
    of: int


@dataclass(frozen=True, eq=False)
class SimilarEdges:
    """Finds the known edges (a, r, b) with the largest cosine of `h_a ⊙ h_b` and `h_head ⊙ h_tail`.

    Args:
        scorer: of the graph, with the final states.
    """

    scorer: Scorer
    _known: dict[int, Known] = field(default_factory=dict)

    def find(self, head: int, relation: int, tail: int) -> tuple[list[Similar], list[str]]:
        """The most similar edges but the one asked about, and what was capped, in sentences."""
        graph, states, known = self.scorer.graph, self._states(relation), self._of(relation)
        asked = states[head] * states[tail]
        lengths = np.maximum(known.norms * np.linalg.norm(asked), np.float32(1e-30))
        cosine = _products(states, asked, known.heads, known.tails) / lengths
        same = (known.heads == head) & (known.tails == tail)
        if not graph.directed[relation]:
            same |= (known.heads == tail) & (known.tails == head)
        cosine[same] = -np.inf
        best = np.argsort(-cosine, kind="stable")[: min(SHOWN, int((~same).sum()))]
        found = []
        for i in best:
            ends = nodes_of(graph, [int(known.heads[i]), int(known.tails[i])])
            found.append(Similar(ends[0], ends[1], float(cosine[i])))
        capped = known.of > len(known.heads)
        return found, [f"similar: among {len(known.heads):,} of {known.of:,} known edges"] if capped else []

    def _of(self, relation: int) -> Known:
        if relation not in self._known:
            edges, states = self.scorer.graph.edges, self._states(relation)
            places = np.flatnonzero(edges.relations == relation)
            count = len(places)
            if count > MOST:
                places = places[np.linspace(0, count - 1, MOST).astype(np.int64)]
            heads, tails = edges.heads[places], edges.tails[places]
            norms = np.sqrt(_products(np.square(states), np.ones(states.shape[1], np.float32), heads, tails))
            self._known[relation] = Known(heads, tails, norms, count)
        return self._known[relation]

    def _states(self, relation: int) -> Floats:
        """(N, d) final states; of a network that has some for each relation, that relation's."""
        nodes, decoder = self.scorer.nodes, self.scorer.decoder
        if isinstance(decoder, Slices):
            return nodes.view(len(nodes), *decoder.relation.shape)[:, relation].contiguous().numpy()
        return nodes.numpy()


@njit(**OUTER)
def _products(states, weights, heads, tails):  # pragma: no cover (compiled)
    """(n,) `Σ_k w_k a_k b_k` of the states a, b of each edge's ends."""
    out = np.empty(len(heads), np.float32)
    for i in range(len(heads)):
        a, b, total = states[heads[i]], states[tails[i]], np.float32(0)
        for k in range(len(weights)):
            total += weights[k] * a[k] * b[k]
        out[i] = total
    return out
