"""Table 2 of the paper: every method on three data sets, trained and measured by the same code.

    python benchmarks/table2.py tune           # three minutes of two cores a method and data set, by validation AP
    python benchmarks/table2.py run            # 3 seeds of everything with the chosen values; goes on
    python benchmarks/table2.py run --quick    # one seed, few steps, no tuning, a CSV of its own: half an hour
    python benchmarks/table2.py show           # the tables again, from the CSV; --quick: the quick ones

`--data amazon,youtube_partial` and `--methods relgnn,relgnn+asa` take some of them. What stands is neither tuned nor
run again (`--again` does), so an interrupted benchmark goes on where it stopped. Without tuned values a run takes the
defaults, and the table says so.

| file | what is in it |
| --- | --- |
| `table2_data.py` | the data sets, and how each is split |
| `table2_methods.py` | the methods, what is fixed of each, the spaces of tuning |
| `table2_train.py` | one method trained and measured |
| `table2_tune.py` | the choice of values |
| `table2_show.py` | the tables, with the paper's figures |
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import table2_tune
from record import RESULTS, machine, read_rows, write_rows
from relwise.errors import InputError, nearest
from table2_data import CASES, Case
from table2_methods import QUICK_SECONDS, Method, Options, methods_named, options
from table2_show import show
from table2_train import fit, measures

CSV, QUICK_CSV = RESULTS / "table2.csv", RESULTS / "table2_quick.csv"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 2 at a mistake in what was given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["tune", "run", "show"])
    parser.add_argument("--data", metavar="NAME,..", help=f"of {', '.join(CASES)}; all where left out")
    parser.add_argument("--methods", metavar="NAME,..", help="all where left out")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="run: one seed, few steps; a CSV of its own")
    parser.add_argument("--again", action="store_true", help="tune or run what stands, too")
    parser.add_argument(
        "--budget", type=float, default=table2_tune.BUDGET, help="tune: seconds of two cores a method and data set"
    )
    given = parser.parse_args(arguments)
    try:
        names, methods = _data_named(given.data), methods_named(given.methods)
        if given.what == "tune":
            _tune(names, methods, given.budget, given.again)
            return 0
        if given.what == "run":
            run(names, methods, 1 if given.quick else given.seeds, given.quick, given.again)
        show(QUICK_CSV if given.quick else CSV)
        return 0
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def run(names: Sequence[str], methods: Sequence[Method], seeds: int, quick: bool, again: bool) -> None:
    """A row for each data set, seed and method that has none yet; all methods of a seed before the next one."""
    path = QUICK_CSV if quick else CSV
    for name in names:
        case: Case | None = None
        chosen = table2_tune.settings_of(table2_tune.read_chosen(), name)
        for seed in range(seeds):
            for method in methods:
                if method.kind == "counting" and seed:
                    continue  # nothing is drawn
                tuned = table2_tune.is_tuned(method, chosen)
                stands = next((row for row in read_rows(path) if _is(row, name, method, seed)), None)
                if stands and not again:
                    if tuned and stands["tuned"] == "False":
                        print(f"{name} {method.name} stands, and is not tuned: run it --again", file=sys.stderr)
                    continue
                case = case or CASES[name]()
                _row(path, case, method, options(method, case, chosen, quick), seed, quick, tuned)


def _row(path: Path, case: Case, method: Method, own: Options, seed: int, quick: bool, tuned: bool) -> None:
    """Train, measure, write."""
    if quick and method.kind in ("encoder", "lookup"):
        fit(case, method, own, seed, limit=0.0)  # one step before the clock starts: kernels may have to be compiled
    began = time.perf_counter()
    fitted = fit(case, method, own, seed, QUICK_SECONDS if quick else None)
    row = {
        "data": case.name,
        "method": method.name,
        "seed": seed,
        **measures(case, fitted),
        "valid_ap": fitted.valid_ap,
        "steps": fitted.steps,
        "train_seconds": round(fitted.seconds, 2),
        "seconds": round(time.perf_counter() - began, 2),
        "tuned": tuned,
        "settings": json.dumps(own, sort_keys=True),
        "command": f"python benchmarks/table2.py run --data {case.name} --methods {method.name}"
        + (" --quick" if quick else f" --seeds {seed + 1}"),
        **machine(),
    }
    kept = [r for r in read_rows(path) if not _is(r, case.name, method, seed)]
    write_rows(path, [*kept, {key: str(value) for key, value in row.items()}])
    print(f"{case.name} {method.name} seed {seed}: {row['seconds']:.0f} s", file=sys.stderr, flush=True)


def _tune(names: Sequence[str], methods: Sequence[Method], budget: float, again: bool) -> None:
    for name in names:
        case: Case | None = None
        for method in methods:
            stands = method.name in table2_tune.read_chosen().get(name, {})
            if not method.tuned or (stands and not again):
                continue
            case = case or CASES[name]()
            table2_tune.tune(case, method, budget, again=again)
            found = table2_tune.read_chosen()[name][method.name]
            told = f"{found['trials']} trials, {found['seconds']:.0f} s, valid AP {found['valid_ap']}"
            print(f"{name} {method.name}: {told}, {found['settings']}", file=sys.stderr, flush=True)


def _data_named(names: str | None) -> list[str]:
    """The data sets of a list with commas; raises InputError at a name that is none."""
    wanted = list(CASES) if names is None else names.split(",")
    for name in wanted:
        if name not in CASES:
            remedy = nearest(name, CASES) or f"the data sets are {', '.join(CASES)}"
            raise InputError(f"there is no data set {name!r}", where="--data", remedy=remedy)
    return list(dict.fromkeys(wanted))


def _is(row: dict[str, str], name: str, method: Method, seed: int) -> bool:
    return (row["data"], row["method"], row["seed"]) == (name, method.name, str(seed))


if __name__ == "__main__":
    sys.exit(main())
