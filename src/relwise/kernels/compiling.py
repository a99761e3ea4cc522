"""How kernels are compiled."""

from __future__ import annotations

from typing import Any

INNER: Any = {"cache": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options of `njit` for functions that only compiled ones call: without a way in from Python, which takes about as
long to compile as a small function itself. Called from Python they would crash."""
