"""How kernels are compiled.

A first step waits for the compiler, so nothing is compiled that nobody calls: by default Numba makes each function one
for Python and one for C besides, and each array expression of a parallel function a parallel loop of its own.
"""

from __future__ import annotations

from typing import Any

OUTER: Any = {"cache": True, "no_cfunc_wrapper": True}
"""Options of `njit` for functions that Python calls."""

INNER: Any = OUTER | {"no_cpython_wrapper": True}
"""Options of `njit` for functions that only compiled ones call. Called from Python they would crash."""

_ARRAYS = ("comprehension", "reduction", "inplace_binop", "setitem", "numpy", "stencil", "fusion")
PARALLEL: Any = OUTER | {"parallel": {"prange": True, **dict.fromkeys(_ARRAYS, False)}}
"""Options of `njit` for functions with a loop over `prange`."""
