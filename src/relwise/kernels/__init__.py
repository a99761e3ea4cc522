"""The few fused operations, as `torch.library` operators: tensors in, tensors out, nothing of what they mean.

Each has a plain torch implementation (the oracle of the tests, any device) and a Numba one for the CPU; PyTorch's
dispatcher picks. Attention's two stand in `reference.py` and `cpu.py`; scoring and dropout, each shorter, in one file.
Proposing negatives (`pool.py`, over `hashset.py`) is Numba alone: integers in, integers out, nothing to differentiate.
"""
