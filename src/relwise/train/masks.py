"""Which facts a step learns from, and which of the others are silent meanwhile.

| `mask` | a step learns from | silent are |
| --- | --- | --- |
| `random` | a random share of the facts | the same |
| `time` | the facts from a random moment on | the same, and everything else from that moment on |

Relations are often made of the same records: a contract makes an office buy from a supplier and its department award
the supplier. With random masks a step sees most of a contract's edges while it learns from another one, and learns to
copy; of a contract yet to come nothing is seen. Masks by time ask in training what a split by time asks in the test.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.kernels.choice import choose
from relwise.settings import MaskName

BoolArray = npt.NDArray[np.bool_]
MOST = 0.9  # of the dated facts: some evidence is left, however early the moment


class RandomMask:
    """A share of the learnable facts, each set of so many as likely as any other.

    Args:
        learnable: (F,) bool, which facts may be learnt from; one at least.
        share: of them, in each step.
    """

    def __init__(self, learnable: BoolArray, share: float) -> None:
        self._learnable = learnable
        self._count = max(1, round(share * int(learnable.sum())))

    def draw(self, seed: int) -> tuple[BoolArray, BoolArray]:
        """(F,) the facts to learn from; (F,) the facts that carry no message."""
        chosen = np.empty(len(self._learnable), dtype=bool)
        choose(np.uint64(seed), self._learnable, self._count, chosen)
        return chosen, chosen


class TimeMask:
    """The learnable facts from a moment on; nothing dated from then on carries a message.

    The moment is drawn so that a share between 0 and 2 `share` of the dated learnable facts, at most 0.9, lies behind
    it: on average `share`. Facts without a date are of all times: a random `share` of the learnable ones is learnt
    from, and masked; the others carry messages.

    Args:
        learnable: (F,) bool, which facts may be learnt from; one at least.
        share: of them, on average.
        times: (F,) datetime64, the earliest of each fact; NaT where it has none.
    """

    def __init__(self, learnable: BoolArray, share: float, times: npt.NDArray[np.datetime64]) -> None:
        dated = ~np.isnat(times)
        self._learnable, self._share = learnable, share
        self._moments = np.where(dated, times.astype("datetime64[us]").astype(np.int64), np.iinfo(np.int64).min)
        self._sorted = np.sort(self._moments[learnable & dated])
        self._undated = learnable & ~dated
        self._rest = RandomMask(self._undated, share) if self._undated.any() else None

    def draw(self, seed: int) -> tuple[BoolArray, BoolArray]:
        """(F,) the facts to learn from; (F,) the facts that carry no message."""
        silent = np.zeros(len(self._learnable), dtype=bool)
        if len(self._sorted):
            behind = np.random.default_rng([seed, 3]).uniform(0, min(2 * self._share, MOST))
            count = max(1, round(behind * len(self._sorted)))
            silent = self._moments >= self._sorted[-count]
        chosen = silent & self._learnable
        if self._rest is not None:
            rest, _ = self._rest.draw(seed)
            chosen |= rest
        return chosen, silent | chosen


Mask = RandomMask | TimeMask


def make_mask(name: MaskName, learnable: BoolArray, share: float, edges: Edges, facts: npt.NDArray[np.integer]) -> Mask:
    """The mask that a setting names.

    Args:
        name: `"random"` or `"time"`; without any date `"time"` is `"random"`.
        learnable: (F,) which facts may be learnt from.
        share: of them, in each step, or on average.
        edges: n edges that carry messages.
        facts: (n,) the fact that each states.
    """
    if name == "random" or edges.times is None:
        return RandomMask(learnable, share)
    times = np.full(len(learnable), np.datetime64("NaT", "us"))
    np.fmin.at(times, facts, edges.times.astype("datetime64[us]"))
    return TimeMask(learnable, share, times)
