import numpy as np
import pytest
import torch

from relwise.kernels import pool as cpu
from relwise.kernels.cuda import pool as gpu
from tests.kernels.cuda.device import on_device


class Task:
    """Edges to corrupt in a graph of 40 nodes: each node has a row of known partners, drawn at random."""

    nodes, relations = 40, 2

    def __init__(self, count, known, ranges, seed=0):
        rng = np.random.default_rng(seed)
        self.index, self.replaced = np.arange(count), rng.integers(0, 2, count)
        rows = [np.unique(rng.integers(0, self.nodes, rng.integers(0, known + 1))) for _ in range(self.nodes)]
        rows = [row[row != i] for i, row in enumerate(rows)]
        indptr = np.cumsum([0, *map(len, rows), 0])
        ends = rng.integers(0, self.nodes, (2, count))
        self.edges = cpu.Corruptible(
            ends,
            rng.integers(0, self.relations, count),
            np.broadcast_to(ranges, (2, self.relations, 2)).copy(),
            ends[::-1].copy(),
            indptr,
            np.concatenate(rows).astype(np.int32),
        )
        self.owner = np.arange(count)
        self.rng = rng

    def score(self, width):
        self.query = self.rng.standard_normal((len(self.index), width)).astype(np.float32)
        self.states = self.rng.standard_normal((self.nodes, width)).astype(np.float32)

    def on_cpu(self, seed, wanted, bound, pool, shared):
        """What the CPU proposes, and of it the choice in plain numpy."""
        if shared > 1:
            order, blocks, _ = cpu.arrange(self.edges.relations, self.relations, self.index, self.replaced, shared)
            self.owner[order] = np.repeat(order[blocks[:-1]], np.diff(blocks))
        candidates, refused = np.empty((len(self.index), pool), np.int64), np.empty(len(self.index), np.int64)
        cpu.propose(np.uint64(seed), self.edges, self.index, self.replaced, self.owner, candidates, refused)
        none = candidates[:, 0] < 0
        low, high = self.edges.ranges[self.replaced, self.edges.relations].T
        refused[none] = (cpu.DRAWS + high - low)[none]
        chosen = [choose(self.query[i] @ self.states[c].T, wanted[i], bound[i]) for i, c in enumerate(candidates)]
        return np.where(none, -1, candidates[self.index, chosen]), refused

    def on_gpu(self, seed, wanted, bound, pool, part=slice(None)):
        e, side = self.edges, self.replaced
        low, high = e.ranges[side, e.relations[self.index]].T
        row = e.rows[side, self.index]
        arrays = (
            e.ends[1 - side, self.index], low, high, self.owner, e.indptr[row], e.indptr[row + 1], e.partners,
            self.query, self.states, wanted, bound,
        )  # fmt: skip
        whole = (6, 8)
        tensors = [torch.from_numpy(np.ascontiguousarray(a if k in whole else a[part])) for k, a in enumerate(arrays)]
        chosen, refused = gpu.propose_and_choose(seed, *on_device(*tensors), pool, part.start or 0)
        return chosen.cpu().numpy(), refused.cpu().numpy()


def choose(logits, wanted, bound):
    """The slot whose probability is nearest to `wanted`; of equal logits the first."""
    below, above = np.where(logits <= bound, logits, -np.inf), np.where(logits > bound, logits, np.inf)
    slots = int(below.argmax()), int(above.argmin())
    if not (logits <= bound).any() or not (logits > bound).any():
        return slots[1] if (logits > bound).any() else slots[0]
    low, high = (1 / (1 + np.exp(-logits[slot].astype(np.float64))) for slot in slots)
    return slots[0] if wanted - low <= high - wanted else slots[1]


def aims(count, wanted):
    """Wanted probabilities and their logits, rounded down."""
    wanted = np.full(count, wanted)
    with np.errstate(divide="ignore"):
        share = wanted.clip(0, 1)
        exact = np.log(share) - np.log1p(-share)
    bound = exact.astype(np.float32)
    return wanted, np.where(bound > exact, np.nextafter(bound, np.float32(-np.inf)), bound)


TASKS = {
    # Number of edges, known partners a node at most, range of candidates, pool, edges that share a pool.
    "a few refused": (8, 8, (0, 40), 10, 1),
    "many refused, several tiles": (4, 60, (3, 30), 70, 1),
    "nearly everything refused: the walk": (6, 300, (10, 25), 9, 1),
    "everything refused": (2, 4000, (10, 14), 9, 1),
    "one candidate": (4, 5, (17, 18), 3, 1),
    "shared pools": (14, 8, (0, 40), 12, 6),
}


@pytest.mark.parametrize(
    ("task", "wanted", "width"),
    [*((task, 0.3, 5) for task in TASKS), ("a few refused", 1.0, 40), ("shared pools", 0.0, 3)],
)
def test_chooses_and_refuses_what_the_cpu_does(task, wanted, width):
    count, known, ranges, pool, shared = TASKS[task]
    made = Task(count, known, ranges)
    made.score(width)
    given = (2**64 - 5, *aims(count, wanted), pool)
    want = made.on_cpu(*given, shared)
    got = made.on_gpu(*given)
    assert got[0].tolist() == want[0].tolist()
    assert got[1].tolist() == want[1].tolist()
    assert task != "everything refused" or (want[0] == -1).any()
    assert task != "nearly everything refused: the walk" or (want[1] > cpu.DRAWS).any()


def test_a_slice_chooses_what_the_whole_does():
    made = Task(12, 8, (0, 40))
    made.score(6)
    given = (7, *aims(12, 0.4), 9)
    whole, part = made.on_gpu(*given), made.on_gpu(*given, part=slice(5, 12))
    assert part[0].tolist() == whole[0][5:].tolist()
    assert part[1].tolist() == whole[1][5:].tolist()


def test_a_pool_of_what_is_not_a_number_gives_its_first():
    made = Task(4, 0, (0, 40))
    made.score(6)
    want = made.on_cpu(7, *aims(4, 1.0), 1, 1)
    made.states[:] = np.nan
    assert made.on_gpu(7, *aims(4, 0.4), 9)[0].tolist() == want[0].tolist()
