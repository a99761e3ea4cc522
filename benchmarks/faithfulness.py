"""Whether explanations are faithful: do the ties that they name carry the logit, more than others would?

    python benchmarks/faithfulness.py run amazon     # trains with the default settings, then measures; a row in the CSV
    python benchmarks/faithfulness.py run flights    # the demo's data and settings
    python benchmarks/faithfulness.py show           # the table again

Edges explained: 200 true test edges drawn at random, and the 200 likeliest missing ones. Of each the m = 5 strongest
carriers that its explanation names are silenced together, and the logit is computed again. Beside it as many *others*:
for each carrier a tie drawn at random among those that are as many steps from the same end, of the ten nearest to it in
the degree of its far node, and not named. And as many by *attention alone*: those with the largest share of attention
on the way to the ends, whatever they say. How far the logit falls: mean ± standard error. What was named is to lower it
at least three times as much as the others: as their mean fall, which may well be none, and as the mean size of what
they change, up or down.

A few of the logits are computed by the whole network as well, the ties masked: the largest difference is in the CSV.
Time is that of `model.explain` on 50 of the test edges, in a process that has explained before: on the wall, and the
processor's, of all threads together, which what else a machine does changes less.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from data import ROOT, benchmark_folder
from record import RESULTS, machine, read_rows, write_rows
from relwise.data.edges import Edges
from relwise.data.read import read
from relwise.predict.explain import Explainer, explainer_of
from relwise.predict.explain.explainer import SHOWN
from relwise.predict.explain.influence import Influence, influence_of
from relwise.predict.explain.occlusion import Case, Occlusion
from relwise.predictor import RelationshipPredictor
from relwise.settings import SettingsKeywords

sys.path.insert(0, str(ROOT / "examples"))
from flights import write_flights
from flights_demo import SETTINGS

CSV = RESULTS / "faithfulness.csv"
NEEDED = 3.0  # times as much as others
ALIKE = 10  # ties of like degree that one is drawn of
CHECKED = 5  # edges of each kind whose logits the whole network computes, too
WAYS = ("named", "others", "attention")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "show"])
    parser.add_argument("data", nargs="?", choices=["amazon", "flights"], default="amazon")
    parser.add_argument("--run", type=Path, help="a folder: the trained run that lies there, or where it is to be kept")
    parser.add_argument("--edges", type=int, default=200, help="of each kind")
    parser.add_argument("--m", type=int, default=5, help="ties silenced")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.what == "run":
        run(given.data, given.run, given.edges, given.m, given.seed)
    show()


def run(name: str, folder: Path | None, count: int, m: int, seed: int) -> None:
    """Both kinds of edges, a row each."""
    model, rng = trained(name, folder, seed), np.random.default_rng([seed, 41])
    positives = model.split.test.positives
    drawn = positives[np.sort(rng.permutation(len(positives))[:count])]
    times = timed(model, drawn[np.arange(min(50, len(drawn)))])
    for kind, edges in (("true test edges", drawn), ("likeliest missing", likeliest(model, count))):
        row = {"data": name, "edges": kind, "m": m, "seed": seed, **measured(model, edges, m, rng), **times}
        _record({key: str(value) for key, value in {**row, **machine()}.items()})


def trained(name: str, folder: Path | None, seed: int) -> RelationshipPredictor:
    """The run, trained where there is none yet."""
    if folder is not None and (folder / "run.json").exists():
        return RelationshipPredictor.load(folder)
    with tempfile.TemporaryDirectory() as place:
        data = write_flights(Path(place) / name) if name == "flights" else benchmark_folder(name)
        graph = read(data)
    settings: SettingsKeywords = SETTINGS if name == "flights" else {}
    model = RelationshipPredictor(seed, **settings).fit(graph, progress=True)
    if folder is not None:
        model.save(folder)
    return model


def likeliest(model: RelationshipPredictor, count: int) -> Edges:
    """The likeliest missing edges, as many of each relation that test edges are of."""
    names = [model.graph.relation_names[r] for r in np.unique(model.split.test.positives.relations)]
    tables = [model.predict_missing(name, -(-count // len(names))) for name in names]
    rows = [row for table in tables for row in table[["head", "relation", "tail"]].itertuples(index=False)]
    return model.indexed([tuple(row) for row in rows[:count]])


def timed(model: RelationshipPredictor, edges: Edges) -> dict[str, float]:
    """Median, 90th percentile and largest time of `explain`, milliseconds; and the median of the processor's time."""
    graph, took, worked = model.graph, [], []
    for repeated in (edges[np.arange(min(5, len(edges)))], edges):
        took, worked = [], []
        for head, relation, tail in zip(repeated.heads, repeated.relations, repeated.tails, strict=True):
            asked = graph.node_id(int(head)), graph.relation_names[int(relation)], graph.node_id(int(tail))
            began, busy = time.perf_counter(), time.process_time()
            model.explain(*asked)
            took.append(1e3 * (time.perf_counter() - began))
            worked.append(1e3 * (time.process_time() - busy))
    times = {"ms_median": float(np.median(took)), "ms_p90": float(np.quantile(took, 0.9)), "ms_max": max(took)}
    return {**times, "ms_busy": float(np.median(worked))}


