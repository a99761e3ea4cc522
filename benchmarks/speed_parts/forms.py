"""The two forms of a layer of bases, forward and backward, beside what the cost model says of them.

    python benchmarks/speed_parts/forms.py                 # about a minute; fb15k237 and wn18rr where the data are

With one thread (`OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1`) the figures are those that the model's rates were fitted to.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any

import relwise  # before torch: it says how torch is to allocate

# isort: split
import torch

from relwise.data.split import split_graph
from relwise.kernels.adjacency import Adjacency, build_adjacency
from relwise.kernels.basis_plan import basis_plan
from relwise.nn.forms import Counts, bases_seconds, choose_form, rows_seconds
from relwise.nn.messages import message_graph
from relwise.nn.relgnn import RelGNNConv

FORMS = "rows", "bases"
BASES = 2, 4, 10
SYNTHETIC = {"random-200k": (20_000, 200_000, 50), "random-1M": (100_000, 1_000_000, 50)}  # nodes, edges, relations


def compare(
    adjacency: Adjacency, bases: int, dim: int = 128, heads: int = 2, rounds: int = 5, clock: Any = time.perf_counter
) -> dict[str, Any]:
    """Time both forms in turn on the same states and gradients, in this process.

    Args:
        adjacency: the message graph.
        bases: B.
        dim: d.
        heads: L.
        rounds: how often each is timed, after one run that loads what is loaded once.
        clock: of seconds; `time.process_time` for one thread on a machine that others use too.

    Returns:
        One row: the counts, and for each form its seconds (least and median) and what the model says of them; and the
        form that it chooses.
    """
    generator = torch.Generator().manual_seed(0)
    conv = RelGNNConv(dim, dim, adjacency.num_relations, heads, bases)
    x, grad = (torch.randn(adjacency.num_nodes, dim, generator=generator) for _ in range(2))
    x.requires_grad_()
    basis_plan(adjacency)
    seconds: dict[str, list[float]] = {form: [] for form in FORMS}
    for _ in range(1 + rounds):
        for form in FORMS:
            x.grad, conv.form = None, form
            conv.zero_grad(set_to_none=True)
            began = clock()
            conv.propagate(x, adjacency).backward(grad)
            seconds[form].append(clock() - began)
    sizes = adjacency.num_nodes, len(adjacency.row_source), adjacency.num_edges, adjacency.num_relations
    counts = Counts(*sizes, bases, dim, dim, heads)
    row: dict[str, Any] = dict(zip(("nodes", "rows", "edges", "relations"), sizes, strict=True))
    row |= {"bases": bases, "dim": dim, "threads": torch.get_num_threads()}
    for form, predicted in zip(FORMS, (rows_seconds(counts), bases_seconds(counts)), strict=True):
        timed = seconds[form][1:]
        row[f"{form}_least"], row[f"{form}_median"] = min(timed), statistics.median(timed)
        row[f"{form}_predicted"] = predicted
    return row | {"chosen": choose_form(adjacency, bases, dim, dim, heads)}


def random_graph(nodes: int, edges: int, relations: int) -> Adjacency:
    """Edges between nodes drawn evenly: nearly every edge has a pair of relation and source of its own."""
    generator = torch.Generator().manual_seed(0)
    source, target, relation = (
        torch.randint(0, high, (edges,), generator=generator) for high in (nodes, nodes, relations)
    )
    return build_adjacency(source, target, relation, nodes, relations)


def main() -> None:
    folder = Path(os.environ.get("RELWISE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    graphs = {}
    for name in ("fb15k237", "wn18rr"):
        if (folder / name).is_dir():
            graph = relwise.read(folder / name)
            graphs[name] = message_graph(graph, split_graph(graph, 0).message).adjacency
    graphs |= {name: random_graph(*sizes) for name, sizes in SYNTHETIC.items()}
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    print(
        f"{'graph':12} {'B':>3} {'rows: least':>12} {'median':>7} {'said':>6} {'bases: least':>13} {'median':>7}",
        end="",
    )
    print(f" {'said':>6}  chosen")
    for name, adjacency in graphs.items():
        for bases in BASES:
            row = compare(adjacency, bases, clock=clock)
            rows, sums = ([row[f"{form}_{what}"] for what in ("least", "median", "predicted")] for form in FORMS)
            print(f"{name:12} {bases:3} {rows[0]:12.3f} {rows[1]:7.3f} {rows[2]:6.3f}", end="")
            print(f" {sums[0]:13.3f} {sums[1]:7.3f} {sums[2]:6.3f}  {row['chosen']}", flush=True)


if __name__ == "__main__":
    main()
