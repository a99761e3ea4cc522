"""The tables that are printed, from rows as they stand in the CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable

from speed_parts.bars import Row, largest, number, ratio, verdicts

TITLES = {
    "layer": "A layer forward + backward",
    "step": "A training step",
    "reach": "Training until test AUC 99.14 and AP 99.01 (looking at the test edges excluded, told apart)",
    "floors": "Operations of a step beside their floors",
    "sampler": "Negative samplers: a step",
    "ranking": "Filtered ranking of the test edges, both ends",
    "epoch": "An epoch on a large graph (the whole process's peak)",
    "start": "Starting",
}


def show(rows: list[Row]) -> None:
    """Print every part's table, then the figures that are asked for."""
    for part, title in TITLES.items():
        mine = [row for row in rows if row["part"] == part]
        if mine:
            print(f"\n## {title}\n")
            _table(*_floors(mine) if part == "floors" else _times(part, mine, rows))
    found = largest(rows)
    if found:
        print(f"\nThe largest graph that trains in 20 GB: about {found[0] / 1e6:.0f}M edges ({found[1]}; extrapolated)")
    judged = [verdict for verdict in verdicts(rows) if verdict.found is not None]
    if judged:
        print("\n## Asked for\n\n| figure | found | asked | | |\n| --- | --- | --- | --- | --- |")
        print("\n".join(verdict.line() for verdict in judged))
    about = sorted(
        {f"{r['cpu']}, {r['threads']} threads, load {r['load']}, {r['versions']}, {r['commit']}" for r in rows}
    )
    print("\nMeasured with: " + "; ".join(about))


def _table(names: Iterable[str], lines: Iterable[Iterable[str]]) -> None:
    names = list(names)
    print(f"| {' | '.join(names)} |\n{'| --- ' * len(names)}|")
    for line in lines:
        print(f"| {' | '.join(line)} |")


def _times(part: str, rows: list[Row], everything: list[Row]) -> tuple[list[str], list[list[str]]]:
    names = [
        "graph",
        "d",
        "pages",
        "what",
        "median",
        "fastest to slowest",
        "by ours",
        "grown MiB",
        "by ours",
        "peak MiB",
    ]
    names += ["edges", "processes, runs", "besides"]
    lines = []
    for row in rows:
        ours = _ours(row, everything)
        what = " ".join(filter(None, (row["who"] if not row.get("operation") else "", row.get("operation"))))
        if row["status"] != "ok" and not row.get("median_s"):
            lines.append([row["graph"], row["dim"], _pages(row), what, row["status"], *[""] * (len(names) - 5)])
            continue
        spread = f"{_seconds(row['fastest_s'])} to {_seconds(row['slowest_s'])}"
        times = [_ratio(number(row, n), number(ours, n)) if ours is not row else "" for n in ("median_s", "grown_mib")]
        runs = f"{row.get('processes', '')}, {row['samples']}" if row.get("samples") else ""
        besides = ", ".join(f"{k} {_plain(v)}" for k, v in json.loads(row.get("detail") or "{}").items())
        if row["status"] != "ok":
            besides = f"{row['status']}; {besides}"
        lines.append(
            [
                row["graph"], row["dim"], _pages(row), what, _seconds(row["median_s"]), spread, times[0],
                row.get("grown_mib", ""), times[1], row.get("peak_mib", ""), row.get("edges", ""), runs, besides,
            ]
        )  # fmt: skip
    used = [i for i in range(len(names)) if any(line[i] for line in lines)]
    return [names[i] for i in used], [[line[i] for i in used] for line in lines]


def _ours(row: Row, rows: list[Row]) -> Row:
    """The row that one is to be compared with: ours in the same case; random negatives among the samplers."""
    who = {"sampler": "random", "ranking": "both"}.get(row["part"], "relwise")
    same = ("part", "graph", "dim", "huge", "device")
    for other in rows:
        if other["who"] == who and all(other[key] == row[key] for key in same):
            if row["part"] == "start" or (row["part"] == "ranking" and "relwise" not in other["operation"]):
                continue
            return other
    return row


def _floors(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    names = ["operation", "floor ms", "measured ms", "fastest ms", "measured by floor"]
    lines = []
    for row in rows:
        floor, median, fastest = (1e3 * float(row[n]) for n in ("floor_s", "median_s", "fastest_s"))
        device = "" if row["device"] == "cpu" else f" ({row['device']})"
        lines.append(
            [row["operation"] + device, f"{floor:.2f}", f"{median:.2f}", f"{fastest:.2f}", f"{median / floor:.1f}"]
        )
        rates = json.loads(row.get("detail") or "{}")
        if rates:
            lines.append(["rates: " + ", ".join(f"{k} {v}" for k, v in rates.items()), "", "", "", ""])
    return names, lines


def _pages(row: Row) -> str:
    return f"{'huge' if row['huge'] == 'True' else 'small'}{'' if row['device'] == 'cpu' else ', ' + row['device']}"


def _seconds(value: str) -> str:
    seconds = float(value)
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.1f} ms"


def _ratio(value: float | None, ours: float | None) -> str:
    found = ratio(value, ours)
    return "" if found is None else f"{found:.2f} times"


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
