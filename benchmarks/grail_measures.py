"""The measures of GraIL's inductive splits, as its code takes them, and their expectation without any draw.

Source: `Inductive Relation Prediction by Subgraph Reasoning <https://arxiv.org/abs/1911.06962>`_ (Teru, Denis,
Hamilton; ICML 2020), code at https://github.com/kkteru/grail: `sample_neg`, which `test_auc.py` uses, and
`test_ranking.py`.

- `auc_pr`: average precision of n test edges against n negatives: each edge with its head or its tail, by a coin,
  replaced by a random entity.
- `hits@10`: each test edge is ranked twice, per end among 50 candidates: itself and 49 random entities in the place of
  that end. The share of ranks of at most 10.
- `hits@10_expected`: what `hits@10` is on average over all draws, with 50 random entities besides the true one: as
  NBFNet reports it (`evaluate` in https://github.com/DeepGraphLearning/NBFNet, nbfnet/task.py).

An entity is refused as a negative where the edge would be one of the evidence, or would tie a node to itself. Nothing
else is: other test edges are not filtered, and the true end may be drawn against itself. Entities are those of the
evidence and of the test edges. Of equal scores half are taken to lie above the true one, so that a model which scores
everything alike gains nothing by it; GraIL's sort and NBFNet's `>=` decide otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges, IntArray
from relwise.data.graph import Graph
from relwise.evaluate.metrics import average_precision

Score = Callable[[Edges], npt.NDArray]
CANDIDATES, TOP = 50, 10


@dataclass(frozen=True, eq=False)
class Question:
    """Edges to be found in a graph of which the evidence is known.

    Args:
        graph: whose relations are directed.
        evidence: the edges that are known, and so are no negatives.
        asked: n edges that hold.
        entities: the nodes that negatives are drawn from.
    """

    graph: Graph
    evidence: Edges
    asked: Edges
    entities: IntArray

    @cached_property
    def known(self) -> IntArray:
        """The keys of the evidence, ascending."""
        return np.unique(self.graph.keys(self.evidence))

    def open(self, edges: Edges) -> npt.NDArray[np.bool_]:
        """(n,) which edges may serve as negatives."""
        return (edges.heads != edges.tails) & ~np.isin(self.graph.keys(edges), self.known)

    def replaced(self, rows: IntArray, at_head: npt.NDArray[np.bool_], nodes: IntArray) -> Edges:
        """The asked edges of `rows`, their head or their tail replaced by `nodes`."""
        heads, relations, tails = (a[rows] for a in (self.asked.heads, self.asked.relations, self.asked.tails))
        return Edges(np.where(at_head, nodes, heads), relations, np.where(at_head, tails, nodes))

    def draw(self, rows: IntArray, at_head: npt.NDArray[np.bool_], rng: np.random.Generator) -> Edges:
        """A negative for each of `rows`: that end replaced by a random entity, drawn again until it is open."""
        nodes = np.full(len(rows), -1)
        left = np.arange(len(rows))
        while len(left):
            drawn = rng.choice(self.entities, len(left))
            fits = self.open(self.replaced(rows[left], at_head[left], drawn))
            nodes[left[fits]] = drawn[fits]
            left = left[~fits]
        return self.replaced(rows, at_head, nodes)


def auc_pr(question: Question, score: Score, rng: np.random.Generator) -> float:
    """Average precision against one negative for each edge, its head or its tail replaced with equal chances."""
    n = len(question.asked)
    rows = np.arange(n)
    negatives = question.draw(rows, rng.random(n) < 0.5, rng)
    scores = np.concatenate([score(question.asked), score(negatives)])
    return average_precision(np.repeat([True, False], n), scores)


def hits_sampled(question: Question, score: Score, rng: np.random.Generator) -> float:
    """Hit@10 of both ends of each edge, among itself and 49 random entities."""
    n, others = len(question.asked), CANDIDATES - 1
    own, hits = np.asarray(score(question.asked)), []
    for at_head in (True, False):
        rows = np.repeat(np.arange(n), others)
        negatives = question.draw(rows, np.full(len(rows), at_head), rng)
        scores = np.asarray(score(negatives)).reshape(n, others)
        ranks = 1 + (scores > own[:, None]).sum(axis=1) + (scores == own[:, None]).sum(axis=1) / 2
        hits.append(ranks <= TOP)
    return float(np.mean(hits))


def hits_expected(question: Question, score: Score) -> float:
    """The expected Hit@10 among the true edge and 50 random negatives, each end of each edge.

    With a share p of the negatives above the true one, the number of those drawn that lie above it is binomial:
    `Σ_{i<10} C(50, i) p^i (1-p)^(50-i)`. The true end is no negative of its own here.
    """
    from scipy.stats import binom

    own, shares = np.asarray(score(question.asked)), []
    for at_head in (True, False):
        for row in range(len(own)):
            rows = np.full(len(question.entities), row)
            every = question.replaced(rows, np.full(len(rows), at_head), question.entities)
            true = question.asked.heads[row] if at_head else question.asked.tails[row]
            scores = np.asarray(score(every[question.open(every) & (question.entities != true)]))
            shares.append(((scores > own[row]).sum() + (scores == own[row]).sum() / 2) / len(scores))
    return float(binom.cdf(TOP - 1, CANDIDATES, np.array(shares)).mean())


def measured(question: Question, score: Score, seed: int, runs: int = 5) -> dict[str, float]:
    """All measures, those with draws as means over so many runs of them."""
    rngs = [np.random.default_rng([seed, 17, run]) for run in range(runs)]
    return {
        "auc_pr": float(np.mean([auc_pr(question, score, rng) for rng in rngs])),
        "hits@10": float(np.mean([hits_sampled(question, score, rng) for rng in rngs])),
        "hits@10_expected": hits_expected(question, score),
    }
