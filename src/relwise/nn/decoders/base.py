"""What every decoder offers: one logit per edge, and the query whose product with a candidate's key is that logit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from torch import Tensor, nn

from relwise.kernels.cross_entropy import IntArray, Triples

End = Literal["head", "tail"]


class Decoder(nn.Module, ABC):
    """Scores edges from the states of their ends; holds one embedding per relation.

    Attributes:
        relation: (R, d) parameter; RelGNN's relation states are this same parameter.
        symmetric: whether an edge and its reverse have the same logit, whatever was learnt. Of other decoders
            `BothWays` makes one that suits undirected relations.
    """

    relation: nn.Parameter
    symmetric: ClassVar[bool] = False

    @abstractmethod
    def query(self, missing: End, anchor: Tensor, relation: Tensor) -> Tensor:
        """(n, k) vectors q such that `q · keys(h_c)` is the logit of the edge whose missing end is c.

        Args:
            missing: which end is asked for.
            anchor: (n, d) states of the end that is given.
            relation: (n,) relation indices.
        """

    def factors(self) -> Tensor | None:
        """(R, d) whose rows times the anchors' states are the queries of either end, where that is so and keys are the
        states: kernels can make them then. None of any other decoder."""
        return None

    def keys(self, nodes: Tensor) -> Tensor:
        """(N, k) what queries are multiplied with: the states themselves, unless a decoder says more.

        Args:
            nodes: (N, d) final node states.
        """
        return nodes

    def cross_entropy(self, nodes: Tensor, positives: Triples, negatives: Triples, counts: IntArray) -> Tensor | None:
        """The cross entropy of edges in one pass with its gradient (`kernels.cross_entropy`, where the arguments are
        told), for those whose logits kernels know; None of any other decoder: then it is that of `forward`'s logits."""
        del nodes, positives, negatives, counts
        return None

    def forward(self, nodes: Tensor, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        """(n,) logits of edges.

        Args:
            nodes: (N, d) final node states.
            heads, relations, tails: (n,) indices.
        """
        query = self.query("tail", nodes.index_select(0, heads), relations)
        return (query * self.keys(nodes.index_select(0, tails))).sum(dim=1)
