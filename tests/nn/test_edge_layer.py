"""The layer over edges with attributes, against its formula in loops; without attributes it is the plain layer."""

from __future__ import annotations

import torch
from torch.nn import functional

from relwise.kernels.adjacency import build_adjacency
from relwise.kernels.edge_attention import EdgeSlots
from relwise.kernels.node_logits import Parts
from relwise.nn.edge_layer import EdgeStates, edge_layer
from relwise.nn.layer import relgnn_layer

NODES, RELATIONS, IN, OUT, SMALL, HEADS, SLOPE = 9, 3, 5, 4, 3, 2, 0.5


def case(seed=0, edges=30):
    generator = torch.Generator().manual_seed(seed)
    source, target = (torch.randint(0, NODES - 1, (edges,), generator=generator) for _ in range(2))
    relation = torch.randint(0, RELATIONS, (edges,), generator=generator)
    adjacency = build_adjacency(source, target, relation, NODES, RELATIONS)
    shapes = (
        (NODES, IN), (RELATIONS, IN, OUT), (IN, OUT), (OUT, HEADS), (OUT, HEADS), (OUT, HEADS), (SMALL, HEADS),
        (RELATIONS, OUT), (SMALL, OUT), (edges, SMALL),
    )  # fmt: skip
    tensors = [torch.randn(s, generator=generator, dtype=torch.float64).requires_grad_() for s in shapes]
    has = torch.rand(edges, generator=generator) < 0.7
    keep = torch.rand(edges, generator=generator) < 0.8
    return (source, target, relation, has, keep), adjacency, tensors


def layer(adjacency, tensors, slot, keep):
    x, w, own, a_target, a_relation, a_source, b, h, u, z = tensors
    edges = EdgeStates(z, EdgeSlots.of(slot[adjacency.order.long()], adjacency))
    return edge_layer(x, w, own, (a_target, a_relation, a_source, b), h, u, edges, adjacency, keep, SLOPE)


def by_the_formula(edges, tensors):
    source, target, relation, has, keep = edges
    x, w, own, a_target, a_relation, a_source, b, h, u, z = tensors
    out = []
    for i in range(NODES):
        self_state = x[i] @ own
        total = self_state
        incoming = [e for e in range(len(source)) if target[e] == i and keep[e]]
        if incoming:
            logits, messages = [], []
            for e in incoming:
                r, state = relation[e], z[e] if has[e] else torch.zeros(SMALL, dtype=torch.float64)
                message = x[source[e]] @ w[r]
                logits.append(self_state @ a_target + h[r] @ a_relation + message @ a_source + state @ b)
                messages.append(message + state @ u)
            alpha = functional.leaky_relu(torch.stack(logits), SLOPE).softmax(dim=0).mean(dim=1)
            total = total + alpha @ torch.stack(messages)
        out.append(functional.leaky_relu(total, SLOPE))
    return torch.stack(out)


def test_is_its_formula_forward_and_backward():
    edges, adjacency, tensors = case()
    slot = torch.where(edges[3], torch.arange(len(edges[3])), -1)
    got, want = layer(adjacency, tensors, slot, edges[4]), by_the_formula(edges, tensors)
    torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)
    above = torch.randn(want.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = torch.autograd.grad(got, tensors, above)
    for a, b in zip(found, torch.autograd.grad(want, tensors, above), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_without_attributes_it_is_the_plain_layer():
    edges, adjacency, tensors = case(1)
    x, w, own, a_target, a_relation, a_source, _, h, *_ = tensors
    got = layer(adjacency, tensors, torch.full((len(edges[3]),), -1), edges[4])
    want = relgnn_layer(x, Parts(w, own, a_target, a_relation, a_source, h), adjacency, edges[4], SLOPE)
    torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-10)


def test_an_attribute_changes_nothing_but_its_target():
    edges, adjacency, tensors = case(2)
    slot = torch.where(edges[3], torch.arange(len(edges[3])), -1)
    before = layer(adjacency, tensors, slot, edges[4])
    e = int(torch.nonzero(edges[3] & edges[4])[0])
    with torch.no_grad():
        tensors[-1][e] += 1
    changed = (layer(adjacency, tensors, slot, edges[4]) != before).any(dim=1)
    assert changed.nonzero().flatten().tolist() == [int(edges[1][e])]
