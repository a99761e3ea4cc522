"""The ids most like one that is unknown, however many there are."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from relwise.errors import nearest

FEW = 5_000  # ids that are compared one by one, in some 50 ms
LETTERS = 64  # that an id may be mistyped with
LONGEST = 64  # characters of an id that is looked for: the number of its misspellings grows with its length


def near_ids(unknown: str, ids: pd.Index) -> str:
    """The ids most like `unknown`, as the end of a sentence; empty where none is near.

    Of many ids those are found that differ in one letter (another, one more, one less, two changed over) or in
    capitals: what `unknown` may have been meant to be is looked up, so that the time does not grow with the ids.

    Args:
        unknown: what was asked for.
        ids: (n,) unique strings.

    >>> near_ids("N14282", pd.Index(["N14228"] + [f"X{i}" for i in range(10_000)]))
    "did you mean 'N14228'?"
    """
    if len(unknown) > LONGEST:
        return ""
    if len(ids) <= FEW:
        return nearest(unknown, ids)
    sample = ids[:: max(1, len(ids) // 1_000)]
    letters = sorted({letter for some in sample for letter in str(some)[:LONGEST]})[:LETTERS]
    meant = pd.Index(list(dict.fromkeys(_misspellings(unknown, letters))), dtype=object)
    return nearest(unknown, [str(found) for found in meant[ids.get_indexer(meant) >= 0]])


def _misspellings(word: str, letters: list[str]) -> Iterator[str]:
    yield from (word.strip(), word.lower(), word.upper(), word.title())
    for i in range(len(word) + 1):
        before, after = word[:i], word[i:]
        yield from (before + letter + after for letter in letters)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in letters)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
