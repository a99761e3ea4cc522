"""`AttributeEncoder`: the family of networks that turn one attribute of a node type into numbers.

An encoder works in two steps. `prepare` turns the plain values of a column (see `Attribute` in
`relwise.data.graph`) into a tensor, once per graph, with statistics learnt at `fit`; `forward` is the part
with weights, run in every training step. A missing value is an ordinary input: it is prepared as zeros plus a
flag that says "missing", and touches no other row.

An encoder is stored without pickle: `config()` is all that JSON can hold, the `state_dict` is the rest; what
`from_config` builds has the right shapes for `load_state_dict`. Statistics are float64 buffers, so that the
encoder rebuilt elsewhere prepares the same bits. They follow the module's device but must keep their
precision: do not call `half()` or `float()` on an encoder.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from relwise.nn.attributes.ragged import Ragged


class AttributeEncoder(nn.Module, ABC):
    """One attribute's encoder. A subclass says how to `fit`, `prepare` and `forward`; the rest is common.

    Args:
        dim: how many numbers it gives per node.
    """

    waits = False
    """Whether `forward` waits for its device, so that it cannot be recorded as a CUDA graph."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        if dim < 1:
            raise ValueError(f"an encoder needs at least one output, not {dim}")
        self._dim = dim

    @classmethod
    @abstractmethod
    def fit(cls, values: npt.NDArray, dim: int) -> Self:
        """An encoder with the statistics and vocabulary of `values`, its weights at their random start.

        Args:
            values: (n, ...) one row per node, in the plain form of the modality; some or all may be missing.
            dim: how many numbers the encoder gives per node.
        """

    @abstractmethod
    def prepare(self, values: npt.NDArray) -> Tensor | Ragged:
        """The values as `forward` takes them: float32 (n, k), int64 (n,) or ragged rows of int64, on the CPU.

        Row i depends on value i and on what `fit` learnt, on no other value.
        """

    @abstractmethod
    def forward(self, prepared: Any) -> Tensor:
        """(n, out_dim) from what `prepare` gave, or from any of its rows."""

    @property
    def out_dim(self) -> int:
        """How many numbers the encoder gives per node."""
        return self._dim

    def config(self) -> dict[str, Any]:
        """All that is not a tensor, as JSON can hold it: the arguments of the constructor."""
        return {"dim": self.out_dim}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The encoder that `config()` described, its tensors of the right shapes and to be loaded."""
        return cls(**config)


class FeatureEncoder(AttributeEncoder):
    """An encoder whose prepared features `x` (n, k) go through one layer: `LeakyReLU(W x + b)`.

    With the node type's projection behind it this is a network of one hidden layer per attribute.

    Args:
        features: k, how many features are prepared per node.
        dim: how many numbers it gives per node.
    """

    def __init__(self, features: int, dim: int) -> None:
        super().__init__(dim)
        self.linear = nn.Linear(features, dim)

    def forward(self, prepared: Tensor) -> Tensor:
        return nn.functional.leaky_relu(self.linear(prepared))


def float_features(missing: npt.NDArray[np.bool_], *blocks: npt.NDArray) -> Tensor:
    """The feature blocks side by side, zero where missing, with a last column that flags the missing.

    Args:
        missing: (n,) which rows have no value.
        blocks: each (n,) or (n, k); what stands in missing rows does not matter.

    >>> float_features(np.array([False, True]), np.array([0.5, np.nan])).tolist()
    [[0.5, 0.0], [0.0, 1.0]]
    """
    columns = [block.reshape(len(block), math.prod(block.shape[1:])) for block in blocks]
    table = np.where(missing[:, None], 0.0, np.concatenate(columns, axis=1))
    return torch.from_numpy(np.concatenate([table, missing[:, None]], axis=1).astype(np.float32))


def any_missing(rows: npt.NDArray) -> npt.NDArray[np.bool_]:
    """(n,) which rows of (n, k) hold a number that is not finite."""
    return np.logical_not(np.isfinite(rows)).any(axis=1).reshape(len(rows))


def to_numpy(buffer: Tensor) -> npt.NDArray:
    """A statistic as numpy has it, from wherever the module stands."""
    return buffer.detach().cpu().numpy()
