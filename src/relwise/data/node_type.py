"""`NodeType`: the nodes of one type, with their attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.errors import InputError

Modality = Literal["numeric", "categorical", "multi_categorical", "boolean", "timestamp", "place", "text", "vector"]


@dataclass(frozen=True, eq=False)
class Attribute:
    """One attribute of one node type, or of one relation's edges, in the plain form that its encoder takes.

    Args:
        name: the attribute's name in the schema.
        modality: what kind of value it is.
        values: one row per node of the type; what is missing is said by the value itself:
            numeric: float64 (n,), NaN; categorical and text: object (n,) of str or None;
            multi_categorical: object (n,) of tuples of str or None; boolean: float64 (n,) of 0 and 1, NaN;
            timestamp: datetime64[us] (n,), NaT; place: float64 (n, 2) degrees latitude and longitude, NaN;
            vector: float32 (n, k), a row of NaN.
    """

    name: str
    modality: Modality
    values: npt.NDArray


@dataclass(frozen=True, eq=False)
class NodeType:
    """The nodes of one type: their ids, the names people are shown, their attributes.

    Args:
        name: the type's name.
        ids: (n,) unique strings.
        labels: (n,) names to show, or None where the ids are the names.
        attributes: the type's attributes, each of n rows.
    """

    name: str
    ids: pd.Index
    labels: npt.NDArray | None = None
    attributes: tuple[Attribute, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", pd.Index(np.asarray(self.ids, dtype=object), dtype=object))
        if not self.ids.is_unique:
            twice = self.ids[self.ids.duplicated()][0]
            raise InputError(
                f"two nodes have the id {twice!r}",
                where=f"node type '{self.name}'",
                remedy="keep one of them",
            )
        if len({attribute.name for attribute in self.attributes}) < len(self.attributes):
            raise ValueError(f"node type {self.name!r} has two attributes of one name")
        for attribute in self.attributes:
            if len(attribute.values) != len(self.ids):
                raise ValueError(f"attribute {attribute.name!r} has {len(attribute.values)} rows, not {len(self)}")

    def __len__(self) -> int:
        return len(self.ids)
