"""The final probability: a small model over the network's logit and the graph's own evidence.

Of an edge (h, r, t) with logit z, evidence x shared by all relations and y of r's own patterns
(`relwise.predict.evidence.table`):

    final logit = z + (α + α_r) z + (θ + θ_r) · x + φ_r · y + β + β_r
    probability = calibration of r (final logit)          (`relwise.evaluate.calibration`)

fitted by least log loss on the validation edges, which the network did not learn from, plus λ/2 times the squares of
all but β, numbers in units of their deviation. So with few validation edges the network's logit stays as it is, and a
relation with few has what all have. λ is the greatest whose loss in five-fold cross validation is within a
standard error of the least (Breiman et al. 1984, "Classification and regression trees"); the calibration is fitted on
the final logits of the folds left out.

The *network alone* is the sigmoid of z as it was trained. The *evidence alone* is the same model without z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from relwise.evaluate.calibration import FEW, FOLDS, OUTWEIGHED, Calibration, fit_calibration, folds
from relwise.predict.evidence.table import SHARED, Table

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)  # λ

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judge:
    """The weights of the final logit, by relation, and what makes a probability of it.

    Args:
        slopes: (R,) of the network's logit; 0 where the evidence stands alone.
        offsets: (R,).
        shared: (R, 7) of the numbers of `SHARED`.
        own: (R, W) of the relation's own patterns.
        calibration: of final logits.
        strength: λ; NaN where nothing could be fitted.
        share_true: the share of true edges among those fitted on.
        shares: (R,) the same of each relation, drawn to that of all; None: all have that.
    """

    slopes: Floats
    offsets: Floats
    shared: Floats
    own: Floats
    calibration: Calibration
    strength: float
    share_true: float
    shares: Floats | None = None

    @staticmethod
    def of_network(num_relations: int, width: int) -> Judge:
        """The network's own probability, where there are too few validation edges to fit anything on."""
        return Judge(
            np.ones(num_relations), np.zeros(num_relations), np.zeros((num_relations, len(SHARED))),
            np.zeros((num_relations, width)), Calibration.none(num_relations), float("nan"), 0.5,
        )  # fmt: skip

    @property
    def weighs_evidence(self) -> bool:
        """Whether any evidence has a weight: else none need be gathered."""
        return bool(self.shared.any() or self.own.any())

    def logits(self, network: npt.NDArray[np.floating], table: Table) -> Floats:
        """(n,) final logits, before calibration.

        Args:
            network: (n,) the network's logits.
            table: of the same edges.
        """
        r = table.relations
        said = np.einsum("ns,ns->n", table.shared, self.shared[r]) + np.einsum("nw,nw->n", table.own, self.own[r])
        return self.slopes[r] * np.asarray(network, dtype=np.float64) + said + self.offsets[r]

    def probabilities(self, network: npt.NDArray[np.floating], table: Table) -> Floats:
        """(n,) final probabilities."""
        return self.calibration.probabilities(self.logits(network, table), table.relations)

    def to_json(self) -> dict[str, Any]:
        """What JSON holds."""
        arrays = {name: getattr(self, name).tolist() for name in ("slopes", "offsets", "shared", "own")}
        strength = None if np.isnan(self.strength) else self.strength
        return {
            **arrays,
            "calibration": self.calibration.to_json(),
            "strength": strength,
            "share_true": self.share_true,
            "shares": None if self.shares is None else self.shares.tolist(),
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Judge:
        """What `to_json` gave."""
        slopes = np.array(value["slopes"], dtype=np.float64)
        strength = float("nan") if value["strength"] is None else float(value["strength"])
        return Judge(
            slopes, np.array(value["offsets"], dtype=np.float64),
            np.array(value["shared"], dtype=np.float64).reshape(len(slopes), len(SHARED)),
            np.array(value["own"], dtype=np.float64).reshape(len(slopes), -1),
            Calibration.from_json(value["calibration"]), strength, float(value["share_true"]),
            None if value.get("shares") is None else np.array(value["shares"], dtype=np.float64),
        )  # fmt: skip


def fit_judge(
    truth: npt.ArrayLike, network: npt.NDArray[np.floating], table: Table, num_relations: int, alone: bool = False
) -> Judge:
    """Fit the final probability.

    Args:
        truth: (n,) whether each validation edge holds.
        network: (n,) the network's logits of them.
        table: the evidence of them.
        num_relations: R.
        alone: leave the network out: the evidence alone.

    Returns:
        The network's own probability where fewer than 20 of the edges are true, or false.

    >>> rng = np.random.default_rng(0)
    >>> tied, logit = rng.random(2000) < 0.5, rng.normal(size=2000)
    >>> truth = rng.random(2000) < 1 / (1 + np.exp(-(logit + 4 * tied - 2)))
    >>> shared = np.zeros((2000, len(SHARED)))
    >>> shared[:, 0] = tied
    >>> judge = fit_judge(truth, logit, Table(np.zeros(2000, int), shared, np.zeros((2000, 0))), 1)
    >>> bool(abs(judge.shared[0, 0] - 4) < 0.6)
    True
    """
    labels = np.asarray(truth, dtype=bool)
    width = table.own.shape[1]
    if min(labels.sum(), (~labels).sum()) < FEW:
        return Judge.of_network(num_relations, width)
    with threadpool_limits(1):  # the products are too small to share among threads
        return _fitted(labels, _Design.of(np.asarray(network, dtype=np.float64), table, num_relations, alone))


def _fitted(labels: npt.NDArray[np.bool_], design: _Design) -> Judge:
    labels, num_relations = labels[design.order], len(design.bounds) - 1
    relations = np.repeat(np.arange(num_relations), np.diff(design.bounds))
    holds, part = labels.astype(np.float64), folds(len(labels))
    losses, outs = {}, {}
    starts = np.zeros((FOLDS, design.num_weights))
    for strength in sorted(STRENGTHS, reverse=True):
        outs[strength] = out = np.empty(len(labels))
        for fold in range(FOLDS):
            learnt, left = part != fold, part == fold
            starts[fold] = _least(design.rows(learnt), holds[learnt], strength, starts[fold])
            out[left] = design.rows(left).logits(starts[fold])
        losses[strength] = np.logaddexp(0, np.where(labels, -out, out))
    best = _strongest(losses)
    held_out = outs[best]
    slopes, offsets, shared, own = design.weights(_least(design, holds, best, starts.mean(axis=0)))
    calibration = fit_calibration(labels, held_out, relations, num_relations)
    share, counts = float(labels.mean()), np.diff(design.bounds)
    shares = (np.bincount(relations, holds, num_relations) + OUTWEIGHED * share) / (counts + OUTWEIGHED)
    return Judge(slopes, offsets, shared, own, calibration, best, share, shares)


def _strongest(losses: Mapping[float, Floats]) -> float:
    """The strongest penalty whose loss is within a standard error of the least: validation edges are not the future.

    Args:
        losses: by λ, (n,) the log loss of each edge when its fold was left out.
    """
    least = min(losses, key=lambda strength: losses[strength].mean())
    return max(
        strength
        for strength, loss in losses.items()
        if (loss - losses[least]).mean() <= (loss - losses[least]).std() / np.sqrt(len(loss))
    )


@dataclass(frozen=True, eq=False)
class _Design:
    """Numbers in units of their deviation, by relation, and how a flat vector of weights is read.

    Args:
        order: (n,) the edges by relation: all arrays below are in that order.
        bounds: (R + 1,) where each relation's begin.
        start: (n,) what is added to nothing: the network's logit, or 0.
        common: (n, 1 + S) ones, then the network's logit and the shared evidence, centred.
        own: (n, W).
        centre, scale: (S,) of `common`.
        own_scale: (R, W).
        alone: whether the network is left out.
    """

    order: npt.NDArray[np.intp]
    bounds: npt.NDArray[np.int64]
    start: Floats
    common: Floats
    own: Floats
    centre: Floats
    scale: Floats
    own_scale: Floats
    alone: bool

    @staticmethod
    def of(network: Floats, table: Table, num_relations: int, alone: bool) -> _Design:
        order = np.argsort(table.relations, kind="stable")
        bounds = np.searchsorted(table.relations[order], np.arange(num_relations + 1))
        network, table = network[order], table[order]
        common = np.concatenate([(0.0 if alone else 1.0) * network[:, None], table.shared], axis=1)
        centre, scale = common.mean(axis=0), _nonzero(common.std(axis=0))
        common = np.concatenate([np.ones((len(common), 1)), (common - centre) / scale], axis=1)
        own_scale, own = np.ones((num_relations, table.own.shape[1])), table.own.copy()
        for relation, (low, high) in enumerate(pairwise(bounds)):
            if high > low:
                own_scale[relation] = _nonzero(own[low:high].std(axis=0))
                own[low:high] /= own_scale[relation]
        start = np.zeros(len(network)) if alone else network
        return _Design(order, bounds, start, common, own, centre, scale, own_scale, alone)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """R, 1 + S, W."""
        return len(self.bounds) - 1, self.common.shape[1], self.own.shape[1]

    def rows(self, chosen: npt.NDArray[np.bool_]) -> _Design:
        """The design of some of its edges, by a mask over its own order."""
        counts = np.append(0, np.cumsum(chosen))
        return replace(
            self, order=self.order[chosen], bounds=counts[self.bounds], start=self.start[chosen],
            common=self.common[chosen], own=self.own[chosen],
        )  # fmt: skip

    def parts(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Views of a flat vector: (1 + S,) of all, (R, 1 + S) each relation's deviation, (R, W) own; offsets first."""
        r, s, w = self.sizes
        whole, rest = values[:s], values[s:]
        return whole, rest[: r * s].reshape(r, s), rest[r * s :].reshape(r, w)

    def logits(self, values: Floats) -> Floats:
        whole, deviation, own = self.parts(values)
        out = self.start.copy()
        for relation, (low, high) in enumerate(pairwise(self.bounds)):
            if high > low:
                out[low:high] += self.common[low:high] @ (whole + deviation[relation])
                out[low:high] += self.own[low:high] @ own[relation]
        return out

    def gradient(self, error: Floats) -> Floats:
        """Of a loss whose slope by each logit is `error`."""
        out = np.zeros(self.num_weights)
        whole, deviation, own = self.parts(out)
        for relation, (low, high) in enumerate(pairwise(self.bounds)):
            if high > low:
                deviation[relation] = error[low:high] @ self.common[low:high]
                own[relation] = error[low:high] @ self.own[low:high]
        whole[:] = deviation.sum(axis=0)
        return out

    @property
    def num_weights(self) -> int:
        r, s, w = self.sizes
        return s * (1 + r) + r * w

    def weights(self, values: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Slopes, offsets, shared and own weights of the numbers as they are."""
        whole, deviation, own = self.parts(values)
        weights = whole + deviation
        plain = weights[:, 1:] / self.scale
        offsets = weights[:, 0] - plain @ self.centre
        slopes = np.zeros(len(plain)) if self.alone else 1 + plain[:, 0]
        return slopes, offsets, plain[:, 1:], own / self.own_scale


def _least(design: _Design, truth: Floats, strength: float, start: Floats) -> Floats:
    """The weights of least penalised log loss, looked for from some others."""
    from scipy.optimize import minimize

    penalty = np.full(design.num_weights, strength)
    penalty[0] = 0.0  # the offset of all is free

    def loss(values: Floats) -> tuple[float, Floats]:
        z = design.logits(values)
        total = (np.logaddexp(0, z) - truth * z).sum() + 0.5 * (penalty * values**2).sum()
        return float(total), design.gradient(0.5 * (1 + np.tanh(0.5 * z)) - truth) + penalty * values

    options = {"maxiter": 300, "ftol": 1e-5}  # tighter ones change no measure by 0.01 %
    found: Any = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return found.x


def _nonzero(scale: Floats) -> Floats:
    return np.where(scale > 1e-9, scale, 1.0)
