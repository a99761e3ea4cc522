from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from relwise.kernels.adjacency import build_adjacency
from relwise.nn import forms
from relwise.nn.forms import Counts, bases_seconds, choose_by_counts, choose_form, rows_memory, rows_seconds

AMAZON = Counts(10_099, 13_185, 227_274, 2, 2, 128, 128)
FREEBASE = Counts(14_541, 149_689, 544_230, 474, 10, 128, 128)
WORDNET = Counts(40_943, 103_509, 173_670, 22, 10, 128, 128)
RANDOM = Counts(20_000, 181_312, 200_000, 50, 4, 128, 128)
LARGE = Counts(10**6, 9_063_462, 10**7, 50, 4, 128, 128)


@pytest.mark.parametrize(
    ("counts", "rows", "bases"),
    # Measured, least of five runs: seconds forward and backward of one thread of an AMD Zen 5.
    [
        (AMAZON, 0.035, 0.048),
        (replace(FREEBASE, bases=2), 0.205, 0.107),
        (replace(FREEBASE, bases=4), 0.218, 0.142),
        (FREEBASE, 0.231, 0.245),
        (replace(WORDNET, bases=2), 0.159, 0.149),
        (replace(WORDNET, bases=4), 0.172, 0.212),
        (WORDNET, 0.172, 0.423),
        (replace(RANDOM, bases=2), 0.219, 0.107),
        (RANDOM, 0.237, 0.150),
        (replace(RANDOM, bases=10), 0.231, 0.259),
        (Counts(10_000, 98_185, 400_000, 10, 4, 128, 128), 0.136, 0.102),
        (replace(FREEBASE, in_dim=64, out_dim=64), 0.090, 0.119),
        (replace(FREEBASE, bases=10, in_dim=32, out_dim=32), 0.058, 0.080),
    ],
)
def test_estimates_are_near_what_was_measured_and_choose_the_faster(counts, rows, bases):
    assert rows_seconds(counts) == pytest.approx(rows, rel=0.2)
    assert bases_seconds(counts) == pytest.approx(bases, rel=0.2)
    assert choose_by_counts(counts) == ("rows" if rows < bases else "bases")


def test_rows_beyond_the_budget_are_never_made(monkeypatch):
    assert rows_memory(LARGE) > forms.BUDGET
    slow = replace(LARGE, bases=40)
    assert bases_seconds(slow) > rows_seconds(slow)
    assert choose_by_counts(slow) == "bases"
    monkeypatch.setattr(forms, "BUDGET", rows_memory(LARGE))
    assert choose_by_counts(slow) == "rows"


def test_memory_of_rows_counts_gradients_and_another_size_of_the_sources():
    assert rows_memory(replace(AMAZON, rows=10)) == 10 * 128 * 4 * 2
    assert rows_memory(replace(AMAZON, rows=10, in_dim=32)) == 10 * 4 * (128 * 2 + 32)


sizes = st.integers(1, 10**6)


# Of narrow states, or more than 20 bases, making a row anew takes longer than the row.
@given(sizes, sizes, st.integers(0, 10**7), st.integers(1, 500), st.integers(1, 20), st.sampled_from([64, 128, 256]))
def test_more_pairs_never_turn_bases_into_rows(nodes, rows, edges, relations, count, dim):
    counts = Counts(nodes, rows, edges, relations, count, dim, dim)
    if choose_by_counts(counts) == "bases":
        for factor in (2, 5, 100):
            assert choose_by_counts(replace(counts, rows=factor * rows)) == "bases"


@given(sizes, sizes, st.integers(0, 10**7), st.integers(1, 40))
def test_more_bases_never_turn_rows_into_bases(nodes, rows, edges, count):
    # With few relations, whose matrices cost nothing to make.
    counts = Counts(nodes, rows, edges, 1, count, 128, 128)
    if nodes > 10 and choose_by_counts(counts) == "rows":
        assert choose_by_counts(replace(counts, bases=count + 3)) == "rows"


def complete(nodes, relations, sources):
    """Every relation from each of the first `sources` nodes, to the next node."""
    source = torch.arange(sources).repeat(relations)
    relation = torch.arange(relations).repeat_interleave(sources)
    return build_adjacency(source, (source + 1) % nodes, relation, nodes, relations)


def test_it_reads_the_counts_off_the_graph():
    many, few = complete(100, 30, 100), complete(100, 30, 5)
    assert choose_form(many, 2, 128, 128, 2) == "bases"
    assert choose_form(few, 2, 128, 128, 2) == "rows"
    assert choose_form(many, 40, 128, 128, 2) == "rows"
    assert choose_form(many, None, 128, 128, 2) == "rows"
