"""How fast, in how much memory, and how far from what the machine can do: ours beside the peers, in turn.

    python benchmarks/speed.py                    # everything, about half an hour on two cores
    python benchmarks/speed.py layer step         # some of: layer step floors sampler ranking growth start
    python benchmarks/speed.py show               # the tables again, from the CSV
    python benchmarks/speed.py --small            # tiny graphs; asserts that results agree, and never a time
    python benchmarks/speed.py floors --device cuda

Each measurement runs in a process of its own (`one`), ours and the peers' in turn, and its row is written to
`benchmarks/results/speed.csv` as it comes; a row that stands is not measured again (`--again` does). A process that
needs more memory than `--memory` is a row that says so. Needs two quiet cores for figures worth keeping.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import relwise  # noqa: F401  # before torch: it says how torch is to allocate

# isort: split
import numba
import torch

from record import RESULTS, machine, read_rows, write_rows
from speed_parts import bars, cases, tables
from speed_parts.processes import Rows, Spec, available, case_name, in_process, in_turn, limited

CSV = RESULTS / "speed.csv"
PACKAGES = ("relwise", "torch", "torch_geometric", "numba", "numpy")
KEPT = ("part", "graph", "who", "dim", "heads", "huge", "device")


def main() -> None:
    if sys.argv[1:2] == ["one"]:
        warnings.simplefilter("ignore")
        print(json.dumps(limited(measure, json.loads(sys.argv[2]))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*cases.PARTS, "show", "all"]
    parser.add_argument("parts", nargs="*", choices=names, default="all", metavar="PART", help=", ".join(names))
    parser.add_argument("--small", action="store_true", help="tiny graphs, assertions, nothing written")
    parser.add_argument("--again", action="store_true", help="measure what stands in the CSV, too")
    parser.add_argument(
        "--device", choices=["cpu", "cuda"], default="cpu", help=f"cuda: {', '.join(cases.DEVICE_PARTS)}"
    )
    parser.add_argument("--threads", type=int, help="of torch and of Numba; else what they take by themselves")
    parser.add_argument("--memory", type=float, default=20, help="GB that a process may hold (20)")
    parser.add_argument("--csv", type=Path, default=CSV, metavar="FILE", help="where rows stand (the project's own)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows and verdicts there, too")
    arguments = parser.parse_args()
    parts: list[str] = list(cases.PARTS if "all" in arguments.parts else arguments.parts)
    if arguments.device == "cuda":
        parts = [part for part in parts if part in (*cases.DEVICE_PARTS, "show")]
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("--device cuda: torch finds no GPU here")
    if arguments.small:
        from speed_parts.small import run_small

        rows = run_small(parts, arguments.device, measure, as_row)
    else:
        rows = run_all(parts, arguments)
    tables.show(rows)
    if arguments.json:
        found = {"rows": rows, "asked": [v.as_json() for v in bars.verdicts(rows)], "largest": bars.largest(rows)}
        arguments.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


def run_all(parts: list[str], arguments: argparse.Namespace) -> list[dict[str, str]]:
    """Measure what is asked for and does not stand; every group's rows are written when it is done."""
    on_gpu = arguments.device == "cuda"
    about = machine(PACKAGES) | {"threads": threads(arguments.threads)}
    if on_gpu:
        about["cpu"] = f"{torch.cuda.get_device_name()} beside {about['cpu']}"
    rows, began = read_rows(arguments.csv), time.perf_counter()
    done: set[str] = set()

    def run(spec: Spec) -> Rows:
        print(f"{time.perf_counter() - began:6.0f} s  {case_name(spec)}", file=sys.stderr, flush=True)
        limit = min(1e9 * arguments.memory, available() - 1e9)  # of others' memory nothing is taken
        # A GPU's driver reserves addresses without end: no limit can be set there.
        found = in_process(spec, 0 if on_gpu else limit, arguments.threads)
        return found if on_gpu else [row | {"memory_gb": round(limit / 1e9, 1)} for row in found]

    for part in parts:
        groups = cases.on_gpu if on_gpu else cases.full
        for group in [] if part == "show" else groups(part):
            group = [{**spec, "device": arguments.device} for spec in group]
            status = {row["case"]: row["status"] for row in rows if not arguments.again or row["case"] in done}
            pending = [spec for spec in group if _pending(spec, status, group)]
            for spec, found in in_turn(pending, run):
                name = case_name(spec)
                done.add(name)
                rows = [row for row in rows if row["case"] != name] + [as_row(spec, row, about) for row in found]
            if pending:
                write_rows(arguments.csv, rows)
    return rows


def _pending(spec: Spec, status: dict[str, str], group: list[Spec]) -> bool:
    """Whether a case does not stand, is not done with by a larger one that fitted, and has what it is compared to."""
    if case_name(spec) in status or any(status.get(other) == "ok" for other in spec.get("unless", [])):
        return False
    needed = spec.get("needs")
    return needed is None or status.get(needed, "ok" if any(case_name(s) == needed for s in group) else "") == "ok"


def measure(spec: Spec) -> Rows:
    """The rows of a measurement, in this process."""
    from speed_parts import floors, growth, layer, start, step

    parts: dict[str, Any] = {
        "layer": layer.measure, "step": step.measure, "sampler": step.measure, "reach": step.reach,
        "floors": floors.measure, "epoch": growth.measure, "start": start.measure, "first": start.first,
        "ranking": step.ranking,
    }  # fmt: skip
    return parts[spec["part"]](spec)


def as_row(spec: Spec, found: dict[str, Any], about: dict[str, str]) -> dict[str, str]:
    """A row as the CSV holds it."""
    row = {"case": case_name(spec)} | {key: spec[key] for key in KEPT} | {"operation": "", "status": "ok"} | found
    return {key: _text(value) for key, value in (row | about).items()}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def threads(asked: int | None) -> str:
    """How many threads torch and Numba run, as they will in the measured processes."""
    of_torch, of_numba = asked or torch.get_num_threads(), asked or numba.get_num_threads()
    return str(of_torch) if of_torch == of_numba else f"{of_torch} torch, {of_numba} numba"


if __name__ == "__main__":
    main()
