"""One logit for an undirected edge, whichever of its ends is written first."""

from __future__ import annotations

from torch import Tensor, nn

from relwise.nn.decoders.base import Decoder, End


class BothWays(Decoder):
    """`s(i, r, j) = (s'(i, r, j) + s'(j, r, i)) / 2` where r is undirected, s' where it is directed.

    A decoder s' that tells an edge from its reverse would else learn which end of an undirected edge the data writes
    first. Where negatives replace one of the two ends, that alone tells most of them from true edges.

    The query of an undirected relation is the mean of s's two queries, as both ask for the same node.

    Args:
        inner: the decoder s'. Its relation states are this one's.
        undirected: (R,) bool, which relations are undirected.

    >>> import torch
    >>> from relwise.nn.decoders import TransE
    >>> one_way = TransE(2, 2)
    >>> _ = one_way.relation.data.copy_(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    >>> decoder = BothWays(one_way, torch.tensor([True, False]))
    >>> nodes = torch.tensor([[1.0, 2.0], [2.0, 2.0]])
    >>> first, second = torch.tensor([0, 0]), torch.tensor([1, 1])
    >>> decoder(nodes, first, torch.tensor([0, 1]), second).tolist()
    [7.0, 9.0]
    >>> decoder(nodes, second, torch.tensor([0, 1]), first).tolist()
    [7.0, 5.0]
    """

    undirected: Tensor

    def __init__(self, inner: Decoder, undirected: Tensor) -> None:
        super().__init__()
        self.inner = inner
        self.register_buffer("undirected", undirected, persistent=False)

    @property
    def relation(self) -> nn.Parameter:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(R, d): the inner decoder's own. As an attribute it would be stored a second time."""
        return self.inner.relation

    def query(self, missing: End, anchor: Tensor, relation: Tensor) -> Tensor:
        ahead, rows = self.inner.query(missing, anchor, relation), self._rows(relation)
        back = self.inner.query("head" if missing == "tail" else "tail", anchor[rows], relation[rows])
        return ahead.index_copy(0, rows, (ahead[rows] + back) / 2)

    def keys(self, nodes: Tensor) -> Tensor:
        return self.inner.keys(nodes)

    def forward(self, nodes: Tensor, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        ahead, rows = self.inner(nodes, heads, relations, tails), self._rows(relations)
        back = self.inner(nodes, tails[rows], relations[rows], heads[rows])
        return ahead.index_copy(0, rows, (ahead[rows] + back) / 2)

    def _rows(self, relations: Tensor) -> Tensor:
        """Which of the edges asked about are undirected."""
        return self.undirected[relations].nonzero().squeeze(1)
