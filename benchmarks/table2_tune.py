"""Tuning for table 2: the same budget for every method and data set, on validation AP (see `table2.py`).

A method has three minutes of two cores on each data set, counted as processor time, so that what else runs does not
matter. With negatives to choose, two of them go to what its variants share, learnt with random negatives, and one to
each variant's own settings (`mu` and `pool`) on top of the values just chosen. Trials are Optuna's (TPE, the median of
earlier trials as the bar below which one is given up); the first trial is the defaults. A trial takes a third of that
time at most; one that is cut off counts with the best validation that it had.
Seed 0; nothing of test is looked at.

The chosen values stand in `results/table2_chosen.json`, with the trials made and the seconds they took. One that stands
is not tuned again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clock import spent
from record import RESULTS, machine
from relwise.errors import InputError
from relwise.settings import Settings
from table2_data import Case
from table2_methods import METHODS, Among, Even, Log, Method, Options, options
from table2_train import fit

CHOSEN = RESULTS / "table2_chosen.json"
BUDGET = 180.0  # seconds of two cores, for each method and data set
SHARED = 2 / 3  # of the budget is for what variants share
TRIAL = 1 / 3  # of the seconds of a search are a trial's at most: of a dear method more than one is seen
SEED = 0

Chosen = dict[str, dict[str, dict[str, Any]]]
"""By data set and method: `settings`, `valid_ap`, `trials`, `pruned`, `seconds`, and what they were measured with."""


def read_chosen(path: Path | None = None) -> Chosen:
    """What tuning chose so far; the file is `CHOSEN` where none is named."""
    path = path or CHOSEN
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def settings_of(chosen: Chosen, data: str) -> dict[str, Options]:
    """By method, the values chosen on a data set."""
    return {name: found["settings"] for name, found in chosen.get(data, {}).items()}


def is_tuned(method: Method, chosen: Mapping[str, Options]) -> bool:
    """Whether all values of a method were chosen; of plain counting there are none to choose."""
    return not method.tuned or {method.family, method.name} <= set(chosen)


def tune(case: Case, method: Method, budget: float = BUDGET, again: bool = False) -> bool:
    """Choose a method's values on a data set and write them; what it shares comes first.

    Returns:
        Whether there was anything to do.
    """
    if not method.tuned:
        return False
    family = METHODS[method.family]
    if method.varies and family.name not in read_chosen().get(case.name, {}):
        tune(case, family, budget)
    chosen = read_chosen()
    if method.name in chosen.get(case.name, {}) and not again:
        return False
    has_variants = any(other.family == method.family and other.varies for other in METHODS.values())
    share = (1 - SHARED) if method.varies else SHARED if has_variants else 1.0
    known = {name: own for name, own in settings_of(chosen, case.name).items() if name != method.name}
    found = search(case, method, known, share * budget)
    here = chosen.setdefault(case.name, {})
    for other in METHODS.values():
        if not method.varies and other.family == method.name:
            here.pop(other.name, None)  # a variant's values were chosen on top of those that now go
    here[method.name] = {
        **found,
        "budget": round(share * budget, 1),
        "command": f"python benchmarks/table2.py tune --data {case.name} --methods {method.name}",
        **machine(("relwise", "torch", "numba", "numpy", "optuna")),
    }
    _write(chosen, CHOSEN)
    return True


def search(case: Case, method: Method, known: Mapping[str, Options], budget: float) -> dict[str, Any]:
    """The best values found in so many seconds of two cores.

    Args:
        case: the data set, of which only the validation edges are asked about.
        method: what is tuned: its own space alone.
        known: by method, values that stand; those of its family hold for a variant.
        budget: seconds of two cores.
    """
    optuna = _optuna()
    start, waited = options(method, case, known), 0.3 * options(method, case, known).get("steps", 0)
    _warm(case, method, start)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=SEED, n_startup_trials=5),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=round(waited)),
    )
    first = start if method.kind == "walks" else Settings.of(start).model_dump()
    study.enqueue_trial({name: first[name] for name in method.tuned})
    end = spent() + budget

    def objective(trial: Any) -> float:
        tried = {name: _suggest(trial, name, kind) for name, kind in method.tuned.items()}
        # A variant's own values stand under its name, what is shared under the family's.
        own = options(method, case, {**known, method.name: tried})

        def told(step: int, value: float) -> None:
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            left = max(0.0, end - spent())
            return fit(case, method, own, SEED, min(left, TRIAL * budget), told).valid_ap
        except InputError as error:  # it diverged
            raise optuna.TrialPruned(str(error)) from None

    began = spent()
    study.optimize(objective, callbacks=[lambda study, _: study.stop() if spent() >= end else None])
    states = [trial.state.name for trial in study.trials]
    done = "COMPLETE" in states
    return {
        "settings": dict(study.best_params) if done else {},
        "valid_ap": round(study.best_value, 6) if done else None,
        "trials": len(states),
        "pruned": states.count("PRUNED"),
        "seconds": round(spent() - began, 1),
    }


def _warm(case: Case, method: Method, start: Options) -> None:
    """One step before the clock starts: kernels may have to be compiled."""
    fit(case, method, start, SEED, limit=0.0)


def _suggest(trial: Any, name: str, kind: Log | Even | Among) -> Any:
    if isinstance(kind, Among):
        return trial.suggest_categorical(name, list(kind.values))
    return trial.suggest_float(name, kind.low, kind.high, log=isinstance(kind, Log))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise InputError("tuning needs Optuna, which is not installed", remedy="pip install 'relwise[bench]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _write(chosen: Chosen, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".part")
    written.write_text(json.dumps(chosen, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(written, path)
