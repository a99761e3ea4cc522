"""A RelGNN layer written out for a few nodes, forward and backward: what occlusion and influence are computed with.

The layer's own kernels work on a whole message graph. An explanation asks what a few nodes would be if a few messages
were silent, some dozens of times over: here each node asked about brings its own messages along. Nothing of messages
× d is made: states are summed before they are multiplied.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from numba import njit
from scipy.sparse import csr_matrix
from torch import Tensor

from relwise.kernels.compiling import OUTER
from relwise.nn.model import RelGNN
from relwise.nn.relgnn import SLOPE, RelGNNConv

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]

SOLE = 1e-6  # what is left of a target's attention where a message is, but for rounding, the only one


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """The weights of one layer.

    Args:
        relation: (R, d, d) W_r.
        own: (d, d) W_self.
        of_target: (d, L) a_l's part for the target.
        of_source: (R, d, L) `W_r a_l`, a_l's part for the source before it is multiplied.
        of_relation: (R, L) `h_r · a_l`.
        edge: (k, d) U and (k, L) b, where edges have attributes; else None.
    """

    relation: Floats
    own: Floats
    of_target: Floats
    of_source: Floats
    of_relation: Floats
    edge: tuple[Floats, Floats] | None

    @staticmethod
    @torch.no_grad()
    def of(layer: RelGNNConv, relation_state: Tensor) -> LayerWeights:
        """Those of a layer, given h_r."""
        weights = layer.weights()
        edge = None
        if layer.edge_weight is not None and layer.attention_edge is not None:
            edge = _array(layer.edge_weight), _array(layer.attention_edge)
        return LayerWeights(
            _array(weights),
            _array(layer.weight_self),
            _array(layer.attention_target),
            _array(weights @ layer.attention_source),
            _array(relation_state @ layer.attention_relation),
            edge,
        )

    def row_logits(self, states: Floats, relation: Ints) -> Floats:
        """(n, L) the source's and the relation's part of a logit (eq. 4).

        Args:
            states: (n, d) of the sources.
            relation: (n,).
        """
        out = np.empty((len(relation), self.of_target.shape[1]), np.float32)
        for r in np.unique(relation):
            rows = np.flatnonzero(relation == r)
            out[rows] = states[rows] @ self.of_source[r] + self.of_relation[r]
        return out


@dataclass(frozen=True, eq=False)
class Messages:
    """E messages into T targets, sorted by target and, within one, by relation.

    Args:
        target: (E,) counted from 0.
        source: (E,) into a table of states.
        first, rank: where the messages of each target that has any begin, and which of these each message's is.
        slot: (E,) which of the S sums, of one relation into one target, each message goes into.
        slot_ptr: (S + 1,) where the messages of each sum begin.
        slot_target: (S,) the target of each sum.
        slots: the sums of each relation that there is.
    """

    target: Ints
    source: Ints
    first: Ints
    rank: Ints
    slot: Ints
    slot_ptr: Ints
    slot_target: Ints
    slots: tuple[tuple[int, Ints], ...]

    @staticmethod
    def of(target: Ints, source: Ints, relation: Ints) -> Messages:
        """From what is sorted already."""
        turns = np.ones(len(target), dtype=bool)
        turns[1:] = target[1:] != target[:-1]
        begins = turns.copy()
        begins[1:] |= relation[1:] != relation[:-1]
        kinds = relation[begins]
        slots = tuple((int(r), np.flatnonzero(kinds == r)) for r in np.unique(kinds))
        ptr = np.append(np.flatnonzero(begins), len(target))
        rank, slot = np.cumsum(turns) - 1, np.cumsum(begins) - 1
        return Messages(target, source, np.flatnonzero(turns), rank, slot, ptr, target[begins], slots)

    def sums(self, weight: Floats, table: Floats) -> Floats:
        """(S, d) each slot's weighted sum of states."""
        shape = len(self.slot_target), len(table)
        return csr_matrix((weight, self.source, self.slot_ptr), shape=shape) @ table


@dataclass(frozen=True, eq=False)
class Passed:
    """What a layer gave.

    Args:
        state: (T, d) the targets' new states.
        alpha: (E, L) α.
        active: (E, L) whether a logit was positive.
    """

    state: Floats
    alpha: Floats
    active: npt.NDArray[np.bool_]


def pass_on(
    layer: LayerWeights,
    own: Floats,
    table: Floats,
    row_logit: Floats,
    messages: Messages,
    edge_state: Floats | None = None,
) -> Passed:
    """The layer (eq. 3, 4).

    Args:
        layer: its weights.
        own: (T, d) the targets' states.
        table: (n, d) states, the sources' among them.
        row_logit: (E, L) of `row_logits`.
        messages: who says it to whom.
        edge_state: (E, k) z, where edges have attributes.

    >>> from relwise.kernels.adjacency import build_adjacency
    >>> conv, x = RelGNNConv(4, 4, num_relations=1), torch.randn(2, 4)
    >>> adjacency = build_adjacency(torch.tensor([1]), torch.tensor([0]), torch.tensor([0]), 2, 1)
    >>> layer, zero, one = LayerWeights.of(conv, conv.relation_state), np.array([0]), np.array([1])
    >>> passed = pass_on(layer, x[:1].numpy(), x.numpy(), layer.row_logits(x[1:].numpy(), zero),
    ...     Messages.of(zero, one, zero))
    >>> np.allclose(passed.state, conv.propagate(x, adjacency)[:1].detach(), atol=1e-5)
    True
    """
    out = own @ layer.own
    if not len(messages.target):
        return Passed(_leaky(out), row_logit, row_logit > 0)
    logit = row_logit + (out @ layer.of_target)[messages.target]
    if edge_state is not None and layer.edge is not None:
        logit += edge_state @ layer.edge[1]
    active = logit > 0
    logit = _leaky(logit)
    weight = np.exp(logit - np.maximum.reduceat(logit, messages.first, axis=0)[messages.rank])
    alpha = weight / np.add.reduceat(weight, messages.first, axis=0)[messages.rank]
    mean = alpha.mean(axis=1)
    sums = messages.sums(mean, table)
    for r, slots in messages.slots:
        out[messages.slot_target[slots]] += sums[slots] @ layer.relation[r]
    if edge_state is not None and layer.edge is not None:
        said = np.add.reduceat(mean[:, None] * edge_state, messages.first, axis=0)
        out[messages.target[messages.first]] += said @ layer.edge[0]
    return Passed(_leaky(out), alpha, active)


