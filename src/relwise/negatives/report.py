"""What a sampler did: proposed, refused, chosen, how hard, and how many of its negatives were true after all.

An edge of the valid or test part is a truth that training does not know: a negative that is one is a false negative,
of the kind that the ASA paper (https://arxiv.org/abs/2102.07186) only infers. They are counted here; nothing is done
with the count.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import Split
from relwise.kernels.facts import count_facts
from relwise.kernels.partners import buckets
from relwise.kernels.sieve import sieve

BINS = 200  # of probabilities, so that quantiles are known to half a percent
Counts = npt.NDArray[np.int64]
QUANTILES = (0.1, 0.5, 0.9)


class HeldOut:
    """The true edges of valid and test that training does not know, by key.

    >>> from relwise.data.split import split_graph
    >>> graph = Graph.from_triples([(i, "to", (i + k) % 9) for i in range(9) for k in (1, 2)])
    >>> split = split_graph(graph, 0)
    >>> HeldOut(graph, split).count(split.test.positives) == len(split.test.positives)
    True
    >>> HeldOut(graph, split).count(split.message)
    0
    """

    def __init__(self, graph: Graph, split: Split) -> None:
        self._graph = graph
        later = graph.keys(Edges.concatenate(*(_plain(part.positives) for part in (split.valid, split.test))))
        self._keys = np.setdiff1d(later, graph.keys(split.message)).astype(np.uint64)
        self._bits, self._buckets = sieve(self._keys), buckets(self._keys)

    def count(self, edges: Edges) -> int:
        """How many of the edges are among them."""
        columns = edges.heads, edges.relations, edges.tails
        size = np.uint64(self._graph.num_nodes)
        return int(count_facts(self._keys, self._bits, *self._buckets, *columns, self._graph.directed, size))


def _plain(edges: Edges) -> Edges:
    return Edges(edges.heads, edges.relations, edges.tails)


@dataclass(eq=False)
class Tally:
    """What a sampler did over some steps.

    Args:
        proposed: corruptions drawn.
        refused: how many of them were known edges or self-loops.
        chosen: negatives taken, one for each positive.
        held_out: how many of those are true edges of valid or test.
        positives, negatives: (BINS,) how many probabilities lay in each of so many equal parts, before the update.
    """

    proposed: int = 0
    refused: int = 0
    chosen: int = 0
    held_out: int = 0
    positives: Counts = field(default_factory=lambda: np.zeros(BINS, np.int64))
    negatives: Counts = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and self.to_state() == other.to_state()

    def add(self, proposed: int, refused: int, held_out: int, positive: Counts, negative: Counts) -> None:
        """Count a step in.

        Args:
            proposed, refused, held_out: of the step.
            positive, negative: (BINS,) of its positives and of the negatives taken (`count_probabilities`).
        """
        self.proposed, self.refused = self.proposed + proposed, self.refused + refused
        self.chosen, self.held_out = self.chosen + int(negative.sum()), self.held_out + held_out
        self.positives, self.negatives = self.positives + positive, self.negatives + negative

    def since(self, before: Tally) -> Tally:
        """What was added to an earlier state of this."""
        counted: list[Any] = [getattr(self, one.name) - getattr(before, one.name) for one in fields(self)]
        return Tally(*counted)

    def to_state(self) -> dict[str, Any]:
        """As a checkpoint keeps it, for `of_state`."""
        return asdict(self) | {"positives": self.positives.tolist(), "negatives": self.negatives.tolist()}

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> Self:
        """What `to_state` gave.

        >>> Tally.of_state(Tally(chosen=3).to_state()).chosen
        3
        """
        counts = {name: np.array(state[name], np.int64) for name in ("positives", "negatives")}
        return cls(**{**state, **counts})

    def hardness(self) -> float:
        """The mean probability of the negatives taken, before the update; NaN of none."""
        return float(np.average(_middles(), weights=self.negatives)) if self.chosen else float("nan")

    def per_10_000(self) -> float:
        """The false negatives among 10,000 that were taken; NaN of none."""
        return 10_000 * self.held_out / self.chosen if self.chosen else float("nan")

    def to_json(self) -> dict[str, Any]:
        """Counts and quantiles."""
        quantiles = {
            name: {str(q): quantile(counts, q) for q in QUANTILES}
            for name, counts in (("positive", self.positives), ("negative", self.negatives))
        }
        return {
            "proposed": self.proposed,
            "refused": self.refused,
            "chosen": self.chosen,
            "held_out": self.held_out,
            "probability": quantiles if self.chosen else {},
        }

    def describe(self) -> list[str]:
        """Sentences that say so."""
        if not self.chosen:
            return ["negatives: none were drawn"]
        share = 100 * self.refused / max(1, self.proposed)
        spread = {
            name: " / ".join(f"{quantile(counts, q):.2f}" for q in QUANTILES)
            for name, counts in (("positives", self.positives), ("negatives", self.negatives))
        }
        return [
            f"negatives: {self.proposed:,} proposed, {self.refused:,} of them refused as known ({share:.1f} %), "
            f"{self.chosen:,} taken",
            f"negatives: probability before the update, 10 % / median / 90 %: positives {spread['positives']}, "
            f"negatives taken {spread['negatives']}",
            f"negatives: {self.held_out:,} of those taken are true edges of valid or test "
            f"({self.per_10_000():.1f} in 10,000), which training cannot know",
        ]


def quantile(counts: npt.ArrayLike, share: float) -> float:
    """The probability below which a share of the counted ones lies, in the middle of its part; NaN of none.

    >>> quantile([1] * BINS, 0.5)
    0.5025
    """
    total = int(np.sum(counts))
    return float(_middles()[np.searchsorted(np.cumsum(counts), share * total, side="right")]) if total else float("nan")


def _middles() -> npt.NDArray[np.float64]:
    return (np.arange(BINS) + 0.5) / BINS


def count_probabilities(logits: npt.NDArray) -> Counts:
    """(BINS,) how many of the logits' probabilities lie in each of so many equal parts.

    >>> np.flatnonzero(count_probabilities(np.array([-1e9, 0.001, 1e9]))).tolist()
    [0, 100, 199]
    """
    # Where the parts begin as logits: no exponential is taken of each.
    parts = np.arange(1, BINS) / BINS
    edges = np.log(parts) - np.log1p(-parts)
    order = np.sort(logits)
    begins = np.searchsorted(order, edges.astype(logits.dtype))
    return np.diff(np.concatenate([[0], begins, [len(order)]]))
