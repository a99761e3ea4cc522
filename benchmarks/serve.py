"""How fast `relwise serve` answers, over real HTTP on loopback, and what it needs to start.

    python benchmarks/serve.py                  a run of 50,000 entities, made anew (a few minutes of training)
    python benchmarks/serve.py --run FOLDER     a run that is there; with --relation, the relation asked about
    python benchmarks/serve.py --keep FOLDER    keep the run that is made, for later

The run that is made has one node type, whose every node is a candidate, four relations, ten edges a node; d = 128, and
hardly any training: nothing here depends on how good it is. The server is a process of its own, and so is the client
that asks it, over one connection that is kept, one request at a time. A row of figures is added to
`results/serve.csv`.

| column | what |
| --- | --- |
| `import_s` | a fresh process until all modules are there, torch's compiler among them, which its operators ask for |
| `start_s` | from then until the first request is answered: reading the run, encoding, warming |
| `health_p50_ms` | a request that asks the model nothing: what HTTP itself takes |
| `single_p50_ms`, `single_p99_ms` | `/v1/top-k`, one query, k = 10 |
| `rate_1`, `rate_64` | queries a second, at one and at 64 a request |
| `score_p50_ms`, `explain_p50_ms` | `/v1/score` of 100 edges; `/v1/explain` |
| `rss_mib` | memory that the server holds after all that |
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from record import RESULTS, machine, read_rows, write_rows
from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph, NodeType, Relation, SplitRule

LAUNCH = """
import relwise.cli, relwise.predictor, relwise.serve.app, relwise.serve.server, relwise.serve.page.mount
import torch._dynamo  # which torch's own operators import when the first of them is called
print("imported", flush=True)
relwise.cli.main()
"""
VALID, TEST = 400, 20  # edges that the final probabilities are fitted on; and the fewest to test on that make sense


def make_graph(entities: int, seed: int = 0) -> Graph:
    """Nodes of one type with labels and two attributes, and four relations that tell of each other.

    Half of `owns` stay inside a hidden group; half of `pays` go where `owns` goes, half of `audits` come back from
    there, half of `knows` are two steps of `owns`. The other halves are drawn at random.
    """
    rng = np.random.default_rng(seed)
    group = rng.integers(0, max(2, entities // 25), entities)
    by_group = np.argsort(group, kind="stable")
    begin = np.searchsorted(group[by_group], np.arange(group.max() + 2))
    count = 10 * entities // 4
    # Squared, so that some nodes have many edges and some few.
    heads = (entities * rng.random((4, count)) ** 2).astype(np.int64)
    low, high = begin[group[heads[0]]], begin[group[heads[0]] + 1]
    inside = by_group[low + (rng.random(count) * (high - low)).astype(np.int64)]
    tails = rng.integers(0, entities, (4, count))
    half = count // 2
    tails[0, :half] = inside[:half]
    of_owns = rng.integers(0, count, (3, half))
    heads[1, :half], tails[1, :half] = heads[0, of_owns[0]], tails[0, of_owns[0]]
    heads[2, :half], tails[2, :half] = tails[0, of_owns[1]], heads[0, of_owns[1]]
    order = np.argsort(heads[0], kind="stable")
    first = np.searchsorted(heads[0, order], np.arange(entities + 1))
    middle = tails[0, of_owns[2]]
    onward = order[np.minimum(first[middle] + rng.integers(0, 3, half), count - 1)]
    heads[3, :half], tails[3, :half] = heads[0, of_owns[2]], tails[0, onward]
    relations = np.repeat(np.arange(4), count)
    all_heads, all_tails = heads.ravel(), tails.ravel()
    keys = (relations * entities + all_heads) * entities + all_tails
    kept = rng.permutation(np.unique(keys, return_index=True)[1])
    kept = kept[all_heads[kept] != all_tails[kept]]
    edges = Edges(all_heads[kept], relations[kept], all_tails[kept])
    parts = np.zeros(len(edges), np.int8)
    parts[:VALID], parts[VALID : VALID + TEST] = 1, 2
    names = np.array([f"Entity number {i}" for i in range(entities)], dtype=object)
    kinds = np.array([f"kind {g % 40}" for g in group], dtype=object)
    numbers = group + rng.normal(size=entities)
    attributes = (Attribute("kind", "categorical", kinds), Attribute("size", "numeric", numbers))
    nodes = NodeType("entity", pd.Index([f"E{i:06d}" for i in range(entities)]), names, attributes)
    ties = tuple(Relation(name, "entity", "entity") for name in ("owns", "pays", "audits", "knows"))
    return Graph((nodes,), ties, edges, parts, split_rule=SplitRule("given"))


def make_run(folder: Path, entities: int) -> None:
    from relwise.predictor import RelationshipPredictor

    graph = make_graph(entities)
    print(f"training on {graph!r}", flush=True)
    RelationshipPredictor(dim=128, steps=4, eval_every=4).fit(graph).save(folder)


class Connection:
    """One connection that is kept, as lean as it can be: what is timed is the server."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def post(self, path: str, body: bytes) -> Any:
        self._http.request("POST", path, body, {"Content-Type": "application/json"})
        return self._read()

    def get(self, path: str) -> Any:
        self._http.request("GET", path)
        return self._read()

    def _read(self) -> Any:
        answer = self._http.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {text[:300]!r}")
        return json.loads(text)


