"""`relwise init SOURCE`: a schema proposed, shown as tables, and written down for a person to edit."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from relwise.errors import InputError
from relwise.show import print_proposal, say


def init(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="a folder of tables, a DuckDB or SQLite file, a PostgreSQL URL")
    ],
    out: Annotated[
        Path | None, typer.Option(help="where the schema goes: a folder, or a file that ends in .toml")
    ] = None,
) -> None:
    """Propose a schema.toml for the tables of SOURCE, by their names and by what they hold.

    Without --out it goes into SOURCE, beside it where SOURCE is a database file, or, of a URL, into this folder.

    Example: relwise init data/shop
    """
    from relwise.data.inspect import propose, schema_text
    from relwise.data.sources import open_source

    file = schema_file(source, out)
    tables = open_source(source)
    proposal = propose(tables)
    _write(file, schema_text(proposal, tables.name, source_from(source, tables.address, file.parent)))
    print_proposal(proposal)
    say(
        f"written to {file}: read it through, edit it, then relwise train "
        f"{file.parent if file.name == 'schema.toml' else file} --out RUN"
    )


def schema_file(source: str, out: Path | None) -> Path:
    """Where the schema goes. Raises InputError where something lies there already."""
    if out is None:
        is_url = re.match(r"\w+(\+\w+)?://", source)
        folder = Path() if is_url else Path(source) if Path(source).is_dir() else Path(source).parent
        file = folder / "schema.toml"
    else:
        file = out if out.suffix == ".toml" else out / "schema.toml"
    if file.exists():
        raise InputError("there is a schema already", where=str(file), remedy="name another --out, or delete it")
    return file


def source_from(source: str, address: str, folder: Path) -> str | None:
    """What a schema in a folder says of its source; None where the tables lie in that folder.

    Args:
        source: as the person gave it.
        address: as the source names itself; a URL without its password.
        folder: the schema's.
    """
    path = Path(source)
    if not path.exists():
        return address
    if path.is_dir() and path.resolve() == folder.resolve():
        return None
    # As it was given: two folders that move together keep finding each other.
    return str(path) if path.is_absolute() else os.path.relpath(path.resolve(), folder.resolve())


def _write(file: Path, text: str) -> None:
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        os.replace(part, file)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise InputError(
            f"cannot be written ({error.strerror})", where=str(file), remedy="name another place with --out"
        ) from None
