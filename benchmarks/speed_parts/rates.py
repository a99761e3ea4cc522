"""What this machine can do, measured: matrix products, rows gathered at random and summed, memory streamed.

Each by the best means at hand and at the size of the operation whose floor it is to be, in the same process.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit, prange

from relwise.kernels.vector import REORDERED, exp_of_negative, prefetch
from speed_parts.measure import best

AHEAD = 8
BLOCKS = 128


@dataclass(frozen=True)
class Rates:
    """Rates of a device, each measured when it is asked for.

    Args:
        device: "cpu" or "cuda".
        budget: seconds for each measurement.
    """

    device: str = "cpu"
    budget: float = 0.3

    def product(self, rows: int, inside: int, columns: int) -> float:
        """Floating-point operations a second of (rows, inside) @ (inside, columns) in float32."""
        a, b = torch.randn(rows, inside, device=self.device), torch.randn(inside, columns, device=self.device)
        out = torch.empty(rows, columns, device=self.device)
        ways = [lambda: torch.mm(a, b, out=out)]
        if self.device == "cpu" and torch.backends.mkldnn.is_available():
            turned = b.t().contiguous()
            for weight in (turned, b.t()):
                ways.append(lambda w=weight: torch.ops.mkldnn._linear_pointwise(a, w, None, "none", [], ""))
        return 2 * rows * inside * columns / min(best(way, self.device, self.budget) for way in ways)

    def gather(self, table_rows: int, dim: int, count: int) -> float:
        """Bytes a second of rows read at random from a table of that size, and summed some at a time."""
        table = torch.randn(table_rows, dim, device=self.device)
        index = torch.randint(0, table_rows, (count,), dtype=torch.int32, device=self.device)
        sums = max(1, count // 16)
        pointer = torch.linspace(0, count, sums + 1, device=self.device).to(torch.int32)
        bag = torch.nn.functional.embedding_bag
        fastest = best(lambda: bag(index, table, pointer[:-1], mode="sum"), self.device, self.budget)
        if self.device == "cpu":
            out = np.empty((sums, dim), np.float32)
            arrays = table.numpy(), index.numpy().view(np.uint32), pointer.numpy(), out
            fastest = min(fastest, best(lambda: _gather_sum(*arrays), self.device, self.budget))
        return count * dim * 4 / fastest

    def stream(self, size: int) -> float:
        """Bytes a second read and written, in arrays of `size` bytes together: copied, or summed."""
        numbers = max(1024, size // 4)
        whole = torch.ones(numbers, device=self.device)
        one, other = whole[: numbers // 2], torch.empty(numbers // 2, device=self.device)
        copied = best(lambda: other.copy_(one), self.device, self.budget)
        return 4 * max(2 * len(one) / copied, numbers / best(whole.sum, self.device, self.budget))

    def exponentials(self) -> float:
        """Exponentials a second, of numbers in the nearest cache."""
        if self.device == "cpu":
            arrays = -np.random.default_rng(0).random((BLOCKS, 2048), np.float32), np.zeros((BLOCKS, 2048), np.float32)
            return 16 * BLOCKS * 2048 / best(lambda: _exponentials(*arrays, 16), "cpu", self.budget)
        x = torch.randn(1 << 20, device=self.device)
        return len(x) / best(lambda: torch.exp_(x.neg_()), self.device, self.budget)


@njit(parallel=True, fastmath=REORDERED, cache=True)
def _gather_sum(table, index, pointer, out):
    """out[i] = the sum of the rows index[pointer[i]:pointer[i + 1]], four at a time, asked for ahead."""
    width, count = table.shape[1], len(out)
    for block in prange(BLOCKS):
        for i in range(block * count // BLOCKS, (block + 1) * count // BLOCKS):
            line, first, last = out[i], pointer[i], pointer[i + 1]
            line[:] = 0
            e = first
            while e + 4 <= last:
                for ahead in range(e + AHEAD, min(e + AHEAD + 4, len(index))):
                    prefetch(table, index[ahead])  # pyright: ignore[reportCallIssue]
                a, b, c, d = table[index[e]], table[index[e + 1]], table[index[e + 2]], table[index[e + 3]]
                for k in range(width):
                    line[k] += (a[k] + b[k]) + (c[k] + d[k])
                e += 4
            while e < last:
                a = table[index[e]]
                for k in range(width):
                    line[k] += a[k]
                e += 1


@njit(parallel=True, fastmath=REORDERED, cache=True)
def _exponentials(x, out, times):
    for block in prange(len(x)):
        for _ in range(times):
            for k in range(x.shape[1]):
                out[block, k] += exp_of_negative(x[block, k])
