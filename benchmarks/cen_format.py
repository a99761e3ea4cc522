"""A user's own copy of Amazon or YouTube as Cen et al. 2019 publish them (GATNE), features included.

    train.txt               relation head tail
    valid.txt, test.txt     relation head tail label
    feature.txt             NODE x_1 ... x_k, behind a first line COUNT k or without one; may be absent

The folder written holds the same, checked line by line, and `relwise train` reads it: with the split and the negatives
as they are given, and the features as a vector attribute of the nodes. A `schema.toml` would not do: a split of its own
makes one edge of a fact that stands in train and, turned, in test, of which Amazon has 20 %.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from data_fetch import git_blob
from data_sources import load
from relwise.data.formats import FEATURES, read_benchmark
from relwise.data.graph import PARTS
from relwise.errors import InputError

FILES = tuple(f"{part}.txt" for part in PARTS)


def convert(folder: Path, out: Path) -> str:
    """Check a folder in the formats of Cen et al. and write it anew.

    Args:
        folder: the user's copy.
        out: where to; must be absent or empty. It appears whole or not at all.

    Returns:
        What was found, in sentences.

    Raises:
        InputError: at the first wrong line, or where `out` holds something.
    """
    if not folder.is_dir():
        raise InputError("there is no such folder", where=str(folder), remedy="name the folder of train.txt")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError("there is something here already", where=str(out), remedy="name another --out")
    graph = read_benchmark(folder)
    (nodes,) = graph.node_types
    names = [name for name in (*FILES, FEATURES) if (folder / name).is_file()]
    out.parent.mkdir(parents=True, exist_ok=True)
    written = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        for name in names:
            shutil.copyfile(folder / name, written / name)
        written.chmod(0o777 & ~_umask())
        os.replace(written, out)
    except BaseException:
        shutil.rmtree(written, ignore_errors=True)
        raise
    said = [f"{out}: {graph!r}", *graph.notes]
    if FEATURES in names:
        values = nodes.attributes[0].values
        known = ~np.isnan(values).all(axis=1)
        touched = np.zeros(len(nodes), dtype=bool)
        for edges in (graph.edges, *graph.negatives.values()):
            touched[edges.heads] = touched[edges.tails] = True
        said.append(
            f"{known.sum():,} nodes have {values.shape[1]:,} features; {(~known).sum():,} have none, and "
            f"{(~touched).sum():,} stand in no edge"
        )
    said += _originals(folder, names)
    return "\n".join([*said, f"next: relwise train {out} --out RUN"])


def _originals(folder: Path, names: list[str]) -> list[str]:
    """Which of the files are the authors' own, to the byte, of those that are known by their git blob id."""
    said = []
    for data_set in load().values():
        for name, blob in data_set.missing.items():
            if name in names and git_blob(folder / name) == blob:
                said.append(f"{name} is the one of {data_set.source}")
    return said


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
