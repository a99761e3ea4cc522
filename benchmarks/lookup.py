"""DistMult and ComplEx alone, an embedding table and a score, against their published filtered MRR.

    python benchmarks/lookup.py run wn18rr --decoder distmult      # an hour of two cores at most
    python benchmarks/lookup.py run fb15k237 --decoder complex
    python benchmarks/lookup.py tune wn18rr --decoder distmult --minutes 5 --set dim=256   # validation alone
    python benchmarks/lookup.py show                               # the table again, from the CSV
    python benchmarks/lookup.py picture                            # docs/lookup.png (needs matplotlib)

That a harness gives the baselines what they are worth: see `You CAN Teach an Old Dog New Tricks!
<https://openreview.net/forum?id=BkxSmlBFvr>`_ (Ruffinelli, Broscheit, Gemulla; ICLR 2020), who trained the same two
models anew and got far more than their first reports on these data (`Dettmers et al. 2018
<https://arxiv.org/abs/1707.01476>`_).

On FB15k-237, and in WN18RR's DistMult, each relation has two states, one for each end that is asked for
(`reciprocal.py`), as in their best models of these.

Negatives are self-adversarial: many for each positive, weighed by how likely the model finds them, in pools that edges
share. A step learns from a small share of the edges, and zeroes half of all numbers in the table. The state that
counts is that of the best validation MRR, of 2,000 edges; nothing of test is looked at before the end. The hour is
processor time, halved. `results/lookup_curve.csv` has the validation MRR over time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence

import trials
from clock import spent
from data import ROOT
from reciprocal import reciprocate
from record import RESULTS, machine, read_rows, write_rows
from relwise.settings import Settings
from relwise.train.loop import Trainer
from relwise.train.state import TrainingState
from trials import Options

CSV, CURVE = RESULTS / "lookup.csv", RESULTS / "lookup_curve.csv"
DATA, DECODERS, MINUTES = ("fb15k237", "wn18rr"), ("distmult", "complex"), 60.0
# Filtered MRR of test, percent: in Dettmers et al. 2018, and in Ruffinelli et al. 2020.
PUBLISHED = {
    ("fb15k237", "distmult"): (24.1, 34.3), ("wn18rr", "distmult"): (43.0, 45.2),
    ("fb15k237", "complex"): (24.7, 34.8), ("wn18rr", "complex"): (44.0, 47.5),
}  # fmt: skip
COMMON: Options = {
    "encoder": "lookup", "select": "mrr", "sampler": "self_adversarial", "pool": 256, "shared_pool": 256,
    "learning_rate": 0.01, "weight_decay": 1e-6, "dropout": 0.5, "embedding_std": 0.03, "embedding_dropout": 0.0,
    "patience": 1000,
}  # fmt: skip
# Chosen on validation MRR, seed 0, by `tune`: some ten short trials, told of in RESULTS.md.
# `reciprocal`: relations have a state for each end, and training zeroes this share of a query's numbers.
_FB15K237: Options = {"dim": 256, "share": 0.02, "pool": 128, "steps": 6000, "reciprocal": 0.0}
_WN18RR: Options = {"dim": 256, "share": 0.05, "steps": 2000}
SETTINGS: dict[tuple[str, str], Options] = {
    ("fb15k237", "distmult"): _FB15K237,
    ("fb15k237", "complex"): _FB15K237,
    ("wn18rr", "distmult"): {**_WN18RR, "reciprocal": 0.0},
    ("wn18rr", "complex"): _WN18RR,
}
VALIDATIONS = 25  # of a training


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "tune", "show", "picture"])
    parser.add_argument("data", nargs="?", metavar="NAME", help=f"of {', '.join(DATA)}; all where left out")
    parser.add_argument("--decoder", choices=DECODERS, help="both where left out")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of two cores, at most")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="tune: settings to try")
    given = parser.parse_args(arguments)

    def work() -> None:
        for data in trials.named(given.data, DATA):
            for decoder in DECODERS if given.decoder is None else [given.decoder]:
                if given.what == "run":
                    run(data, decoder, given.minutes)
                if given.what == "tune":
                    tune(data, decoder, given.minutes, dict(pair.split("=", 1) for pair in given.set))
        if given.what == "picture":
            draw()
        elif given.what != "tune":
            show()

    return trials.guarded(work)


def run(data: str, decoder: str, minutes: float, seed: int = 0) -> None:
    """One training and its test measures, with the curve of its validations."""
    key = {"data": data, "decoder": decoder, "seed": seed}
    if trials.stands(CSV, key):
        return
    own, began = options(data, decoder), spent()
    command = f"python benchmarks/lookup.py run {data} --decoder {decoder} --minutes {minutes:g}"
    others = [row for row in read_rows(CURVE) if (row["data"], row["decoder"]) != (data, decoder)]
    curve: list[trials.Row] = []
    about = {"command": command, **machine()}

    def told(state: TrainingState, seconds: float) -> None:
        curve.append(trials.texts({**key, "seconds": round(seconds, 1), **state.history[-1], **about}))
        write_rows(CURVE, [*others, *curve])

    trainer, steps = fit(data, own, seed, minutes, told)
    measures = trials.measured(trainer)
    found = {"valid_mrr": trainer.state.best, "best_step": trainer.state.best_step, "steps": steps}
    found |= {"two_core_seconds": round(spent() - began, 1), "settings": json.dumps(own, sort_keys=True)}
    trials.keep(CSV, key, {**measures, **trials.texts(found)}, command)


def options(data: str, decoder: str, **changed: str) -> Options:
    """All settings of a training that are not the defaults."""
    own = {**COMMON, **SETTINGS[data, decoder], "decoder": decoder, **changed}
    own["eval_every"] = max(1, int(own["steps"]) // VALIDATIONS)
    return own


def fit(
    data: str, own: Options, seed: int, minutes: float, told: Callable[[TrainingState, float], None]
) -> tuple[Trainer, int]:
    """A trainer that has learnt for so long at most, and the steps it made; `told` hears of each validation."""
    known = {name: value for name, value in own.items() if name != "reciprocal"}
    trainer = Trainer(*trials.load(data), Settings.of(known), seed)
    if own.get("reciprocal", "none") != "none":
        reciprocate(trainer, float(own["reciprocal"]))
    began, done = spent(), 0

    def stepped(state: TrainingState, loss: float) -> None:
        nonlocal done
        done = state.step
        if spent() - began > 60 * minutes:
            state.step = trainer.settings.steps  # the last step: the trainer validates, and ends

    trainer.fit(stepped, lambda state: told(state, spent() - began))
    return trainer, done


def tune(data: str, decoder: str, minutes: float, changed: dict[str, str]) -> None:
    """Print the validations of one setting."""

    def told(state: TrainingState, seconds: float) -> None:
        row = state.history[-1]
        print(
            f"step {row['step']}  {seconds:.0f} s  loss {row['loss']:.4f}  valid MRR {100 * row['mrr']:.2f}", flush=True
        )

    _, steps = fit(data, options(data, decoder, **changed), 0, minutes, told)
    print(f"{steps} steps")


def show() -> None:
    """Ours beside the published figures."""
    rows = read_rows(CSV)
    print("\n## DistMult and ComplEx alone, test, percent, filtered, per end\n")
    print("| data | decoder | MRR | Hit@1 | Hit@10 | valid MRR | first report | Ruffinelli et al. | steps | minutes |")
    print("| --- " * 10 + "|")
    for row in rows:
        cells = [f"{100 * float(row[column]):.2f}" for column in ("mrr", "hits@1", "hits@10", "valid_mrr")]
        first, later = PUBLISHED[row["data"], row["decoder"]]
        minutes = float(row["two_core_seconds"]) / 60
        rest = f"{first:.1f} | {later:.1f} | {row['steps']} | {minutes:.0f}"
        print(f"| {row['data']} | {row['decoder']} | {' | '.join(cells)} | {rest} |")
    missing = [key for key in PUBLISHED if key not in {(row["data"], row["decoder"]) for row in rows}]
    if missing:
        print(f"\nNot run yet: {', '.join(' '.join(key) for key in missing)}.")
    for row in rows:
        mrr, (first, later) = 100 * float(row["mrr"]), PUBLISHED[row["data"], row["decoder"]]
        if mrr < later:
            below = f"the first report's {first:.1f}" if mrr < first else f"Ruffinelli et al.'s {later:.1f} alone"
            print(f"\n{row['data']}, {row['decoder']}: {mrr:.2f} is below {below}.")


def draw() -> None:
    """Validation MRR over time, a panel for each data set."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = read_rows(CURVE)
    names = [data for data in DATA if any(row["data"] == data for row in rows)]
    figure, axes = plt.subplots(1, len(names), figsize=(4.2 * len(names), 3), squeeze=False, layout="constrained")
    for axis, data in zip(axes[0], names, strict=True):
        for decoder, colour in zip(DECODERS, ("#2a6f97", "#b5483a"), strict=True):
            some = [row for row in rows if (row["data"], row["decoder"]) == (data, decoder)]
            if some:
                minutes, mrr = ([float(r[c]) * k for r in some] for c, k in (("seconds", 1 / 60), ("mrr", 100.0)))
                axis.plot(minutes, mrr, color=colour, marker="o", ms=3, label=decoder)
                axis.axhline(PUBLISHED[data, decoder][0], color=colour, lw=0.8, ls=":")
        axis.set_title(f"{data} (dots: test, the first reports)", fontsize=9, loc="left")
        axis.set_xlabel("minutes of two cores")
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(fontsize=8, frameon=False)
    axes[0][0].set_ylabel("validation MRR, percent")
    figure.savefig(ROOT / "docs" / "lookup.png", dpi=130)


if __name__ == "__main__":
    sys.exit(main())
