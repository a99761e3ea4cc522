"""Where each benchmark set comes from: `data_sources.toml` as objects."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TABLE = Path(__file__).with_name("data_sources.toml")


@dataclass(frozen=True)
class DataFile:
    """A file of a set.

    Args:
        path: relative to the set's folder, with `/`.
        bytes: its size.
        sha256: of its bytes, in hexadecimal.
        url: where exactly this file is published; None: nowhere.
    """

    path: str
    bytes: int
    sha256: str
    url: str | None = None


@dataclass(frozen=True)
class DataSet:
    """A benchmark set and its source.

    Args:
        name: of its folder.
        title: what it is, in a line.
        nodes, edges, relations: how many.
        licence: of the data, as far as it is stated.
        source: the public address, and the place there.
        commit: which version, or that it is unknown.
        remark: what else to know of it.
        files: all of its files.
        missing: the original's files that are not among them, with their git blob ids.
    """

    name: str
    title: str
    nodes: int
    edges: int
    relations: int
    licence: str
    source: str
    commit: str
    remark: str
    files: tuple[DataFile, ...]
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def published(self) -> bool:
        """Whether every file can be fetched as it is."""
        return all(file.url for file in self.files)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


def load(path: Path = TABLE) -> dict[str, DataSet]:
    """The sets of a table, by name."""
    with path.open("rb") as file:
        table = tomllib.load(file)
    return {
        name: DataSet(name, files=tuple(DataFile(**file) for file in entry.pop("files")), **entry)
        for name, entry in table.items()
    }
