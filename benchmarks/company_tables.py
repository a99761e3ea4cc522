"""The Company benchmark's tables, from its CSV, and what was asked for and is missed (see `company.py`)."""

from __future__ import annotations

import statistics

from record import RESULTS, read_rows

CSV = RESULTS / "company.csv"
SHUFFLED = "shuffled attributes"

COLUMNS = {
    "all, seen: AUC": "all.uniform.seen.auc",
    "all, unseen: AUC": "all.uniform.unseen.auc",
    "matched, unseen: AUC": "all.matched.unseen.auc",
    "awards, seen: AP": "award.uniform.seen.ap",
    "hard, seen: AP": "award.hard.seen.ap",
    "hard, unseen: AP": "award.hard.unseen.ap",
    "seen: MRR": "award.seen.mrr",
    "its standard error": "award.seen.mrr.se",
    "seen: Hit@10": "award.seen.hits@10",
    "seen: Hit@100": "award.seen.hits@100",
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
        cells = [_spread([100 * float(row[column]) for row in group if row.get(column)]) for column in COLUMNS.values()]
        seconds = statistics.median(float(row["seconds"]) for row in group)
        print(f"| {model} | {sampler} | {' | '.join(cells)} | {seconds:.0f} |")
    names = list(dict.fromkeys(key[: -len(".mrr")] for row in rows for key in row if key.endswith(".mrr")))
    awards = [name for name in names if not name.startswith("award")]
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

    for column, name in (("all.uniform.unseen.auc", "uniform"), ("all.matched.unseen.auc", "matched")):
        given, none, shuffled = (mean(f"RelGNN, {x}", "asa", column) for x in ("attributes", "neither", SHUFFLED))
        print(
            f"\nUnseen suppliers' AUC, {name} negatives: attributes {given:.1f}, none {none:.1f}: a lift of "
            f"{given - none:.1f} points: {'met' if given - none >= 10 else 'MISSED'} (10). Shuffled {shuffled:.1f}, "
            f"{shuffled - none:+.1f} points from none."
        )
    ours_all = ("RelGNN", "network", "evidence")
    others = list(dict.fromkeys((r["model"], r["sampler"]) for r in rows if not r["model"].startswith(ours_all)))
    for column, name in (("award.hard.seen.ap", "AP, hard negatives"), ("award.seen.mrr", "MRR")):
        # One model, named beforehand: the better of two, taken here, would be chosen on the test edges.
        best = max((mean(*other, column), other[0]) for other in others)
        for told, model in {"RelGNN + ASA": "RelGNN, attributes", "with evidence": "network + evidence"}.items():
            ours = mean(model, "asa", column)
            verdict = "met" if ours > best[0] else "MISSED"
            print(f"{told}, seen, {name}: {ours:.2f}; the best of the others {best[0]:.2f} ({best[1]}): {verdict}.")


def _spread(values: list[float]) -> str:
    if not values:
        return ""
    mean = f"{statistics.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2f}"
