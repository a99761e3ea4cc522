"""Text by a ready-made model of the libraries model2vec or sentence-transformers."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch import Tensor

from relwise.errors import InputError
from relwise.nn.attributes.base import AttributeEncoder
from relwise.nn.attributes.text import MAX_CHARACTERS
from relwise.nn.attributes.vector import VectorEncoder

Library = Literal["model2vec", "sentence_transformers"]
# Small ones, known to many: 30 MB (256 numbers a text) and 90 MB (384).
DEFAULT_MODELS: dict[Library, str] = {
    "model2vec": "minishlab/potion-base-8M",
    "sentence_transformers": "sentence-transformers/all-MiniLM-L6-v2",
}


class TextModel(Protocol):
    """What both libraries' models have in common."""

    def encode(self, sentences: list[str], *, show_progress_bar: bool) -> Any:
        """(n, k) a vector for each text."""
        ...


class ModelTextEncoder(AttributeEncoder):
    """One text per node, as a ready-made model has it.

        output = LeakyReLU(W [z, missing] + b),   z = the model's vector, standardised (see `VectorEncoder`)

    The model itself is not trained and not stored: its vectors are computed when a graph is prepared, once for
    each distinct text. So whoever loads what was trained needs the same model again.

    Args:
        dim: how many numbers it gives per node.
        width: k, the numbers of the model's vectors.
        library: whose model it is.
        model: its name, or the folder it lies in.
    """

    def __init__(self, dim: int, width: int, library: Library, model: str) -> None:
        super().__init__(dim)
        self.library: Library = library
        self.model = model
        self.vectors = VectorEncoder(dim, width)

    @classmethod
    def fit(cls, values: npt.NDArray, dim: int, library: Library = "model2vec", model: str | None = None) -> Self:
        """An encoder scaled to the vectors of `values`: object (n,) of str, None where missing.

        Raises:
            InputError: where the library is not installed or the model cannot be loaded.
        """
        name = DEFAULT_MODELS[library] if model is None else model
        vectors = _vectors(values, load_text_model(library, name))
        encoder = cls(dim, vectors.shape[1], library, name)
        encoder.vectors = VectorEncoder.fit(vectors, dim)
        return encoder

    def prepare(self, values: npt.NDArray) -> Tensor:
        """(n, k + 1): z and the missing flag; a blank text is a missing one."""
        vectors = _vectors(values, load_text_model(self.library, self.model))
        if vectors.shape[1] != self.vectors.width:
            raise InputError(
                f"the text model {self.model} gives {vectors.shape[1]} numbers a text, not {self.vectors.width}",
                remedy="put the model back that the training used, or train anew",
            )
        return self.vectors.prepare(vectors)

    def forward(self, prepared: Tensor) -> Tensor:
        return self.vectors(prepared)

    def config(self) -> dict[str, Any]:
        return {"dim": self.out_dim, "width": self.vectors.width, "library": self.library, "model": self.model}


@cache
def load_text_model(library: Library, name: str) -> TextModel:
    """A model by its name or folder, loaded once in a process.

    Raises:
        InputError: where the library is not installed or the model cannot be loaded.
    """
    try:
        module = import_module(library)
    except ImportError:
        raise InputError(
            f"text = {library} needs a package that is not installed", remedy="pip install 'relwise[text]'"
        ) from None
    try:
        if library == "model2vec":
            return module.StaticModel.from_pretrained(name)
        return module.SentenceTransformer(name)
    except Exception as error:  # the libraries raise whatever their downloads and parsers do
        raise InputError(
            f"the text model {name!r} cannot be loaded ({_first_line(error)})",
            remedy="set text_model to the folder of a model on this machine, or run once with a network",
        ) from None


def _vectors(values: npt.NDArray, model: TextModel) -> npt.NDArray[np.float32]:
    """(n, k) the model's vectors, a row of NaN where the text is missing or blank."""
    texts = [" ".join(value[:MAX_CHARACTERS].split()) if isinstance(value, str) else "" for value in values]
    codes, distinct = pd.factorize(np.array([text or None for text in texts], dtype=object))
    # The one more tells the width where there is no text at all.
    made = np.asarray(model.encode([*distinct, "text"], show_progress_bar=False), dtype=np.float32)
    return np.where((codes < 0)[:, None], np.float32(np.nan), made[codes])


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
