"""A trained model is a folder: weights, graph, split, settings, measures, log, model card; no pickle.

| file | what |
| --- | --- |
| `run.json` | format, version, every other file's size and SHA-256; written last: a folder with it is whole |
| `settings.json` | the settings and the seed |
| `model.json` | the network's description: encoders, vocabularies, categories |
| `weights.safetensors` | the weights and the encoders' statistics |
| `judgement.json` | what makes final probabilities of logits and evidence: typed paths, weights, calibration |
| `graph/` | the graph (`relwise.data.store`): schema, ids both ways, attributes, known edges |
| `split.parquet` | every edge's part and label: of valid and test, does it hold; of message, may it be learnt from |
| `metrics.json` | the measures on test, as `relwise evaluate --json` prints them |
| `metrics.csv` | the same as one long table |
| `log.jsonl` | one line per validation |
| `MODEL_CARD.md` | what the model is, what it was trained on, what it is not for |
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

import relwise
from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import LabelledEdges, Split
from relwise.data.store import read_saved_graph, write_graph
from relwise.errors import InputError
from relwise.kernels.matmul import library
from relwise.nn.build import describe_model, rebuild_model
from relwise.nn.network import Network
from relwise.settings import Settings

# 1 had no judgement.json; that of 2 told an undirected pair's ends apart, as nothing does now. Such runs answer with
# the network's own probabilities.
FORMAT = 3
MANIFEST = "run.json"
CHECKPOINT = "checkpoint.safetensors"
JUDGEMENT = "judgement.json"
FILES = (
    "settings.json", "model.json", "weights.safetensors", JUDGEMENT, "split.parquet",
    "metrics.json", "metrics.csv", "log.jsonl", "MODEL_CARD.md",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Run:
    """What a run folder holds.

    Args:
        graph, split, settings, seed, model: what was trained, on what and how.
        judgement: what makes final probabilities, as JSON holds it (`relwise.predict.final`); None in old runs.
        metrics: the measures on test as JSON holds them.
        log: one row per validation.
        training: steps, seconds, sampler report.
    """

    graph: Graph
    split: Split
    settings: Settings
    seed: int
    model: Network
    judgement: Mapping[str, Any] | None
    metrics: Mapping[str, Any]
    log: list[dict[str, float]]
    training: Mapping[str, Any]


def write_run(run: Run, folder: Path, table: pd.DataFrame, card: str) -> None:
    """Write a run folder. `run.json` comes last; a checkpoint that stood there is removed after it.

    Args:
        run: what to write.
        folder: made where it is absent; a manifest in it is removed first.
        table: the long table of measures.
        card: the model card's text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    _write_json(folder / "settings.json", {"seed": run.seed, **run.settings.model_dump()})
    _write_json(folder / "model.json", describe_model(run.model))
    weights = {name: tensor.detach().clone().contiguous() for name, tensor in run.model.state_dict().items()}
    save_file(weights, folder / "weights.safetensors")
    _write_json(folder / JUDGEMENT, run.judgement)
    shutil.rmtree(folder / "graph", ignore_errors=True)  # what another graph left there is not this one's
    write_graph(run.graph, folder / "graph")
    _write_split(run.split, folder / "split.parquet")
    _write_json(folder / "metrics.json", dict(run.metrics))
    table.to_csv(folder / "metrics.csv", index=False)
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in run.log), encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    files = {name: _digest(folder / name) for name in _files(folder)}
    manifest = {
        "format": FORMAT,
        "relwise": relwise.__version__,
        "training": dict(run.training),
        "files": files,
    }
    written = folder / (MANIFEST + ".part")
    _write_json(written, manifest)
    os.replace(written, folder / MANIFEST)
    for name in (CHECKPOINT, CHECKPOINT + ".part"):
        (folder / name).unlink(missing_ok=True)


