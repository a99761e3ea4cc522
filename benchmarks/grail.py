"""Entities never seen: GraIL's `fb237_v1`, answered from the evidence of the unseen graph alone, as published.

    python benchmarks/grail.py run                    # 3 seeds of each network, the baselines; goes on where it stopped
    python benchmarks/grail.py show                   # the table again, from the CSV
    python benchmarks/grail.py tune --set dim=64      # measures on the validation edges of the training graph

The networks learn from `train_graph/train.txt`, and their state is chosen on `train_graph/valid.txt`. Then the entities
of the unseen graph are added (`graph.add_nodes`), with `unseen_graph/train.txt` as edges (`graph.add_edges`), and
`unseen_graph/test.txt` is answered (`model.with_graph`) without any training. No entity of one graph is in the other;
the relations are shared. `unseen_graph/valid.txt` and `train_graph/test.txt` are not used.

Entities have no attributes, so that what a network says of one must come from the edges about it. All of them start
alike: they are given one attribute, of the same value everywhere, in place of learnt vectors that no unseen entity
would have. With `degrees` a node also knows how many edges of each relation it has. That the supervised edges betray
themselves by it is excluded: in each step both messages and degrees are of the other edges alone, as the supervised
ones will be missing from the evidence in the test. The rows "with counting" weigh the network's logit and the plain
baselines, by a logistic regression on the validation edges.

`SETTINGS` were chosen on the validation edges (`tune`): a random search of 190 settings on one seed, then the best and
some twenty neighbours of it on three. The measures are those of `grail_measures.py`. The published figures beside ours:

- GraIL: Teru, Denis, Hamilton, "Inductive Relation Prediction by Subgraph Reasoning", ICML 2020 (arXiv 1911.06962),
  its tables of AUC-PR and of Hit@10 in the inductive setting.
- NBFNet: Zhu, Zhang, Xhonneux, Tang, "Neural Bellman-Ford Networks", NeurIPS 2021 (arXiv 2106.06935), inductive
  relation prediction; also in the README of its code, https://github.com/DeepGraphLearning/NBFNet, as "HITS@10 (50
  sample)".
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data import benchmark_folder
from grail_measures import Question, Score, measured
from record import RESULTS, machine, read_rows, write_rows
from relwise.data.edges import Edges
from relwise.data.graph import TRAIN, VALID, Attribute, Graph
from relwise.data.read import read
from relwise.evaluate.baselines import plain_baselines

if TYPE_CHECKING:
    from relwise.predictor import RelationshipPredictor

CSV = RESULTS / "grail.csv"
ALIKE = "alike"
SETTINGS: dict[str, Any] = {
    "dim": 32, "layers": 2, "heads": 1, "bases": 20, "dropout": 0.2, "degrees": True, "decoder": "complex",
    "sampler": "random", "share": 0.5, "learning_rate": 0.02, "weight_decay": 1e-4, "steps": 600, "select": "mrr",
    "patience": 20,
}  # fmt: skip
NETWORKS = {
    "RelGNN": SETTINGS,
    "RelGNN, no degrees": {**SETTINGS, "degrees": False},
}
MEASURES = ("auc_pr", "hits@10", "hits@10_expected")
# Percent. NBFNet's Hit@10 is the expected one, GraIL's the sampled.
PUBLISHED = {
    "GraIL (Teru et al. 2020)": {"auc_pr": 84.69, "hits@10": 64.15},
    "NBFNet (Zhu et al. 2021)": {"hits@10_expected": 83.4},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "tune", "show"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--again", action="store_true", help="run what stands in the CSV, too")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="tune: settings to try")
    arguments = parser.parse_args()
    if arguments.what == "tune":
        tune(dict(pair.split("=", 1) for pair in arguments.set), arguments.seeds)
        return
    if arguments.what == "run":
        run(arguments.seeds, arguments.again)
    show()


def run(seeds: int, again: bool) -> None:
    """Every network on every seed, and the baselines, which learn nothing, on the same negatives."""
    folder = benchmark_folder("fb237_v1")
    training = training_graph(folder / "train_graph")
    question = asked_of_unseen(training, folder / "unseen_graph")
    for seed in range(seeds):
        for name, settings in NETWORKS.items():
            if again or not _stands(name, seed):
                began = time.perf_counter()
                model = learn(training, settings, seed)
                score, valid = answers(model, question), valid_question(model)
                found = {f"valid_{key}": x for key, x in measured(valid, model.scorer.logits, seed).items()}
                _record(name, seed, {**found, **measured(question, score, seed)}, time.perf_counter() - began, settings)
                both = together(valid, model.scorer.logits, question, score, seed)
                _record(
                    f"{name}, with counting",
                    seed,
                    measured(question, both, seed),
                    time.perf_counter() - began,
                    settings,
                )
        for name, score in counting(question).items():
            if again or not _stands(name, seed):
                began = time.perf_counter()
                found = measured(question, score, seed)
                _record(name, seed, found, time.perf_counter() - began, {})


def training_graph(folder: Path) -> Graph:
    """The training graph with its split; its entities are all alike."""
    graph = read(folder)
    (entities,) = graph.node_types
    alike = Attribute(ALIKE, "numeric", np.ones(len(entities)))
    return replace(graph, node_types=(replace(entities, attributes=(alike,)),))


def learn(graph: Graph, settings: dict[str, Any], seed: int) -> RelationshipPredictor:
    """A network trained on the training graph."""
    from relwise.predictor import RelationshipPredictor

    return RelationshipPredictor(seed, **settings).fit(graph)


def asked_of_unseen(training: Graph, folder: Path) -> Question:
    """The training graph grown by the unseen one, and what is asked of it.

    Args:
        training: the graph that the networks learn from.
        folder: of the unseen graph: `train.txt` is the evidence, `test.txt` is asked.
    """
    names = ["head", "relation", "tail"]
    # Not `read`, which wants all three files: valid.txt has no part in this.
    evidence, test = (
        pd.read_csv(folder / f"{part}.txt", sep="\t", names=names, dtype=str, keep_default_na=False)
        for part in ("train", "test")
    )
    (entities,) = training.node_types
    ids = pd.unique(np.concatenate([frame[end].to_numpy(object) for frame in (evidence, test) for end in names[::2]]))
    graph = training.add_nodes(entities.name, pd.DataFrame({"id": ids, ALIKE: 1.0}))
    for relation, rows in evidence.groupby("relation", sort=False):
        graph = graph.add_edges(str(relation), rows[["head", "tail"]])

    def edges(frame: pd.DataFrame) -> Edges:
        heads, tails = (graph.node_index(entities.name, frame[end]) for end in ("head", "tail"))
        return Edges(heads, np.array([graph.relation_index(name) for name in frame["relation"]]), tails)

    return Question(graph, edges(evidence), edges(test), graph.node_index(entities.name, ids))


def answers(model: RelationshipPredictor, question: Question) -> Score:
    """The scores of a trained network on the grown graph."""
    return model.with_graph(question.graph).scorer.logits


def valid_question(model: RelationshipPredictor) -> Question:
    """The validation edges of the training graph, by which settings are chosen, asked in the same way."""
    graph = model.graph
    assert graph.parts is not None
    message, valid = graph.edges[graph.parts == TRAIN], graph.edges[graph.parts == VALID]
    entities = np.unique(np.concatenate([ends for e in (message, valid) for ends in (e.heads, e.tails)]))
    return Question(graph, message, valid, entities)


def together(valid: Question, valid_score: Score, question: Question, score: Score, seed: int) -> Score:
    """The network's logit and what counting says, weighed by a logistic regression on the validation edges.

    Args:
        valid: the validation edges of the training graph, and `valid_score` the network's scores there.
        question: what is asked of the unseen graph, and `score` the network's scores there.
        seed: of the negatives, 20 for each validation edge.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def features(asked: Question, network: Score) -> Score:
        scores = counting(asked)

        def table(edges: Edges) -> npt.NDArray[np.float64]:
            counts = [np.asarray(score(edges), dtype=np.float64) for score in scores.values()]
            # How much, and whether at all: most pairs have no path between them.
            columns = [x for c in counts for x in (np.log(c + 1e-3), c > 0)]
            return np.stack([network(edges), *columns], axis=1).astype(np.float64)

        return table

    rows = np.repeat(np.arange(len(valid.asked)), 20)
    rng = np.random.default_rng([seed, 19])
    negatives = valid.draw(rows, rng.random(len(rows)) < 0.5, rng)
    of_valid, of_question = features(valid, valid_score), features(question, score)
    table = np.concatenate([of_valid(valid.asked), of_valid(negatives)])
    labels = np.repeat([True, False], [len(valid.asked), len(negatives)])
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, labels)
    return lambda edges: fitted.decision_function(of_question(edges))


