"""The kernels compiled for GPUs without one: what the interpreter lets pass, Triton's compiler and ptxas may refuse."""

import numpy as np
import pytest
import torch

from relwise.kernels.cuda import attention, common, dropout, pool, scoring
from tests.kernels.cuda.compiled import Compiler
from tests.kernels.cuda.graphs import inputs, message_graph

AMPERE, HOPPER = 80, 90


@pytest.fixture
def compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))

    def start(capability):
        made = Compiler(capability)
        for module in (attention, common, dropout, pool, scoring):
            monkeypatch.setattr(module, "launch", made)
        return made

    return start


def run_attention(heads, width, dtype):
    a = message_graph(0, nodes=40, edges=600)
    target, row, rows, grad = inputs(a, heads, width, torch.float32)
    rows, grad = rows.to(dtype), grad.to(dtype)
    edges = (a.indptr, a.row, a.fact, torch.ones(a.num_facts, dtype=torch.bool))
    _, total = attention.attend(target, row, rows, *edges, 0.2)
    attention.attend_backward(grad, target, row, rows, total, *edges, a.row_indptr, a.row_target, 0.2)


def run_scoring(width, paired=False):
    nodes, ends = torch.ones(300, width), torch.zeros(500, dtype=torch.int64)
    scoring.edge_product(nodes, nodes[:7], ends, ends, ends, paired)
    scoring.edge_product_backward(torch.ones(500), nodes, nodes[:7], ends, ends, ends, paired)


def run_pool(width):
    states, edges, wanted = torch.ones(300, width), torch.zeros(50, dtype=torch.int64), torch.ones(50)
    pool.propose_and_choose(
        2**64 - 1, *[edges] * 6, edges.int(), states[:50], states, wanted.double(), wanted, np.int64(100)
    )


def test_everything_compiles_for_hopper_and_reads_rows_16_bytes_at_a_time(compiler):
    made = compiler(HOPPER)
    run_attention(heads=2, width=64, dtype=torch.float32)
    run_scoring(64)
    run_pool(64)
    dropout.drop(torch.ones(300, 64), 2**14, torch.tensor(7))
    assert {"logsumexp", "weigh", "sum_rows", "rows_backward", "inner", "logits_backward", "sum_by_row"} < set(
        made.kernels
    )
    assert {"merge", "merge_logsumexp", "merge_inner", "forward", "backward", "choose", "_drop"} < set(made.kernels)
    for name in ("sum_rows", "rows_backward", "forward", "backward", "choose"):
        assert "ld.global.v4" in made.kernels[name].asm["ptx"], name
    for name, kernel in made.kernels.items():
        assert "atom." not in kernel.asm["ptx"], name
        assert "red.global" not in kernel.asm["ptx"], name
        assert len(kernel.asm["cubin"]) > 0


def test_bfloat16_and_a_wide_d_that_is_no_power_of_two_compile_for_ampere(compiler):
    made = compiler(AMPERE)
    run_attention(heads=1, width=300, dtype=torch.bfloat16)
    run_scoring(300, paired=True)
    assert len(made.kernels) == 12
