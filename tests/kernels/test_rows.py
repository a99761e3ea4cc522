"""Arithmetic on rows, at every remainder of a vector's width."""

import numpy as np
import pytest
import torch
from numba import njit

from relwise.kernels.rows import complex_rows, triple_rows
from relwise.kernels.runs import add_complex_run, add_run


@njit
def products(nodes, relations):
    return triple_rows(nodes, np.uint64(1), relations, np.uint64(0), np.uint64(2)), complex_rows(
        nodes, np.uint64(1), relations, np.uint64(0), np.uint64(2)
    )


@njit
def runs(nodes, index, value, relations, paired, is_tail, line, part):
    for first, last in ((0, 1), (1, 4)):
        if paired:
            add_complex_run(
                nodes, index, value, first, last, relations, np.uint64(1), np.uint64(3), is_tail, line, part
            )
        else:
            add_run(nodes, index, value, first, last, relations, np.uint64(1), np.uint64(3), is_tail, line, part)


def numbers(row):
    return row[: len(row) // 2] + 1j * row[len(row) // 2 :]


def joined(row):
    return np.concatenate([row.real, row.imag])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("width", [2, 14, 16, 30, 32, 62, 64, 96, 128, 250, 258, 290])
def test_products_and_runs(width, dtype):
    rng = np.random.default_rng(width)
    nodes, relations = (rng.normal(size=(n, width)).astype(dtype) for n in (5, 2))
    h, w, t = numbers(nodes[1]), numbers(relations[0]), numbers(nodes[2])
    got, want = products(nodes, relations), ((nodes[1] * relations[0] * nodes[2]).sum(), (h * w * t.conj()).sum().real)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 if dtype == np.float64 else 1e-4)
    index, value = np.array([0, 4, 4, 2], np.uint32), rng.normal(size=4).astype(dtype)
    total = (value[:, None] * nodes[index]).sum(0)
    s, w, h = numbers(total), numbers(relations[1]), numbers(nodes[3])
    for is_tail in (False, True):
        for paired in (False, True):
            for asked in (2, 0):
                line, part = np.ones((1, width), dtype), np.ones((asked, width), dtype)
                runs(nodes, index, value, relations, paired, is_tail, line, part)
                to_node = joined((w if is_tail else w.conj()) * s) if paired else relations[1] * total
                to_relation = joined(h.conj() * s) if paired else nodes[3] * total
                tolerance = 1e-12 if dtype == np.float64 else 1e-5
                np.testing.assert_allclose(line[0], 1 + to_node, rtol=tolerance, atol=10 * tolerance)
                if asked:
                    want = 1 + (0 if is_tail else 1) * to_relation
                    np.testing.assert_allclose(part[1], want, rtol=tolerance, atol=10 * tolerance)
                    assert (part[0] == 1).all()


@pytest.mark.parametrize("width", [2, 34, 128])
def test_bfloat16_rows_are_read_as_they_are(width):
    states = torch.randn(5, width, generator=torch.Generator().manual_seed(0)).bfloat16()
    relations = torch.randn(1, width).numpy()
    got = products(states.view(torch.uint16).numpy(), relations)
    np.testing.assert_allclose(got, products(states.float().numpy(), relations), rtol=1e-5, atol=1e-5)
