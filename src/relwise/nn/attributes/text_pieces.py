"""Pieces of text for a recurrent network: frequent words whole, the others letter by letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.nn.attributes.ragged import Ragged
from relwise.nn.attributes.text import clean

# The index of a piece that is not in the vocabulary.
UNKNOWN = 0
# A word of fewer texts is spelled: a vector of its own would have seen too little.
_MIN_TEXTS = 3
# The most frequent words, and the most frequent letters: of 32 numbers each they are 1.5 MB in the saved model.
_MAX_WORDS, _MAX_LETTERS = 8_192, 4_096
# Pieces of a text that are read: a name, or the first two or three sentences of a description.
MAX_PIECES = 64


def vocabulary(values: npt.NDArray) -> list[str]:
    """The pieces of the texts in `values`: words of at least 3 different texts, and letters of the other words.

    A piece that begins a word bears a space: " air" is a word, " a" and "i" are letters.

    Args:
        values: object (n,) of str, None where missing.

    >>> vocabulary(np.array(["air one", "air two", "Air three", None], dtype=object))
    [' air', ' t', 'e']
    """
    texts = [text.split() for text in {clean(value) for value in pd.unique(values)}]
    counts = Counter(word for text in texts for word in set(text))
    words = {f" {word}" for word, count in _most_common(counts, _MAX_WORDS) if count >= _MIN_TEXTS}
    # Letters that stand in frequent words alone would never be trained.
    spelled = (word for word in counts if f" {word}" not in words)
    letters = Counter(letter for word in spelled for letter in {*_letters(word)})
    common = [letter for letter, count in _most_common(letters, _MAX_LETTERS) if count > 1]
    return sorted(words.union(common or letters))


def pieces_of(values: npt.NDArray, pieces: list[str]) -> Ragged:
    """(n,) the pieces of each text by their index in the vocabulary, from 1 on; none where it is missing or blank.

    The distinct rows stand from the longest to the shortest.

    Args:
        values: object (n,) of str, None where missing.
        pieces: the vocabulary.

    >>> pieces_of(np.array(["Air tea!", "", "air"], dtype=object), [" air", " t", "e"]).lists()
    [[1, 2, 3, 0, 0], [], [1]]
    """
    codes, texts = pd.factorize(pd.Series(values, dtype=object), use_na_sentinel=False)
    index_of = {piece: index for index, piece in enumerate(pieces, UNKNOWN + 1)}
    cut = [tuple(_indices(clean(text).split(), index_of)) for text in texts]
    distinct = sorted(set(cut), key=lambda row: (-len(row), row))
    number = {row: i for i, row in enumerate(distinct)}
    return Ragged.of(distinct, np.array([number[row] for row in cut], dtype=np.int64)[codes])


def _indices(words: Iterable[str], index_of: dict[str, int]) -> list[int]:
    found: list[int] = []
    for word in words:
        whole = index_of.get(f" {word}")
        found += [index_of.get(letter, UNKNOWN) for letter in _letters(word)] if whole is None else [whole]
        if len(found) >= MAX_PIECES:
            break
    return found[:MAX_PIECES]


def _letters(word: str) -> Iterator[str]:
    yield f" {word[0]}"
    yield from word[1:]


def _most_common(counts: Counter[str], at_most: int) -> list[tuple[str, int]]:
    """The highest counts; of equal ones the first in the alphabet, so that the order of rows does not matter."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:at_most]
