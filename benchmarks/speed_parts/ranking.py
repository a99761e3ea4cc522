"""Filtered ranking of fb15k237's test set, both ends, against PyKEEN's evaluator: the same states, the same ranks.

    python benchmarks/speed_parts/ranking.py       # three rounds, about five minutes, most of them PyKEEN's

States are random, on a grid coarse enough that float32 products of three are exact in any order of sums: every rank,
with its ties, must then be PyKEEN's own, or the comparison fails.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import relwise  # before torch: it says how torch is to allocate

# isort: split
import numpy as np
import torch

from relwise.data.graph import PARTS
from relwise.evaluate.ranks import Ranks, rank_edges
from relwise.nn.decoders import DistMult
from relwise.predict.scorer import Scorer

# Of 32 (PyKEEN's automatic choice), 128, 256, 512 and 1024 the fastest: 61, 57, 59, 64 and 82 s on two cores.
BATCH = 128
GRID = 16  # states are multiples of 1 / 16: products of three are of 1 / 4096, and their sums stay below 2^24 of those
WHAT = "filtered ranks of the test edges, both ends"


def compare(data_folder: Path, dim: int = 128, rounds: int = 3) -> list[dict[str, object]]:
    """Rank the test edges with ours and with PyKEEN's `RankBasedEvaluator`, in turn; both in this process.

    Args:
        data_folder: of `train.txt`, `valid.txt` and `test.txt`.
        dim: d, the states' size.
        rounds: how often each is timed, after one run to warm up (PyKEEN: of its first batch).

    Returns:
        A row for each: what, who, seconds (median), fastest, slowest, peak_mib (above what was held before; None
        where the system does not say).

    Raises:
        AssertionError: where any rank, or MRR or Hits, differs.
    """
    from pykeen.evaluation import RankBasedEvaluator
    from pykeen.models import DistMult as Theirs
    from pykeen.triples import CoreTriplesFactory

    logging.getLogger("pykeen").setLevel(logging.ERROR)
    logging.getLogger("torch_max_mem").setLevel(logging.ERROR)
    graph = relwise.read(data_folder)
    if graph.parts is None:
        raise ValueError(f"{data_folder} gives no parts")
    parts = [graph.edges[graph.parts == part] for part in range(len(PARTS))]
    torch.manual_seed(0)
    decoder = DistMult(graph.num_relations, dim)
    nodes = torch.randn(graph.num_nodes, dim).mul_(GRID).round_().div_(GRID)
    decoder.relation.data.mul_(GRID).round_().div_(GRID)
    scorer = Scorer(graph, decoder, nodes)

    train, valid, test = (torch.from_numpy(np.stack([e.heads, e.relations, e.tails], axis=1)) for e in parts)
    factory = CoreTriplesFactory(train, num_entities=graph.num_nodes, num_relations=graph.num_relations)
    model: Any = Theirs(triples_factory=factory, embedding_dim=dim, entity_constrainer=None, random_seed=0)
    with torch.no_grad():
        model.entity_representations[0]._embeddings.weight.copy_(nodes)
        model.relation_representations[0]._embeddings.weight.copy_(decoder.relation)

    def ours() -> tuple[Ranks, Ranks]:
        return rank_edges(parts[2], graph.edges, graph, scorer.block)

    def theirs(triples: torch.Tensor = test) -> tuple[RankBasedEvaluator, Any]:
        evaluator = RankBasedEvaluator(filtered=True, clear_on_finalize=False)
        results = evaluator.evaluate(
            model, triples, additional_filter_triples=[train, valid], batch_size=BATCH, use_tqdm=False
        )
        return evaluator, results

    ranks = ours()
    theirs(test[:BATCH])
    seconds, peaks = ([], []), ([], [])
    for _ in range(rounds):
        for who, rank in enumerate((ours, theirs)):
            result, took, peak = _measured(rank)
            seconds[who].append(took)
            peaks[who].append(peak)
            if rank is theirs:
                _assert_equal(ranks, *result)
    names = (f"relwise {version('relwise')}", f"PyKEEN {version('pykeen')} (batches of {BATCH})")
    return [
        {
            "what": WHAT,
            "who": name,
            "seconds": statistics.median(times),
            "fastest": min(times),
            "slowest": max(times),
            "peak_mib": None if None in peak else max(peak),
        }
        for name, times, peak in zip(names, seconds, peaks, strict=True)
    ]


def _assert_equal(ranks: tuple[Ranks, Ranks], evaluator: Any, results: Any) -> None:
    """Every rank as PyKEEN has it, and so the measures, which it computes from them itself."""
    kinds: tuple[Literal["optimistic", "realistic", "pessimistic"], ...] = ("optimistic", "realistic", "pessimistic")
    both = Ranks.concatenate(*ranks)
    for kind in kinds:
        for end, mine in zip(("head", "tail"), ranks, strict=True):
            np.testing.assert_array_equal(mine.of(kind), np.concatenate(evaluator.ranks[end, kind]))
        np.testing.assert_allclose(both.mrr(kind), results.get_metric(f"both.{kind}.mrr"), rtol=1e-6)
        for k in (1, 3, 10):
            np.testing.assert_allclose(both.hits(k, kind), results.get_metric(f"both.{kind}.hits@{k}"), rtol=1e-6)


def _measured(run: Callable[[], Any]) -> tuple[Any, float, float | None]:
    """What a run gives, its seconds, and by how many MiB the process grew at its peak (Linux)."""
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    before = None
    try:
        reset.write_text("5")  # the peak is counted from here
        before = _memory(status, "VmRSS")
    except OSError:
        pass
    start = time.perf_counter()
    result = run()
    took = time.perf_counter() - start
    return result, took, None if before is None else _memory(status, "VmHWM") - before


def _memory(status: Path, which: str) -> float:
    line = next(line for line in status.read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) / 1024


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from data import benchmark_folder

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rows = compare(benchmark_folder("fb15k237"), arguments.dim, arguments.rounds)
    print(f"{WHAT}; d = {arguments.dim}, {torch.get_num_threads()} threads, {arguments.rounds} rounds; equal ranks")
    for row in rows:
        peak = "" if row["peak_mib"] is None else f"   {row['peak_mib']:8.0f} MiB more at the peak"
        print(f"{row['who']:<36}{row['seconds']:8.2f} s   ({row['fastest']:.2f} to {row['slowest']:.2f}){peak}")
    ours, theirs = (float(str(row["seconds"])) for row in rows)
    print(f"{theirs / ours:.0f} times as fast")


if __name__ == "__main__":
    main()
