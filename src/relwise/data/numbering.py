"""Strings to integers, in Arrow: the ids of millions of edges never become Python's objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from relwise.data.edges import IntArray

pc: Any = pyarrow.compute  # its functions are made at import, so that type checkers know none of them


class Numbering:
    """Numbers strings by first appearance.

    >>> numbering = Numbering()
    >>> numbering.number(pa.array(["b", "a", None, "b"], pa.large_string())).tolist()
    [0, 1, -1, 0]
    >>> numbering.number(pa.array(["c", "a"], pa.large_string())).tolist(), numbering.values.tolist()
    ([2, 1], ['b', 'a', 'c'])
    """

    def __init__(self) -> None:
        self._values: pa.Array = pa.array([], pa.large_string())

    def __len__(self) -> int:
        return len(self._values)

    @property
    def values(self) -> npt.NDArray[np.object_]:
        """The strings by number."""
        return np.array(self._values.to_pylist(), dtype=object)

    @property
    def strings(self) -> pa.Array:
        """The strings by number, in Arrow."""
        return self._values

    def number(self, strings: pa.Array) -> IntArray:
        """(n,) each string's number, -1 for a null; one that was never seen gets the next number."""
        encoded = strings.dictionary_encode()
        found = positions(encoded.dictionary, self._values)
        new = found < 0
        found[new] = len(self._values) + np.arange(int(new.sum()))
        if new.any():
            self._values = pa.concat_arrays([self._values, encoded.dictionary.filter(pa.array(new))])
        return np.append(found, -1)[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]


def positions(strings: pa.Array, among: pa.Array) -> IntArray:
    """(n,) the position of each string among others, -1 where it is null or not there.

    >>> positions(pa.array(["b", None, "z"]), pa.array(["a", "b"])).tolist()
    [1, -1, -1]
    """
    found = pc.index_in(strings, value_set=among, skip_nulls=True).fill_null(-1)
    return found.to_numpy(zero_copy_only=False).astype(np.int64)
