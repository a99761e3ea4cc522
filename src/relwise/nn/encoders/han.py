"""HAN: `Heterogeneous Graph Attention Network <https://arxiv.org/abs/1903.07293>`_ (Wang, Ji, Shi, Wang, Ye, Cui, Yu;
WWW 2019)."""

from __future__ import annotations

from torch import Tensor, nn

from relwise.nn.encoders.pyg import pyg_layers
from relwise.nn.encoders.typed import TypedNetwork


class HAN(TypedNetwork):
    """Attention over the neighbours through each metapath, then over metapaths; PyG's `HANConv`::

        z_j    = P_type(j) h_j
        α_ij,r = softmax over j ∈ N_i^r of LeakyReLU(a_r · z_i + b_r · z_j),    g_i,r = ReLU(Σ_j α_ij,r z_j)
        β_r    = softmax over r of q · mean over i of tanh(K g_i,r + k),        h_i'  = h_i + Σ_r β_r g_i,r

    A metapath is one message relation, inverse ones included: longer ones, which the paper makes by hand, are what a
    second layer walks. β is shared by all nodes of a type, and a mean over them: a new node moves the others of its
    type a little. Deviations: a node is no neighbour of its own, so each layer adds what it was before (PyG's has
    neither); dropout falls on each layer's input, none on α.

    It holds edges × d numbers, and relations × nodes × d.

    Args:
        encoders, decoder, num_inverse, dim, ends, dropout, layers, heads: as of `TypedNetwork`.

    Raises:
        InputError: without PyG.
    """

    def layer(self, dim: int, heads: int) -> nn.Module:
        return pyg_layers("han").HANConv(dim, dim, (self.types, self.kinds), heads)

    def joined(self, state: Tensor, said: Tensor | None) -> Tensor:
        return state if said is None else state + said
