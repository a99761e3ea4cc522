"""One result table: every measure of the model and of the plain baselines, of all edges and of each relation.

| metric | what it is |
| --- | --- |
| `auc`, `ap`, `f1` | binary, on edges with their negatives (`relwise.evaluate.metrics`) |
| `mrr`, `hits@1`, `hits@10`, `hits@30` | filtered, per end, ties realistic (`relwise.evaluate.ranks`) |
| `mrr_optimistic`, `mrr_pessimistic` | the same MRR with ties resolved for and against the model |
| `mrr_joint`, `hits@1_joint`, ... | each positive ranked once, against both ends' corruptions (the paper's) |

The relation `micro` is all edges together. The bucket `unseen` is of the edges with an end that is not seen in training
(`relwise.data.split.seen_nodes`), `seen` of all others, the negatives of either as well as its positives; ranks are of
the bucket's positives, among all candidates. F1 is at the fixed 0.5 for the model's probabilities; a baseline's score
is a count and no probability, so its threshold is the one with the best F1 on the validation edges.
Edges are scored and ranked once; measures without some of them (say, those that leak) are sums over a mask.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.edges import Edges, IntArray
from relwise.data.graph import Graph
from relwise.data.split import LabelledEdges, Split, seen_nodes
from relwise.evaluate.baselines import Baseline, plain_baselines
from relwise.evaluate.metrics import best_threshold, binary_measures
from relwise.evaluate.ranks import MEBIBYTE, End, Ranks, ScoreBlock, joint, rank_edges

MODEL, MICRO = "model", "micro"
APART = ("network", "evidence")  # what the model is made of, each by itself
ALL, SEEN, UNSEEN = "all", "seen", "unseen"
HITS_AT = (1, 10, 30)

ScorePairs = Callable[[Edges], Any]
"""`score_pairs(edges) -> (n,)` the probability of each edge, NumPy or torch."""

Measures = dict[str, float]


@dataclass(frozen=True, eq=False)
class Scored:
    """What one scorer says of the n edges evaluated.

    Args:
        scores: (n,) of all edges, probabilities where the scorer is a model.
        heads, tails: the filtered ranks of the positives among them, in their order.
        threshold: from which score on an edge is called true.
    """

    scores: npt.NDArray[np.floating]
    heads: Ranks
    tails: Ranks
    threshold: float


@dataclass(frozen=True, eq=False)
class Result:
    """Scores and ranks of every scorer, from which measures are summed.

    In all methods `keep` is an (n,) mask of the evaluated edges that count, all by default.

    Args:
        labels: (n,) whether each edge holds.
        relations: (n,) the relation of each.
        relation_names: the name of each relation.
        scorers: `"model"` first, then what it is made of (`APART`), then the baselines, by name.
        unseen: (n,) whether one of the edge's ends (or both) is not seen in training.
    """

    labels: npt.NDArray[np.bool_]
    relations: IntArray
    relation_names: tuple[str, ...]
    scorers: Mapping[str, Scored]
    unseen: npt.NDArray[np.bool_]

    def measures(
        self, scorer: str = MODEL, relation: str = MICRO, keep: npt.NDArray[np.bool_] | None = None
    ) -> Measures:
        """One scorer's measures by metric name, fractions of 1 (NaN where there is nothing to measure).

        Args:
            scorer: `"model"`, `"network"`, `"evidence"` or a baseline's name.
            relation: a relation's name, or `"micro"` for all edges together.
            keep: the edges that count.
        """
        return _measures(self.scorers[scorer], self.labels, self._groups(keep)[relation], self._positions)

    def table(self, keep: npt.NDArray[np.bool_] | None = None) -> pd.DataFrame:
        """The long table: `scorer`, `bucket`, `relation`, `metric`, `value`, and what it was measured on.

        The bucket is `all`; where there are unseen positives, there are rows of `seen` and `unseen` too. The last two
        columns, `positives` and `negatives`, count the edges of that bucket and relation.
        """
        rows = [
            (scorer, bucket, relation, metric, value, *self._counts(index))
            for bucket, mask in {ALL: keep, **self.buckets(keep)}.items()
            for relation, index in self._groups(mask).items()
            for scorer, scored in self.scorers.items()
            for metric, value in _measures(scored, self.labels, index, self._positions).items()
        ]
        columns = ["scorer", "bucket", "relation", "metric", "value", "positives", "negatives"]
        return pd.DataFrame(rows, columns=columns)

    def to_json(self, keep: npt.NDArray[np.bool_] | None = None) -> dict[str, Any]:
        """The table as what JSON can hold (NaN is None).

        `{"micro": {metric: value}, "relations": {name: the same}, "baselines": {name: the same}, "counts":
        {"micro" or relation: {"positives", "negatives"}}}`. The first two are of the model,
        `"baselines"` of all edges together, as are `"network"` and `"evidence"` where they were measured apart. Where
        there are unseen positives, `"seen"` and `"unseen"` hold such an object each.
        """
        return {**self._json(keep), **{name: self._json(mask) for name, mask in self.buckets(keep).items()}}

    def buckets(self, keep: npt.NDArray[np.bool_] | None = None) -> dict[str, npt.NDArray[np.bool_]]:
        """The masks of `"seen"` and `"unseen"` edges; none of either where no positive is unseen."""
        counted = np.ones(len(self.labels), dtype=bool) if keep is None else keep
        if not (counted & self.labels & self.unseen).any():
            return {}
        return {SEEN: counted & ~self.unseen, UNSEEN: counted & self.unseen}

    def _json(self, keep: npt.NDArray[np.bool_] | None) -> dict[str, Any]:
        groups = self._groups(keep)

        def measures(scorer: str, index: IntArray) -> dict[str, float | None]:
            values = _measures(self.scorers[scorer], self.labels, index, self._positions)
            return {metric: None if math.isnan(value) else value for metric, value in values.items()}

        return {
            MICRO: measures(MODEL, groups[MICRO]),
            "relations": {name: measures(MODEL, index) for name, index in groups.items() if name != MICRO},
            **{name: measures(name, groups[MICRO]) for name in APART if name in self.scorers},
            "baselines": {name: measures(name, groups[MICRO]) for name in self.scorers if name not in (MODEL, *APART)},
            "counts": {
                name: dict(zip(("positives", "negatives"), self._counts(index), strict=True))
                for name, index in groups.items()
            },
        }

    @property
    def _positions(self) -> IntArray:
        """(n,) which of the positives, and so which rank, a positive edge is."""
        return np.cumsum(self.labels) - 1

    def _groups(self, keep: npt.NDArray[np.bool_] | None) -> dict[str, IntArray]:
        """The edges that count: of `micro`, then of each relation."""
        index = np.arange(len(self.labels)) if keep is None else np.flatnonzero(keep)
        ordered = index[np.argsort(self.relations[index], kind="stable")]
        bounds = np.searchsorted(self.relations[ordered], np.arange(len(self.relation_names) + 1))
        parts = (ordered[low:high] for low, high in pairwise(bounds))
        return {MICRO: index, **dict(zip(self.relation_names, parts, strict=True))}

    def _counts(self, index: IntArray) -> tuple[int, int]:
        positives = int(self.labels[index].sum())
        return positives, len(index) - positives


def evaluate(
    graph: Graph,
    part: LabelledEdges,
    split: Split,
    score_pairs: ScorePairs,
    score_block: ScoreBlock,
    *,
    apart: Mapping[str, tuple[ScorePairs, ScoreBlock]] | None = None,
    baselines: Sequence[Baseline] | None = None,
    validation: LabelledEdges | None = None,
    memory: int = 256 * MEBIBYTE,
) -> Result:
    """Score and rank the edges of a part by the model and by the plain baselines.

    Args:
        graph: whose types say what the candidates of a rank are.
        part: the n edges to evaluate, with labels: usually `split.test`.
        split: whose message edges the baselines count over, and whose filter edges no rank counts.
        score_pairs: the model's probabilities of edges.
        score_block: the model's scores of all candidates (see `relwise.evaluate.ranks.ScoreBlock`).
        apart: what the model is made of, by its name in `APART`: probabilities, and scores of all candidates.
        baselines: what to set beside the model; None for the three plain ones, `()` for none.
        validation: the edges on which the baselines' thresholds are chosen; None for `split.valid`.
        memory: at most this many bytes of scores at a time while ranking.

    >>> from relwise.data.split import split_graph
    >>> graph = Graph.from_triples([(i, "likes", (i + k) % 20) for i in range(20) for k in (1, 2, 3)])
    >>> split = split_graph(graph)
    >>> result = evaluate(graph, split.test, split, lambda edges: np.full(len(edges), 0.5),
    ...                   lambda end, relations, anchors: np.zeros((len(anchors), 20)))
    >>> result.measures()["auc"], list(result.to_json()["baselines"])
    (0.5, ['degree_product', 'adamic_adar', 'path3'])
    """
    if baselines is None:
        baselines = plain_baselines(split.message, graph.num_nodes)
    if validation is None:
        validation = split.valid
    positives = part.positives
    scorers = {}
    for name, (pairs, block) in {MODEL: (score_pairs, score_block), **(apart or {})}.items():
        scores = _as_vector(pairs(part.edges), len(part))
        scorers[name] = Scored(scores, *rank_edges(positives, split.filter, graph, block, memory), threshold=0.5)
    for baseline in baselines:
        block = _block_of(baseline, graph)
        ranks = rank_edges(positives, split.filter, graph, block, memory, by_relation=False)
        scorers[baseline.name] = Scored(
            baseline.pairs(part.edges.heads, part.edges.tails),
            *ranks,
            threshold=best_threshold(validation.labels, baseline.pairs(validation.edges.heads, validation.edges.tails)),
        )
    # A relation that is itself called "micro" would stand where all edges do.
    names = tuple(
        relation.full_name if name == MICRO else name
        for name, relation in zip(graph.relation_names, graph.relations, strict=True)
    )
    return Result(
        np.asarray(part.labels, dtype=bool),
        part.edges.relations,
        names,
        scorers,
        unseen_edges(part.edges, seen_nodes(graph, split.message)),
    )


def unseen_edges(edges: Edges, seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(n,) whether one of each edge's ends (or both) is not among the seen nodes.

    >>> unseen_edges(Edges([0, 0], [0, 0], [1, 2]), np.array([True, True, False])).tolist()
    [False, True]
    """
    return ~(seen[edges.heads] & seen[edges.tails])


