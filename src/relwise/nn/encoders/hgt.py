"""HGT: `Heterogeneous Graph Transformer <https://arxiv.org/abs/2003.01332>`_ (Hu, Dong, Wang, Sun; WWW 2020)."""

from __future__ import annotations

from torch import Tensor, nn

from relwise.nn.encoders.pyg import pyg_layers
from relwise.nn.encoders.typed import TypedNetwork


class HGT(TypedNetwork):
    """Dot-product attention with projections by node type and by relation; PyG's `HGTConv`::

        e_ij,r = p_r (Q_type(i) h_i) · (A_r K_type(j) h_j) / √(d / L),      α = softmax over all (r, j) into i of e
        h_i'   = s O_type(i) GELU(Σ α_ij,r B_r V_type(j) h_j) + (1 - s) h_i,    s = sigmoid(skip_type(i))

    in each of L heads of d / L numbers. The paper's encoding of times is left out, as PyG's layer has none. Dropout
    falls on each layer's input, which is what its skip passes on. A type that no relation comes to keeps its states.

    It holds edges × d numbers, and d numbers for each relation and node of its source type.

    Args:
        encoders, decoder, num_inverse, dim, ends, dropout, layers, heads: as of `TypedNetwork`.

    Raises:
        InputError: without PyG.
    """

    def layer(self, dim: int, heads: int) -> nn.Module:
        return pyg_layers("hgt").HGTConv(dim, dim, (self.types, self.kinds), heads)

    def joined(self, state: Tensor, said: Tensor | None) -> Tensor:
        return state if said is None else said
