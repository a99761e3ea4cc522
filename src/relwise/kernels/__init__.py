"""The few fused operations: tensors or arrays in, tensors or arrays out, nothing of what they mean.

Attention (`attention.py`), scoring (`scoring.py`) and dropout are `torch.library` operators, each with a plain torch
implementation (the oracle of the tests, any device: `reference.py` holds attention's), a Numba one for the CPU
(`attention_forward.py`, `softmax.py`, `hubs.py` and `attention_backward.py`; `scoring_cpu.py`) and, attention and
scoring, a Triton one (`cuda/`); PyTorch's dispatcher picks, save where a step on the CPU knows better: to be dispatched
takes longer than some of the work. The products of a layer (`layer_products.py`, `gemm.py`, `gemm_gradients.py`,
`grouped.py`), the heads' logits (`node_logits.py`, `heads.py`) and the fusion (`fusion.py`) are plain functions with a
plain torch path; so is the cross entropy of scored triples with its gradient (`cross_entropy.py`, `losses.py`), on the
CPU alone. Adam (`adam.py`) is PyTorch's kernel.
Proposing negatives (`pool.py`) and choosing among them (`nearest.py`), and ranking (`ranking.py`), are Numba alone:
nothing there is differentiated. `tile.py`, `registers.py`, `lanes.py`, `row_sums.py` and `vector.py` are what all of
these are made of.
"""
