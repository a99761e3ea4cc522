"""From logits to probabilities: temperature, Platt and isotonic calibration, each relation's drawn towards the whole's.

| method | probability of a logit z | paper |
| --- | --- | --- |
| `temperature` | σ(a z) | Guo et al. 2017, ["On calibration of modern neural networks"][guo] |
| `platt` | σ(a z + b) | Platt 1999, "Probabilistic outputs for support vector machines" |
| `isotonic` | a rising line through the shares | Zadrozny & Elkan 2002, "Transforming classifier scores" |

[guo]: https://arxiv.org/abs/1706.04599

a > 0 and b are a relation's own, a = a_all + a_r, with a penalty on a_r and b_r: a relation with few edges has the
whole's. An isotonic line of a relation with n edges is mixed with the whole's, n : `SHRINKAGE`.

All of them are fitted on edges that the logits were not learnt from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Method = Literal["temperature", "platt", "isotonic"]
METHODS: tuple[Method, ...] = ("temperature", "platt", "isotonic")
SHRINKAGE = 200.0  # edges of a relation that weigh as much as the whole
PENALTY = 10.0  # on a relation's deviation; a standardised logit's variance is about 1, so
OUTWEIGHED = 40  # edges outweigh it
STEEPEST = 20.0  # largest a: a set that is told apart wholly asks for infinity
FEW = 20  # true and false edges each, below which nothing is fitted
FOLDS = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Calibration:
    """A rising function from logits to probabilities for each relation.

    Args:
        method: how it was fitted.
        slopes, offsets: (R,) a and b of each relation (isotonic: of the logit before the line).
        knots: isotonic: of the whole (key -1) and of each relation that has its own, two arrays: logits, ascending, and
            probabilities.
        counts: isotonic: how many edges each relation's line was fitted on.

    >>> same = Calibration.none(1)
    >>> same.probabilities(np.array([0.0]), np.array([0])).tolist()
    [0.5]
    """

    method: str
    slopes: Floats
    offsets: Floats
    knots: Mapping[int, tuple[Floats, Floats]]
    counts: Mapping[int, int]

    @staticmethod
    def none(num_relations: int) -> Calibration:
        """The sigmoid as it is."""
        return Calibration("none", np.ones(num_relations), np.zeros(num_relations), {}, {})

    def probabilities(self, logits: npt.ArrayLike, relations: npt.NDArray[np.integer]) -> Floats:
        """(n,) the probability of each edge, given its logit and its relation."""
        z = np.asarray(logits, dtype=np.float64)
        if self.method != "isotonic":
            return _sigmoid(self.slopes[relations] * z + self.offsets[relations])
        whole = _line(self.knots[-1], z)
        out = whole.copy()
        for relation, count in self.counts.items():
            rows = relations == relation
            share = count / (count + SHRINKAGE)
            out[rows] = share * _line(self.knots[relation], z[rows]) + (1 - share) * whole[rows]
        return out

    def to_json(self) -> dict[str, Any]:
        """What JSON holds."""
        return {
            "method": self.method,
            "slopes": self.slopes.tolist(),
            "offsets": self.offsets.tolist(),
            "knots": {str(key): [a.tolist() for a in pair] for key, pair in self.knots.items()},
            "counts": {str(key): count for key, count in self.counts.items()},
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Calibration:
        """What `to_json` gave."""
        return Calibration(
            value["method"],
            np.array(value["slopes"], dtype=np.float64),
            np.array(value["offsets"], dtype=np.float64),
            {int(key): (np.array(pair[0]), np.array(pair[1])) for key, pair in value["knots"].items()},
            {int(key): int(count) for key, count in value["counts"].items()},
        )


def fit_calibration(
    truth: npt.ArrayLike,
    logits: npt.ArrayLike,
    relations: npt.NDArray[np.integer],
    num_relations: int,
    method: Method | Literal["best"] = "best",
) -> Calibration:
    """Fit a calibration on held-out edges.

    Args:
        truth: (n,) whether each edge holds.
        logits: (n,).
        relations: (n,) relation indices, below `num_relations`.
        num_relations: R.
        method: one of `METHODS`; `"best"`: the one with the lowest cross-validated log loss.

    >>> rng = np.random.default_rng(0)
    >>> logits = rng.normal(size=4000)
    >>> truth = rng.random(4000) < 1 / (1 + np.exp(-(2 * logits - 1)))
    >>> fitted = fit_calibration(truth, logits, np.zeros(4000, int), 1, "platt")
    >>> bool(abs(fitted.slopes[0] - 2) < 0.2), bool(abs(fitted.offsets[0] + 1) < 0.2)
    (True, True)
    """
    labels, z = np.asarray(truth, dtype=bool), np.asarray(logits, dtype=np.float64)
    if min(labels.sum(), (~labels).sum()) < FEW:
        return Calibration.none(num_relations)
    if method == "best":
        method = min(METHODS, key=lambda one: _cross_validated(labels, z, relations, num_relations, one))
    if method == "isotonic":
        return _isotonic(labels, z, relations, num_relations)
    slopes, offsets = _platt(labels, z, relations, num_relations, with_offset=method == "platt")
    return Calibration(method, slopes, offsets, {}, {})


def log_loss(truth: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Mean negative log likelihood, probabilities kept off 0 and 1 by 1e-6.

    >>> round(log_loss([True], [0.5]), 4)
    0.6931
    """
    p = np.clip(np.asarray(probability, dtype=np.float64), 1e-6, 1 - 1e-6)
    return float(-np.where(np.asarray(truth, dtype=bool), np.log(p), np.log(1 - p)).mean())


