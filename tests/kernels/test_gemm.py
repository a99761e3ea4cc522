"""Products on the register tile: right at every shape, NaN where they belong, the same bits in any threads."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from relwise.kernels.gemm import IN_ORDER, Grouped, row_products, weight_products
from relwise.kernels.slices import CHAIN, slices_of
from relwise.kernels.tile import SETTINGS

SHAPES = [(1, 1), (5, 7), (6, 16), (16, 100), (100, 16), (64, 65), (128, 128), (130, 48)]


def draw(seed: int, relations: int, rows: int, depth: int, width: int):
    """x, sources, the relations' boundaries (some relations empty), weights, and a second factor of the rows."""
    rng = np.random.default_rng(seed)
    pointer = np.sort(np.concatenate([[0, rows], rng.integers(0, rows + 1, relations - 1)]))
    x = rng.standard_normal((max(rows // 2, 1), depth)).astype(np.float32)
    weights = rng.standard_normal((relations, depth, width)).astype(np.float32)
    return x, rng.integers(0, len(x), rows), pointer, weights, rng.standard_normal((rows, width)).astype(np.float32)


def assert_close(result, exact) -> None:
    """By the norm of a whole row: a sum of many terms may itself be near zero."""
    scale = np.linalg.norm(exact, axis=-1, keepdims=True) + 1e-30
    assert (np.abs(result - exact) / scale).max(initial=0) < 1e-5


@pytest.mark.parametrize(("depth", "width"), SHAPES)
@pytest.mark.parametrize(("relations", "rows"), [(1, 1), (1, 50), (3, 130), (200, 300)])
def test_products_of_rows_by_float64(depth, width, relations, rows) -> None:
    x, source, pointer, weights, _ = draw(depth, relations, rows, depth, width)
    of_row = np.repeat(np.arange(relations), np.diff(pointer))
    exact = np.einsum("pk,pkn->pn", x[source].astype(float), weights[of_row].astype(float))
    out = np.full((rows, width), np.nan, np.float32)
    row_products(Grouped(x, source, pointer, weights, out))
    assert_close(out, exact)
    again = np.full_like(out, np.nan)
    turned = np.ascontiguousarray(weights.transpose(0, 2, 1))
    row_products(Grouped(x[source], IN_ORDER, pointer, turned, again), transposed=True)
    np.testing.assert_array_equal(again, out, "a transposed matrix gives the same chains of sums")


@pytest.mark.parametrize(("depth", "width"), SHAPES)
@pytest.mark.parametrize(("relations", "rows"), [(1, 1), (1, 50), (3, 2 * CHAIN + 100), (200, 300)])
def test_products_of_weights_by_float64(depth, width, relations, rows) -> None:
    x, source, pointer, _, other = draw(depth, relations, rows, depth, width)
    of_row = np.repeat(np.arange(relations), np.diff(pointer))
    x, other = x + 1, other + 1  # positive on average, or nothing but rounding is left of long sums
    exact = np.stack([x[source[of_row == r]].astype(float).T @ other[of_row == r] for r in range(relations)])
    out = np.full((relations, depth, width), np.nan, np.float32)
    weight_products(Grouped(x, source, pointer, out, other))
    assert_close(out, exact)
    again = np.full_like(out, np.nan)
    weight_products(Grouped(x[source], IN_ORDER, pointer, again, other))
    np.testing.assert_array_equal(again, out)


def test_a_slice_may_be_of_several_chains(few_slices) -> None:
    x, source, pointer, weights, rows = draw(0, 3, 7 * CHAIN + 100, 20, 30)
    x, rows = x + 1, rows + 1
    assert slices_of(tuple(pointer.tolist())).parts < 3
    of_row = np.repeat(np.arange(3), np.diff(pointer))
    exact = np.stack([x[source[of_row == r]].astype(float).T @ rows[of_row == r] for r in range(3)])
    out = np.full_like(weights, np.nan)
    weight_products(Grouped(x, source, pointer, out, rows))
    assert_close(out, exact)


def test_rows_may_be_replaced_where_they_stand() -> None:
    _, _, pointer, weights, rows = draw(0, 5, 700, 100, 100)
    out = np.empty_like(rows)
    row_products(Grouped(rows, IN_ORDER, pointer, weights, out), transposed=True)
    row_products(Grouped(rows, IN_ORDER, pointer, weights, rows), transposed=True)
    np.testing.assert_array_equal(rows, out)


def test_the_same_bits_in_one_thread_and_in_two() -> None:
    x, source, pointer, weights, rows = draw(0, 7, 3 * CHAIN, 20, 30)
    results = []
    before = numba.get_num_threads()
    for threads in (1, min(2, SETTINGS.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        out, gradient = np.empty_like(rows), np.empty_like(weights)
        row_products(Grouped(x, source, pointer, weights, out))
        weight_products(Grouped(x, source, pointer, gradient, rows))
        results.append((out, gradient))
    numba.set_num_threads(before)
    for name, one, other in zip(("rows", "weights"), results[0], results[-1], strict=True):
        np.testing.assert_array_equal(one, other, name)


def test_rows_may_begin_anywhere_in_memory() -> None:
    x, source, pointer, weights, rows = draw(0, 3, 700, 128, 128)
    room = np.empty(rows.size + 16, np.float32)
    found = []
    for start in range(0, 16, 5):
        placed = room[start : start + rows.size].reshape(rows.shape)
        placed[:] = rows
        gradient = np.full_like(weights, np.nan)
        weight_products(Grouped(x, source, pointer, gradient, placed))
        found.append(gradient)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_stays_where_it_belongs(bad) -> None:
    x, _, pointer, weights, rows = draw(0, 1, 100, 7, 9)
    x = np.random.default_rng(1).standard_normal((100, 7)).astype(np.float32)
    x[13, 2] = bad
    out, gradient = np.empty_like(rows), np.empty_like(weights)
    row_products(Grouped(x, IN_ORDER, pointer, weights, out))
    weight_products(Grouped(x, IN_ORDER, pointer, gradient, rows))
    assert not np.isfinite(out[13]).any()
    assert np.isfinite(np.delete(out, 13, axis=0)).all()
    assert not np.isfinite(gradient[0, 2]).any()
    assert np.isfinite(np.delete(gradient[0], 2, axis=0)).all()

    x[13, 2] = 1
    weights[0, 3, 8] = rows[20, 4] = bad
    row_products(Grouped(x, IN_ORDER, pointer, weights, out))
    weight_products(Grouped(x, IN_ORDER, pointer, gradient, rows))
    assert not np.isfinite(out[:, 8]).any()
    assert np.isfinite(out[:, :8]).all()
    assert not np.isfinite(gradient[0, :, 4]).any()
    assert np.isfinite(np.delete(gradient[0], 4, axis=1)).all()


def test_without_rows_the_gradient_is_zero() -> None:
    out = np.full((3, 4, 5), np.nan, np.float32)
    nothing = Grouped(np.ones((2, 4), np.float32), IN_ORDER, np.zeros(4, np.int64), out, np.empty((0, 5), np.float32))
    weight_products(nothing)
    assert (out == 0).all()
    row_products(nothing)


@pytest.mark.parametrize("rows", [(1, 1), (0, 500), (2 * CHAIN + 7, 300)])
def test_two_groups_at_once_give_what_each_gives_by_itself(rows) -> None:
    groups = []
    for n, relations in zip(rows, (3, 1), strict=True):
        x, source, pointer, weights, other = draw(n, relations, n, 20, 30)
        groups.append(Grouped(x, source, pointer, weights, other))

    def found(*sets: Grouped) -> list[np.ndarray]:
        empty = [s._replace(rows=np.full_like(s.rows, np.nan)) for s in sets]
        row_products(*empty)
        unset = [s._replace(weights=np.full_like(s.weights, np.nan)) for s in sets]
        weight_products(*unset)
        return [s.rows for s in empty] + [s.weights for s in unset]

    together, (one, other) = found(*groups), groups
    apart = [array for pair in zip(found(one), found(other), strict=True) for array in pair]
    for a, b in zip(together, apart, strict=True):
        np.testing.assert_array_equal(a, b)
