"""One thread for an explanation: its products are so small that threads cost more than they give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock

import numba
from threadpoolctl import ThreadpoolController

# BLAS's number of threads is the process's: two explanations at once would restore each other's.
_LOCK = RLock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it BLAS and Numba compute in the calling thread alone, and others that enter wait.

    Where other work fills the cores, threads that wait for each other by spinning take most of the time: on two cores
    with eight processes an explanation on `amazon` took 870 ms with them, and 170 ms without.

    >>> with one_thread():
    ...     numba.get_num_threads()
    1
    """
    with _LOCK, _controller().limit(limits=1, user_api="blas"):
        before = numba.get_num_threads()
        numba.set_num_threads(1)
        try:
            yield
        finally:
            numba.set_num_threads(before)


@cache
def _controller() -> ThreadpoolController:
    """Looking for the libraries takes longer than what is limited."""
    return ThreadpoolController()
