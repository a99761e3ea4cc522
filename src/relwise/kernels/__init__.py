"""The few fused operations, as `torch.library` operators: tensors in, tensors out, nothing of what they mean.

Each operator has a plain torch implementation (`reference.py`: the oracle of the tests, any device) and a Numba
one for the CPU (`cpu.py`); PyTorch's dispatcher picks.
"""
