"""The printed table of measures: which edges have rows of their own."""

from __future__ import annotations

from typing import Any

import pytest

from relwise.card import MEASURES
from relwise.show import print_measures


def measured(value: float, positives: int = 5) -> dict[str, Any]:
    values = dict.fromkeys(MEASURES, value)
    counts = {"micro": {"positives": positives, "negatives": positives}}
    return {"micro": values, "relations": {}, "baselines": {"path3": values}, "counts": counts}


def metrics(leaked: int = 0, reversed_: int = 0, **buckets: Any) -> dict[str, Any]:
    counts = {"positives": 5, "same": 0, "reversed": reversed_, "other": leaked, "other_only": leaked, "leaked": leaked}
    return {
        "split": "test",
        **measured(0.11),
        "leakage": {"counts": counts, "sentences": []},
        "without_reversed": measured(0.22),
        "without_leaked": measured(0.33),
        **buckets,
    }


@pytest.mark.parametrize(
    ("given", "shown", "hidden"),
    [
        (metrics(), ["11.00"], ["22.00", "33.00", "unseen", "not leaked"]),
        (metrics(leaked=1), ["33.00", "not leaked: nor"], ["22.00", "unseen"]),
        (metrics(leaked=2, reversed_=2), ["22.00", "33.00", "not reversed: without"], ["unseen"]),
        (
            metrics(seen=measured(0.44), unseen=measured(0.55)),
            ["44.00", "55.00", "unseen: an end of the edge has no training edge"],
            ["22.00", "not leaked"],
        ),
        (metrics(seen=measured(0.44, 0), unseen=measured(0.55)), ["55.00", "unseen: an end"], ["44.00"]),
    ],
)
def test_edges_have_rows_of_their_own_where_there_are_some(
    given: dict[str, Any], shown: list[str], hidden: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    print_measures(given)
    out = capsys.readouterr().out
    assert all(word in out for word in ("network", "path3", *shown))
    assert not any(word in out for word in hidden)
