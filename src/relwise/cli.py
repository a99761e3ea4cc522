"""The command line: a thin face over the Python API.

A user's mistake is one line on stderr and exit code 2; nothing is left half-written.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from relwise.commands.audit import audit
from relwise.commands.explain import explain
from relwise.commands.index import index
from relwise.commands.init import init
from relwise.commands.options import SchemaOption
from relwise.commands.predict import predict
from relwise.commands.report import report
from relwise.commands.serve import serve
from relwise.errors import InputError
from relwise.settings import ModelSettings, SamplerSettings, Settings, TrainingSettings
from relwise.show import print_json, print_measures, say

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Predict the relationships that are missing from a graph of typed entities.",
)


app.command()(init)
app.command()(audit)


def _settings_help() -> str:
    """All settings by part, each with its default, for `relwise train --help`."""
    blocks = []
    for title, part in (
        ("Model", ModelSettings),
        ("Sampler", SamplerSettings),
        ("Training", TrainingSettings),
    ):
        lines = [
            f"{name} = {'none' if field.default is None else field.default}: {field.description}"
            for name, field in part.model_fields.items()
        ]
        blocks.append(f"[bold]{title} settings[/bold] (--set key=value)\n\n" + "\n\n".join(lines))
    return "\n\n".join(blocks)


TRAIN_HELP = f"""Train RelGNN on DATA and write the run folder.

DATA is a folder: (a) schema.toml with node and relation tables in CSV or Parquet, (b) a benchmark in the format of
Amazon (train.txt, valid.txt, test.txt; "relation head tail \\[label]" a line), or (c) tab-separated triples in
train.txt, valid.txt and test.txt ("head relation tail"). Which it is, is recognised.

Example: relwise train data/shop --out runs/shop --set sampler=asa --set dim=64

{_settings_help()}"""


@app.command(help=TRAIN_HELP)
def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="the folder of the data")],
    out: Annotated[Path, typer.Option(help="the run folder to write")],
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="a setting, see above")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of everything random")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="continue a training that was interrupted")] = False,
    schema: SchemaOption = None,
) -> None:
    from relwise.bundle import CHECKPOINT, MANIFEST

    settings = _parse_settings(set_ or [])
    if out.exists() and not out.is_dir():
        raise InputError("this is a file, not a folder", where=str(out), remedy="name another --out")
    if (out / MANIFEST).exists():
        if resume:
            say(f"{out} holds a finished run; there is nothing to resume")
            return
        raise InputError("the folder holds a run already", where=str(out), remedy="name another --out, or delete it")
    checkpoint = out / CHECKPOINT
    resumable = checkpoint.exists()
    # Without a checkpoint only what a kill leaves of writing one may lie there.
    if out.is_dir() and not (resume and resumable) and not all(_is_rest(path) for path in out.iterdir()):
        remedy = "add --resume to go on, or name another --out" if resumable else "name another --out"
        raise InputError("the folder is not empty", where=str(out), remedy=remedy)
    from relwise.data.read import read
    from relwise.predictor import RelationshipPredictor

    graph = read(data, schema=schema)
    say(f"{graph!r}")
    for note in graph.notes:
        say(f"note: {note}")
    made = _make_folder(out)
    try:
        model = RelationshipPredictor(seed, **settings.model_dump())
        model.fit(graph, checkpoint=checkpoint, resume=resume, progress=True)
    except InputError:
        # Nothing of a training that a mistake ended is worth keeping; a checkpoint of an earlier one is.
        if made:
            shutil.rmtree(made)
        elif not resumable:
            checkpoint.unlink(missing_ok=True)
        raise
    say(
        f"trained {model.training['steps']} steps in {model.training['train_seconds']} s; "
        f"the state after step {model.training['best_step']} was the best on validation"
    )
    model.save(out)
    if model.split.test.labels.any():
        print_measures(model.metrics("test"))
    say(f"written to {out}")


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="the run folder")],
    split: Annotated[Literal["valid", "test"], typer.Option(help="the edges to measure on")] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """Measure a run, with the plain baselines beside it and with and without leaked edges."""
    from relwise.predictor import RelationshipPredictor

    metrics = RelationshipPredictor.load(run).metrics(split)
    if as_json:
        print_json(metrics)
        return
    for sentence in metrics["leakage"]["sentences"]:
        print(sentence)
    print_measures(metrics)


app.command()(predict)
app.command()(index)
app.command()(explain)
app.command()(report)
app.command()(serve)


def _parse_settings(pairs: list[str]) -> Settings:
    values: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign:
            raise InputError(f"--set {pair!r} has no value", remedy=f"write --set {pair}=VALUE")
        values[key.strip()] = value.strip()
    return Settings.of(values)


def _make_folder(folder: Path) -> Path | None:
    """Make a folder; returns the topmost one that had to be made, None where all were there."""
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder cannot be made ({error.strerror})", where=str(folder), remedy="name another --out"
        ) from None
    return missing[-1] if missing else None


def _is_rest(path: Path) -> bool:
    """Whether a file is what a kill left of writing a checkpoint."""
    return path.name == "checkpoint.safetensors.part" or path.name.startswith(".tmp")


def main() -> None:
    """The program: a user's mistake is one line and exit code 2."""
    try:
        app()
    except InputError as error:
        print(f"relwise: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of a pipe has gone: nothing to tell, and nobody to tell it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        print(f"relwise: {error.filename or 'input or output'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
