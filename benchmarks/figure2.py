"""Figure 2 of the paper: Hit@k against µ, with each way in which µ decays, on canada_procurement.

    python benchmarks/figure2.py run          # 3 seeds; goes on where it stopped
    python benchmarks/figure2.py show         # the table again, from the CSV
    python benchmarks/figure2.py picture      # docs/figure2.png (needs matplotlib)

µ says how much less likely than its positive a negative of ASA is to be: 0 is as likely, the hardest that it takes.
At µ = 0 nothing decays, so one row stands for all schedules. Everything else is as in `table3.py`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import trials
from data import ROOT
from record import RESULTS, read_rows
from trials import OPTIONS, Row

CSV = RESULTS / "figure2.csv"
DATA = "canada_procurement"
MU = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
DECAYS = ("constant", "linear", "exponential")
AT = (1, 10, 30)
COLOURS = dict(zip(AT, ("#9aa5b1", "#2a6f97", "#b5483a"), strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "show", "picture"])
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args(arguments)

    def work() -> None:
        if given.what == "run":
            run(given.seeds)
        if given.what == "picture":
            draw()
        else:
            show()

    return trials.guarded(work)


def run(seeds: int) -> None:
    """A row for each seed, schedule and µ."""
    get = trials.loader()
    for seed in range(seeds):
        for decay in DECAYS:
            for mu in MU:
                key = {"mu_decay": "constant" if mu == 0 else decay, "mu": mu, "seed": seed}
                if trials.stands(CSV, key):
                    continue
                graph, split = get(DATA)
                own = {"sampler": "asa", "mu": mu, "mu_decay": key["mu_decay"]}
                trainer, _, about = trials.train(graph, split, {**OPTIONS[DATA], **trials.RANKS, **own}, seed)
                command = f"python benchmarks/figure2.py run --seeds {seed + 1}"
                trials.keep(CSV, key, {**trials.measured(trainer), **about}, command)


def show() -> None:
    """A row for each schedule and µ."""
    rows = read_rows(CSV)
    if not rows:
        print(f"\nFigure 2: no row stands in {CSV.name} yet.")
        return
    print(f"\n## Figure 2, {DATA}, test, percent: mean ± deviation over seeds\n")
    print("| decay | µ | Hit@1, joint | Hit@10, joint | Hit@30, joint | MRR, joint | valid MRR | hardness | seeds |")
    print("| --- " * 9 + "|")
    for decay in DECAYS:
        for mu in MU:
            group = _group(rows, decay, mu)
            if group and (mu or decay == "constant"):
                columns = [*(f"hits@{k}_joint" for k in AT), "mrr_joint", "valid_mrr", "hardness"]
                cells = [trials.spread(trials.percents(group, column)) for column in columns]
                print(f"| {decay if mu else 'all alike'} | {mu} | {' | '.join(cells)} | {len(group)} |")


def draw() -> None:
    """A panel for each schedule."""
    import statistics

    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = read_rows(CSV)
    figure, axes = plt.subplots(1, len(DECAYS), figsize=(9, 3), sharey=True, layout="constrained")
    for axis, decay in zip(axes, DECAYS, strict=True):
        for k in AT:
            groups = {mu: trials.percents(_group(rows, decay, mu), f"hits@{k}_joint") for mu in MU}
            there = {mu: values for mu, values in groups.items() if values}
            means = [statistics.mean(values) for values in there.values()]
            errors = [statistics.stdev(values) if len(values) > 1 else 0.0 for values in there.values()]
            axis.errorbar(list(there), means, errors, marker="o", ms=3, capsize=2, color=COLOURS[k], label=f"Hit@{k}")
        axis.set_title(f"µ {decay}", fontsize=10, loc="left")
        axis.set_xlabel("µ at the start")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("percent, joint, filtered")
    axes[0].legend(fontsize=8, frameon=False)
    figure.savefig(ROOT / "docs" / "figure2.png", dpi=130)


def _group(rows: Sequence[Row], decay: str, mu: float) -> list[Row]:
    return [row for row in rows if (row["mu_decay"], row["mu"]) == ("constant" if mu == 0 else decay, str(mu))]


if __name__ == "__main__":
    sys.exit(main())