def measured(model: RelationshipPredictor, edges: Edges, m: int, rng: np.random.Generator) -> dict[str, Any]:
    """How far the logit falls where ties are silenced, by how they were chosen."""
    explainer, falls, differences = explainer_of(model), [], [0.0]
    for i in range(len(edges)):
        edge = int(edges.heads[i]), int(edges.relations[i]), int(edges.tails[i])
        occlusion = explainer.occlusion(*edge)
        influence = influence_of(occlusion)
        logit, facts, effects = explainer.strongest(occlusion, influence)
        named = facts[effects > 0][: min(m, SHOWN)]
        others = alike(occlusion, influence, named, rng)
        attention = np.argsort(-influence.flow, kind="stable")[: len(named)]
        if not len(named) or len(others) < len(named):
            continue  # nothing speaks for it, or there is nothing to compare with
        sets = [tuple(chosen.tolist()) for chosen in (named, others, attention)]
        logits = occlusion.logits([Case(silent=chosen) for chosen in sets])
        falls.append(logit - logits)
        if i < CHECKED:
            whole = [whole_network(explainer, model, edge, occlusion, chosen) for chosen in sets]
            differences += np.abs(logits - whole).tolist()
    table = np.array(falls)
    mean, error = table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(len(table))
    columns = {f"{way}{what}": v for what, a in (("", mean), ("_error", error)) for way, v in zip(WAYS, a, strict=True)}
    return {
        "explained": len(table),
        **columns,
        "others_size": np.abs(table[:, 1]).mean(),
        "ratio": mean[0] / mean[1] if mean[1] > 0 else float("inf"),
        "ratio_to_size": mean[0] / np.abs(table[:, 1]).mean(),
        "named_more": float((table[:, 0] > table[:, 1]).mean()),
        "largest_difference": max(differences),
    }


def alike(
    occlusion: Occlusion, influence: Influence, named: npt.NDArray, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """For each tie named another of the same layer and end, its far node of like degree."""
    cone, arrays = occlusion.cone, occlusion.states.messages
    degree = np.empty(len(influence.layer))
    for t, level in enumerate(cone.levels, start=1):
        facts = np.flatnonzero(influence.layer == t)
        node = cone.nodes[level.source[influence.message[facts]]]
        degree[facts] = arrays.indptr[node + 1] - arrays.indptr[node]
    free = influence.layer > 0
    free[named] = False
    drawn = []
    for fact in named:
        pool = np.flatnonzero(
            free & (influence.layer == influence.layer[fact]) & (influence.side & influence.side[fact] > 0)
        )
        if len(pool):
            nearest = pool[np.argsort(np.abs(np.log(degree[pool] / degree[fact])), kind="stable")[:ALIKE]]
            drawn.append(int(rng.choice(nearest)))
            free[drawn[-1]] = False
    return np.array(drawn, dtype=np.int64)


@torch.no_grad()
def whole_network(
    explainer: Explainer, model: RelationshipPredictor, edge: tuple[int, int, int], occlusion: Occlusion,
    silent: tuple[int, ...],
) -> float:  # fmt: skip
    """The logit by the network's own kernels, on the whole message graph."""
    inputs, adjacency, edge_inputs = model._prepared()
    keep = torch.ones(adjacency.num_facts, dtype=torch.bool)
    keep[occlusion.cone.facts[list(silent)]] = False
    asked = explainer.fact(*edge)
    if asked is not None:
        keep[asked] = False
    nodes = model.network.encode(inputs, adjacency, keep, edge_inputs)
    return float(model.network.decoder(nodes, *(torch.tensor([index]) for index in edge)))


def _record(row: dict[str, str]) -> None:
    same = ("data", "edges", "m", "seed")
    kept = [old for old in read_rows(CSV) if any(old[key] != row[key] for key in same)]
    write_rows(CSV, [*kept, row])


def show() -> None:
    """The table as Markdown."""
    rows = read_rows(CSV)
    print(
        "\n| data | edges | m | named | others | size of others | times the fall | times the size "
        "| attention alone | named more | explain, ms (busy) |"
    )
    print("| --- " * 11 + "|")
    for row in rows:
        falls = [f"{float(row[way]):.3f} ± {float(row[way + '_error']):.3f}" for way in WAYS]
        ratios = [float(row["ratio"]), float(row["ratio_to_size"])]
        told = [f"{ratio:.1f}{'' if ratio >= NEEDED else f' (BELOW {NEEDED:.0f})'}" for ratio in ratios]
        told[0] = told[0].replace("inf", "others do not lower it")
        kind, size = f"{row['explained']} {row['edges']}", f"{float(row['others_size']):.3f}"
        share, took = 100 * float(row["named_more"]), f"{float(row['ms_median']):.0f} ({float(row['ms_busy']):.0f})"
        cells = [row["data"], kind, row["m"], falls[0], falls[1], size, *told, falls[2], f"{share:.0f} %", took]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
