import pytest
import torch
from torch.autograd import gradcheck

from relwise.kernels.segments import add_by_segment, spread_by_segment, sum_by_segment

LENGTHS = {"usual": (3, 0, 5, 1), "one segment": (4,), "nothing": (0, 0)}


def case(lengths):
    """Rows, where each segment begins, the segments of the rows as they stand, and which row stands in each place."""
    sizes = torch.tensor(LENGTHS[lengths])
    count, generator = int(sizes.sum()), torch.Generator().manual_seed(0)
    order = torch.randperm(count, generator=generator)
    segment = torch.empty(count, dtype=torch.int64)
    segment[order] = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
    rows = torch.randn(count, 5, generator=generator, dtype=torch.float64)
    return rows, torch.cat([torch.zeros(1), sizes.cumsum(0)]).int(), segment, order.int()


@pytest.mark.parametrize("lengths", LENGTHS)
def test_each_segments_rows_are_added_up(lengths):
    rows, indptr, segment, order = case(lengths)
    want = [rows[segment == s].sum(dim=0) for s in range(len(indptr) - 1)]
    torch.testing.assert_close(sum_by_segment(rows, indptr, segment, order), torch.stack(want))


@pytest.mark.parametrize("lengths", LENGTHS)
def test_each_row_has_its_segments_values(lengths):
    _, indptr, segment, _ = case(lengths)
    ascending = segment.sort().values
    values = torch.randn(len(indptr) - 1, 5, dtype=torch.float64, requires_grad=True)
    assert torch.equal(spread_by_segment(values, indptr, ascending), values[ascending])
    assert gradcheck(lambda x: spread_by_segment(x, indptr, ascending), values)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_adding_them_has_the_gradients_of_a_sum(lengths):
    rows, indptr, *_ = case(lengths)
    sizes = indptr.diff().long()
    segment = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
    base = torch.randn(len(sizes), 5, dtype=torch.float64)
    want = base + sum_by_segment(rows, indptr, segment)
    torch.testing.assert_close(add_by_segment(base, rows, indptr, segment), want)
    given = base.requires_grad_(), rows.requires_grad_()
    assert gradcheck(lambda *x: add_by_segment(*x, indptr, segment), given)
