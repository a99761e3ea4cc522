"""Who buys from whom: Canadian federal purchases, company level, the open counterpart of the paper's Company graph.

    python benchmarks/company.py run          # 3 seeds of every model; goes on where it stopped
    python benchmarks/company.py show         # the tables again, from the CSV
    python benchmarks/company.py tune --set share=0.5 --set sampler=random     # validation measures, seed 0
    python benchmarks/company.py tune --others                                 # those of trees and plain baselines

Edges before 2014 are training and evidence, those of the first quarter validation, later ones test; undated edges are
evidence. A supplier is *unseen* where no dated training edge touches it. Negatives are *uniform* within the types, or
*hard*: another supplier that sells a commodity which the true one sells. The award relations are ranked over all
suppliers, filtered.

The models with edge attributes are not to be compared with the others without care: a value that is not known before
2014 is blank *because* the pair did business in 2014, so what is missing tells of the time that is to be predicted.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import product
from typing import Any

import numpy as np

from company_cases import VARIANTS, Cases, cases_of, company_graph, measured
from company_tables import CSV, show
from pair_features import PairFeatures, fit_trees
from record import machine, read_rows, write_rows
from relwise.data.graph import Graph
from relwise.data.split import Split, split_graph
from relwise.evaluate.baselines import plain_baselines

TREES_SINCE = "2013-07-01"  # the trees learn from the half year before validation
# Chosen on validation, seed 0, variant "attributes", by `python benchmarks/company.py tune --set KEY=VALUE ...`: one
# setting for all variants and both samplers (pool and warmup are of asa alone). docs/evaluation.md has the trials.
SETTINGS: dict[str, Any] = {
    "dim": 64,
    "mask": "time",
    "degrees": True,
    "embedding_dropout": 0.5,
    "weight_decay": 1e-4,
    "pool": 30,
    "warmup": 40,
    "steps": 160,
    "eval_every": 40,
}
SAMPLERS = ("asa", "random")
JUDGED = ("network + evidence", "evidence alone")  # the network is "RelGNN, attributes"

Measures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "tune", "show"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--again", action="store_true", help="run what stands in the CSV, too")
    parser.add_argument("--most", type=int, help="run: stop after so many models; the next call goes on")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="tune: settings to try")
    parser.add_argument("--variant", choices=list(VARIANTS), default="attributes", help="tune: of the graph")
    parser.add_argument("--others", action="store_true", help="tune: the boosted trees and the plain baselines")
    arguments = parser.parse_args()
    if arguments.what == "tune":
        tune(dict(pair.split("=", 1) for pair in arguments.set), arguments.variant, arguments.others)
        return
    if arguments.what == "run":
        run(arguments.seeds, arguments.again, arguments.most)
    if arguments.most is None:
        show()


def run(seeds: int, again: bool, most: int | None) -> None:
    """Every model on every seed, a row each."""
    graph, done = company_graph(), 0
    for asked, seed in product(models(), range(seeds)):
        todo = [one for one in asked if again or not _stands(*one, seed)]
        if not todo or done == most:
            continue
        split = split_graph(graph, seed)
        cases = cases_of(graph, split, "test", seed)
        for model, sampler in todo[: None if most is None else most - done]:
            began = time.perf_counter()
            if model in JUDGED:
                for name, measures in judged(graph, split, cases, sampler, seed).items():
                    _record(name, sampler, seed, measures, time.perf_counter() - began)
                done += len(JUDGED)
                break
            if model.startswith("RelGNN"):
                varied = VARIANTS[model.removeprefix("RelGNN, ")](graph, seed)
                measures = train(varied, split, cases, sampler, seed)
            elif model == "boosted trees":
                measures = boost(graph, split, cases, seed)
            else:
                (count,) = (b for b in plain_baselines(split.message, graph.num_nodes) if b.name == model)
                measures = measured(cases, lambda edges, b=count: b.pairs(edges.heads, edges.tails))
            _record(model, sampler, seed, measures, time.perf_counter() - began)
            done += 1


def judged(graph: Graph, split: Split, cases: Cases, sampler: str, seed: int) -> dict[str, Measures]:
    """RelGNN's logit and the graph's own evidence together, and the evidence alone, fitted on the validation edges."""
    from relwise.predict.evidence.features import Evidence
    from relwise.predict.evidence.ties import Ties
    from relwise.predict.final import FinalScorer, Judgement
    from relwise.settings import Settings
    from relwise.train.loop import Trainer

    varied = VARIANTS["attributes"](graph, seed)
    trainer = Trainer(varied, split, Settings.of({**SETTINGS, "sampler": sampler}), seed)
    trainer.fit()
    scorer = trainer.scorer()
    judgement = Judgement.fit(varied, split, scorer, seed)
    evidence = Evidence(Ties.of(varied, split.message), judgement.patterns)
    judges = dict(zip(JUDGED, (judgement.both, judgement.alone), strict=True))
    return {name: measured(cases, FinalScorer(scorer, evidence, judge).logits) for name, judge in judges.items()}


def models() -> list[list[tuple[str, str]]]:
    """Each model and its negatives: what there is to beat, RelGNN, with evidence, and what edges' attributes add."""
    ours = ["attributes", "neither", "shuffled attributes"]
    first = [(f"RelGNN, {name}", sampler) for name in ours for sampler in SAMPLERS]
    others = [("boosted trees", "random"), *((name, "") for name in ("degree_product", "adamic_adar", "path3"))]
    edge_attributes = [(f"RelGNN, {name}", "asa") for name in VARIANTS if name not in ours]
    return [[*others, *first], [(name, "asa") for name in JUDGED], edge_attributes]


