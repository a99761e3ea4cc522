"""How concentrated attention is: the entropy of each node's weights, beside that of equal ones.

Source: the attention entropy histograms of `Relation-aware Graph Attention Model with Adaptive Self-adversarial
Training <https://arxiv.org/abs/2102.07186>`_ (Qin, Sheikh, Reinwald, Wu; AAAI 2021), figure 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def attention_entropy(weights: npt.ArrayLike, indptr: npt.ArrayLike) -> Floats:
    """(N, L) the entropy `-Σ_e α_e log α_e` of each node's incoming edges, in nats; NaN of a node without edges.

    Args:
        weights: (E, L) α, sorted by target; those of a node sum to 1 in each head.
        indptr: (N + 1,) the edges into node i are `indptr[i]:indptr[i + 1]`.

    >>> attention_entropy([[0.5], [0.5], [1.0]], [0, 2, 3, 3]).round(3).tolist()
    [[0.693], [0.0], [nan]]
    """
    alpha, bounds = np.asarray(weights, dtype=np.float64), np.asarray(indptr, dtype=np.int64)
    terms = -alpha * np.log(alpha, where=alpha > 0, out=np.zeros_like(alpha))
    sums = np.concatenate([np.zeros((1, alpha.shape[1])), np.cumsum(terms, axis=0)])
    entropy = np.maximum(sums[bounds[1:]] - sums[bounds[:-1]], 0.0)
    entropy[np.diff(bounds) == 0] = np.nan
    return entropy


def uniform_entropy(indptr: npt.ArrayLike) -> Floats:
    """(N,) what it were if all of a node's edges weighed alike: the logarithm of their number; NaN without edges.

    >>> uniform_entropy([0, 2, 3, 3]).round(3).tolist()
    [0.693, 0.0, nan]
    """
    count = np.diff(np.asarray(indptr, dtype=np.int64)).astype(np.float64)
    return np.log(count, where=count > 0, out=np.full(len(count), np.nan))


def concentration(weights: npt.ArrayLike, indptr: npt.ArrayLike) -> dict[str, Any]:
    """A layer's attention in a few numbers, over the nodes with two edges or more: only they can choose.

    Args:
        weights: (E, L) α, sorted by target.
        indptr: (N + 1,).

    Returns:
        `nodes`: how many; `entropy`: the mean of each head; `uniform`: the mean of equal weights; `share`: of each
        head, entropy by uniform. Means are null where there are no such nodes.
    """
    entropy, uniform = attention_entropy(weights, indptr), uniform_entropy(indptr)
    able = np.diff(np.asarray(indptr, dtype=np.int64)) > 1
    if not able.any():
        return {"nodes": 0, "entropy": None, "uniform": None, "share": None}
    mean, most = entropy[able].mean(axis=0), float(uniform[able].mean())
    return {
        "nodes": int(able.sum()),
        "entropy": [round(float(e), 4) for e in mean],
        "uniform": round(most, 4),
        "share": [round(float(e) / most, 4) for e in mean],
    }
