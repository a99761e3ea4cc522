"""Sums by segment, and attention over edges with attributes that is made of them, where a GPU takes Triton for them."""

from __future__ import annotations

import pytest
import torch

from relwise.kernels.edge_attention import EdgeSlots, EdgeTerms, attend_edges, attend_edges_backward
from relwise.kernels.segments import add_by_segment, spread_by_segment, sum_by_segment
from tests.kernels.cuda.device import on_device, relative_error
from tests.kernels.test_attention import inputs, masks, message_graph
from tests.kernels.test_edge_attention import states
from tests.kernels.test_segments import LENGTHS, case

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: on the CPU they are plain torch")


@pytest.mark.parametrize("lengths", LENGTHS)
def test_sums_are_the_cpus(lengths: str) -> None:
    rows, indptr, segment, order = case(lengths)
    want = sum_by_segment(rows, indptr, segment, order)
    assert relative_error(sum_by_segment(*on_device(rows, indptr, segment, order)), want) < 1e-12
    ascending, base = segment.sort().values, torch.ones_like(want)
    want = add_by_segment(base, rows, indptr, ascending)
    assert relative_error(add_by_segment(*on_device(base, rows, indptr, ascending)), want) < 1e-12
    grads = []
    for values, pointer, of in ((want, indptr, ascending), on_device(want, indptr, ascending)):
        values = values.detach().requires_grad_()
        spread_by_segment(values, pointer, of).square().sum().backward()
        grads.append(values.grad)
    assert relative_error(grads[1], grads[0]) < 1e-12


@pytest.mark.parametrize("mask", ["none", "some", "everything"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_attention_over_edges_with_attributes_is_the_cpus(mask: str, dtype: torch.dtype, tolerance: float) -> None:
    adjacency = message_graph(5)
    keep = masks(adjacency)[mask]
    slots, own = states(adjacency, 0.5, dtype)
    terms = EdgeTerms(*(t.detach() for t in inputs(adjacency, dtype=dtype)), *own)
    want = attend_edges(terms, adjacency, slots, keep)
    above = torch.randn_like(want[0]), torch.randn_like(want[1]), want[2]
    want = *want, *attend_edges_backward(*above, terms, adjacency, slots, keep)
    there = EdgeTerms(*on_device(*terms))
    graph, where = adjacency.to("cuda"), EdgeSlots(*on_device(slots.slot, slots.by_row))
    (kept,) = on_device(keep)
    got = attend_edges(there, graph, where, kept)
    got = *got, *attend_edges_backward(*on_device(*above), there, graph, where, kept)
    for a, b in zip(got, want, strict=True):
        finite = torch.isfinite(b)
        assert torch.equal(torch.isfinite(a).cpu(), finite)
        assert relative_error(a.cpu()[finite], b[finite]) < tolerance
