"""`feature.txt`: the nodes' numbers in the benchmark folders of Cen et al. 2019 (GATNE).

    COUNT DIM             the first line, where there is one
    NODE x_1 ... x_DIM    a line per node, with blanks between

Two whole numbers in the first line are the counts. Where the next line has two fields as well, they are so only if they
count the lines below and one number a node: else they are a node and its one number.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from relwise.data.files import read_text
from relwise.data.graph import counted
from relwise.errors import InputError


def read_features(path: Path) -> tuple[list[str], npt.NDArray[np.float32]]:
    """(n ids, (n, k) float32) of a file of features.

    Raises:
        InputError: at the first line that is wrong, with its number: of another number of fields, a number that is
            none, an id that stands twice; or where the first line counts otherwise.
    """
    lines = enumerate(read_text(path).split("\n"), 1)
    rows = _counts([(number, line) for number, line in lines if line and not line.isspace()], path)
    width = len(rows[0][1].split()) - 1
    seen: dict[str, int] = {}
    values = np.empty((len(rows), width), np.float32)
    for i, (number, line) in enumerate(rows):
        # Split here, a line at a time: the fields of all would take many times the file's size.
        fields, where = line.split(), f"{path}, line {number}"
        if len(fields) != width + 1 or width == 0:
            raise InputError(
                f"{counted(len(fields) - 1, 'number')} where there should be {width or 'at least 1'}",
                where=where,
                remedy="a line is a node's id and its numbers, of one count for all nodes, with blanks between",
            )
        if fields[0] in seen:
            raise InputError(
                f"the node {fields[0]!r} stands also in line {seen[fields[0]]}", where=where, remedy="keep one line"
            )
        seen[fields[0]] = number
        values[i] = _numbers(fields[1:], where)
    return list(seen), values


def _counts(rows: list[tuple[int, str]], path: Path) -> list[tuple[int, str]]:
    """The rows behind a first line of counts, which is held to what it says; all rows where there is no such line."""
    first, rest = rows[0][1].split(), rows[1:]
    width = len(rest[0][1].split()) if rest else 0
    if len(first) != 2 or not all(field.isdecimal() for field in first):
        return rows
    count, dim = map(int, first)
    if width == 2 and (count, dim) != (len(rest), 1):
        return rows
    if count != len(rest) or not rest:
        raise InputError(
            f"the first line tells of {counted(count, 'node')}, and {len(rest):,} follow",
            where=str(path),
            remedy="get the whole file, or mend its first line",
        )
    if width != dim + 1:
        raise InputError(
            f"{counted(width - 1, 'number')} where the first line tells of {dim:,}",
            where=f"{path}, line {rest[0][0]}",
            remedy="mend the first line: it is the number of nodes and that of their numbers",
        )
    return rest


def _numbers(fields: list[str], where: str) -> npt.NDArray[np.float32]:
    remedy = "write a finite number, or leave the node's line out where its features are not known"
    try:
        numbers = np.array(list(map(float, fields)))
    except ValueError:
        odd = next(field for field in fields if not _is_number(field))
        raise InputError(f"{odd!r} is not a number", where=where, remedy=remedy) from None
    with np.errstate(over="ignore"):
        short = numbers.astype(np.float32)
    if not np.isfinite(short).all():
        raise InputError(
            f"{fields[int(np.argmin(np.isfinite(short)))]} is not a finite number", where=where, remedy=remedy
        )
    return short


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
