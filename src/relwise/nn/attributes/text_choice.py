"""Which encoder reads texts: the settings `text` and `text_model`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy.typing as npt

from relwise.nn.attributes.base import AttributeEncoder
from relwise.nn.attributes.text import TextEncoder
from relwise.nn.attributes.text_model import ModelTextEncoder
from relwise.nn.attributes.text_recurrent import RecurrentTextEncoder
from relwise.settings import TextName

# How a stored network names the class that reads a text.
TEXT_ENCODERS: Mapping[str, type[AttributeEncoder]] = {
    "tfidf": TextEncoder,
    "rnn": RecurrentTextEncoder,
    "model": ModelTextEncoder,
}


@dataclass(frozen=True)
class TextChoice:
    """How texts are read.

    Args:
        text: as the setting has it.
        model: the setting `text_model`.
    """

    text: TextName = "tfidf"
    model: str | None = None

    def fit(self, values: npt.NDArray, dim: int) -> AttributeEncoder:
        """The encoder chosen, for `values`: object (n,) of str, None where missing."""
        if self.text == "tfidf":
            return TextEncoder.fit(values, dim)
        if self.text == "rnn":
            return RecurrentTextEncoder.fit(values, dim)
        if self.text == "rnn_pretrained":
            return RecurrentTextEncoder.pretrained(values, dim)
        return ModelTextEncoder.fit(values, dim, self.text, self.model)


def text_kind(encoder: AttributeEncoder) -> str:
    """The name of its class in `TEXT_ENCODERS`."""
    return next(name for name, kind in TEXT_ENCODERS.items() if type(encoder) is kind)
