"""The demo: which plane will visit which airport, which airline will serve it? Trained on real flights, split by date.

    make demo            (or: python examples/flights_demo.py --seeds 3)

Writes `demo-data/` (schema and tables, see examples/flights.py) and `demo-run/` (the trained model, and its report as
one HTML page); prints the measures beside those of plain counting, and the ten likeliest relationships that are missing
from the data.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

import relwise
from flights import write_flights
from relwise.predictor import RelationshipPredictor
from relwise.report import write_report
from relwise.settings import SettingsKeywords
from relwise.show import print_measures

# Chosen on the validation edges (September's). Few planes differ in their attributes alone, so each has a learnt
# vector too; with it, weights must be held tighter, and training is done early: ASA begins early too.
SETTINGS: SettingsKeywords = {"node_embedding": True, "weight_decay": 3e-4, "warmup": 40}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=1, help="how many trainings to measure (default 1)")
    parser.add_argument("--data", type=Path, default=Path("demo-data"))
    parser.add_argument("--run", type=Path, default=Path("demo-run"))
    arguments = parser.parse_args()
    console = Console(width=110, highlight=False, markup=False)

    graph = relwise.read(write_flights(arguments.data))
    console.print(f"{graph!r}: flights out of New York City in 2013, written to {arguments.data}/")
    console.print("Trained on what was first flown before September; measured on what was first flown from October on.")
    precision = []
    for seed in range(arguments.seeds):
        model = RelationshipPredictor(seed, **SETTINGS).fit(graph, progress=True)
        metrics = model.metrics("test")
        precision.append((metrics["micro"]["ap"], max(b["ap"] for b in metrics["baselines"].values())))
        print_measures(metrics)
        if seed == 0:
            shutil.rmtree(arguments.run, ignore_errors=True)
            model.save(arguments.run)
            console.print("The ten likeliest relationships that are missing from the data", style="bold")
            console.print(_likeliest(model, 10))
    console.print(_verdict(np.array(precision)))
    console.print(f"The model is in {arguments.run}/ (its card: {arguments.run}/MODEL_CARD.md). Ask it more:")
    console.print(f"  .venv/bin/relwise predict {arguments.run} --relation serves_from_JFK --head B6")
    console.print(f"All there is to know of it, on one page for a browser: {write_report(arguments.run)}")


def _likeliest(model: RelationshipPredictor, count: int) -> Table:
    """The best over all relations, with the names of both ends."""
    graph = model.graph
    found = pd.concat([model.predict_missing(relation, count) for relation in graph.relation_names])
    table = Table("probability", "head", "relation", "tail")
    for row in found.nlargest(count, "probability").to_dict(orient="records"):
        kind = graph.relations[graph.relation_index(row["relation"])]
        head, tail = _named(graph, kind.head, row["head"]), _named(graph, kind.tail, row["tail"])
        table.add_row(f"{row['probability']:.4f}", head, row["relation"], tail)
    return table


def _named(graph: relwise.Graph, node_type: str, node: str) -> str:
    label = graph.node_label(int(graph.node_index(node_type, [node])[0]))
    return node if label == node else f"{label} ({node})"


def _verdict(precision: np.ndarray) -> str:
    """Whether the network earns its keep: (seeds, 2) test AP of the network and of the best plain baseline."""
    lead = precision[:, 0] - precision[:, 1]
    best = f"test AP {100 * precision[:, 0].mean():.2f}, best plain baseline {100 * precision[:, 1].mean():.2f}"
    if len(lead) == 1:
        return f"{best}: the network is {'above' if lead[0] > 0 else 'NOT above'} plain counting (one seed)."
    margin = 2 * lead.std(ddof=1)
    verdict = "above" if lead.mean() > margin else "NOT above"
    return (
        f"{best}, {len(lead)} seeds: the network is {verdict} plain counting by two deviations "
        f"(lead {100 * lead.mean():.2f}, two deviations {100 * margin:.2f})."
    )


if __name__ == "__main__":
    main()
