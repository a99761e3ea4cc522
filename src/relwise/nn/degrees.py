"""How many neighbours a node has, as part of its state: what attention cannot count.

The attention weights of a node sum to 1 (eq. 4): a supplier with one contract and one with a hundred alike have the
mean of what their neighbours say. Popularity is then known of nodes with a learnt vector alone, and of no node that is
new. The counts are of the edges that carry messages, so of a step's own edges they tell nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from relwise.kernels.adjacency import Adjacency, edge_targets


class DegreeEncoder(nn.Module):
    """A linear map of the logarithms of a node's degrees.

        output_i = W log(1 + n_i),    n_ir = how many messages come into node i through relation r

    Args:
        num_relations: R, inverse relations included.
        dim: d.

    >>> from relwise.kernels.adjacency import build_adjacency
    >>> adjacency = build_adjacency(torch.tensor([0, 1, 1]), torch.tensor([2, 2, 0]), torch.tensor([0, 1, 1]), 3, 2)
    >>> degrees(adjacency).tolist()
    [[0.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    >>> DegreeEncoder(2, 4)(adjacency).shape
    torch.Size([3, 4])
    """

    def __init__(self, num_relations: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Linear(num_relations, dim, bias=False)

    def forward(self, adjacency: Adjacency, keep: Tensor | None = None) -> Tensor:
        """(N, d) the states.

        Args:
            adjacency: the message graph.
            keep: (F,) bool, which facts carry messages; None: all.
        """
        return self.weight(degrees(adjacency, keep).log1p())


def degrees(adjacency: Adjacency, keep: Tensor | None = None) -> Tensor:
    """(N, R) how many messages come into each node through each relation, of facts that are kept."""
    n, r = adjacency.num_nodes, adjacency.num_relations
    target = edge_targets(adjacency.indptr, adjacency.num_edges)
    place = target * r + adjacency.row_relation[adjacency.row.long()]
    ones = torch.ones(adjacency.num_edges, device=place.device)
    weights = ones if keep is None else keep[adjacency.fact.long()].float()
    # Whole numbers: whatever order they are added in, the sums are exact.
    return torch.zeros(n * r, device=place.device).index_add_(0, place, weights).view(n, r)
