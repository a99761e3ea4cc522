"""Whether the files of a benchmark set are what they should be, and fetching those that are not there.

A file is written under another name beside its place and takes its own only when its SHA-256 is right: what lies under
a file's name is whole, however a transfer ended.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import urllib.request
from pathlib import Path

from data_sources import DataFile, DataSet
from relwise.errors import InputError

CHUNK = 1 << 16
TIMEOUT = 30.0  # seconds without a byte


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_blob(path: Path) -> str:
    """The id that git gives a file's content (`git hash-object`)."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def wrong(file: DataFile, folder: Path) -> str | None:
    """What is wrong with a file in the set's folder, in a few words; None: nothing."""
    path = folder / file.path
    if not path.is_file():
        return "missing"
    size = path.stat().st_size
    if size != file.bytes:
        return f"differs: {size:,} bytes, not {file.bytes:,}"
    found = sha256(path)
    return None if found == file.sha256 else f"differs: its SHA-256 is {found}, not {file.sha256}"


def check(data_set: DataSet, root: Path) -> list[str]:
    """A line for each file of a set that is missing or differs; none where all is right."""
    folder = root / data_set.name
    if not folder.is_dir():
        return [f"{folder}: there is no such folder; set RELWISE_DATA to the folder that holds {data_set.name}/"]
    return [f"{folder / file.path}: {what}" for file in data_set.files if (what := wrong(file, folder))]


def fetch(data_set: DataSet, out: Path) -> list[str]:
    """Download what a set lacks into its folder in `out`; what is right already stays.

    Returns:
        The paths of the files that were fetched.

    Raises:
        InputError: where the set is published in no such form, where a transfer fails or brings another file. The
            folder then holds the files that were right before and those fetched until then.
    """
    advice = f"set RELWISE_DATA to a folder that holds {data_set.name}/"
    lacking = [file for file in data_set.files if wrong(file, out / data_set.name)]
    if lacking and not data_set.published:
        raise InputError(
            f"{data_set.name} cannot be fetched in this form ({data_set.remark}; its source: {data_set.source})",
            remedy=advice,
        )
    for file in lacking:
        path = out / data_set.name / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            _download(file, part, data_set.name)
            os.replace(part, path)
        except (OSError, http.client.HTTPException) as error:  # URLError and time-outs are OSErrors
            reason = getattr(error, "reason", None) or error.__class__.__name__
            raise InputError(f"cannot be fetched: {reason}", where=str(file.url), remedy=advice) from None
        finally:
            part.unlink(missing_ok=True)
    return [file.path for file in lacking]


def _download(file: DataFile, part: Path, name: str) -> None:
    """A file's bytes under another name. Raises InputError where they are not the right ones."""
    assert file.url is not None
    digest, size = hashlib.sha256(), 0
    with urllib.request.urlopen(file.url, timeout=TIMEOUT) as response, part.open("wb") as written:
        while chunk := response.read(CHUNK):
            digest.update(chunk)
            written.write(chunk)
            size += len(chunk)
            _progress(f"{name}/{file.path}", size, file.bytes)
            if size > file.bytes:
                break
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if digest.hexdigest() == file.sha256:
        return
    what = f"broke off after {size:,} of {file.bytes:,} bytes" if size < file.bytes else "is another file by now"
    remedy = "try again" if size < file.bytes else f"set RELWISE_DATA to a folder that holds {name}/"
    found = "" if size < file.bytes else f": its SHA-256 is not {file.sha256}"
    raise InputError(f"{what}{found}", where=file.url, remedy=remedy)


def _progress(name: str, size: int, total: int) -> None:
    """How far a transfer has come: over and over on a terminal, elsewhere once it is done."""
    done = f"{name}: {size / 1e6:.1f} of {total / 1e6:.1f} MB"
    if sys.stderr.isatty():
        print(f"\r{done}", end="", file=sys.stderr, flush=True)
    elif size == total:
        print(done, file=sys.stderr, flush=True)
