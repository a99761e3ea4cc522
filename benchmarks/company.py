"""Who buys from whom: Canadian federal purchases, company level, the open counterpart of the paper's Company graph.

    python benchmarks/company.py run          # 3 seeds of every model; goes on where it stopped
    python benchmarks/company.py show         # the tables again, from the CSV

Edges before 2014 are training and evidence, those of the first quarter validation, later ones test; undated edges are
evidence. A supplier is *unseen* where no dated training edge touches it. Negatives are *uniform* within the types, or
*hard*: another supplier that sells a commodity which the true one sells. The award relations are ranked over all
suppliers, filtered.

The models with edge attributes are not to be compared with the others without care: a value that is not known before
2014 is blank *because* the pair did business in 2014, so what is missing tells of the time that is to be predicted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from data import ROOT, benchmark_folder
from pair_features import PairFeatures, fit_trees
from record import RESULTS, machine, read_rows, write_rows
from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph
from relwise.data.read import read
from relwise.data.split import Split, draw_negatives, split_graph
from relwise.evaluate.baselines import plain_baselines
from relwise.evaluate.metrics import average_precision, roc_auc

SCHEMA = ROOT / "benchmarks" / "schemas" / "canada_procurement.toml"
CSV = RESULTS / "company.csv"
AWARDS = ("open_bidding_award", "non_competitive_award", "traditional_competitive_award")
TREES_SINCE = "2013-07-01"  # the trees learn from the half year before validation
# The size of the trial on lookup embeddings; nothing else has been chosen yet. `tune` prints validation measures.
SETTINGS: dict[str, Any] = {"dim": 64}
SAMPLERS = ("random", "asa")

Score = Callable[[Edges], npt.NDArray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "tune", "show"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--again", action="store_true", help="run what stands in the CSV, too")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="tune: settings to try")
    arguments = parser.parse_args()
    if arguments.what == "tune":
        tune(dict(pair.split("=", 1) for pair in arguments.set))
        return
    if arguments.what == "run":
        run(arguments.seeds, arguments.again)
    show()


def company_graph() -> Graph:
    """The graph of the company level, to be split by time."""
    return read(benchmark_folder("canada_procurement"), schema=SCHEMA)


def without_attributes(graph: Graph, seed: int) -> Graph:
    types = tuple(replace(node_type, attributes=()) for node_type in graph.node_types)
    return replace(graph, node_types=types)


def without_edge_attributes(graph: Graph, seed: int) -> Graph:
    return replace(graph, edge_attributes={})


def with_shuffled_attributes(graph: Graph, seed: int) -> Graph:
    """Attributes permuted among the nodes of each type, a node's own together: what is left is no one's."""
    rng, types = np.random.default_rng([seed, 11]), []
    for node_type in graph.node_types:
        order = rng.permutation(len(node_type))
        attributes = tuple(Attribute(a.name, a.modality, a.values[order]) for a in node_type.attributes)
        types.append(replace(node_type, attributes=attributes))
    return replace(graph, node_types=tuple(types))


VARIANTS: dict[str, Callable[[Graph, int], Graph]] = {
    "attributes, edge attributes": lambda graph, seed: graph,
    "attributes": without_edge_attributes,
    "edge attributes": without_attributes,
    "neither": lambda graph, seed: without_edge_attributes(without_attributes(graph, seed), seed),
    "shuffled attributes": lambda graph, seed: with_shuffled_attributes(without_edge_attributes(graph, seed), seed),
}


def run(seeds: int, again: bool) -> None:
    """Every model on every seed, a row each."""
    graph = company_graph()
    for seed in range(seeds):
        split = split_graph(graph, seed)
        cases = test_cases(graph, split, seed)
        for name, vary in VARIANTS.items():
            for sampler in SAMPLERS:
                if again or not _stands(f"RelGNN, {name}", sampler, seed):
                    _record(f"RelGNN, {name}", sampler, seed, *train(vary(graph, seed), split, cases, sampler, seed))
        if again or not _stands("boosted trees", "random", seed):
            _record("boosted trees", "random", seed, *boost(graph, split, cases, seed))
        for baseline in plain_baselines(split.message, graph.num_nodes):
            if not again and _stands(baseline.name, "", seed):
                continue
            began = time.perf_counter()
            measures = measured(graph, split, cases, lambda edges, b=baseline: b.pairs(edges.heads, edges.tails))
            _record(baseline.name, "", seed, measures, time.perf_counter() - began)


def train(graph: Graph, split: Split, cases: dict[str, Edges], sampler: str, seed: int) -> tuple[dict, float]:
    """RelGNN, trained and measured."""
    from relwise.predictor import RelationshipPredictor

    began = time.perf_counter()
    options = {**SETTINGS, "sampler": sampler}
    model = RelationshipPredictor(seed, **options).fit(graph)
    seconds = time.perf_counter() - began
    assert np.array_equal(model.split.message.heads, split.message.heads)
    found = measured(graph, split, cases, model.scorer.logits)
    return {"valid_ap": model.training["valid_ap"], **found}, seconds


def boost(graph: Graph, split: Split, cases: dict[str, Edges], seed: int) -> tuple[dict, float]:
    """Boosted trees on features of pairs."""
    began = time.perf_counter()
    trees = fit_trees(graph, split.message, split.supervised, TREES_SINCE, 300, seed)
    features = PairFeatures(graph, split.message)
    seconds = time.perf_counter() - began
    return measured(graph, split, cases, lambda edges: trees.decision_function(features(edges))), seconds


def test_cases(graph: Graph, split: Split, seed: int) -> dict[str, Edges]:
    """The test positives of the buying relations, and both kinds of negatives of the awards."""
    rng = np.random.default_rng([seed, 13])
    positives = split.test.positives
    awards = positives[np.isin(positives.relations, award_relations(graph))]
    return {
        "all": positives,
        "all.uniform": draw_negatives(graph, positives, rng),
        "award": awards,
        "award.uniform": draw_negatives(graph, awards, rng),
        "award.hard": hard_negatives(graph, awards, rng),
    }


def award_relations(graph: Graph) -> list[int]:
    return [graph.relation_index(name) for name in AWARDS]


def hard_negatives(graph: Graph, positives: Edges, rng: np.random.Generator) -> Edges:
    """For each positive another supplier that sells a commodity which the true one sells, no known edge.

    Who sells what is taken from all parts: so that a negative may not be told by its goods.
    """
    supplies = graph.edges[graph.edges.relations == graph.relation_index("supplies")]
    by_supplier, by_commodity = _listed(supplies.heads, supplies.tails), _listed(supplies.tails, supplies.heads)
    known = set(graph.keys(graph.edges).tolist())
    found: list[tuple[int, int, int]] = []
    for head, relation, tail in zip(positives.heads, positives.relations, positives.tails, strict=True):
        for _ in range(50):
            goods = by_supplier.get(int(tail))
            if goods is None:
                break
            other = rng.choice(by_commodity[int(rng.choice(goods))])
            key = graph.keys(Edges(np.array([head]), np.array([relation]), np.array([other])))
            if int(key[0]) not in known:
                found.append((int(head), int(relation), int(other)))
                break
    heads, relations, tails = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return Edges(heads, relations, tails)


def _listed(keys: npt.NDArray, values: npt.NDArray) -> dict[int, npt.NDArray]:
    order = np.argsort(keys, kind="stable")
    distinct, begins = np.unique(keys[order], return_index=True)
    return dict(zip(distinct.tolist(), np.split(values[order], begins[1:]), strict=True))


def measured(graph: Graph, split: Split, cases: dict[str, Edges], score: Score) -> dict[str, float]:
    """AUC and AP against each kind of negatives, filtered ranks of the awards' suppliers; seen and unseen apart."""
    unseen = unseen_suppliers(graph, split)
    row: dict[str, float] = {}
    for name, negatives in cases.items():
        if "." not in name:
            continue
        positives = cases[name.split(".")[0]]
        edges = Edges.concatenate(*(Edges(e.heads, e.relations, e.tails) for e in (positives, negatives)))
        labels = np.repeat([True, False], [len(positives), len(negatives)])
        scores = np.asarray(score(edges))
        new = unseen[edges.heads] | unseen[edges.tails]
        for bucket, mask in {"": np.ones(len(new), bool), ".seen": ~new, ".unseen": new}.items():
            row[f"{name}{bucket}.auc"] = roc_auc(labels[mask], scores[mask])
            row[f"{name}{bucket}.ap"] = average_precision(labels[mask], scores[mask])
    awards = cases["award"]
    ranks = supplier_ranks(graph, split, awards, score)
    relations = {graph.relation_names[i]: awards.relations == i for i in award_relations(graph)}
    new = unseen[awards.tails]
    for bucket, mask in {
        "award.seen": ~new,
        "award.unseen": new,
        **{n: m & ~new for n, m in relations.items()},
    }.items():
        row[f"{bucket}.mrr"], row[f"{bucket}.hits@10"] = (1 / ranks[mask]).mean(), (ranks[mask] <= 10).mean()
        row[f"{bucket}.count"] = int(mask.sum())
    return row


