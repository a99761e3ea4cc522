"""The two formats of plain lines: benchmark folders with given negatives, and tab-separated triples.

| format | train.txt | valid.txt, test.txt | relations |
| --- | --- | --- | --- |
| benchmark | `relation head tail` | `relation head tail label`, label 1 or 0 | undirected |
| triples | `head<TAB>relation<TAB>tail` | the same; both may be absent | directed |

Blank lines are passed over, CRLF line ends are tolerated, nodes are the union of all files. A benchmark folder may hold
`feature.txt` too: the nodes' numbers (`relwise.data.features`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from relwise.data.features import read_features
from relwise.data.files import read_text
from relwise.data.from_frame import graph_from_frame
from relwise.data.graph import PARTS, Attribute, Graph, counted
from relwise.errors import InputError

LineFormat = Literal["benchmark", "triples"]
COLUMNS = ("head", "relation", "tail")
FEATURES = "feature.txt"


def line_format(folder: Path) -> LineFormat | None:
    """Which of the two formats a folder's train, valid and test.txt are in; None where none of them is there.

    The first line of each file decides: three fields between tabs are a triple (ids may hold blanks), four
    fields in valid or test are a labelled edge. Where valid and test fit neither, a tab in train decides.
    """
    first = {part: _first_line(folder / f"{part}.txt") for part in PARTS if (folder / f"{part}.txt").is_file()}
    if not first:
        return None
    for part in ("valid", "test"):
        if part in first:
            if len(first[part].split("\t")) == 3:
                return "triples"
            if len(first[part].split()) == 4:
                return "benchmark"
    if "\t" in first.get("train", ""):
        return "triples"
    return "benchmark" if len(first) > 1 else "triples"


def read_benchmark(folder: Path) -> Graph:
    """A benchmark folder as a graph of undirected relations with its given split and negatives.

    Where it holds `feature.txt`, the nodes have an attribute `feature`; a node that stands there alone is one too.
    """
    _need(folder, ("train", "valid", "test"))
    tables = {part: _table(folder / f"{part}.txt", labelled=part != "train") for part in PARTS}
    positives: list[pd.DataFrame] = [tables["train"]]
    negatives: dict[str, pd.DataFrame] = {}
    for part in ("valid", "test"):
        label = tables[part]["label"].to_numpy()
        positives.append(tables[part].take(np.flatnonzero(label == "1")))
        if not len(positives[-1]):
            raise InputError("no line has the label 1", where=str(folder / f"{part}.txt"), remedy="add edges that hold")
        if (label == "0").any():
            negatives[part] = tables[part].take(np.flatnonzero(label == "0"))
    codes = np.repeat(np.arange(3, dtype=np.int8), [len(table) for table in positives])
    frame = pd.concat(positives, ignore_index=True)
    graph = graph_from_frame(frame, codes, directed=False, negatives=negatives)
    return _with_features(graph, folder / FEATURES) if (folder / FEATURES).is_file() else graph


def read_triples(folder: Path) -> Graph:
    """A folder of tab-separated triples as a graph of directed relations, with its split if it gives one."""
    held_out = [part for part in ("valid", "test") if (folder / f"{part}.txt").exists()]
    _need(folder, ("train", "valid", "test") if held_out else ("train",))
    tables = [_triples(folder / f"{part}.txt") for part in ("train", *held_out)]
    codes = np.repeat(np.arange(len(tables), dtype=np.int8), [len(table) for table in tables])
    return graph_from_frame(pd.concat(tables, ignore_index=True), codes if held_out else None)


def _with_features(graph: Graph, path: Path) -> Graph:
    """The graph with a file's numbers as its nodes' attribute; missing where the file has no line of a node."""
    (nodes,) = graph.node_types
    named, numbers = read_features(path)
    place = nodes.ids.get_indexer(pd.Index(named, dtype=object))
    new = place < 0
    # Behind the others, whose edges then stay as they are.
    ids = nodes.ids.append(pd.Index(np.array(named, dtype=object)[new], dtype=object))
    place[new] = np.arange(len(nodes), len(ids))
    values = np.full((len(ids), numbers.shape[1]), np.nan, np.float32)
    values[place] = numbers
    attribute = Attribute(path.stem, "vector", values)
    return replace(graph, node_types=(replace(nodes, ids=ids, attributes=(attribute,)),))


def _need(folder: Path, parts: tuple[str, ...]) -> None:
    missing = [f"{part}.txt" for part in parts if not (folder / f"{part}.txt").is_file()]
    if not missing:
        return
    if "train.txt" in missing:
        remedy = "add it: without training edges there is nothing to learn from"
    else:
        remedy = "give both valid.txt and test.txt, or neither: triples alone are split at random"
    verb = "is" if len(missing) == 1 else "are"
    raise InputError(f"{' and '.join(missing)} {verb} missing", where=str(folder), remedy=remedy)


def _first_line(path: Path) -> str:
    # Lenient: what is wrong with the file is told when it is read.
    with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as lines:
        return next((line.rstrip("\r\n") for line in lines if line.strip()), "")


def _table(path: Path, labelled: bool) -> pd.DataFrame:
    """The lines `relation head tail [label]` of a benchmark file."""
    fields = ("relation", "head", "tail", "label") if labelled else ("relation", "head", "tail")
    lines = read_text(path).split("\n")
    table = _frame(lines, fields, None, path)
    if labelled:
        wrong = ~table["label"].isin(["0", "1"]).to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"the label is {table['label'].iloc[row]!r}",
                where=f"{path}, line {_line_number(lines, row)}",
                remedy="a label is 1 (the edge holds) or 0 (it does not)",
            )
    return table


def _triples(path: Path) -> pd.DataFrame:
    """The lines `head<TAB>relation<TAB>tail` of a file of triples."""
    text = read_text(path)
    lines = (text.replace("\r\n", "\n") if "\r" in text else text).split("\n")
    table = _frame(lines, COLUMNS, "\t", path)
    for column in COLUMNS:
        blank = (table[column] == "").to_numpy()
        if blank.any():
            where = f"{path}, line {_line_number(lines, int(np.argmax(blank)))}, column '{column}'"
            raise InputError(f"the {column} is blank", where=where, remedy="fill it in or delete the line")
    return table


def _frame(lines: list[str], fields: tuple[str, ...], separator: str | None, path: Path) -> pd.DataFrame:
    """Lines as a table of object columns. Raises InputError at the first with another number of fields."""
    rows = [line for line in lines if line and not line.isspace()]
    width = len(fields)
    counts = [len(row.split()) for row in rows] if separator is None else [row.count(separator) + 1 for row in rows]
    wrong = np.array(counts) != width
    if wrong.any():
        row = int(np.argmax(wrong))
        between = "blanks" if separator is None else "tabs"
        raise InputError(
            f"{counted(counts[row], 'field')} where there should be {width}",
            where=f"{path}, line {_line_number(lines, row)}",
            remedy=f"a line is: {' '.join(fields)}, with {between} between",
        )
    # Split all at once: a list per line would keep Python's garbage collector busier than the reading itself.
    cells = (separator or " ").join(rows).split(separator)
    return pd.DataFrame({f: np.array(cells[i::width], dtype=object) for i, f in enumerate(fields)}, dtype=object)


def _line_number(lines: list[str], row: int) -> int:
    """The 1-based line of the row-th line that is not blank."""
    return [number for number, line in enumerate(lines, 1) if line.strip()][row]