def folds(n: int) -> npt.NDArray[np.int64]:
    """(n,) which of `FOLDS` parts each edge is in, always the same."""
    return np.random.default_rng(0).permutation(n) % FOLDS


def _cross_validated(
    labels: npt.NDArray[np.bool_], z: Floats, relations: npt.NDArray[np.integer], num_relations: int, method: Method
) -> float:
    part, out = folds(len(z)), np.empty(len(z))
    for fold in range(FOLDS):
        rest, held = part != fold, part == fold
        fitted = fit_calibration(labels[rest], z[rest], relations[rest], num_relations, method)
        out[held] = fitted.probabilities(z[held], relations[held])
    return log_loss(labels, out)


def _platt(
    labels: npt.NDArray[np.bool_], z: Floats, relations: npt.NDArray[np.integer], num_relations: int, with_offset: bool
) -> tuple[Floats, Floats]:
    """(R,) slopes and (R,) offsets, of least penalised log loss."""
    scale = max(float(z.std()), 1e-6)
    x, y = z / scale, labels.astype(np.float64)

    def unpack(values: Floats) -> tuple[Floats, Floats]:
        own = values[2:].reshape(2, num_relations)
        return values[0] + own[0], (values[1] + own[1]) * with_offset

    def loss(values: Floats) -> tuple[float, Floats]:
        a, b = unpack(values)
        t = a[relations] * x + b[relations]
        error = _sigmoid(t) - y
        own = values[2:]
        by_slope = np.bincount(relations, error * x, num_relations)
        by_offset = np.bincount(relations, error, num_relations) * with_offset
        gradient = np.concatenate([[by_slope.sum(), by_offset.sum()], by_slope, by_offset])
        gradient[2:] += PENALTY * own
        return float((np.logaddexp(0, t) - y * t).sum() + PENALTY / 2 * (own**2).sum()), gradient

    from scipy.optimize import minimize

    start = np.zeros(2 + 2 * num_relations)
    start[0] = scale
    found: Any = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    a, b = unpack(found.x)
    return np.clip(a / scale, 1e-3, STEEPEST), b


def _isotonic(
    labels: npt.NDArray[np.bool_], z: Floats, relations: npt.NDArray[np.integer], num_relations: int
) -> Calibration:
    knots, counts = {-1: _knots(labels, z)}, {}
    for relation in np.unique(relations):
        rows = relations == relation
        if min(labels[rows].sum(), (~labels[rows]).sum()) >= FEW:
            knots[int(relation)] = _knots(labels[rows], z[rows])
            counts[int(relation)] = int(rows.sum())
    return Calibration("isotonic", np.ones(num_relations), np.zeros(num_relations), knots, counts)


def _knots(labels: npt.NDArray[np.bool_], z: Floats) -> tuple[Floats, Floats]:
    """The middles of the isotonic regression's steps, so that the line between them rises and ranks stay."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(out_of_bounds="clip").fit_transform(z, labels)
    order = np.argsort(z, kind="stable")
    begins = np.flatnonzero(np.append(True, np.diff(fitted[order]) > 0))
    counts = np.diff(np.append(begins, len(z)))
    # A step of n edges is smoothed by one true and one false: no edge is called sure.
    shares = (np.add.reduceat(labels[order].astype(np.float64), begins) + 1) / (counts + 2)
    middles = np.add.reduceat(z[order], begins) / counts
    weighted = IsotonicRegression().fit_transform(middles, shares, sample_weight=counts)
    return middles, weighted


def _line(knots: tuple[Floats, Floats], z: Floats) -> Floats:
    """Between knots a straight line; beyond them a little of the sigmoid, so that ranks stay."""
    x, p = knots
    inside = np.interp(z, x, p)
    beyond = 1e-4 * (_sigmoid(z) - _sigmoid(np.clip(z, x[0], x[-1])))
    return np.clip(inside + beyond, 1e-9, 1 - 1e-9)


def _sigmoid(z: npt.NDArray) -> Floats:
    return 0.5 * (1 + np.tanh(0.5 * z))
