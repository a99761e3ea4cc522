"""A training step, and the time to reach the paper's measures on `amazon`: ours, and the same loop in PyG and torch."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from relwise.data.edges import Edges
from relwise.evaluate.metrics import average_precision, roc_auc
from relwise.settings import Settings
from relwise.train.loop import Trainer
from speed_parts.graphs import training_data
from speed_parts.loop import PlainLoop
from speed_parts.measure import Watch, finish, repeat
from speed_parts.peers import LEAN

AUC, AP = 0.9914, 0.9901  # the paper's, of its own sampler; reached here without its Amazon's 1,156 attributes


def measure(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Seconds of a step, after some to warm up."""
    step, _ = training(spec)
    # On a GPU from before the first step on: what is replayed later allocates nothing, it has done so when recorded.
    first = Watch(spec["device"]) if spec["device"] == "cuda" else None
    step()
    watch = first or Watch(spec["device"])
    samples = repeat(step, spec["seconds"], spec["least"], warm=spec.get("warm", 3), device=spec["device"])
    return [{"samples": samples, **watch.read()}]


def training(spec: dict[str, Any]) -> tuple[Callable[[], Any], Callable[[Edges], np.ndarray]]:
    """A step of training, and the logits of edges under the weights at hand."""
    graph, split = training_data(spec["graph"])
    settings = Settings.of(
        {"sampler": "random", "dim": spec["dim"], "device": spec["device"], **spec.get("settings", {})}
    )
    if spec["who"] == LEAN:
        loop = PlainLoop(graph, split, settings, 0, device=spec["device"])
        return loop.step, lambda edges: loop.logits(edges).cpu().numpy()
    trainer = Trainer(graph, split, settings, 0)

    def step() -> None:
        trainer.step()
        trainer.state.step += 1

    return step, lambda edges: trainer.scorer().logits(edges)


def reach(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Seconds of training until the test edges' AUC and AP are reached; what it takes to look is told apart.

    Looked at every `every` steps, from `first` on. This times the road, it does not choose a model: a choice by the
    test edges would be none.
    """
    step, logits = training(spec)
    _, split = training_data(spec["graph"])
    test = split.test
    needed = spec.get("auc", AUC), spec.get("ap", AP)
    trained = looked = 0.0
    steps, auc, ap = 0, 0.0, 0.0
    most = Settings.of(spec.get("settings", {})).steps
    while steps < most and not (auc >= needed[0] and ap >= needed[1]):
        began = time.perf_counter()
        for _ in range(min(spec["every"] if steps else spec["first"], most - steps)):
            step()
            steps += 1
        finish(spec["device"])
        trained += time.perf_counter() - began
        began = time.perf_counter()
        scores = logits(test.edges)
        auc, ap = roc_auc(test.labels, scores), average_precision(test.labels, scores)
        looked += time.perf_counter() - began
    reached = auc >= needed[0] and ap >= needed[1]
    return [
        {
            "samples": [trained],
            "status": "ok" if reached else "not reached",
            "detail": {"steps": steps, "auc": auc, "ap": ap, "looked_s": round(looked, 2)},
        }
    ]


def same_states(spec: dict[str, Any]) -> float:
    """The greatest relative difference of the lean model's states from ours, both as they begin."""
    graph, split = training_data(spec["graph"])
    settings = Settings.of({"sampler": "random", "dim": spec["dim"]})
    trainer, loop = Trainer(graph, split, settings, 0), PlainLoop(graph, split, settings, 0)
    with torch.no_grad():
        keep = torch.arange(loop.num_facts) % 3 > 0
        ours = trainer.model.eval().encode(trainer.inputs, trainer.adjacency, keep)
        theirs = loop.model.eval().encode(keep)
    return float((ours - theirs).abs().max() / theirs.abs().max())


def ranking(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of ours and of PyKEEN's evaluator; every rank must be equal, or there is no row."""
    from data import benchmark_folder
    from speed_parts.ranking import compare
    from speed_parts.small import write_triples

    folder = benchmark_folder(spec["graph"]) if spec["graph"] != "tiny" else write_triples(Path(spec["folder"]))
    rows = compare(folder, spec["dim"], 1 if spec["graph"] == "tiny" else 2)
    return [
        {
            "operation": row["who"],
            "median_s": row["seconds"],
            "fastest_s": row["fastest"],
            "slowest_s": row["slowest"],
            "grown_mib": row["peak_mib"],
        }
        for row in rows
    ]
