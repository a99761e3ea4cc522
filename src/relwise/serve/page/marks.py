"""What people said of predictions, right or wrong, and how it goes back into tables.

What is said is written at once to `marks.jsonl` in the run folder, a line each, and never rewritten: nothing is lost
when the server ends, however it ends. Whoever may use the page sees all marks of the run.
"""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from relwise.errors import InputError

FILE = "marks.jsonl"
MOST = 100_000  # marks of a run

Triple = tuple[str, str, str]


@dataclass
class Marks:
    """The marks of one run.

    Args:
        file: where each is written as it is made; None: they are lost when the server ends.

    >>> marks = Marks()
    >>> marks.set(("ann", "knows", "bob"), False)
    >>> print(marks.csv(), end="")
    head,relation,tail,label
    ann,knows,bob,0
    """

    file: Path | None = None
    unread: int = 0
    """Lines of the file that are none of ours; they are left where they are."""
    _said: dict[Triple, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Marks:
        """The marks of a run folder: those made before, and the file for more where the folder can be written to.

        Raises:
            InputError: where the file is there and cannot be read.
        """
        file = folder / FILE
        marks = cls(file if os.access(file if file.exists() else folder, os.W_OK) else None)
        try:
            lines = file.read_bytes().splitlines()
        except FileNotFoundError:
            return marks
        except OSError as error:
            raise InputError(
                f"the marks cannot be read ({error.strerror})", where=str(file), remedy="give leave to read the file"
            ) from None
        for line in filter(None, lines):
            try:
                said = json.loads(line)
                edge, label = (said["head"], said["relation"], said["tail"]), said["label"]
                if not all(isinstance(part, str) for part in edge) or label not in (0, 1, None):
                    raise ValueError
            except (KeyError, TypeError, ValueError):
                marks.unread += 1
                continue
            marks._keep(edge, None if label is None else bool(label))
        return marks

    def get(self, edge: Triple) -> bool | None:
        """Whether an edge was said to hold; None: nobody said."""
        return self._said.get(edge)

    def set(self, edge: Triple, holds: bool | None) -> None:
        """Say of an edge that it holds, or does not; None takes back what was said.

        Raises:
            InputError: where it cannot be written, or is one too many; then nothing has been said.
        """
        if holds is not None and edge not in self._said and len(self._said) >= MOST:
            raise InputError(f"there are {MOST:,} marks already", remedy="take some back")
        if self.file is not None:
            try:
                _append(self.file, edge, holds)
            except OSError as error:
                raise InputError(f"the mark cannot be written to {FILE} ({error.strerror})") from None
        self._keep(edge, holds)

    def _keep(self, edge: Triple, holds: bool | None) -> None:
        if holds is None:
            self._said.pop(edge, None)
        else:
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


def _append(file: Path, edge: Triple, holds: bool | None) -> None:
    """One line, on the disk when this returns; the end of a line that a crash cut off stays apart from it."""
    said = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        **dict(zip(("head", "relation", "tail"), edge, strict=True)),
        "label": None if holds is None else int(holds),
    }
    with file.open("ab+") as out:
        cut = b""
        if out.tell():
            out.seek(-1, os.SEEK_END)
            cut = b"" if out.read(1) == b"\n" else b"\n"
        out.write(cut + json.dumps(said).encode() + b"\n")
        out.flush()
        os.fsync(out.fileno())


def _table(last: str, rows: list[tuple[Triple, str]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["head", "relation", "tail", last])
    writer.writerows([*edge, value] for edge, value in rows)
    return file.getvalue()
