"""Scores from final node states: of edges, and of every candidate for a missing end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.nn.decoders import Decoder, End

FEW = 16  # queries: beyond it the other order of the product is quicker
CHUNK = 65_536  # edges scored at a time: bounds memory at CHUNK × d


@dataclass(frozen=True, eq=False)
class Scorer:
    """A decoder over final node states.

    Args:
        graph: whose types bound the candidates.
        decoder: scores.
        nodes: (N, d) final node states.
    """

    graph: Graph
    decoder: Decoder
    nodes: Tensor

    @torch.no_grad()
    def logits(self, edges: Edges) -> npt.NDArray[np.float32]:
        """(n,) the logit of each edge."""
        arrays = [self._put(a) for a in (edges.heads, edges.relations, edges.tails)]
        parts = [self.decoder(self.nodes, *(a[i : i + CHUNK] for a in arrays)) for i in range(0, len(edges), CHUNK)]
        return torch.cat(parts).cpu().numpy() if parts else np.empty(0, np.float32)

    def _put(self, index: npt.ArrayLike) -> Tensor:
        """Indices where the states lie."""
        return torch.from_numpy(np.array(index, dtype=np.int64)).to(self.nodes.device)

    def probabilities(self, edges: Edges) -> npt.NDArray[np.float64]:
        """(n,) the probability of each edge: the sigmoid of its logit, in float64 so that likely ones differ."""
        return sigmoid(self.logits(edges))

    @property
    def block(self) -> Block:
        """The logits of all candidates for missing ends: `block(missing, relations, anchors)`."""
        return Block(self)


@dataclass(frozen=True, eq=False)
class Block:
    """Logits of all candidates, and the vectors that they are products of (`relwise.evaluate.ranks.Products`).

    Args:
        scorer: whose.
    """

    scorer: Scorer

    @torch.no_grad()
    def __call__(self, end: End, relations: npt.NDArray, anchors: npt.NDArray) -> npt.NDArray[np.float32]:
        """(q, n) logits of all candidates for the missing end of q queries of one candidate type.

        Args:
            end: the end that is asked for.
            relations: (q,) relation indices, all with the same type at the missing end.
            anchors: (q,) node indices of the end that is given.
        """
        graph = self.scorer.graph
        low, high = (graph.head_ranges if end == "head" else graph.tail_ranges)[relations[0]]
        queries, candidates = self.queries(end, relations, anchors), self.candidates(low, high)
        # Few queries read the candidates as they lie: a third less time than the other way round.
        product = (candidates @ queries.T).T.contiguous() if len(queries) <= FEW else queries @ candidates.T
        return product.cpu().numpy()

    @torch.no_grad()
    def queries(self, end: End, relations: npt.NDArray, anchors: npt.NDArray) -> Tensor:
        """(q, d) vectors whose products with candidates are the logits."""
        anchor, relation = self.scorer._put(anchors), self.scorer._put(relations)
        return self.scorer.decoder.query(end, self.scorer.nodes.index_select(0, anchor), relation)

    def candidates(self, low: int, high: int) -> Tensor:
        """(high - low, k) keys of the nodes low .. high."""
        with torch.no_grad():
            return self.scorer.decoder.keys(self.scorer.nodes[low:high]).detach()


def sigmoid(logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """1 / (1 + e^-x), in float64."""
    return 1 / (1 + np.exp(-np.asarray(logits, dtype=np.float64)))
