"""The model card: what a run is, what it was trained on, how good it is, and what it must not be used for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import relwise
from relwise.data.graph import Graph, SplitRule
from relwise.data.split import Split
from relwise.settings import Settings

NOT_EVIDENCE = """\
A prediction is the network's guess that an edge of this kind would be recorded, judged by edges and attributes like it.
It is **not evidence** that the relationship exists, that it will come about, that one end caused it, or that either
end knows or wants it. A high probability for a pair may only mean that both are well connected. Probabilities are
frequencies among pairs like those of validation, where the share of true ones is stated here; among pairs drawn
otherwise, where far fewer are true, they are too high (`prior` says what share to assume)."""

REFUSE = """\
- decisions about a person (hiring, credit, insurance, policing, migration) on a predicted tie alone;
- finding out what people did not tell: likes, ties, illness, belief, orientation, vulnerabilities;
- rebuilding a sensitive attribute from harmless ones, or naming somebody who is anonymous in the data;
- publishing predicted ties between people who did not agree to it."""


def model_card(
    graph: Graph,
    split: Split,
    settings: Settings,
    seed: int,
    metrics: Mapping[str, Any],
    training: Mapping[str, Any],
    leakage: Sequence[str],
) -> str:
    """The card's Markdown."""
    blocks = [
        "# Model card",
        f"RelGNN relationship prediction, trained by relwise {relwise.__version__} with {settings.sampler} negatives.",
        "## Data",
        _nodes(graph),
        _relations(graph, split),
        "".join(f"- {sentence}\n" for sentence in [*graph.notes, *leakage]) or "- Nothing was dropped.\n",
        "## Attributes used",
        _attributes(graph, settings),
        "## Measures on test",
        _measures(metrics),
        _calibration(metrics),
        f"Negatives of test: {'given with the data' if 'test' in graph.negatives else _drawn(graph.split_rule)}. "
        "Ranks are filtered, within the relation's types, each end by itself; ties count realistically.",
        "## What a prediction is not evidence of",
        NOT_EVIDENCE,
        "## Uses to refuse",
        REFUSE,
        "## Training",
        "".join(f"- {key}: {value}\n" for key, value in {**settings.model_dump(), "seed": seed, **training}.items()),
        "Method: Qin, Sheikh, Reinwald, Wu, *Relation-aware Graph Attention Model with Adaptive Self-adversarial "
        "Training*, AAAI 2021, <https://arxiv.org/abs/2102.07186>.",
    ]
    return "\n\n".join(block.rstrip() for block in blocks if block) + "\n"


def measure_rows(metrics: Mapping[str, Any]) -> list[list[str]]:
    """Micro measures of the model, its parts and each plain baseline, in percent, as cells for a table."""
    if "network" in metrics:
        names = {"network + evidence": "micro", "network alone": "network", "evidence alone": "evidence"}
    else:
        names = {"network": "micro"}
    rows = [[name, *_cells(metrics[key])] for name, key in names.items()]
    return rows + [[name.replace("_", " "), *_cells(values)] for name, values in metrics["baselines"].items()]


MEASURES = ("auc", "ap", "f1", "mrr", "hits@1", "hits@10", "hits@30")


def _cells(values: Mapping[str, float | None]) -> list[str]:
    return ["" if (v := values[key]) is None or math.isnan(v) else f"{100 * v:.2f}" for key in MEASURES]


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _nodes(graph: Graph) -> str:
    return _markdown(["node type", "nodes"], [[t.name, f"{len(t):,}"] for t in graph.node_types])


def _relations(graph: Graph, split: Split) -> str:
    parts = (split.message, split.valid.positives, split.test.positives)
    rows = [
        [
            name,
            f"{r.head} {'→' if r.directed else '-'} {r.tail}",
            *(f"{(p.relations == i).sum():,}" for p in parts),
        ]
        for i, (name, r) in enumerate(zip(graph.relation_names, graph.relations, strict=True))
    ]
    if len(rows) > 40:
        rows = [*rows[:40], [f"... {len(rows) - 40} more", "", "", "", ""]]
    return _markdown(["relation", "types", "train", "valid", "test"], rows)


def _attributes(graph: Graph, settings: Settings) -> str:
    lines = []
    for node_type in graph.node_types:
        used = ", ".join(f"{a.name} ({a.modality})" for a in node_type.attributes)
        learnt = "a learnt embedding for each node"
        if used and settings.node_embedding:
            used += f"; and {learnt}"
        lines.append(f"- {node_type.name}: {used or f'none; {learnt}'}")
    return "\n".join(lines)


def _measures(metrics: Mapping[str, Any]) -> str:
    if not metrics["micro"]:
        return "None: the split leaves no edges to test on."
    return _markdown(["percent", *MEASURES], measure_rows(metrics))


def _calibration(metrics: Mapping[str, Any]) -> str:
    found = metrics.get("calibration")
    if not found:
        return ""
    if not found["fitted"]:
        return "Probabilities are the network's own: there were too few validation edges to calibrate on."
    return (
        "Probabilities join the network's logit and the graph's own evidence (other ties, typed paths, degrees), fitted"
        f" on validation edges of which {100 * found['prior']:.3g} % were true. Expected calibration error on test: "
        f"{_four(found['final']['ece'])} (the network's own: {_four(found['network']['ece'])})."
    )


def _four(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _drawn(rule: SplitRule) -> str:
    how = "by degree" if rule.negatives == "degree" else "uniformly"
    if rule.by == "unseen":
        how += ", the end that was held out kept,"
    elif rule.negatives == "degree":
        how += ", one end kept,"
    return f"drawn {how} within the relation's types, one per positive, none a known edge"
