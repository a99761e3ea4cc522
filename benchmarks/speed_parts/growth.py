"""An epoch of training on a large graph: every step's seconds, and the most memory that was held from start to end."""

from __future__ import annotations

import time
from typing import Any

from relwise.settings import Settings
from relwise.train.loop import Trainer
from speed_parts.graphs import training_data
from speed_parts.measure import process_mib, seconds_of


def measure(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """One row: learnt embeddings, DistMult, random negatives; `steps` full-graph steps make an epoch at their share.

    The peak is that of the whole process, the making of the graph and of its adjacency included, and a validation after
    the first step, whose time is not counted.
    """
    began = time.perf_counter()
    graph, split = training_data(spec["graph"])
    read = time.perf_counter() - began
    after_reading = process_mib("VmHWM")
    settings = Settings.of({"sampler": "random", "dim": spec["dim"], **spec["settings"]})
    edges, nodes = len(graph.edges), graph.num_nodes
    trainer = Trainer(graph, split, settings, 0)
    built = time.perf_counter() - began - read
    after_building = process_mib("VmHWM")
    samples, losses = [], []
    for _ in range(spec["steps"]):
        samples.append(seconds_of(lambda: losses.append(trainer.step())))
        trainer.state.step += 1
        if trainer.state.step == 1:  # its best weights are held from then on
            trainer._validate(losses[-1])
    peak = process_mib("VmHWM")
    return [
        {
            "samples": samples,
            "peak_mib": round(peak, 1),
            "edges": edges,
            "nodes": nodes,
            "detail": {
                "steps": spec["steps"],
                "supervised": round(spec["steps"] * settings.share, 3),
                "epoch_s": round(sum(samples), 2),
                "made_s": round(read, 1),
                "built_s": round(built, 1),
                "made_mib": round(after_reading),
                "built_mib": round(after_building),
                "first_loss": losses[0],
                "last_loss": losses[-1],
            },
        }
    ]
