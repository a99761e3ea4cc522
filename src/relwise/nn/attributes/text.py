"""Text: TF-IDF over pieces of words, reduced by a truncated SVD. No download, any language."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relwise.nn.attributes.base import FeatureEncoder, float_features, to_numpy

if TYPE_CHECKING:  # else imported where it is used: without text, no command waits most of a second for it
    from sklearn.feature_extraction.text import TfidfVectorizer

# Enough for names and short descriptions; more rank is mostly noise there.
_RANK = 64
# The most frequent pieces; 20,000 x 64 numbers are 5 MB in the saved model.
_MAX_PIECES = 20_000
# What stands further back in a long text is left out: cutting text into pieces takes time in Python.
MAX_CHARACTERS = 2_000


class TextEncoder(FeatureEncoder):
    """One text per node: a name or a short description.

        t = TF-IDF of the text's pieces (1 + log count, times idf, to length 1)
        output = LeakyReLU(W [c V^T t, missing] + b)

    A piece is 3 or 4 letters of one word, its edges included (" la", "lax "). Unlike whole words, pieces
    serve names: "Airlines" and "Airline", a misspelling or an inflection share most of theirs, a language
    written without spaces has them too, and a new word is seldom wholly unknown. Upper and lower case and the
    ways of coding one letter (NFKC) are the same; stop words need no list, as their idf is small. V are the
    first 64 right singular vectors of the fitted texts' matrix, c the one factor that brings the mean square
    of c V^T t to 1.

    Pieces, idf and c V are stored; a new process rebuilds the vectoriser from them and gets the same bits.

    Args:
        dim: how many numbers it gives per node.
        pieces: the vocabulary.
        rank: how many singular vectors there are.

    >>> encoder = TextEncoder.fit(np.array(["Delta Air Lines", "Alaska Airlines", None], dtype=object), dim=8)
    >>> features = encoder.prepare(np.array(["DELTA air lines", "Delta Air Lines", None, ""], dtype=object))
    >>> torch.equal(features[0], features[1]), torch.equal(features[2], features[3]), features[2].tolist()
    (True, True, [0.0, 0.0, 1.0])
    """

    idf: Tensor
    components: Tensor

    def __init__(self, dim: int, pieces: list[str], rank: int) -> None:
        super().__init__(rank + 1, dim)
        self.pieces, self.rank = list(pieces), rank
        self.register_buffer("idf", torch.ones(len(self.pieces), dtype=torch.float64))
        self.register_buffer("components", torch.zeros(len(self.pieces), rank, dtype=torch.float32))

    @classmethod
    def fit(cls, values: npt.NDArray, dim: int) -> Self:
        """An encoder with the vocabulary of `values`: object (n,) of str, None where missing."""
        from sklearn.utils.extmath import randomized_svd

        texts = [text for text in map(clean, values) if text]
        if not texts:
            return cls(dim, [], 0)
        # A piece of one text alone relates it to no other; with no others, it still tells them apart.
        try:
            vectorizer = _vectorizer(min_df=2).fit(texts)
        except ValueError:
            vectorizer = _vectorizer().fit(texts)
        pieces = [str(piece) for piece in vectorizer.get_feature_names_out()]
        weights = vectorizer.transform(texts)
        _, _, components = randomized_svd(weights, min(_RANK, *weights.shape), random_state=0)
        projected = weights @ components.T
        mean_square = float(np.mean(projected**2))
        encoder = cls(dim, pieces, len(components))
        encoder.idf.copy_(torch.from_numpy(vectorizer.idf_))
        encoder.components.copy_(torch.from_numpy(components.T / np.sqrt(mean_square or 1.0)))
        return encoder

    def prepare(self, values: npt.NDArray) -> Tensor:
        """(n, rank + 1): c V^T t and the missing flag; a blank text is a missing one."""
        texts = [clean(value) for value in values]
        missing = np.array([not text for text in texts], dtype=bool)
        if not self.pieces or not texts:
            return float_features(missing, np.zeros((len(texts), self.rank)))
        vectorizer = _vectorizer(vocabulary=self.pieces)
        vectorizer.idf_ = to_numpy(self.idf)
        return float_features(missing, vectorizer.transform(texts) @ to_numpy(self.components))

    def config(self) -> dict[str, Any]:
        return {"dim": self.out_dim, "pieces": self.pieces, "rank": self.rank}


def _vectorizer(*, min_df: int = 1, vocabulary: list[str] | None = None) -> TfidfVectorizer:
    """The TF-IDF of pieces of words, to be fitted, or with a vocabulary given."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(3, 4),
        lowercase=False,  # `clean` has done it
        sublinear_tf=True,
        min_df=min_df,
        max_features=None if vocabulary else _MAX_PIECES,
        vocabulary=vocabulary,
    )


def clean(text: str | None) -> str:
    """The text with case folded, letters coded one way and white space simplified; empty where missing.

    >>> clean("  ÉCOLE\\n Polytechnique "), clean(None)
    ('école polytechnique', '')
    """
    if not isinstance(text, str):
        return ""
    return " ".join(unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).casefold().split())
