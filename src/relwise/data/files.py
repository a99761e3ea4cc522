"""Reading a text file whole, with one clear error for each thing that can be wrong with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from relwise.errors import InputError, nearest

_BLANKS = b"\xef\xbb\xbf \t\r\n"


def open_bytes(path: str | Path) -> BinaryIO:
    """A file, opened for reading. Raises InputError where it is absent, a folder, unreadable or empty."""
    path = Path(path)
    try:
        file = path.open("rb")
        # A short file may hold blanks alone; of a long one this is not asked, for it would all be read.
        empty = path.stat().st_size < 1 << 16 and not file.read().strip(_BLANKS)
        file.seek(0)
    except FileNotFoundError:
        raise InputError("there is no such file", where=str(path), remedy=beside(path)) from None
    except IsADirectoryError:
        raise InputError("this is a folder, not a file", where=str(path), remedy="name a file in it") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"cannot be read: {reason}", where=str(path), remedy="mend its permissions") from None
    if empty:
        file.close()
        raise InputError("the file is empty", where=str(path), remedy="give it at least one row, or leave it out")
    return file


def read_bytes(path: str | Path) -> bytes:
    """A file's bytes. Raises InputError where it is absent, a folder, unreadable or empty."""
    with open_bytes(path) as file:
        return file.read()


def decode(data: bytes, path: str | Path, word: str = "line") -> str:
    r"""UTF-8 bytes as text, without a byte-order mark. Raises InputError at the first line that is not UTF-8.

    >>> decode("\ufeffé".encode(), "a.txt")
    'é'
    >>> decode(b"a\nb\xff", "a.txt")
    Traceback (most recent call last):
    relwise.errors.InputError: a.txt, line 2: byte 0xff is not UTF-8; save the file as UTF-8
    """
    try:
        # Not "utf-8-sig": its error positions leave out the mark.
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            where=f"{path}, {word} {line}",
            remedy="save the file as UTF-8",
        ) from None


def read_text(path: str | Path) -> str:
    """A UTF-8 file as text."""
    return decode(read_bytes(path), path)


def beside(path: Path) -> str:
    """What a person who named a file that is not there may have meant."""
    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r} either"
    beside = sorted(os.listdir(path.parent))
    return nearest(path.name, beside) or (
        f"the folder holds {', '.join(beside[:8])}{', ...' if len(beside) > 8 else ''}"
        if beside
        else "the folder is empty"
    )
