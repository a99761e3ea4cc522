"""What the project asks of its own speed, and whether the measured rows show it. A miss is shown as a miss."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from speed_parts.peers import LEAN
from speed_parts.processes import case_name

Row = dict[str, str]
# Layer forward + backward, d = 128, times the lean peer's: by graph, without and with huge pages on both sides.
TIMES = {("amazon", False): 15, ("youtube-size", False): 70, ("amazon", True): 6, ("youtube-size", True): 28}
MEMORY, FLOOR, REACH, ADDED, RANKING, FLAT = 8, 2.0, 15.0, 0.30, 5, 1.5
BUDGET_MIB = 20e9 / 2**20
POWERS = ("power-law-1M", "power-law-10M", "power-law-50M")


@dataclass(frozen=True)
class Verdict:
    """A figure beside its bar.

    Args:
        what: which figure.
        found: its value; None where nothing was measured.
        bar: what is asked.
        least: whether the bar is the least allowed, or the most.
        note: what else belongs to it.
    """

    what: str
    found: float | None
    bar: float
    least: bool = True
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.found is None:
            return None
        return self.found >= self.bar if self.least else self.found <= self.bar

    def line(self) -> str:
        asked = f"{'at least' if self.least else 'at most'} {self.bar:g}"
        if self.found is None:
            return f"| {self.what} | | {asked} | not measured | {self.note} |"
        return f"| {self.what} | {self.found:.3g} | {asked} | {'met' if self.met else 'MISSED'} | {self.note} |"

    def as_json(self) -> dict[str, Any]:
        # JSON has no infinity: what could not be done has no figure, and has missed its bar.
        return asdict(self) | {"met": self.met, "found": None if self.found == float("inf") else self.found}


class Found:
    """Rows by what they measured."""

    def __init__(self, rows: list[Row], device: str = "cpu") -> None:
        self.rows, self.device = rows, device

    def one(self, part: str, graph: str, who: str, dim: int = 128, huge: bool = True, operation: str = "") -> Row:
        """The row of a measurement, empty where there is none."""
        spec = {"part": part, "graph": graph, "who": who, "dim": dim, "huge": huge, "device": self.device}
        name = case_name(spec)
        return next((r for r in self.rows if r["case"] == name and r.get("operation", "") == operation), {})


def number(row: Row, name: str) -> float | None:
    """A value of a row that was measured, else None."""
    return float(row[name]) if row.get("status") == "ok" and row.get(name) else None


def ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def verdicts(rows: list[Row]) -> list[Verdict]:
    """Every bar, in the order of the requirements."""
    found = Found(rows)
    return [*_layers(found), *_training(found), *_growth(found)]


def _layers(found: Found) -> list[Verdict]:
    out = []
    for (graph, huge), bar in TIMES.items():
        ours, lean = (found.one("layer", graph, who, huge=huge) for who in ("relwise", LEAN))
        pages = "huge" if huge else "small"
        times = ratio(number(lean, "median_s"), number(ours, "median_s"))
        fastest = ratio(number(lean, "fastest_s"), number(ours, "fastest_s"))
        note = "" if fastest is None else f"fastest by fastest {fastest:.3g}"
        out.append(Verdict(f"layer, {graph}, {pages} pages: times the lean peer's speed", times, bar, note=note))
    for graph, huge in TIMES:
        ours, lean = (found.one("layer", graph, who, huge=huge) for who in ("relwise", LEAN))
        less = ratio(number(lean, "grown_mib"), number(ours, "grown_mib"))
        held = [_held(row) for row in (lean, ours)]
        with_graph = ratio(*held)
        note = "" if with_graph is None else f"{with_graph:.3g} with each side's graph counted in"
        pages = "huge" if huge else "small"
        what = f"layer, {graph}, {pages} pages: lean peer's peak memory by ours"
        out.append(Verdict(what, less, MEMORY, note=note))
    return out


def _held(row: Row) -> float | None:
    grown, structure = number(row, "grown_mib"), number(row, "structure_mib")
    return None if grown is None or structure is None else grown + structure


def _training(found: Found) -> list[Verdict]:
    whole = found.one("floors", "amazon", "relwise", operation="whole step")
    times = ratio(number(whole, "median_s"), number(whole, "floor_s"))
    reached = found.one("reach", "amazon", "relwise")
    seconds = number(reached, "median_s")
    if reached and seconds is None:
        seconds = float("inf")  # it never got there
    at = json.loads(reached.get("detail") or "{}")
    note = f"{at['steps']} steps, AUC {100 * at['auc']:.2f}, AP {100 * at['ap']:.2f}" if at else ""
    random, asa = (found.one("sampler", "amazon", who) for who in ("random", "asa, pool 100"))
    added = ratio(number(asa, "median_s"), number(random, "median_s"))
    ours, theirs = (
        next(
            (r for r in found.rows if r["part"] == "ranking" and r["graph"] == "fb15k237" and who in r["operation"]), {}
        )
        for who in ("relwise", "PyKEEN")
    )
    ranking = ratio(number(theirs, "median_s"), number(ours, "median_s"))
    return [
        Verdict("whole step, amazon: times the sum of its floors", times, FLOOR, least=False),
        Verdict("seconds of training to test AUC 99.14 and AP 99.01, amazon", seconds, REACH, False, note),
        Verdict("share that ASA, pool 100, adds to the step", None if added is None else added - 1, ADDED, False),
        Verdict("filtered ranking, fb15k237: times PyKEEN's speed", ranking, RANKING, note="equal ranks, asserted"),
    ]


def _growth(found: Found) -> list[Verdict]:
    out = []
    for name, what in (("median_s", "time"), ("grown_mib", "memory")):
        per_edge = []
        for graph in POWERS:
            row = found.one("layer", graph, "relwise", 64)
            value, edges = number(row, name), number(row, "edges")
            if value is not None and edges:
                per_edge.append(value / edges)
        spread = max(per_edge) / min(per_edge) if len(per_edge) == len(POWERS) else None
        out.append(Verdict(f"layer, d = 64, 1M to 50M edges: greatest {what} an edge by least", spread, FLAT, False))
    epoch = found.one("epoch", POWERS[-1], "relwise", 64)
    peak = number(epoch, "peak_mib")
    if epoch and peak is None:
        peak = float("inf")
    detail = json.loads(epoch.get("detail") or "{}")
    note = f"an epoch of {detail['epoch_s']} s" if detail else epoch.get("status", "")
    out.append(Verdict("epoch, 50M edges, 5M nodes, d = 64: peak MiB (20 GB)", peak, round(BUDGET_MIB), False, note))
    return out


def largest(rows: list[Row]) -> tuple[float, str] | None:
    """Edges that train in 20 GB: a line through the two largest epochs, extrapolated; None without two."""
    found = Found(rows)
    points = []
    for graph in POWERS:
        row = found.one("epoch", graph, "relwise", 64)
        edges, peak = number(row, "edges"), number(row, "peak_mib")
        if edges and peak:
            points.append((edges, peak))
    if len(points) < 2:
        return None
    (x0, y0), (x1, y1) = points[-2:]
    slope = (y1 - y0) / (x1 - x0)
    return x1 + (BUDGET_MIB - y1) / slope, f"{slope * 2**20:.0f} bytes an edge"
