"""A judgement for graphs too small to fit one on: every kind of evidence weighs something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from relwise.data.graph import Graph
from relwise.evaluate.calibration import Calibration
from relwise.predict.evidence.plan import Pattern
from relwise.predict.evidence.table import SHARED
from relwise.predict.final import Judgement
from relwise.predict.judge import Judge
from relwise.predictor import RelationshipPredictor


def judged(model: RelationshipPredictor, seed: int = 0) -> RelationshipPredictor:
    """The model with a judgement of patterns and weights drawn at random."""
    graph, rng = model.graph, np.random.default_rng(seed)
    r = graph.num_relations
    patterns = [_patterns(graph, relation, rng) for relation in range(r)]
    width = max(map(len, patterns))
    own = np.zeros((r, width))
    for relation, chosen in enumerate(patterns):
        own[relation, : len(chosen)] = rng.normal(size=len(chosen)) + 0.5
    calibration = Calibration("platt", rng.uniform(0.5, 1.5, r), rng.normal(size=r), {}, {})
    shared = rng.normal(size=(r, len(SHARED))) * 0.5
    judge = Judge(rng.uniform(0.5, 2, r), np.zeros(r), shared, own, calibration, 1.0, 0.5)
    model._judge_by(Judgement(patterns, judge, judge))
    # Half of the known edges of each relation are to be likelier than not.
    logits = model.final.logits(graph.edges)
    middle = np.array([np.median(logits[graph.edges.relations == relation]) for relation in range(r)])
    judge = replace(judge, offsets=-middle - calibration.offsets / calibration.slopes)
    model._judge_by(Judgement(patterns, judge, judge))
    return model


def _patterns(graph: Graph, relation: int, rng: np.random.Generator) -> list[Pattern]:
    """Some of the patterns of one to three steps that lead from the relation's heads to its tails."""
    kind = graph.relations[relation]
    steps = [(r, name) for r, name in enumerate(graph.relations)]
    ends = [(2 * r, k.head, k.tail) for r, k in steps] + [(2 * r + 1, k.tail, k.head) for r, k in steps if k.directed]
    paths: list[tuple[Pattern, str]] = [((), kind.head)]
    found: list[Pattern] = []
    for _ in range(3):
        paths = [((*path, step), tail) for path, at in paths for step, head, tail in ends if head == at]
        fit = [path for path, at in paths if at == kind.tail and path != (2 * relation,)]
        found += [fit[i] for i in sorted(rng.permutation(len(fit))[:3])]
    return found
