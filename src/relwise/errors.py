"""The one exception that a user's mistake raises: what is wrong, where, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A mistake in what the user gave. The command line prints it as one line and exits with code 2.

    Args:
        what: what is wrong, in a few words.
        where: file, row and column (as far as they are known).
        remedy: what would mend it.

    >>> str(InputError("'abc' is not a number", where="planes.csv, row 3, column 'year'", remedy="leave it blank"))
    "planes.csv, row 3, column 'year': 'abc' is not a number; leave it blank"
    """

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        text = f"{where}: {what}" if where else what
        super().__init__(" ".join((f"{text}; {remedy}" if remedy else text).split()))


def nearest(name: str, choices: Iterable[str], count: int = 3) -> str:
    """The choices most like `name`, as the end of a sentence; empty where none is near.

    >>> nearest("samplr", ["sampler", "dim"])
    "did you mean 'sampler'?"
    """
    lowered: dict[str, str] = {}
    for choice in choices:
        lowered.setdefault(choice.lower(), choice)
    found = difflib.get_close_matches(name.lower(), list(lowered), n=count, cutoff=0.5)
    if not found:
        return ""
    return "did you mean " + " or ".join(repr(lowered[match]) for match in found) + "?"
