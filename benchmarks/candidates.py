"""Where likely candidates come from: by the network's logit alone, by evidence alone, by both, by the index.

    python benchmarks/candidates.py run amazon      # trains with the default settings, then measures; rows in the CSV
    python benchmarks/candidates.py run made        # a made graph (that of serve.py), hardly trained: for the times
    python benchmarks/candidates.py show            # the table again

Queries are both ends of test edges drawn at random. Of each the 10 likeliest missing candidates are found by scoring
everything by the final logit. `recall@10` is the share of them among the M best missing ones by another order: the
network's logit; all other terms of the final logit (paths, ties, degrees); half of M by each. Then the index
(`relwise.predict.index`): its recall, how many candidates it ranks for a query, and the times of one query, median, as
measured when it was built.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data import benchmark_folder
from record import RESULTS, machine, read_rows, write_rows
from relwise.data.read import read
from relwise.predict import top
from relwise.predict.index_build import recall_of
from relwise.predict.top import Asked, KnownPartners
from relwise.predictor import RelationshipPredictor
from serve import make_run

CSV = RESULTS / "candidates.csv"
K = 10
CANDIDATES = (10, 20, 50, 100, 200, 500, 1000)  # M
WAYS = ("logit", "evidence", "both")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "show"])
    parser.add_argument("data", nargs="?", choices=["amazon", "made"], default="amazon")
    parser.add_argument("--run", type=Path, help="a folder: the trained run that lies there, or where it is to be kept")
    parser.add_argument("--entities", type=int, default=50_000, help="of the made graph")
    parser.add_argument("--queries", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.what == "run":
        model = trained(given.data, given.run, given.entities, given.seed)
        run(given.data, model, given.queries, given.seed)
    show()


def trained(name: str, folder: Path | None, entities: int, seed: int) -> RelationshipPredictor:
    """The run, trained where there is none yet."""
    with tempfile.TemporaryDirectory() as place:
        folder = folder or Path(place) / "run"
        if not (folder / "run.json").exists():
            if name == "made":
                make_run(folder, entities)
            else:
                RelationshipPredictor(seed).fit(read(benchmark_folder(name)), progress=True).save(folder)
        return RelationshipPredictor.load(folder)


def run(name: str, model: RelationshipPredictor, count: int, seed: int) -> None:
    """Recall of each way, and what the index does."""
    graph, rng = model.graph, np.random.default_rng([seed, 43])
    positives = model.split.test.positives
    drawn = positives[np.sort(rng.permutation(len(positives))[: count // 2])]
    ends = zip(drawn.relations.tolist(), drawn.heads.tolist(), drawn.tails.tolist(), strict=True)
    asked = [one for r, h, t in ends for one in (Asked(r, h, "tail"), Asked(r, t, "head"))]
    about = {"data": name, "nodes": str(graph.num_nodes), "edges": str(len(graph.edges)), "queries": str(len(asked))}
    about |= {"seed": str(seed), **machine(("relwise", "torch", "numba", "numpy", "faiss-cpu"))}
    recalls = np.mean([recall_by_order(model, one) for one in asked], axis=0)
    rows = [
        {**about, "way": way, "candidates": str(m), "recall": f"{recalls[i, j]:.4f}"}
        for i, way in enumerate(WAYS)
        for j, m in enumerate(CANDIDATES)
    ]
    index = model.build_index()
    pairs = zip(index.find(asked, K), top.find(model.final, asked, K), strict=True)
    recall = float(np.mean([recall_of(*pair) for pair in pairs]))
    reached = np.median([number_reached(model, one) for one in asked])
    for one in index.types.values():
        measured = {
            key: f"{value:.4g}" for key, value in asdict(one.measured).items() if key not in ("nodes", "queries")
        }
        measured["recall_at_build"] = measured.pop("recall")
        rows.append({**about, "way": "index", "candidates": f"{reached:.0f}", "recall": f"{recall:.4f}", **measured})
    kept = [row for row in read_rows(CSV) if (row["data"], row["nodes"]) != (name, str(graph.num_nodes))]
    write_rows(CSV, [*kept, *rows])


def recall_by_order(model: RelationshipPredictor, asked: Asked) -> npt.NDArray[np.float64]:
    """(3, M) recall@10 of the candidates that each way puts first."""
    relations, anchors = np.array([asked.relation]), np.array([asked.anchor])
    final = model.final.block(asked.missing, relations, anchors)[0]
    logit = model.scorer.block(asked.missing, relations, anchors)[0] * np.float32(
        model.final.judge.slopes[asked.relation]
    )
    graph = model.graph
    low = int((graph.head_ranges if asked.missing == "head" else graph.tail_ranges)[asked.relation, 0])
    left = np.ones(len(final), dtype=bool)
    left[KnownPartners.of(graph).find(asked.relation, asked.anchor, asked.missing) - low] = False
    if 0 <= asked.anchor - low < len(left):
        left[asked.anchor - low] = False
    final, logit = final[left], logit[left]
    best = np.argsort(-final, kind="stable")[:K]
    by_logit, by_evidence = (np.argsort(-scores, kind="stable") for scores in (logit, final - logit))
    out = np.empty((len(WAYS), len(CANDIDATES)))
    for j, m in enumerate(CANDIDATES):
        both = np.concatenate([by_logit[: m // 2], by_evidence[: m // 2]])
        for i, chosen in enumerate((by_logit[:m], by_evidence[:m], both)):
            out[i, j] = np.isin(best, chosen).mean()
    return out


def number_reached(model: RelationshipPredictor, asked: Asked) -> int:
    """How many candidates paths reach."""
    graph, judge = model.graph, model.final.judge
    low, high = (graph.head_ranges if asked.missing == "head" else graph.tail_ranges)[asked.relation].tolist()
    shared, own = judge.shared[asked.relation], judge.own[asked.relation]
    from_tail = asked.missing == "head"
    return len(model.evidence.reached(asked.relation, from_tail, asked.anchor, (low, high), shared, own)[0])


def show() -> None:
    """The tables as Markdown."""
    rows = read_rows(CSV)
    for data, nodes in dict.fromkeys((row["data"], row["nodes"]) for row in rows):
        mine = [row for row in rows if (row["data"], row["nodes"]) == (data, nodes)]
        print(f"\n{data}, {int(nodes):,} nodes, {int(mine[0]['edges']):,} edges, {mine[0]['queries']} queries\n")
        print(f"| recall@10 of M by | {' | '.join(f'{m:,}' for m in CANDIDATES)} |")
        print("| --- " * (1 + len(CANDIDATES)) + "|")
        for way in WAYS:
            found = {int(row["candidates"]): float(row["recall"]) for row in mine if row["way"] == way}
            print(f"| {way} | {' | '.join(f'{found[m]:.3f}' for m in CANDIDATES)} |")
        for row in mine:
            if row["way"] == "index":
                print(
                    f"\nThe index: recall@10 {float(row['recall']):.3f}; {row['nprobe']} of {row['centres']} centres "
                    f"looked at; paths reach {int(row['candidates']):,} candidates (median); "
                    f"{row['approximate_ms']} ms a query, scoring all {row['exact_ms']} ms."
                )


if __name__ == "__main__":
    main()
