import pytest
import torch

from relwise.kernels.cuda.sums import sum_segments
from tests.kernels.cuda.device import on_device, relative_error

# Segments' lengths: empty ones, one of several pieces, all in one.
LENGTHS = {"usual": (3, 0, 5, 1), "a hub": (2, 70, 0, 3), "one segment": (40,), "nothing": (0, 0)}


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("shuffled", [False, True])
def test_adds_up_each_segments_rows(lengths, shuffled):
    sizes = torch.tensor(LENGTHS[lengths])
    count, generator = int(sizes.sum()), torch.Generator().manual_seed(0)
    rows = torch.randn(count, 5, generator=generator, dtype=torch.float64)
    order = torch.randperm(count, generator=generator) if shuffled else torch.arange(count)
    indptr = torch.cat([torch.zeros(1), sizes.cumsum(0)]).int()
    given = on_device(rows, indptr, *([order.int()] if shuffled else []))
    segment = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
    want = torch.zeros(len(sizes), 5, dtype=torch.float64).index_add(0, segment, rows[order])
    assert relative_error(sum_segments(*given, size=16), want) < 1e-12
