"""`relwise predict RUN`: the likeliest missing relationships of an entity, of a relation, of a pair; a table scored."""

from __future__ import annotations

import bisect
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relwise.errors import InputError
from relwise.show import console, folded_table, print_json, say

if TYPE_CHECKING:
    import pandas as pd

    from relwise.predictor import RelationshipPredictor

TOP = 10  # rows listed
SUFFIXES = (".csv", ".parquet", ".pq", ".json")


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="the run folder")],
    relation: Annotated[str | None, typer.Option(help="the relation asked about; alone: over all its pairs")] = None,
    head: Annotated[str | None, typer.Option(metavar="ID", help="find tails for this head")] = None,
    tail: Annotated[str | None, typer.Option(metavar="ID", help="find heads for this tail")] = None,
    top: Annotated[int | None, typer.Option(min=1, help="how many to list; else 10")] = None,
    known: Annotated[bool, typer.Option("--known", help="list known relationships too, marked")] = False,
    prior: Annotated[
        float | None, typer.Option(metavar="SHARE", help="the share of the pairs asked about that is assumed to hold")
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help="a condition on the attributes of those listed: \"country = 'CAN'\""),
    ] = None,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="ask the run's index (relwise index RUN) instead of scoring all")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON list and nothing else")] = False,
    pairs: Annotated[Path | None, typer.Option(help="CSV or Parquet with columns head,relation,tail to score")] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="write every missing pair of --relation that is likely enough to --out")
    ] = False,
    least: Annotated[float | None, typer.Option(metavar="P", help="the least probability for --all; else 0.5")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with an --all that was broken off")] = False,
    out: Annotated[
        Path | None, typer.Option(help="the file to write, .csv, .parquet or .json: the list, or the scored pairs")
    ] = None,
) -> None:
    """List the likeliest missing relationships of an entity or of a relation, or score the pairs of a table.

    Examples:

    relwise predict RUN --relation visits --head N14228

    relwise predict RUN --relation visits --top 100 --out visits.csv

    relwise predict RUN --relation visits --all --out visits.parquet

    relwise predict RUN --head N14228 --tail ORD

    relwise predict RUN --pairs pairs.csv --out scored.csv
    """
    from relwise.predictor import RelationshipPredictor

    ends = head is not None, tail is not None
    if pairs is None and relation is None and not all(ends):
        raise InputError(
            "nothing to predict",
            remedy="give --relation, with --head or --tail for one entity; or --head and --tail; or --pairs with --out",
        )
    given = {"--relation": relation, "--head": head, "--tail": tail, "--where": where, "--least": least, "--top": top}
    flags = {"--json": as_json, "--known": known, "--all": all_, "--resume": resume, "--approximate": approximate}
    if pairs is not None:
        if out is None or any(flags.values()) or any(value is not None for value in given.values()):
            raise InputError(
                "--pairs goes with --out alone, and --prior",
                remedy="relwise predict RUN --pairs pairs.csv --out scored.csv",
            )
        _check_out(out)
        _score_table(run, pairs, out, prior)
        return
    if all_:
        if out is None or relation is None or top is not None or any(ends) or as_json or known or approximate:
            raise InputError(
                "--all goes with --relation and --out, and with --least, --prior, --where and --resume",
                remedy="relwise predict RUN --relation R --all --out R.parquet",
            )
        rows = RelationshipPredictor.load(run).write_missing(
            relation, out, least=0.5 if least is None else least, prior=prior, where=where, resume=resume, progress=True
        )
        say(f"{rows:,} pairs, written to {out}")
        return
    if least is not None or resume:
        raise InputError("--least and --resume go with --all", remedy="add --all, or leave them out")
    if out is not None:
        if as_json:
            raise InputError("--json prints, and --out writes", remedy="give one of them, or --out with .json")
        _check_out(out)
    if approximate and (relation is None or not any(ends)):
        raise InputError("--approximate goes with --relation and one end", remedy="leave it out, or give both")
    model = RelationshipPredictor.load(run)
    if relation is None:
        if where is not None:
            raise InputError("--where is on entities that are listed", remedy="leave it out, or give one end")
        found = model.top_relations(head, tail, top or TOP, known, prior=prior)
    elif any(ends):
        found = model.top_k(relation, head, tail, top or TOP, known, prior=prior, where=where, exact=not approximate)
    elif known:
        raise InputError("--known goes with --head or --tail", remedy="leave it out, or give one end")
    else:
        found = model.predict_missing(relation, top or TOP, prior=prior, where=where)
    if out is not None:
        _write(found, out)
        say(f"{len(found):,} relationships, written to {out}")
    elif as_json:
        print_json(found.to_dict(orient="records"))
    else:
        _show(found, known)


