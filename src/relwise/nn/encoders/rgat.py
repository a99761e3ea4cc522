"""RGAT: `Relational Graph Attention Networks <https://arxiv.org/abs/1904.05811>`_ (Busbridge, Sherburn, Cavallo,
Hammerla; 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from relwise.kernels.adjacency import Adjacency
from relwise.kernels.dropout import dropout
from relwise.nn.decoders import Decoder
from relwise.nn.edge_layer import EdgeStates
from relwise.nn.encoders.edge_list import edge_list
from relwise.nn.encoders.pyg import pyg_layers
from relwise.nn.network import Network
from relwise.nn.relgnn import SLOPE

UNUSED = ("w", "l1", "b1", "l2", "b2")
"""Parameters of `RGATConv` that only other modes use. PyG leaves l2 as the memory was: no two runs would be alike."""


class RGAT(Network):
    """Additive attention over all neighbours, across relations; PyG's `RGATConv`::

        e_ij,r = LeakyReLU(q · W_r h_i + k · W_r h_j),    α = softmax over all (r, j) into i of e
        h_i'   = h_i + LeakyReLU(Σ α_ij,r W_r h_j + b),   W_r = Σ_b c_rb V_b

    in each of L heads of d / L numbers. RelGNN's target says `W_self h_i` where this one's says `W_r h_i`. Deviation:
    the paper has no state of the node itself but by a relation to itself; here each layer adds what it was before.

    **It takes memory.** PyG's layer makes a d × d matrix for each edge: E · d² numbers, several times in a backward
    pass. At d = 64 a message takes 16 KiB each time; a million messages, 16 GiB. Take the largest `dim` that fits.

    Args:
        encoders, decoder, num_inverse, dim, dropout: as of `Network`.
        layers: number of layers.
        heads: L; they share d.
        bases: basis matrices a layer; None: a matrix per relation.

    Raises:
        InputError: without PyG.
    """

    waits = True  # for how many edges are left

    def __init__(
        self,
        encoders: Sequence[nn.Module],
        decoder: Decoder,
        num_inverse: int,
        dim: int,
        dropout: float = 0.0,
        layers: int = 2,
        heads: int = 1,
        bases: int | None = None,
    ) -> None:
        super().__init__(encoders, decoder, num_inverse, dim, dropout)
        made = [pyg_layers("rgat").RGATConv(dim, dim // heads, self.num_relations, bases, heads=heads)
                for _ in range(layers)]  # fmt: skip
        for conv in made:
            for name in UNUSED:
                setattr(conv, name, None)
        self.layers = nn.ModuleList(made)

    def propagate(
        self,
        start: Tensor,
        adjacency: Adjacency,
        keep: Tensor | None,
        edges: EdgeStates | None,
        sizes: Sequence[int],
    ) -> Tensor:
        state, kept = start, edge_list(adjacency).kept(keep)
        for layer in self.layers:
            said: Any = layer(dropout(state, self.dropout, self.training), kept.ends, kept.relation)
            state = state + functional.leaky_relu(said, SLOPE)
        return state
