"""Where the benchmark data are, where they come from, and whether they are what they should be.

    python benchmarks/data.py list                      # every set: size, licence, source
    python benchmarks/data.py check [NAME..]            # the SHA-256 of every file
    python benchmarks/data.py fetch NAME --out FOLDER   # into FOLDER/NAME; then set RELWISE_DATA to FOLDER
    python benchmarks/data.py cen FOLDER --out FOLDER2  # your own copy of Amazon or YouTube with its features

The data are in the folder that `RELWISE_DATA` names, else in `../shared/data` beside the checkout. They are no part of
this project. `data_sources.toml` has the facts. `amazon`, `youtube_partial`, `fb15k237`, `wn18rr` and `fb237_v1` are
fetched file by file, as they are published; `canada_procurement` and `northwind` were made from other files, and are
published nowhere in the form needed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from data_fetch import check, fetch
from data_sources import DataSet, load
from relwise.errors import InputError, nearest

ROOT = Path(__file__).resolve().parent.parent


def data_root() -> Path:
    """The folder that holds the sets' folders."""
    return Path(os.environ.get("RELWISE_DATA") or ROOT.parent / "shared" / "data")


def benchmark_folder(name: str) -> Path:
    """The folder of a benchmark data set; ends the program with one line where there is none."""
    folder = data_root() / name
    if not folder.is_dir():
        sys.exit(f"{folder}: the data set is not there; set RELWISE_DATA to the folder that holds {name}/")
    return folder


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 where `check` found something wrong, 2 at a mistake."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every set: size, licence, source")
    checking = commands.add_parser("check", help="whether the files are what they should be")
    checking.add_argument("names", nargs="*", metavar="NAME", help="all sets where none is named")
    fetching = commands.add_parser("fetch", help="download what is not there yet")
    fetching.add_argument("name", metavar="NAME")
    fetching.add_argument("--out", type=Path, required=True, help="the folder that is to hold NAME/")
    cen = commands.add_parser("cen", help="a copy of Amazon or YouTube as Cen et al. publish it, features included")
    cen.add_argument("folder", type=Path, metavar="FOLDER")
    cen.add_argument("--out", type=Path, required=True, help="a new folder, which `relwise train` reads")
    given = parser.parse_args(arguments)
    try:
        if given.command == "list":
            return _list()
        if given.command == "check":
            return _check(given.names)
        if given.command == "fetch":
            return _fetch(given.name, given.out)
        from cen_format import convert

        print(convert(given.folder, given.out))
        return 0
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _list() -> int:
    for data_set in load().values():
        form = "fetched as it is published" if data_set.published else "published nowhere in this form"
        print(f"\n{data_set.name}: {data_set.title}")
        print(f"  {data_set.nodes:,} nodes, {data_set.edges:,} edges, {data_set.relations:,} relations; ", end="")
        print(f"{len(data_set.files)} files, {data_set.bytes / 1e6:.1f} MB, {form}")
        for key in ("licence", "source", "commit", "remark"):
            print(f"  {key}: {getattr(data_set, key)}")
    return 0


def _check(names: Sequence[str]) -> int:
    lines = []
    for data_set in [_named(name) for name in names] or load().values():
        found = check(data_set, data_root())
        if not found:
            print(f"{data_set.name}: {len(data_set.files)} files, all right")
        lines += found
    for line in lines:
        print(line)
    return 1 if lines else 0


def _fetch(name: str, out: Path) -> int:
    data_set = _named(name)
    fetched = fetch(data_set, out)
    count = f"{len(fetched)} of {len(data_set.files)} files fetched"
    print(f"{out / name}: {count}, all are right; set RELWISE_DATA={out}")
    return 0


def _named(name: str) -> DataSet:
    sets = load()
    if name not in sets:
        raise InputError(f"there is no set {name!r}", remedy=nearest(name, sets) or f"the sets are {', '.join(sets)}")
    return sets[name]


if __name__ == "__main__":
    sys.exit(main())
