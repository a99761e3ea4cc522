"""The small message graphs that the attention kernels are tried on."""

from __future__ import annotations

import torch
from torch import Tensor

from relwise.kernels.adjacency import Adjacency, build_adjacency


def message_graph(seed: int, nodes: int = 12, edges: int = 60, relations: int = 3) -> Adjacency:
    generator = torch.Generator().manual_seed(seed)
    draw = lambda high: torch.randint(0, high, (edges,), generator=generator)  # noqa: E731
    # The last two nodes get no edge: isolated; drawn with repetition: duplicate edges.
    return build_adjacency(draw(nodes - 2), draw(nodes - 2), draw(relations), nodes, relations, draw(edges // 2 + 1))


def hub() -> Adjacency:
    """One target of 150 edges between two of a few, from 2 sources: hubs among the rows as well."""
    target = torch.cat((torch.tensor([0, 0, 0]), torch.ones(150).long(), torch.tensor([2, 2])))
    return build_adjacency(torch.arange(155) % 2, target, torch.zeros(155).long(), 4, 1)


GRAPHS = {
    "usual": lambda: message_graph(0),
    "one relation": lambda: message_graph(1, relations=1),
    "hundreds of relations": lambda: message_graph(2, edges=50, relations=300),
    "one edge": lambda: message_graph(3, edges=1),
    "no edges": lambda: message_graph(3, edges=0),
    "a hub": hub,
}


def keeps(adjacency: Adjacency) -> dict[str, Tensor]:
    some = torch.rand(adjacency.num_facts, generator=torch.Generator().manual_seed(1)) < 0.6
    return {"all": torch.ones_like(some), "some": some, "nothing": torch.zeros_like(some)}


def inputs(adjacency: Adjacency, heads: int, width: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Target logits, row logits, rows, and a gradient of the result."""
    generator = torch.Generator().manual_seed(heads * 1000 + width)
    rows = len(adjacency.row_source)
    shapes = (adjacency.num_nodes, heads), (rows, heads), (rows, width), (adjacency.num_nodes, width)
    one, two, three, four = (torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes)
    return one, two, three, four