def train(graph: Graph, split: Split, cases: Cases, sampler: str, seed: int) -> Measures:
    """RelGNN, trained and measured."""
    from relwise.settings import Settings
    from relwise.train.loop import Trainer

    settings = Settings.of({**SETTINGS, "sampler": sampler})
    trainer = Trainer(graph, split, settings, seed)
    result = trainer.fit()
    chosen = {f"valid_{settings.select}": result.best, "steps": result.best_step, "train_seconds": result.seconds}
    return {**chosen, **measured(cases, trainer.scorer().logits)}


def boost(graph: Graph, split: Split, cases: Cases, seed: int) -> Measures:
    """Boosted trees on features of pairs."""
    trees = fit_trees(graph, split.message, split.supervised, TREES_SINCE, 300, seed)
    features = PairFeatures(graph, split.message)
    return measured(cases, lambda edges: trees.decision_function(features(edges)))


TUNED = {
    "all": "all.uniform.seen.auc",
    "new": "all.uniform.unseen.auc",
    "newmatched": "all.matched.unseen.auc",
    "ap": "award.uniform.seen.ap",
    "hard": "award.hard.seen.ap",
    "hardnew": "award.hard.unseen.ap",
    "mrr": "award.seen.mrr",
    "hits": "award.seen.hits@10",
    "hits100": "award.seen.hits@100",
    "mrrnew": "award.unseen.mrr",
}


def tune(settings: dict[str, str], variant: str, others: bool) -> None:
    """Validation measures of one setting at each validation, seed 0; the test edges are not looked at."""
    graph = company_graph()
    split = split_graph(graph)
    cases = cases_of(graph, split, "valid", 0)

    def told(what: str, measures: Measures) -> None:
        print(what, *(f"{name} {100 * measures[key]:.2f}" for name, key in TUNED.items()), sep="  ", flush=True)

    if others:
        told("boosted trees", boost(graph, split, cases, 0))
        for baseline in plain_baselines(split.message, graph.num_nodes):
            told(baseline.name, measured(cases, lambda edges, b=baseline: b.pairs(edges.heads, edges.tails)))
        return
    from relwise.settings import Settings
    from relwise.train.loop import Trainer

    chosen = Settings.of({**SETTINGS, **settings})
    trainer = Trainer(VARIANTS[variant](graph, 0), split, chosen, 0)
    losses: list[float] = []

    def validated(state: Any) -> None:
        scorer = trainer.scorer()
        size = np.abs(scorer.logits(split.valid.edges)).max()
        row = {key: round(value, 4) for key, value in state.history[-1].items() if key != "step"}
        told(f"{state.step:4d} {state.seconds:4.0f} s {row} logits to {size:.0f}", measured(cases, scorer.logits))

    result = trainer.fit(lambda state, loss: losses.append(loss), validated)
    told(f"kept: step {result.best_step} of {result.steps}", measured(cases, trainer.scorer().logits))


def _stands(model: str, sampler: str, seed: int) -> bool:
    wanted = (model, sampler, str(seed))
    return any((row["model"], row["sampler"], row["seed"]) == wanted for row in read_rows(CSV))


def _record(model: str, sampler: str, seed: int, measures: Measures, seconds: float) -> None:
    row = {"model": model, "sampler": sampler, "seed": seed, **measures, "seconds": round(seconds, 1), **machine()}
    kept = [r for r in read_rows(CSV) if (r["model"], r["sampler"], r["seed"]) != (model, sampler, str(seed))]
    write_rows(CSV, [*kept, {key: str(value) for key, value in row.items()}])
    print(f"{model} {sampler} seed {seed}: {seconds:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