def supplier_ranks(graph: Graph, split: Split, awards: Edges, score: Score) -> npt.NDArray[np.float64]:
    """(n,) the filtered rank of each award's supplier among all suppliers, ties in the middle."""
    low, high = graph.type_range("supplier")
    every, ranks = np.arange(low, high), np.empty(len(awards))
    for head, relation in np.unique(np.stack([awards.heads, awards.relations]), axis=1).T:
        alike = np.full(len(every), head), np.full(len(every), relation)
        scores = np.asarray(score(Edges(*alike, every)))
        of_query = (split.filter.heads == head) & (split.filter.relations == relation)
        others = np.ones(len(every), dtype=bool)
        others[split.filter.tails[of_query] - low] = False
        for i in np.flatnonzero((awards.heads == head) & (awards.relations == relation)):
            own = scores[awards.tails[i] - low]
            ranks[i] = 1 + (scores[others] > own).sum() + (scores[others] == own).sum() / 2
    return ranks


def unseen_suppliers(graph: Graph, split: Split) -> npt.NDArray[np.bool_]:
    """(N,) the suppliers that no dated training edge touches."""
    assert split.message.times is not None
    dated = split.message[~np.isnat(split.message.times)]
    low, high = graph.type_range("supplier")
    unseen = np.zeros(graph.num_nodes, dtype=bool)
    unseen[low:high] = True
    unseen[dated.heads] = unseen[dated.tails] = False
    return unseen


