"""Tests that launch kernels are collected only where kernels can run.

Triton must be told of its interpreter before it is imported, and stays with it: `test_interpreter.py` runs them in a
process of their own, so that the rest of the session is not affected.
"""

from __future__ import annotations

from tests.kernels.cuda.device import CAN_RUN, HAS_TRITON, INTERPRETED

LAUNCHING = [
    "test_attention.py",
    "test_pool.py",
    "test_scoring.py",
    "test_register.py",
    "test_dropout.py",
    "test_sums.py",
]
collect_ignore = [] if CAN_RUN else list(LAUNCHING)
if INTERPRETED:
    collect_ignore += ["test_interpreter.py"]
if INTERPRETED or not HAS_TRITON:
    collect_ignore += ["test_compiled.py"]