class RelationDegrees:
    """Counting by relation: `log(1 + out_r(h)) + log(1 + in_r(t))`.

    How often the two nodes have been head and tail of this very relation: whether they are of the right kind, as far as
    the relation's own edges tell.
    """

    def __init__(self, evidence: Edges, num_nodes: int, num_relations: int) -> None:
        shape = (num_nodes, num_relations)
        out, into = (
            np.bincount(ends * num_relations + evidence.relations, minlength=num_nodes * num_relations).reshape(shape)
            for ends in (evidence.heads, evidence.tails)
        )
        self._out, self._in = np.log1p(out), np.log1p(into)

    def __call__(self, edges: Edges) -> npt.NDArray[np.float64]:
        return self._out[edges.heads, edges.relations] + self._in[edges.tails, edges.relations]


def counting(question: Question) -> dict[str, Score]:
    """The plain baselines, counting over the evidence."""
    nodes = question.graph.num_nodes
    scores: dict[str, Score] = {
        b.name: lambda edges, b=b: b.pairs(edges.heads, edges.tails) for b in plain_baselines(question.evidence, nodes)
    }
    return {**scores, "relation_degrees": RelationDegrees(question.evidence, nodes, question.graph.num_relations)}


def tune(settings: dict[str, str], seeds: int) -> None:
    """Validation measures of one setting; the unseen graph is not looked at."""
    graph = training_graph(benchmark_folder("fb237_v1") / "train_graph")
    found = []
    for seed in range(seeds):
        model = learn(graph, {**SETTINGS, **settings}, seed)
        found.append(measured(valid_question(model), model.scorer.logits, 0))  # the same negatives for every seed
        print(seed, found[-1], model.training, flush=True)
    for key in found[0]:
        print(f"valid {key}: {_spread([100 * row[key] for row in found])}")