def tune(settings: dict[str, str]) -> None:
    """Validation AP and AUC of one setting, seed 0, all attributes; the test edges are not looked at."""
    from relwise.predictor import RelationshipPredictor

    options: dict[str, Any] = {**SETTINGS, **settings}
    model = RelationshipPredictor(0, **options).fit(company_graph(), progress=True)
    print({key: round(value, 4) for key, value in max(model.log, key=lambda row: row["ap"]).items()}, model.training)


def _stands(model: str, sampler: str, seed: int) -> bool:
    wanted = (model, sampler, str(seed))
    return any((row["model"], row["sampler"], row["seed"]) == wanted for row in read_rows(CSV))


def _record(model: str, sampler: str, seed: int, measures: dict[str, float], seconds: float) -> None:
    row = {"model": model, "sampler": sampler, "seed": seed, **measures, "seconds": round(seconds, 1), **machine()}
    kept = [r for r in read_rows(CSV) if (r["model"], r["sampler"], r["seed"]) != (model, sampler, str(seed))]
    write_rows(CSV, [*kept, {key: str(value) for key, value in row.items()}])
    print(f"{model} {sampler} seed {seed}: {seconds:.0f} s", file=sys.stderr, flush=True)


COLUMNS = {
    "all, seen: AUC": "all.uniform.seen.auc",
    "all, unseen: AUC": "all.uniform.unseen.auc",
    "awards, seen: AP": "award.uniform.seen.ap",
    "hard, seen: AP": "award.hard.seen.ap",
    "hard, unseen: AP": "award.hard.unseen.ap",
    "seen: MRR": "award.seen.mrr",
    "seen: Hit@10": "award.seen.hits@10",
    "unseen: MRR": "award.unseen.mrr",
}


def show() -> None:
    """Print the tables as Markdown, and what was asked for and is missed."""
    rows = read_rows(CSV)
    models = list(dict.fromkeys((row["model"], row["sampler"]) for row in rows))
    print("\n## canada_procurement, test, percent: mean ± deviation over seeds\n")
    print(f"| | negatives | {' | '.join(COLUMNS)} | seconds |\n{'| --- ' * (len(COLUMNS) + 3)}|")
    for model, sampler in models:
        group = [row for row in rows if (row["model"], row["sampler"]) == (model, sampler)]
        cells = [_spread([100 * float(row[column]) for row in group]) for column in COLUMNS.values()]
        seconds = statistics.median(float(row["seconds"]) for row in group)
        print(f"| {model} | {sampler} | {' | '.join(cells)} | {seconds:.0f} |")
    names = list(dict.fromkeys(key[: -len(".mrr")] for row in rows for key in row if key.endswith(".mrr")))
    awards = [name for name in names if not name.startswith("award.")]
    print(f"\nSuppliers ranked, seen: MRR, Hit@10\n\n| | negatives | {' | '.join(awards)} |")
    print("| --- " * (len(awards) + 2) + "|")
    for model, sampler in models:
        group = [row for row in rows if (row["model"], row["sampler"]) == (model, sampler)]
        pairs = [[_spread([100 * float(r[f"{n}.{m}"]) for r in group]) for m in ("mrr", "hits@10")] for n in awards]
        print(f"| {model} | {sampler} | {' | '.join(', '.join(pair) for pair in pairs)} |")
    _verdicts(rows)


def _verdicts(rows: list[dict[str, str]]) -> None:
    def mean(model: str, sampler: str, column: str) -> float:
        found = [100 * float(r[column]) for r in rows if (r["model"], r["sampler"]) == (model, sampler)]
        return statistics.mean(found) if found else float("nan")

    lift = mean("RelGNN, attributes", "asa", "all.uniform.unseen.auc") - mean(
        "RelGNN, neither", "asa", "all.uniform.unseen.auc"
    )
    print(
        f"\nAttributes lift the unseen suppliers' AUC by {lift:.1f} points: {'met' if lift >= 10 else 'MISSED'} (10)."
    )
    others = list(dict.fromkeys((r["model"], r["sampler"]) for r in rows if not r["model"].startswith("RelGNN")))
    for column, name in (("award.hard.seen.ap", "AP, hard negatives"), ("award.seen.mrr", "MRR")):
        # One model, named beforehand: the better of two, taken here, would be chosen on the test edges.
        ours = mean("RelGNN, attributes", "asa", column)
        best = max((mean(*other, column), other[0]) for other in others)
        verdict = "met" if ours > best[0] else "MISSED"
        print(f"RelGNN + ASA, seen, {name}: {ours:.2f}; the best of the others {best[0]:.2f} ({best[1]}): {verdict}.")


def _spread(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2f}"


if __name__ == "__main__":
    main()