@dataclass(frozen=True, eq=False)
class Traced:
    """What a gradient by the targets' new states says of what went into them.

    Args:
        effect: (E,) how much lower the result were without each message, the target's other ones weighing more
            instead: exact in the attention, to first order in what comes after.
        by_own: (T, d) the gradient by the targets' states.
        by_table: (n, d) that by the sources' states; None where it was not asked for.
    """

    effect: Floats
    by_own: Floats
    by_table: Floats | None


def trace(
    layer: LayerWeights,
    passed: Passed,
    grad: Floats,
    table: Floats,
    messages: Messages,
    edge_state: Floats | None = None,
    relation: Ints | None = None,
) -> Traced:
    """Back through a layer. With G the gradient before the last LeakyReLU, and m_e what message e says:

        c_e = G · m_e,    effect_e = 1/L Σ_l α^l_e / (1 - α^l_e) (c_e - Σ_e' α^l_e' c_e'),    c_e where e is alone

    Args:
        layer, table, messages, edge_state: as of `pass_on`.
        passed: what it gave.
        grad: (T, d) the gradient by the new states.
        relation: (E,) each message's; where given, the gradient by the sources is computed too.
    """
    inner = np.where(passed.state > 0, grad, np.float32(SLOPE) * grad)
    told = np.empty((len(messages.slot_target), table.shape[1]), np.float32)
    for r, slots in messages.slots:
        told[slots] = inner[messages.slot_target[slots]] @ layer.relation[r].T
    said = np.empty(len(messages.target), np.float32)
    _dots(told, messages.slot, table, messages.source, said)
    if edge_state is not None and layer.edge is not None:
        said += np.einsum("ek,ek->e", (inner @ layer.edge[0].T)[messages.target], edge_state)
    if not len(said):
        return Traced(said, inner @ layer.own.T, None if relation is None else np.zeros_like(table))
    alpha = passed.alpha
    mean = np.add.reduceat(alpha * said[:, None], messages.first, axis=0)[messages.rank]
    sole = alpha > 1 - SOLE
    share = np.where(sole, 0, alpha / np.where(sole, 1, 1 - alpha))
    effect = np.where(sole, said[:, None], share * (said[:, None] - mean)).mean(axis=1)
    by_logit = alpha * (said[:, None] - mean) / alpha.shape[1] * np.where(passed.active, 1, np.float32(SLOPE))
    by_target = np.zeros((len(inner), alpha.shape[1]), np.float32)
    by_target[messages.target[messages.first]] = np.add.reduceat(by_logit, messages.first, axis=0)
    by_own = (inner + by_target @ layer.of_target.T) @ layer.own.T
    if relation is None:
        return Traced(effect.astype(np.float32), by_own, None)
    shape = len(table), len(said)
    spread = csr_matrix((alpha.mean(axis=1), (messages.source, messages.slot)), shape=(len(table), len(told)))
    by_table = np.asarray(spread @ told, np.float32)
    each = np.empty((len(said), table.shape[1]), np.float32)
    for r in np.unique(relation):
        rows = relation == r
        each[rows] = by_logit[rows] @ layer.of_source[r].T
    by_table += (
        csr_matrix((np.ones(len(said), np.float32), (messages.source, np.arange(len(said)))), shape=shape) @ each
    )
    return Traced(effect.astype(np.float32), by_own, by_table)


def convolutions(network: RelGNN) -> Iterator[RelGNNConv]:
    """A network's layers, in float32 whatever the precision of their products: an effect is a small difference."""
    for layer in network.layers:
        assert isinstance(layer, RelGNNConv)
        plain = copy.copy(layer)
        plain.precision = "float32"
        yield plain


def _leaky(x: Floats) -> Floats:
    return np.where(x > 0, x, np.float32(SLOPE) * x)


def _array(tensor: Tensor) -> Floats:
    return np.ascontiguousarray(tensor.detach().cpu().numpy())


@njit(**OUTER)
def _dots(left, left_rows, right, right_rows, out):  # pragma: no cover (compiled)
    """`out[e] = left[left_rows[e]] · right[right_rows[e]]`."""
    for e in range(len(out)):
        a, b, total = left[left_rows[e]], right[right_rows[e]], out.dtype.type(0)
        for k in range(len(a)):
            total += a[k] * b[k]
        out[e] = total
