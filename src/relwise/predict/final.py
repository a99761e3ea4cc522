"""From a trained network to final probabilities: its logit, the graph's own evidence, and what judges both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import Split
from relwise.errors import InputError
from relwise.evaluate.calibration import FEW
from relwise.evaluate.reliability import with_prior
from relwise.nn.decoders import End
from relwise.predict.evidence.choose import choose_patterns
from relwise.predict.evidence.features import Evidence
from relwise.predict.evidence.plan import Pattern, describe_pattern
from relwise.predict.evidence.table import Table
from relwise.predict.evidence.ties import Ties, fits
from relwise.predict.judge import Judge, fit_judge
from relwise.predict.scorer import Scorer

MOST = 100_000  # validation edges that are fitted on
TOLD = 2  # typed paths that are told of an edge in a list


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was learnt on the validation edges; a part of the run.

    Args:
        patterns: of each relation, the typed paths that tell.
        both: judges the network's logit and the evidence.
        alone: judges the evidence alone.
    """

    patterns: list[list[Pattern]]
    both: Judge
    alone: Judge

    @staticmethod
    def of_network(num_relations: int) -> Judgement:
        """The network's own probabilities, no evidence."""
        judge = Judge.of_network(num_relations, 0)
        return Judgement([[] for _ in range(num_relations)], judge, judge)

    @staticmethod
    def fit(graph: Graph, split: Split, scorer: Scorer, seed: int = 0) -> Judgement:
        """Choose patterns on the training edges, and fit both judges on the validation edges.

        Args:
            graph, split: what the network was trained on.
            scorer: the network's.
            seed: of what is sampled.
        """
        edges, labels = split.valid.edges, split.valid.labels
        if len(edges) > MOST:
            kept = np.sort(np.random.default_rng([seed, 13]).choice(len(edges), MOST, replace=False))
            edges, labels = edges[kept], labels[kept]
        r = graph.num_relations
        if min(labels.sum(), (~labels).sum()) < FEW:
            return Judgement.of_network(r)
        patterns = choose_patterns(graph, split, seed) if fits(graph) else [[] for _ in range(r)]
        table = Evidence(Ties.of(graph, split.message), patterns).table(edges)
        network = scorer.logits(edges)
        both, alone = (fit_judge(labels, network, table, r, alone=flag) for flag in (False, True))
        return Judgement(patterns, both, alone)

    @property
    def fitted(self) -> bool:
        """Whether there were validation edges enough; else probabilities are the network's own."""
        return not np.isnan(self.both.strength)

    def to_json(self) -> dict[str, Any]:
        """What JSON holds."""
        patterns = [[list(pattern) for pattern in patterns] for patterns in self.patterns]
        return {"patterns": patterns, "both": self.both.to_json(), "alone": self.alone.to_json()}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Judgement:
        """What `to_json` gave."""
        patterns = [[tuple(pattern) for pattern in patterns] for patterns in value["patterns"]]
        return Judgement(patterns, Judge.from_json(value["both"]), Judge.from_json(value["alone"]))


@dataclass(frozen=True, eq=False)
class FinalScorer:
    """Final logits and probabilities: of edges, and of every candidate for a missing end.

    Args:
        network: the network's scores.
        evidence: of the same graph's message edges; None where the judge gives it no weight.
        judge: of the two.
    """

    network: Scorer
    evidence: Evidence | None
    judge: Judge

    @property
    def graph(self) -> Graph:
        return self.network.graph

    @property
    def share_true(self) -> float:
        """The share of true pairs among those asked about that probabilities assume, unless told another."""
        return self.judge.share_true

    def logits(self, edges: Edges) -> npt.NDArray[np.float64]:
        """(n,) final logits, before calibration."""
        if self.evidence is None:
            table = Table.nothing(edges.relations, self.judge.own.shape[1])
        else:
            table = self.evidence.table(edges)
        return self.judge.logits(self.network.logits(edges), table)

    def probabilities(self, edges: Edges, prior: float | None = None) -> npt.NDArray[np.float64]:
        """(n,) the probability of each edge.

        Args:
            edges: n edges.
            prior: the share of the pairs asked about that is true; None: `share_true`.
        """
        return self.calibrated(self.logits(edges), edges.relations, prior)

    def calibrated(
        self, logits: npt.ArrayLike, relations: npt.NDArray[np.integer], prior: float | None = None
    ) -> npt.NDArray[np.float64]:
        """(n,) the probabilities of final logits."""
        found = self.judge.calibration.probabilities(logits, relations)
        if prior is None:
            return found
        if not 0 < prior < 1:
            raise InputError(f"prior = {prior} is no share", remedy="give the share of true pairs, between 0 and 1")
        shares = self.judge.shares
        return with_prior(found, self.share_true if shares is None else shares[relations], prior)

    def told(self, edges: Edges) -> list[str]:
        """(n,) the typed paths that speak most for each edge, in words; empty where none does.

        At most `TOLD` of those that raise the final logit, the weightiest first.
        """
        told = []
        for effects in self.path_effects(edges):
            best = sorted(effects, key=lambda pattern: -effects[pattern])[:TOLD]
            told.append("; ".join(describe_pattern(self.graph, pattern) for pattern in best if effects[pattern] > 0))
        return told

    def path_effects(self, edges: Edges) -> list[dict[Pattern, float]]:
        """Of n edges, how much lower each final logit were without the paths of each pattern that there are."""
        if self.evidence is None:
            return [{} for _ in range(len(edges))]
        return self.evidence.path_effects(edges, self.judge.shared, self.judge.own)

    @property
    def block(self) -> FinalBlock:
        """The final logits of all candidates for missing ends: `block(missing, relations, anchors)`."""
        return FinalBlock(self)


@dataclass(frozen=True, eq=False)
class FinalBlock:
    """Final logits of all candidates (`relwise.evaluate.ranks.ScoreBlock`).

    Args:
        scorer: whose.
    """

    scorer: FinalScorer

    def __call__(
        self, end: End, relations: npt.NDArray[np.integer], anchors: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.float32]:
        """(q, n) final logits of all candidates for the missing end of q queries of one candidate type.

        Args:
            end: the end that is asked for.
            relations: (q,) relation indices, all with the same type at the missing end.
            anchors: (q,) node indices of the end that is given.
        """
        judge, graph = self.scorer.judge, self.scorer.graph
        relations = np.asarray(relations)
        low, high = (int(bound) for bound in (graph.head_ranges if end == "head" else graph.tail_ranges)[relations[0]])
        used = judge.slopes[relations] != 0
        if used.any():
            out = self.scorer.network.block(end, relations, anchors)
            out *= judge.slopes[relations][:, None].astype(np.float32)
        else:
            out = np.zeros((len(relations), high - low), np.float32)
        for relation in np.unique(relations):
            alike = relations == relation
            rows = slice(None) if alike.all() else np.flatnonzero(alike)
            evidence = self.scorer.evidence
            if evidence is not None and (judge.shared[relation].any() or judge.own[relation].any()):
                out[rows] += evidence.block(
                    int(relation), end == "head", anchors[rows], (low, high), judge.shared[relation],
                    judge.own[relation],
                )  # fmt: skip
            out[rows] += np.float32(judge.offsets[relation])
        return out
