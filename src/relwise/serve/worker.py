"""The one thread that the models work in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from relwise.kernels.threads import settle_threads
from relwise.serve.refusal import Refusal

T = TypeVar("T")


class Worker:
    """Runs functions one after the other in one thread, so that the event loop is free meanwhile.

    One thread, for a model's kernels use all cores by themselves, and Numba's own pool of threads (`workqueue`, where
    neither OpenMP nor TBB is there) must not be entered by two threads at a time. Whoever asks a predictor that is
    served asks through here.

    Args:
        waiting: how many functions may wait; beyond it a request is refused at once rather than made to wait long.
    """

    def __init__(self, waiting: int = 64) -> None:
        self.waiting = waiting
        self._asked: set[Future[Any]] = set()
        self._pool = ThreadPoolExecutor(1, "relwise-model", initializer=settle_threads)

    async def run(self, work: Callable[[], T]) -> T:
        """What `work()` returns. Where the caller is cancelled before `work` began, it never begins.

        Raises:
            Refusal: 503, where too many wait.
        """
        if len(self._asked) > self.waiting:
            raise Refusal(
                503,
                "busy",
                "too many requests wait for the model",
                remedy="try again in a moment, or send more edges in one request",
                headers={"Retry-After": "1"},
            )
        return await asyncio.wrap_future(self._submit(work))

    def run_now(self, work: Callable[[], T]) -> T:
        """The same for a caller outside the event loop."""
        return self._submit(work).result()

    def drop_waiting(self) -> None:
        """Let what runs end; what waits never begins."""
        for future in list(self._asked):
            future.cancel()

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        future = self._pool.submit(work)
        self._asked.add(future)
        future.add_done_callback(self._asked.discard)
        return future