def _show(found: pd.DataFrame, known: bool) -> None:
    told = bool((found["evidence"] != "").any())
    marks = [*(["known"] if known else []), *(["evidence"] if told else [])]
    table = folded_table("head", "relation", "tail", "name", "probability", *marks)
    for row in found.to_dict(orient="records"):
        cells = {**row, "probability": f"{row['probability']:.4f}", "known": "yes" if row["known"] else "no"}
        table.add_row(*(cells[column] for column in ("head", "relation", "tail", "name", "probability", *marks)))
    console().print(table)


def _score_table(run: Path, pairs: Path, out: Path, prior: float | None) -> None:
    from relwise.data.columns import words
    from relwise.data.tables import cell, read_table
    from relwise.predictor import RelationshipPredictor

    frame = read_table(pairs)
    cells = (words(frame, name, pairs).tolist() for name in ("head", "relation", "tail"))
    triples = [(str(h or ""), str(r or ""), str(t or "")) for h, r, t in zip(*cells, strict=True)]
    model = RelationshipPredictor.load(run)
    try:
        edges = model.indexed(triples)
    except InputError:
        row = bisect.bisect_left(
            range(len(triples)), True, key=lambda row: _unknown(model, triples[: row + 1]) is not None
        )
        error = _unknown(model, triples[row : row + 1])
        assert error is not None
        raise InputError(error.what, where=cell(pairs, row), remedy=error.remedy) from None
    scored = frame.assign(probability=model.final.probabilities(edges, prior))
    _write(scored, out)
    say(f"{len(scored):,} pairs scored, written to {out}")


def _unknown(model: RelationshipPredictor, triples: list[tuple[str, str, str]]) -> InputError | None:
    """What of the triples is not in the graph."""
    try:
        model.indexed(triples)
    except InputError as error:
        return error
    return None


def _check_out(out: Path) -> None:
    """Raises InputError where a table could not be written there, before any work."""
    if out.suffix.lower() not in SUFFIXES:
        raise InputError(
            "no kind of table has this ending",
            where=str(out),
            remedy=f"name an --out that ends in {', '.join(SUFFIXES)}",
        )
    if out.is_dir():
        raise InputError("that is a folder", where=str(out), remedy="name a file in it")
    if not out.parent.is_dir():
        raise InputError("there is no such folder", where=str(out.parent), remedy="make it, or name another --out")


def _write(frame: pd.DataFrame, out: Path) -> None:
    """A table as CSV, Parquet or a JSON list, by the file's ending; whole or not at all."""
    from relwise.data.tables import is_parquet

    written = out.with_name(out.name + ".part")
    try:
        if is_parquet(out):
            frame.to_parquet(written, index=False)
        elif out.suffix.lower() == ".json":
            plain = frame.astype(object).where(frame.notna(), None)
            rows = json.dumps(plain.to_dict(orient="records"), ensure_ascii=False, allow_nan=False, default=str)
            written.write_text(rows + "\n", encoding="utf-8")
        else:
            frame.to_csv(written, index=False)
        os.replace(written, out)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(out), remedy="name another --out") from None
    finally:
        written.unlink(missing_ok=True)