def _stands(model: str, seed: int) -> bool:
    return any((row["model"], row["seed"]) == (model, str(seed)) for row in read_rows(CSV))


def _record(model: str, seed: int, measures: dict[str, float], seconds: float, settings: dict[str, Any]) -> None:
    words = " ".join(f"{key}={value}" for key, value in settings.items())
    row = {
        "model": model, "seed": seed, **measures, "seconds": round(seconds, 1),
        "command": "benchmarks/grail.py run", "settings": words, **machine(),
    }  # fmt: skip
    kept = [r for r in read_rows(CSV) if (r["model"], r["seed"]) != (model, str(seed))]
    write_rows(CSV, [*kept, {key: str(value) for key, value in row.items()}])
    print(f"{model} seed {seed}: {seconds:.0f} s", file=sys.stderr, flush=True)


def show() -> None:
    """Print the table as Markdown."""
    rows = read_rows(CSV)
    print("\n## fb237_v1, the unseen entities, test, percent: mean ± deviation over seeds\n")
    print("| | AUC-PR | Hit@10 of 50 | the same, expected | on valid: AUC-PR | expected Hit@10 | seconds |")
    print("| --- " * 7 + "|")
    columns = (*MEASURES, "valid_auc_pr", "valid_hits@10_expected")
    for model in dict.fromkeys(row["model"] for row in rows):
        group = [row for row in rows if row["model"] == model]
        cells = [
            _spread([100 * float(row[column]) for row in group]) if group[0].get(column) else "" for column in columns
        ]
        print(f"| {model} | {' | '.join(cells)} | {statistics.median(float(row['seconds']) for row in group):.0f} |")
    for who, figures in PUBLISHED.items():
        print(f"| {who}, published | {' | '.join(str(figures.get(column, '')) for column in columns)} | |")
    print()
    # Named beforehand: the best of the rows, taken here, would be chosen on the test edges.
    for model in ("RelGNN", "RelGNN, with counting"):
        group = [row for row in rows if row["model"] == model]
        for who, figures in PUBLISHED.items() if group else ():
            for measure, value in figures.items():
                mean = statistics.mean(100 * float(row[measure]) for row in group)
                print(f"{model}, {measure}: {mean:.2f}, {'above' if mean > value else 'BELOW'} {who}'s {value}.")


def _spread(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2f}"


if __name__ == "__main__":
    main()
