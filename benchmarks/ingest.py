"""How long, and in how much memory, a large table of edges becomes a `Graph`.

    python benchmarks/ingest.py                  10 million edges between a million nodes, in Parquet
    python benchmarks/ingest.py --edges 100000   a smaller one

The tables are made anew in a temporary folder: two node tables with ids that are strings, and one relation whose rows
have a head, a tail, a date and a column that the schema does not name. The graph is read in a process of its own, whose
largest resident memory is its peak. A row of figures is added to `results/ingest.csv`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from record import RESULTS, machine, read_rows, write_rows

SCHEMA = """
[nodes.buyer]
table = "buyers.parquet"
key = "id"
[nodes.seller]
table = "sellers.parquet"
key = "id"
[relations.buys_from]
table = "orders.{kind}"
head = {{ type = "buyer", column = "buyer" }}
tail = {{ type = "seller", column = "seller" }}
time = "day"
[split]
by = "time"
valid = "2023-01-01"
test = "2023-07-01"
"""
_PART = 1_000_000


def make(folder: Path, edges: int, nodes: int, kind: str, seed: int = 0) -> None:
    """Write the tables and their schema.

    Args:
        folder: where.
        edges, nodes: how many; half of the nodes are buyers.
        kind: `"parquet"` or `"csv"`, of the table of edges.
        seed: of everything.
    """
    rng = np.random.default_rng(seed)
    (folder / "schema.toml").write_text(SCHEMA.format(kind=kind), encoding="utf-8")
    half = nodes // 2
    ids = {}
    for name in ("buyer", "seller"):
        numbers = rng.permutation(10 * half)[:half]
        ids[name] = pa.array([f"{name[0].upper()}{number:08d}" for number in numbers], pa.string())
        pyarrow.parquet.write_table(pa.table({"id": ids[name]}), folder / f"{name}s.parquet")
    writer = None
    for start in range(0, edges, _PART):
        count = min(_PART, edges - start)
        days = np.datetime64("2020-01-01", "us") + rng.integers(0, 1461, count).astype("timedelta64[D]")
        # Squared, so that some nodes have many edges and some few.
        part = pa.table(
            {
                "buyer": ids["buyer"].take(pa.array((half * rng.random(count) ** 2).astype(np.int64))),
                "seller": ids["seller"].take(pa.array((half * rng.random(count) ** 2).astype(np.int64))),
                "day": pa.array(days).cast(pa.timestamp("us")),
                "remark": pa.array(rng.integers(0, 10**9, count)).cast(pa.string()),
            }
        )
        path = folder / f"orders.{kind}"
        if writer is None:
            writers = {"parquet": pyarrow.parquet.ParquetWriter, "csv": pyarrow.csv.CSVWriter}
            writer = writers[kind](path, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()


def read(folder: Path) -> None:
    """Read the graph and print what it took: runs in a process of its own."""
    import relwise

    start = time.perf_counter()
    graph = relwise.read(folder)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
    figures = {"seconds": f"{seconds:.1f}", "peak_gib": f"{peak:.2f}", "graph": repr(graph)}
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edges", type=int, default=10_000_000)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--kind", choices=["parquet", "csv"], default="parquet", help="of the table of edges")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read is not None:
        read(options.read)
        return
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), options.edges, options.nodes, options.kind)
        size = (Path(folder) / f"orders.{options.kind}").stat().st_size / 2**20
        command = [sys.executable, __file__, "--read", folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    print(f"{found['graph']}: {found['seconds']} s, peak {found['peak_gib']} GiB")
    row = {"edges": str(options.edges), "nodes": str(options.nodes), "kind": options.kind, "file_mib": f"{size:.0f}"}
    row |= {key: found[key] for key in ("seconds", "peak_gib")}
    path = RESULTS / "ingest.csv"
    write_rows(path, [*read_rows(path), {**row, **machine(("relwise", "pyarrow", "numpy", "pandas"))}])


if __name__ == "__main__":
    main()
