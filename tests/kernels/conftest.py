"""Fixtures of the kernels' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from relwise.kernels import gemm


@pytest.fixture
def few_slices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sums over a few thousand rows are cut as those over millions are: in slices of several chains."""
    monkeypatch.setattr(gemm, "SLICES", 2)
    gemm.slices_of.cache_clear()
    yield
    gemm.slices_of.cache_clear()
