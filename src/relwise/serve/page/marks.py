"""What people said of predictions, right or wrong, and how it goes back into tables.

Marks are kept by the server, for each run, as long as it runs; whoever may use the page sees them.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

MOST = 100_000  # marks of a run: beyond, none is added

Triple = tuple[str, str, str]


@dataclass
class Marks:
    """The marks of one run.

    >>> marks = Marks()
    >>> marks.set(("ann", "knows", "bob"), False)
    >>> print(marks.csv(), end="")
    head,relation,tail,label
    ann,knows,bob,0
    """

    _said: dict[Triple, bool] = field(default_factory=dict)

    def get(self, edge: Triple) -> bool | None:
        """Whether an edge was said to hold; None: nobody said."""
        return self._said.get(edge)

    def set(self, edge: Triple, holds: bool | None) -> None:
        """Say of an edge that it holds, or does not; None takes back what was said."""
        if holds is None:
            self._said.pop(edge, None)
        elif edge in self._said or len(self._said) < MOST:
            self._said[edge] = holds

    def items(self) -> list[tuple[Triple, bool]]:
        """All marks, in the order in which they were first made."""
        return list(self._said.items())

    def __len__(self) -> int:
        return len(self._said)

    def csv(self) -> str:
        """All marks: `head,relation,tail,label`, 1 right and 0 wrong."""
        return _table("label", [(edge, str(int(holds))) for edge, holds in self.items()])

    def negatives(self, part: str) -> str:
        """The wrong ones as the table that `negatives` of `[split]` names (`relwise.data.given_negatives`).

        Args:
            part: `"valid"` or `"test"`.
        """
        return _table("part", [(edge, part) for edge, holds in self.items() if not holds])


def _table(last: str, rows: list[tuple[Triple, str]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["head", "relation", "tail", last])
    writer.writerows([*edge, value] for edge, value in rows)
    return file.getvalue()
