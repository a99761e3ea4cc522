"""All likely missing edges of a relation, to a Parquet file: in bounded memory, and a killed run goes on.

The heads are divided into parts, each scored in blocks and written to a file of its own in the folder `PATH.parts`.
When all are there, they are joined to `PATH`, which appears whole or not at all; then the folder goes. `about.json` in
it says of which run and which question the parts are; so do the file's metadata, under the key `relwise`. What a part
holds depends on nothing else, so a run that was killed and resumed gives the same file as one that was not.

The columns are head, relation, tail, name (of the tail) and probability; rows stand in the order of heads, then of
tails. There is no column evidence: to tell it of a pair takes longer than to score the pair. `top_k` tells it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

import relwise
from relwise.data.node_type import NodeType
from relwise.data.tables import is_parquet
from relwise.errors import InputError
from relwise.predict.final import FinalScorer
from relwise.predict.missing import listed_pairs
from relwise.predict.progress import PairsProgress

BLOCK = 2**22  # pairs scored at a time: 16 MiB of scores, and some arrays as large
PART = 2**25  # pairs of a part, or more: some seconds' work, which a kill loses
PARTS = 4096  # at most
GROUP = 2**17  # rows of a group in a Parquet file
KEY = b"relwise"

FIELDS = [(name, pa.string()) for name in ("head", "relation", "tail", "name")] + [("probability", pa.float64())]


@dataclass(frozen=True)
class Question:
    """What is asked, and of which run.

    Args:
        digest: of the run (`relwise.predict.digest`).
        relation: its full name.
        least: pairs with at least this probability are kept.
        prior: the share of true pairs assumed; None: the run's.
        where: the condition on tails; None: none.
    """

    digest: str
    relation: str
    least: float
    prior: float | None = None
    where: str | None = None

    def to_json(self, parts: int) -> str:
        """What `about.json` holds."""
        return json.dumps({"relwise": relwise.__version__, **asdict(self), "parts": parts})


def write_missing(
    scorer: FinalScorer,
    question: Question,
    path: Path,
    allowed: npt.NDArray[np.bool_] | None = None,
    *,
    resume: bool = False,
    progress: bool = False,
) -> int:
    """Write the missing pairs of a relation that are likely enough; returns how many.

    Args:
        scorer: of final probabilities.
        question: which pairs.
        path: the Parquet file.
        allowed: (N,) which nodes may be tails (see `relwise.predict.missing.listed_pairs`).
        resume: go on where a killed run stopped, if one did.
        progress: show a progress bar, or lines where stderr is no terminal.

    Raises:
        InputError: at a probability or a prior that is none; at a path that cannot be written; at parts of another
            question or run, or of this one unless `resume` says to go on.
    """
    if not 0 <= question.least <= 1:
        raise InputError(f"least = {question.least} is no probability", remedy="give one between 0 and 1")
    if path.is_dir():
        raise InputError("that is a folder", where=str(path), remedy="name a file in it")
    if not is_parquet(path):
        raise InputError("all pairs go to a Parquet file", where=str(path), remedy="name one that ends in .parquet")
    graph = scorer.graph
    relation = graph.relation_index(question.relation)
    floor = lowest_logit(scorer, relation, question.least, question.prior)  # a wrong prior is told of before any work
    heads = np.arange(*graph.head_ranges[relation])
    width = int(np.diff(graph.tail_ranges[relation])[0])
    count = max(1, min(PARTS, len(heads), len(heads) * width // PART))
    bounds = np.arange(count + 1) * len(heads) // count
    about = question.to_json(count)
    folder = path.with_name(path.name + ".parts")
    try:
        if resume and (rows := _finished(path, about)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            return rows
        _open_folder(folder, path, about, resume)
        with PairsProgress(len(heads), quiet=not progress) as shown:
            kept = 0
            for part in range(count):
                file, anchors = folder / f"{part:05}.parquet", heads[bounds[part] : bounds[part + 1]]
                if (there := _metadata(file)) is not None:
                    kept += there.num_rows
                    shown.at(int(bounds[part + 1]), kept)
                else:
                    written = file.with_suffix(".part")
                    with pq.ParquetWriter(written, pa.schema(FIELDS)) as writer:
                        for done, tables in _scored(scorer, question, relation, anchors, floor, allowed):
                            for table in tables:
                                writer.write_table(table)
                                kept += len(table)
                            shown.at(int(bounds[part]) + done, kept)
                    os.replace(written, file)
        _join([folder / f"{part:05}.parquet" for part in range(count)], path, about)
        shutil.rmtree(folder)
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})", where=str(error.filename or path), remedy="name another file"
        ) from None
    return kept


def lowest_logit(scorer: FinalScorer, relation: int, least: float, prior: float | None = None) -> float:
    """A final logit below which no pair of a relation is as likely as `least`, and not much lower than it must be.

    Probabilities rise with logits, so it is found by halving.
    """
    low, high, asked = -1e6, 1e6, np.array([relation])
    while (middle := 0.5 * (low + high)) not in (low, high):
        if scorer.calibrated(np.array([middle]), asked, prior)[0] < least:
            low = middle
        else:
            high = middle
    return low


def _scored(
    scorer: FinalScorer,
    question: Question,
    relation: int,
    heads: npt.NDArray[np.int64],
    floor: float,
    allowed: npt.NDArray[np.bool_] | None,
) -> Iterator[tuple[int, Iterator[pa.Table]]]:
    """Block by block how many of the heads are done with it, and its rows, some at a time."""
    graph = scorer.graph
    low, high = (int(bound) for bound in graph.tail_ranges[relation])
    kind = graph.relations[relation]
    ends = tuple(graph.node_types[graph.type_index[name]] for name in (kind.head, kind.tail))
    name, first = graph.relation_names[relation], int(graph.head_ranges[relation, 0])
    rows = max(1, BLOCK // max(1, high - low))
    for start in range(0, len(heads), rows):
        anchors = heads[start : start + rows]
        logits = scorer.block("tail", np.full(len(anchors), relation), anchors)
        row, column = np.nonzero((logits >= floor) & listed_pairs(graph, relation, anchors, allowed))
        chance = scorer.calibrated(logits[row, column], np.full(len(row), relation), question.prior)
        kept = np.flatnonzero(chance >= question.least)
        groups = (kept[i : i + GROUP] for i in range(0, len(kept), GROUP))
        heads_of, tails_of = anchors[row] - first, column
        yield (
            start + len(anchors),
            (_table(ends, name, heads_of[some], tails_of[some], chance[some]) for some in groups),
        )


def _table(
    ends: tuple[NodeType, ...], relation: str, heads: npt.NDArray, tails: npt.NDArray, chance: npt.NDArray
) -> pa.Table:
    """Rows of a file from nodes counted within their types."""
    ids = [np.asarray(end.ids, dtype=object) for end in ends]
    labels = ids[1] if ends[1].labels is None else ends[1].labels
    found = ids[1][tails]
    columns = (
        ids[0][heads],
        np.full(len(heads), relation, dtype=object),
        found,
        [label or node for label, node in zip(labels[tails], found, strict=True)],
    )
    return pa.Table.from_arrays(
        [*(pa.array(column, pa.string()) for column in columns), pa.array(chance)], schema=pa.schema(FIELDS)
    )


def _open_folder(folder: Path, path: Path, about: str, resume: bool) -> None:
    """Make the folder of parts, or see that what lies there is of this question."""
    note = folder / "about.json"
    if note.exists():
        try:
            another = another_of(json.loads(note.read_text(encoding="utf-8")), json.loads(about))
        except (AttributeError, ValueError):
            raise InputError("is damaged", where=str(note), remedy="delete the folder that it lies in") from None
        if another:
            raise InputError(
                f"parts of another question lie there ({another})",
                where=str(folder),
                remedy="delete the folder, or write to another file",
            )
        if not resume:
            raise InputError(
                f"what was written of {path.name} before it was broken off lies there",
                where=str(folder),
                remedy="resume it, or delete the folder",
            )
        return
    if folder.exists() and any(file.name != "about.part" for file in folder.iterdir()):
        raise InputError("the folder is not empty", where=str(folder), remedy="write to another file")
    folder.mkdir(exist_ok=True)
    written = note.with_suffix(".part")
    written.write_text(about, encoding="utf-8")
    os.replace(written, note)


def another_of(there: dict[str, Any], asked: dict[str, Any]) -> str:
    """The first difference of two questions, in words; empty where there is none."""
    for key, value in asked.items():
        if there.get(key) != value:
            return "of another run" if key == "digest" else f"its {key} is {there.get(key)}, not {value}"
    return ""


def _finished(path: Path, about: str) -> int | None:
    """How many rows a file of this very question has; None where there is none."""
    there = _metadata(path)
    return there.num_rows if there is not None and (there.metadata or {}).get(KEY) == about.encode() else None


def _metadata(file: Path) -> pq.FileMetaData | None:
    """Of a Parquet file; None where there is none that is whole."""
    try:
        return pq.read_metadata(file) if file.exists() else None
    except pa.ArrowInvalid:
        return None


def _join(parts: list[Path], path: Path, about: str) -> None:
    """One file of all parts, in groups of as many rows."""
    written = path.with_name(path.name + ".part")
    schema = pa.schema(FIELDS, metadata={KEY: about.encode()})
    waiting: list[pa.Table] = []
    with pq.ParquetWriter(written, schema) as writer:
        for part in parts:
            file = pq.ParquetFile(part)
            for group in range(file.num_row_groups):
                waiting.append(file.read_row_group(group))
                if sum(map(len, waiting)) >= GROUP:
                    whole = pa.concat_tables(waiting)
                    writer.write_table(whole.slice(0, GROUP).replace_schema_metadata(schema.metadata))
                    waiting = [whole.slice(GROUP)]
        if waiting:
            writer.write_table(pa.concat_tables(waiting).replace_schema_metadata(schema.metadata))
    os.replace(written, path)
