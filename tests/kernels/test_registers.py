"""`relwise.kernels.registers`: vectors folded together give the bits that each gives alone."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit, types
from numba.extending import intrinsic

from relwise.kernels.registers import BYTES, INT64, Vectors, data_of


def folder(count, lanes):
    """A function that writes the sums of so many vectors to `out`, folded together and each alone; and the maxima."""

    @intrinsic
    def fold(typingctx, values, out):
        def emit(context, builder, signature, args):
            vectors = Vectors(context, builder, signature.args[0])
            vectors.of_lanes(lanes)
            values, out = (data_of(context, builder, signature, args, i) for i in (0, 1))
            given = [vectors.load(values, INT64(i * lanes)) for i in range(count)]
            for row, combine in enumerate((builder.fadd, vectors.higher)):
                together = vectors.folds(given, combine)
                for i, vector in enumerate(given):
                    for column, number in enumerate(
                        (builder.extract_element(together, INT64(i)), vectors.fold(vector, combine))
                    ):
                        builder.store(number, builder.gep(out, [INT64((2 * row + column) * count + i)]))
            return context.get_dummy_value()

        return types.void(values, out), emit

    return njit(lambda values, out: fold(values, out))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("lanes", [2, 4, 8, 16])
def test_folds_of_several_vectors(dtype, count, lanes):
    if lanes * np.dtype(dtype).itemsize > BYTES:
        lanes = BYTES // np.dtype(dtype).itemsize
    values = np.random.default_rng(count * lanes).normal(size=count * lanes).astype(dtype)
    out = np.zeros((2, 2, count), dtype)
    folder(count, lanes)(values, out.reshape(-1))
    np.testing.assert_array_equal(out[:, 0], out[:, 1])
    rows = values.reshape(count, lanes).astype(np.float64)
    np.testing.assert_allclose(out[0, 0], rows.sum(axis=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(out[1, 0], values.reshape(count, lanes).max(axis=1))
