"""RelGNN's layer and its fusion of attributes and topology, each usable alone in anyone's PyG model.

Source: `Relation-aware Graph Attention Model with Adaptive Self-adversarial Training
<https://arxiv.org/abs/2102.07186>`_ (Qin, Sheikh, Reinwald, Wu; AAAI 2021).
"""

from __future__ import annotations

from typing import Literal, overload

import torch
from torch import Tensor, nn

from relwise.kernels.adjacency import Adjacency, build_adjacency
from relwise.kernels.attention import attention_weights
from relwise.kernels.dropout import draw, drop
from relwise.kernels.edge_attention import EdgeSlots
from relwise.kernels.fusion import balance, fuse
from relwise.kernels.grouped import grouped_product
from relwise.kernels.matmul import Precision
from relwise.kernels.node_logits import Parts
from relwise.nn.basis_layer import basis_layer, basis_row_logits
from relwise.nn.edge_layer import EdgeStates, edge_layer
from relwise.nn.forms import Form, choose_form
from relwise.nn.layer import relgnn_layer

# Of every LeakyReLU. The paper names the function and no slope; on `amazon`'s validation edges 0.5 was better than
# 0.2 (GAT's), 0.01 (torch's) and 0.8.
SLOPE = 0.5


class RelGNNConv(nn.Module):
    """One layer of relation-aware message passing (eq. 3-5).

    With `N_i^r` the neighbours of i through relation r and L attention heads::

        e^l_ij,r = LeakyReLU(a_l · [W_self h_i ‖ h_r ‖ W_r h_j])                                   (eq. 4)
        α^l      = softmax of e^l over (r, j) ∈ N_i, all relations together
        h_i'     = LeakyReLU(1/L Σ_l Σ_r Σ_{j ∈ N_i^r} α^l_ij,r W_r h_j  +  W_self h_i)            (eq. 3)
        W_r      = Σ_b c_rb V_b                                                                    (eq. 5)

    `W_r` bears no head index, so the heads' weights are averaged before anything d-dimensional is summed; and
    `a_l · [x ‖ y ‖ z]` is a sum of three scalars, so no tensor of edges × d is made.

    Args:
        in_dim: size of the input states.
        out_dim: size of the output states.
        num_relations: R.
        heads: L.
        bases: B, the number of basis matrices of eq. 5; None: each relation has a matrix of its own.
        relation_dim: size of the relation states h_r; None: `out_dim`.
        precision: of the factors of matrix products; "bf16" rounds them to bfloat16, sums stay in float32.
        edge_dim: k, where edges have attributes of their own (`relwise.nn.edge_layer`); None: they have none.

    Shapes:
        x (N, in_dim), edge_index (2, E), edge_type (E,), edge_attr (E, k) → (N, out_dim).

    >>> conv = RelGNNConv(8, 4, num_relations=2)
    >>> edge_index = torch.tensor([[0, 1, 2], [1, 2, 0]])
    >>> conv(torch.randn(3, 8), edge_index, torch.tensor([0, 1, 0])).shape
    torch.Size([3, 4])
    """

    def __init__(
        self,
        in_dim: int,
        out_dim: int,
        num_relations: int,
        heads: int = 2,
        bases: int | None = None,
        relation_dim: int | None = None,
        precision: Precision = "float32",
        edge_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.precision: Precision = precision
        self.in_dim, self.out_dim, self.num_relations = in_dim, out_dim, num_relations
        relation_dim = out_dim if relation_dim is None else relation_dim
        count = num_relations if bases is None else bases
        self.basis = nn.Parameter(torch.empty(count, in_dim, out_dim))
        self.coefficient = None if bases is None else nn.Parameter(torch.empty(num_relations, bases))
        self.weight_self = nn.Parameter(torch.empty(in_dim, out_dim))
        self.attention_target = nn.Parameter(torch.empty(out_dim, heads))
        self.attention_relation = nn.Parameter(torch.empty(relation_dim, heads))
        self.attention_source = nn.Parameter(torch.empty(out_dim, heads))
        self.relation_state = nn.Parameter(torch.empty(num_relations, relation_dim))
        self.edge_weight = None if edge_dim is None else nn.Parameter(torch.empty(edge_dim, out_dim))
        self.attention_edge = None if edge_dim is None else nn.Parameter(torch.empty(edge_dim, heads))
        # Of the layer of bases: None, what `choose_form` says of the graph.
        self.form: Form | None = None
        self._cached: tuple[tuple[Tensor, Tensor], Adjacency] | None = None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for matrix in (*self.basis, self.weight_self):
            nn.init.xavier_uniform_(matrix)
        if self.coefficient is not None:
            # So that W_r begins at the size of one basis matrix, however many there are.
            nn.init.normal_(self.coefficient, std=self.coefficient.shape[1] ** -0.5)
        for vector in (self.attention_target, self.attention_relation, self.attention_source):
            nn.init.xavier_uniform_(vector)
        for matrix in (self.edge_weight, self.attention_edge):
            if matrix is not None:
                nn.init.xavier_uniform_(matrix)
        nn.init.normal_(self.relation_state, std=self.relation_state.shape[1] ** -0.5)

    @overload
    def forward(
        self, x: Tensor, edge_index: Tensor, edge_type: Tensor, relation_state: Tensor | None = ...,
        edge_mask: Tensor | None = ..., return_attention: Literal[False] = ..., edge_attr: Tensor | None = ...,
    ) -> Tensor: ...  # fmt: skip
    @overload
    def forward(
        self, x: Tensor, edge_index: Tensor, edge_type: Tensor, relation_state: Tensor | None = ...,
        edge_mask: Tensor | None = ..., *, return_attention: Literal[True], edge_attr: Tensor | None = ...,
    ) -> tuple[Tensor, Tensor]: ...  # fmt: skip
    def forward(
        self,
        x: Tensor,
        edge_index: Tensor,
        edge_type: Tensor,
        relation_state: Tensor | None = None,
        edge_mask: Tensor | None = None,
        return_attention: bool = False,
        edge_attr: Tensor | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Pass messages along `edge_index`, from `edge_index[0]` to `edge_index[1]` as PyG has it.

        What is sorted and transposed is cached for the `edge_index` and `edge_type` at hand.

        Args:
            x: (N, in_dim) node states.
            edge_index: (2, E) sources and targets.
            edge_type: (E,) relations.
            relation_state: (R, relation_dim) h_r, to share the decoder's; None: the layer's own.
            edge_mask: (E,) bool, True where an edge carries its message; None: all do.
            return_attention: whether to return α too, (E, heads), in the order of `edge_index`.
            edge_attr: (E, k) each edge's attributes.
        """
        if edge_mask is not None and (edge_mask.dtype != torch.bool or edge_mask.shape != edge_type.shape):
            raise ValueError(f"edge_mask must be bool, one for each of {len(edge_type)} edges")
        adjacency = self._adjacency(edge_index, edge_type, len(x))
        edges = None if edge_attr is None else EdgeStates(edge_attr, EdgeSlots.of(adjacency.order, adjacency))
        out = self.propagate(x, adjacency, relation_state, edge_mask, edges)
        if not return_attention:
            return out
        alpha = self.attention(x, adjacency, relation_state, edge_mask, edges)
        return out, torch.empty_like(alpha).index_copy_(0, adjacency.order.long(), alpha)

    def propagate(
        self,
        x: Tensor,
        adjacency: Adjacency,
        relation_state: Tensor | None = None,
        keep: Tensor | None = None,
        edges: EdgeStates | None = None,
        dropout: float = 0.0,
    ) -> Tensor:
        """The layer on a graph sorted before: (N, out_dim) states.

        Args:
            x: (N, in_dim) node states.
            adjacency: the message graph.
            relation_state: (R, relation_dim); None: the layer's own.
            keep: (F,) bool, which facts carry messages; None: all.
            edges: the edges' own states, which a layer with an `edge_dim` may be given.
            dropout: share of x's entries that are zeroed first, drawn from torch's seed.
        """
        state = self.relation_state if relation_state is None else relation_state
        attention = self.attention_target, self.attention_relation, self.attention_source
        dropped = draw(dropout, x.device)
        if edges is not None:
            u, b = self._of_edges()
            weights = self.weights(), self.weight_self, (*attention, b), state, u
            return edge_layer(drop(x, dropped), *weights, edges, adjacency, keep, SLOPE, self.precision)
        in_float32 = self.precision == "float32"  # the other precision is the rows form's alone
        if self.coefficient is not None and in_float32 and self._form(x, adjacency) == "bases":
            weights = self.basis, self.coefficient, self.weight_self
            return basis_layer(drop(x, dropped), *weights, attention, state, adjacency, keep, SLOPE)
        return relgnn_layer(x, self.parts(state), adjacency, keep, SLOPE, self.precision, dropped)

    @torch.no_grad()
    def attention(
        self,
        x: Tensor,
        adjacency: Adjacency,
        relation_state: Tensor | None = None,
        keep: Tensor | None = None,
        edges: EdgeStates | None = None,
    ) -> Tensor:
        """(E, L) the α of eq. 4, in the order of the adjacency's edges, no gradient; arguments as of `propagate`."""
        state = self.relation_state if relation_state is None else relation_state
        by_relation = state @ self.attention_relation
        if self.coefficient is not None and edges is None and self._form(x, adjacency) == "bases":
            weights = self.basis, self.coefficient, self.attention_source
            row_logit, _ = basis_row_logits(x, *weights, by_relation, adjacency)
        else:
            row_logit = grouped_product(x, self.weights(), adjacency) @ self.attention_source
            row_logit += by_relation.index_select(0, adjacency.row_relation)
        of_edge = None
        if edges is not None:
            own = edges.state @ self._of_edges()[1]
            has, slot = edges.slots.slot >= 0, edges.slots.slot.clamp_min(0).long()
            of_edge = torch.where(has[:, None], own[slot], 0)
        of_target = x @ self.weight_self @ self.attention_target
        return attention_weights(of_target, row_logit, adjacency, keep, SLOPE, of_edge)

    def _of_edges(self) -> tuple[nn.Parameter, nn.Parameter]:
        if self.edge_weight is None or self.attention_edge is None:
            raise ValueError("the edges have attributes, and the layer was made without an edge_dim")
        return self.edge_weight, self.attention_edge

    def parts(self, relation_state: Tensor) -> Parts:
        """What the layer's states are made of besides those that it is given."""
        attention = self.attention_target, self.attention_relation, self.attention_source
        return Parts(self.weights(), self.weight_self, *attention, relation_state)

    def weights(self) -> Tensor:
        """(R, in_dim, out_dim) the matrices W_r (eq. 5)."""
        if self.coefficient is None:
            return self.basis
        return torch.einsum("rb,bio->rio", self.coefficient, self.basis)

    def _form(self, x: Tensor, adjacency: Adjacency) -> Form:
        if x.device.type != "cpu":
            return "rows"
        heads, bases = self.attention_source.shape[1], None if self.coefficient is None else len(self.basis)
        return self.form or choose_form(adjacency, bases, self.in_dim, self.out_dim, heads)

    def _adjacency(self, edge_index: Tensor, edge_type: Tensor, num_nodes: int) -> Adjacency:
        given = edge_index, edge_type
        if self._cached is not None:
            seen, adjacency = self._cached
            # Compared by value: an address may be given again, and an edit through `.data` or NumPy leaves no trace.
            if adjacency.num_nodes == num_nodes and all(map(_same, seen, given)):
                return adjacency
        with torch.inference_mode(False):  # what is made in inference mode could never be trained with
            adjacency = build_adjacency(edge_index[0], edge_index[1], edge_type, num_nodes, self.num_relations)
            self._cached = (edge_index.detach().clone(), edge_type.detach().clone()), adjacency
        return adjacency

    def __repr__(self) -> str:
        return f"RelGNNConv({self.in_dim}, {self.out_dim}, num_relations={self.num_relations})"


def _same(one: Tensor, other: Tensor) -> bool:
    return one.device == other.device and one.dtype == other.dtype and torch.equal(one, other)


class AttributeFusion(nn.Module):
    """Balance of attributes and topology per node (eq. 6, 7)::

        h_final = α_attr h^(0) + α_graph h^(last)
        α_attr ∝ exp(σ(a_s · h^(0))),   α_graph ∝ exp(σ(a_s · h^(last)))

    with several heads s, whose weights are averaged.

    Args:
        dim: size of both states.
        heads: number of heads.

    Shapes:
        attributes (N, dim), topology (N, dim) → (N, dim).

    >>> fusion = AttributeFusion(4)
    >>> x = torch.ones(2, 4)
    >>> torch.allclose(fusion(x, x), x)
    True
    """

    def __init__(self, dim: int, heads: int = 2) -> None:
        super().__init__()
        self.attention = nn.Parameter(torch.empty(dim, heads))
        nn.init.xavier_uniform_(self.attention)

    def forward(self, attributes: Tensor, topology: Tensor) -> Tensor:
        return fuse(attributes, topology, self.attention, SLOPE)

    def weights(self, attributes: Tensor, topology: Tensor) -> Tensor:
        """(N, 2) α_attr and α_graph of each node."""
        return balance(attributes, topology, self.attention, SLOPE)