def read_run(folder: str | Path) -> Run:
    """The run that `write_run` wrote.

    Raises:
        InputError: where the folder is none, a file of it is missing or damaged, or it is of a newer format.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    for name, (size, digest) in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise InputError(
                "the file is missing from the run",
                where=str(path),
                remedy="copy the run folder again, or train anew",
            )
        if [size, digest] != _digest(path):
            what = "is truncated" if path.stat().st_size < size else "has changed since it was written"
            raise InputError(f"the file {what}", where=str(path), remedy="copy the run folder again, or train anew")
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    seed = settings.pop("seed")
    settings = Settings.of(settings)
    graph = read_saved_graph(folder / "graph")
    model = rebuild_model(json.loads((folder / "model.json").read_text(encoding="utf-8")), settings)
    try:
        model.load_state_dict(load_file(folder / "weights.safetensors"))
    except (SafetensorError, RuntimeError) as error:
        raise InputError(f"the weights do not fit ({error})", where=str(folder), remedy="train anew") from None
    model.eval()
    return Run(
        graph,
        _read_split(folder / "split.parquet", graph),
        settings,
        seed,
        model,
        _read_judgement(folder, int(manifest["format"]), graph),
        json.loads((folder / "metrics.json").read_text(encoding="utf-8")),
        [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()],
        manifest["training"],
    )


def _read_judgement(folder: Path, version: int, graph: Graph) -> dict[str, Any] | None:
    """What makes final probabilities; None where the run's format has none that holds."""
    if version < 2 or (version == 2 and not all(relation.directed for relation in graph.relations)):
        return None
    return json.loads((folder / JUDGEMENT).read_text(encoding="utf-8"))


def _manifest(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise InputError(
            "there is no such run folder", where=str(folder), remedy="relwise train DATA --out RUN makes one"
        )
    path = folder / MANIFEST
    if not path.is_file():
        if (folder / CHECKPOINT).exists():
            raise InputError(
                "the training has not finished",
                where=str(folder),
                remedy="relwise train DATA --out RUN --resume",
            )
        raise InputError(
            "this is no run folder: it has no run.json", where=str(folder), remedy="relwise train makes one"
        )
    damaged = InputError(
        "the file is truncated or damaged", where=str(path), remedy="copy the run folder again, or train anew"
    )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = int(manifest["format"])
    except (KeyError, TypeError, ValueError):
        raise damaged from None
    if version > FORMAT:
        raise InputError(
            f"the run has format {version}, and this relwise reads up to {FORMAT}",
            where=str(folder),
            remedy=f"upgrade relwise (the run was made by {manifest.get('relwise')})",
        )
    files = manifest.get("files")
    needed = [name for name in FILES if version > 1 or name != JUDGEMENT]
    if not isinstance(files, dict) or "training" not in manifest or not all(name in files for name in needed):
        raise damaged
    return manifest


def _files(folder: Path) -> list[str]:
    """The run's own files: what else somebody keeps in the folder may change."""
    graph = (path.relative_to(folder).as_posix() for path in (folder / "graph").iterdir())
    return [*FILES, *sorted(graph)]


def _digest(path: Path) -> list:
    return [path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()]


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_split(split: Split, path: Path) -> None:
    parts = (
        ("message", split.message, split.supervised),
        *tuple((name, split.part(name).edges, split.part(name).labels) for name in ("valid", "test")),
    )
    frames = [
        pd.DataFrame({"part": name, "head": e.heads, "relation": e.relations, "tail": e.tails, "label": flag})
        for name, e, flag in parts
    ]
    pd.concat(frames, ignore_index=True).to_parquet(path, index=False)


def _read_split(path: Path, graph: Graph) -> Split:
    frame = pd.read_parquet(path)

    def part(name: str) -> tuple[Edges, np.ndarray]:
        rows = (frame["part"] == name).to_numpy()
        edges = Edges(*(frame[column].to_numpy()[rows] for column in ("head", "relation", "tail")))
        return edges, frame["label"].to_numpy(dtype=bool)[rows]

    message, supervised = part("message")
    return Split(message, supervised, LabelledEdges(*part("valid")), LabelledEdges(*part("test")), graph.edges)


def computed_with() -> dict[str, int | str]:
    """Threads, and the library of the matrix products: part of what makes two results equal to the bit."""
    import numba

    return {"torch_threads": torch.get_num_threads(), "numba_threads": numba.get_num_threads(), "matmul": library()}
