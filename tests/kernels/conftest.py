"""Fixtures of the kernels' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from relwise.kernels import slices


@pytest.fixture
def few_slices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sums over a few thousand rows are cut as those over millions are: in slices of several chains."""
    monkeypatch.setattr(slices, "FEW", 0)
    monkeypatch.setattr(slices, "SLICES", 2)
    slices.slices_of.cache_clear()
    yield
    slices.slices_of.cache_clear()
