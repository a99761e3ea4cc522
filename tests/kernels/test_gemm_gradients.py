"""Both gradients in one pass: the bits of the two products, at every shape."""

from __future__ import annotations

import numpy as np
import pytest

from relwise.kernels.gemm import IN_ORDER, Grouped, row_products, weight_products
from relwise.kernels.gemm_gradients import Gradients, gradient_products
from relwise.kernels.slices import CHAIN, slices_of

SHAPES = [(1, 1), (5, 7), (6, 16), (16, 100), (100, 16), (64, 65), (128, 128), (130, 48)]


def draw(seed, relations, count, depth, width):
    """A side without its results; some relations are empty."""
    rng = np.random.default_rng(seed)
    pointer = np.sort(np.concatenate([[0, count], rng.integers(0, count + 1, relations - 1)]))
    numbers = [(max(count // 2, 1), depth), (count, width), (relations, depth, width)]
    x, rows, matrices = (rng.standard_normal(shape).astype(np.float32) for shape in numbers)
    return x, rng.integers(0, len(x), count), pointer, rows, matrices


def filled(side):
    x, source, pointer, rows, matrices = side
    weights, sources = np.full_like(matrices, np.nan), np.full((len(rows), x.shape[1]), np.nan, np.float32)
    return Gradients(x, source, pointer, rows, matrices, weights, sources)


@pytest.mark.parametrize(("depth", "width"), SHAPES)
@pytest.mark.parametrize(("relations", "rows"), [(1, 1), (1, 97), (3, 2 * CHAIN + 100), (200, 300)])
def test_the_bits_are_those_of_one_product_after_the_other(depth, width, relations, rows) -> None:
    one, other = draw(depth, relations, rows, depth, width), draw(width, 1, rows // 2, depth, width)
    other = (other[0], IN_ORDER, *other[2:])
    sides = [filled((other[0].repeat(2, axis=0)[: max(rows // 2, 1)], *other[1:])), filled(one)]
    gradient_products(*sides)
    for side in sides:
        weights, sources = np.empty_like(side.weights), np.empty_like(side.sources)
        weight_products(Grouped(side.x, side.source, side.pointer, weights, side.rows))
        turned = Grouped(side.rows, IN_ORDER, side.pointer, side.matrices, sources)
        row_products(turned, transposed=True)
        np.testing.assert_array_equal(side.weights, weights)
        np.testing.assert_array_equal(side.sources, sources)


def test_the_bits_are_those_in_slices_of_several_chains(few_slices) -> None:
    side, none = filled(draw(0, 3, 7 * CHAIN + 100, 20, 30)), filled(draw(1, 1, 0, 20, 30))
    assert slices_of(tuple(side.pointer.tolist())).parts < 3
    gradient_products(side, none)
    weights = np.empty_like(side.weights)
    weight_products(Grouped(side.x, side.source, side.pointer, weights, side.rows))
    np.testing.assert_array_equal(side.weights, weights)


def test_rows_may_be_replaced_where_they_stand() -> None:
    side = filled(draw(0, 3, 2 * CHAIN, 48, 48))
    again = side._replace(rows=side.rows.copy(), weights=np.empty_like(side.weights))
    again = again._replace(sources=again.rows)
    none = filled(draw(1, 1, 0, 48, 48))
    gradient_products(side, none)
    gradient_products(again, none)
    np.testing.assert_array_equal(again.rows, side.sources)
    np.testing.assert_array_equal(again.weights, side.weights)
    assert not none.weights.any()