def _block_of(baseline: Baseline, graph: Graph) -> ScoreBlock:
    """A baseline as what `rank_edges` asks for scores."""

    def block(end: End, relations: IntArray, anchors: IntArray) -> npt.NDArray[np.float32]:
        low, high = (graph.head_ranges if end == "head" else graph.tail_ranges)[relations[0]]
        return baseline.rows(anchors, (int(low), int(high)))

    return block


def _as_vector(scores: Any, length: int) -> npt.NDArray[np.floating]:
    if hasattr(scores, "detach"):
        scores = scores.detach().cpu().numpy()
    vector = np.asarray(scores)
    if vector.shape != (length,):
        raise ValueError(f"score_pairs gave {vector.shape}, not {(length,)}")
    return vector


def _measures(scored: Scored, labels: npt.NDArray[np.bool_], index: IntArray, positions: IntArray) -> Measures:
    """All measures of the edges at `index`."""
    positives = positions[index[labels[index]]]
    heads, tails = scored.heads[positives], scored.tails[positives]
    both, once = Ranks.concatenate(heads, tails), joint(heads, tails)
    return {
        **binary_measures(labels[index], scored.scores[index], scored.threshold),
        "mrr": both.mrr(),
        **{f"hits@{k}": both.hits(k) for k in HITS_AT},
        "mrr_optimistic": both.mrr("optimistic"),
        "mrr_pessimistic": both.mrr("pessimistic"),
        "mrr_joint": once.mrr(),
        **{f"hits@{k}_joint": once.hits(k) for k in HITS_AT},
    }
