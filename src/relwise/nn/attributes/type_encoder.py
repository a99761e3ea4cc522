"""`TypeEncoder`: the attribute embedding h^(0) of one node type (step 1 of RelGNN)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from relwise.data.graph import NodeType
from relwise.nn.attributes.base import AttributeEncoder
from relwise.nn.attributes.boolean import BooleanEncoder
from relwise.nn.attributes.categorical import CategoricalEncoder
from relwise.nn.attributes.learnt import LearntEmbedding
from relwise.nn.attributes.multi_categorical import MultiCategoricalEncoder
from relwise.nn.attributes.numeric import NumericEncoder
from relwise.nn.attributes.place import PlaceEncoder
from relwise.nn.attributes.ragged import Ragged
from relwise.nn.attributes.text import TextEncoder
from relwise.nn.attributes.text_choice import TEXT_ENCODERS, TextChoice, text_kind
from relwise.nn.attributes.timestamp import TimestampEncoder
from relwise.nn.attributes.vector import VectorEncoder

ENCODERS: Mapping[str, type[AttributeEncoder]] = {
    "numeric": NumericEncoder,
    "categorical": CategoricalEncoder,
    "multi_categorical": MultiCategoricalEncoder,
    "boolean": BooleanEncoder,
    "timestamp": TimestampEncoder,
    "place": PlaceEncoder,
    "text": TextEncoder,
    "vector": VectorEncoder,
}
# The key of the nodes' own indices in what `TypeEncoder.prepare` gives; no attribute has an empty name.
NODES = ""


class TypeEncoder(nn.Module):
    """One network per node type, in it one encoder per attribute: the attribute embedding of
    [RelGNN](https://arxiv.org/abs/2102.07186).

        h_i^(0) = W [encoder_1(x_i1) ‖ ... ‖ encoder_k(x_ik)] + b,   or E_i where the type has no attribute

    It is computed, not looked up, so it exists for nodes never seen in training. `fit` makes one; the
    constructor is for `from_config`.

    Args:
        dim: d, the numbers per node.
        names: (k,) the attributes' names.
        modalities: (k,) the attributes' modalities.
        encoders: (k,) the attributes' encoders.
        learnt: one learnt vector per node, added to what the attributes give.

    >>> from relwise.data.graph import Attribute
    >>> year = Attribute("year", "numeric", np.array([1999.0, np.nan, 2004.0]))
    >>> planes = NodeType("plane", ["N1", "N2", "N3"], attributes=(year,))
    >>> encoder = TypeEncoder.fit(planes, dim=16)
    >>> encoder(encoder.prepare(planes)).shape
    torch.Size([3, 16])
    """

    def __init__(
        self,
        dim: int,
        names: list[str],
        modalities: list[str],
        encoders: list[AttributeEncoder],
        learnt: LearntEmbedding | None,
    ) -> None:
        super().__init__()
        if not encoders and learnt is None:
            raise ValueError("a type encoder needs an attribute or a learnt embedding")
        self.dim, self.names, self.modalities = dim, list(names), list(modalities)
        self.encoders = nn.ModuleList(encoders)
        self.projection = nn.Linear(sum(encoder.out_dim for encoder in encoders), dim) if encoders else None
        self.learnt = learnt

    @classmethod
    def fit(
        cls,
        node_type: NodeType,
        dim: int,
        *,
        attribute_dim: int | None = None,
        learnt: bool | None = None,
        std: float | None = None,
        dropout: float = 0.0,
        new: npt.NDArray[np.bool_] | None = None,
        text: TextChoice | None = None,
    ) -> Self:
        """An encoder for the attributes of `node_type`, its weights at their random start.

        The start is drawn from torch's global generator: `torch.manual_seed` fixes it.

        Args:
            node_type: the nodes whose values give the statistics and vocabularies.
            dim: d, the numbers per node.
            attribute_dim: the numbers per attribute; where None, d shared equally, but at least d / 4.
            learnt: whether each node has a learnt vector too, which tells nodes of equal attributes apart but
                says nothing of new ones; where None, only a type without attributes has them.
            std: the deviation at which the learnt vectors start; 3 / sqrt(d) where None.
            dropout: the share of the learnt vectors that each step of training replaces by the one new nodes share.
            new: (n,) which nodes are to have no learnt vector of their own; None: all have.
            text: how texts are read; by TF-IDF where None.
        """
        attributes = node_type.attributes
        width = attribute_dim or max(1, -(-dim // min(4, max(1, len(attributes)))))
        fit_text = (text or TextChoice()).fit
        encoders = [
            (fit_text if attribute.modality == "text" else ENCODERS[attribute.modality].fit)(attribute.values, width)
            for attribute in attributes
        ]
        with_learnt = not attributes if learnt is None else learnt
        return cls(
            dim,
            [attribute.name for attribute in attributes],
            [attribute.modality for attribute in attributes],
            encoders,
            LearntEmbedding(len(node_type), dim, std, dropout, new) if with_learnt else None,
        )

    def prepare(self, node_type: NodeType) -> dict[str, Tensor | Ragged]:
        """What `forward` takes, per attribute: each of n rows, on the CPU. To be called once per graph.

        The type must have the attributes seen at `fit`, by name; others are passed over. Where there are
        learnt vectors, nodes are known by position: new ones stand behind the known.
        """
        given = {attribute.name: attribute for attribute in node_type.attributes}
        prepared: dict[str, Tensor | Ragged] = {}
        for name, modality, encoder in zip(self.names, self.modalities, self.encoders, strict=True):
            if name not in given or given[name].modality != modality:
                raise ValueError(f"node type {node_type.name!r} has no {modality} attribute {name!r}")
            assert isinstance(encoder, AttributeEncoder)
            prepared[name] = encoder.prepare(given[name].values)
        if self.learnt is not None:
            prepared[NODES] = self.learnt.prepare(len(node_type))
        return prepared

    def forward(self, prepared: Mapping[str, Tensor | Ragged], rows: Tensor | None = None) -> Tensor:
        """(n, d) the attribute embeddings.

        Args:
            prepared: from `prepare`, on the module's device.
            rows: (n,) which of the prepared rows; all of them where None.
        """
        if rows is not None:
            prepared = {name: table[rows] for name, table in prepared.items()}
        parts = [encoder(prepared[name]) for name, encoder in zip(self.names, self.encoders, strict=True)]
        embedded = None if self.projection is None else self.projection(torch.cat(parts, dim=1))
        if self.learnt is None:
            assert embedded is not None
            return embedded
        own = self.learnt(prepared[NODES])
        return own if embedded is None else embedded + own

    def config(self) -> dict[str, Any]:
        """All that is not a tensor, as JSON can hold it."""
        attributes = [
            {
                "name": name,
                "modality": modality,
                **({"text": text_kind(encoder)} if modality == "text" else {}),
                "encoder": encoder.config(),
            }
            for name, modality, encoder in zip(self.names, self.modalities, self.encoders, strict=True)
            if isinstance(encoder, AttributeEncoder)
        ]
        return {
            "dim": self.dim,
            "attributes": attributes,
            "learnt": None if self.learnt is None else self.learnt.config(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The encoder that `config()` described, its tensors of the right shapes and to be loaded."""
        attributes = config["attributes"]
        return cls(
            config["dim"],
            [attribute["name"] for attribute in attributes],
            [attribute["modality"] for attribute in attributes],
            [_class(attribute).from_config(attribute["encoder"]) for attribute in attributes],
            None if config["learnt"] is None else LearntEmbedding.from_config(config["learnt"]),
        )


def _class(attribute: Mapping[str, Any]) -> type[AttributeEncoder]:
    """The encoder's class, from what `config` says of an attribute."""
    return TEXT_ENCODERS[attribute["text"]] if attribute["modality"] == "text" else ENCODERS[attribute["modality"]]