def times(ask: Any, requests: list[Any]) -> list[float]:
    """Milliseconds of each request."""
    taken = []
    for request in requests:
        began = time.perf_counter()
        ask(request)
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def measure(run: Path, relation: str | None, queries: int, seed: int = 1) -> dict[str, str]:
    """Start a server, ask it, end it."""
    command = [sys.executable, "-c", LAUNCH, "serve", str(run), "--port", "0"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            if server.stdout.readline() != "imported\n":
                raise RuntimeError("the server did not start")
            imported = time.perf_counter()
            found = re.search(r":(\d+)", server.stdout.readline())
            assert found
            connection = Connection(int(found[1]))
            connection.get("/healthz")
            ready = time.perf_counter()
            row = {"import_s": f"{imported - began:.1f}", "start_s": f"{ready - imported:.2f}"}
            row |= _ask(connection, run, relation, queries, seed)
            status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
            kib = int(re.findall(r"VmRSS:\s+(\d+)", status)[0])
            row["rss_mib"] = f"{kib / 1024:.0f}"
        finally:
            server.terminate()
    return row


def _ask(connection: Connection, run: Path, relation: str | None, queries: int, seed: int) -> dict[str, str]:
    from relwise.data.store import read_saved_graph

    graph = read_saved_graph(run / "graph")
    rng = np.random.default_rng(seed)
    index = graph.relation_index(relation) if relation else int(graph.edges.relations[0])
    name = graph.relation_names[index]
    low, high = graph.head_ranges[index]
    heads = [graph.node_id(int(node)) for node in rng.integers(low, high, 64 * 40 + queries)]
    asked = [{"head": head, "relation": name} for head in heads]

    def top(some: list[dict[str, str]]) -> bytes:
        return json.dumps({"queries": some, "k": 10}).encode()

    singles = [top([query]) for query in asked[:queries]]
    batches = [top(asked[queries + 64 * i : queries + 64 * (i + 1)]) for i in range(40)]
    known = graph.edges[graph.edges.relations == index]
    chosen = rng.integers(0, len(known), 1000)
    edges = [
        {"head": graph.node_id(int(known.heads[i])), "relation": name, "tail": graph.node_id(int(known.tails[i]))}
        for i in chosen
    ]
    scores = [json.dumps({"edges": edges[i : i + 100]}).encode() for i in range(0, 1000, 100)] * 5
    explanations = [json.dumps(edge).encode() for edge in edges[:30]]

    health = times(connection.get, ["/healthz"] * 200)
    single = times(lambda body: connection.post("/v1/top-k", body), singles)
    batch = times(lambda body: connection.post("/v1/top-k", body), batches)
    score = times(lambda body: connection.post("/v1/score", body), scores)
    explain = times(lambda body: connection.post("/v1/explain", body), explanations)
    return {
        "entities": str(graph.num_nodes),
        "candidates": str(int(high - low)),
        "edges": str(len(graph.edges)),
        "health_p50_ms": f"{statistics.median(health):.2f}",
        "single_p50_ms": f"{statistics.median(single):.2f}",
        "single_p99_ms": f"{np.quantile(single, 0.99):.2f}",
        "rate_1": f"{1000 * len(single) / sum(single):.0f}",
        "rate_64": f"{64_000 * len(batch) / sum(batch):.0f}",
        "score_p50_ms": f"{statistics.median(score):.2f}",
        "explain_p50_ms": f"{statistics.median(explain):.1f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=50_000)
    parser.add_argument("--run", type=Path, help="a run folder that is there")
    parser.add_argument("--relation", help="of that run; by default the first edge's")
    parser.add_argument("--keep", type=Path, help="where to keep the run that is made")
    parser.add_argument("--queries", type=int, default=400, help="single queries that are timed")
    parser.add_argument("--no-record", action="store_true", help="print the figures, and keep no row")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = options.run or options.keep or Path(folder) / "run"
        if not (run / "run.json").exists():
            make_run(run, options.entities)
        row = measure(run, options.relation, options.queries)
    for key, value in row.items():
        print(f"{key:>15} {value}")
    if not options.no_record:
        path = RESULTS / "serve.csv"
        threads = os.environ.get("OMP_NUM_THREADS", "all")
        write_rows(
            path, [*read_rows(path), {**row, "threads": threads, **machine(("relwise", "fastapi", "uvicorn", "torch"))}]
        )


if __name__ == "__main__":
    main()
