"""Pieces of memory that lie idle: whose they are, how many, and until when."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relwise.kernels import tables as module
from relwise.kernels.tables import Tables, free_memory


def held(tables: Tables) -> int:
    return tables.used + sum(map(len, tables.idle))


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.integers(0, 3))))
def test_each_piece_is_one_ones_and_never_more_are_held_than_were_in_use(steps):
    tables, in_use, most = Tables(), [], 0
    for number, (size, for_now, gone) in enumerate(steps):
        piece = tables.take(size, for_now)
        assert len(piece) >= size
        assert for_now or len(piece) <= 1.1 * size
        piece[:] = number % 256
        in_use.append((piece, number % 256))
        most = max(most, sum(len(p) for p, _ in in_use))
        assert tables.used == sum(len(p) for p, _ in in_use)
        assert held(tables) <= tables.most == most
        for _ in range(min(gone, len(in_use))):
            of, value = in_use.pop(0)
            assert (of == value).all(), "somebody else wrote into it"
            tables.give(of)


def test_what_lies_longest_goes_first():
    tables = Tables()
    one, four = tables.take(100), tables.take(400)
    tables.give(four)
    tables.give(one)
    two = tables.take(200)
    assert [len(piece) for piece in tables.idle] == [100]
    tables.give(two)
    tables.take(900)
    assert tables.idle == []
    assert held(tables) == tables.most == 900


def test_no_more_lies_idle_than_there_is_free_memory_besides(monkeypatch):
    tables, free = Tables(), 250
    monkeypatch.setattr(module, "free_memory", lambda: free)
    pieces = [tables.take(100) for _ in range(5)]
    for piece in pieces:
        tables.give(piece)
    assert len(tables.idle) == 2
    free = 0
    tables.give(tables.take(100))
    assert len(tables.idle) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the system says it elsewhere")
def test_free_memory_is_what_the_limits_leave(tmp_path, monkeypatch):
    import resource

    none = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda _: (none, none))
    whole = free_memory(tmp_path)
    assert 0 < whole < 1 << 50
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("70000\n")
    assert free_memory(tmp_path) > whole / 2
    (tmp_path / "memory.max").write_text("100000\n")
    assert free_memory(tmp_path) == 30_000
    (tmp_path / "memory.max").write_text("50000\n")
    assert free_memory(tmp_path) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the system says it elsewhere")
@pytest.mark.parametrize("name", ["RLIMIT_DATA", "RLIMIT_AS"])
def test_the_process_s_own_limits_count(monkeypatch, tmp_path, name):
    import resource

    def of(limit):
        none = resource.RLIM_INFINITY
        return lambda which: (limit, none) if which == getattr(resource, name) else (none, none)

    monkeypatch.setattr(resource, "getrlimit", of(1 << 50))
    assert free_memory(tmp_path) > 0
    monkeypatch.setattr(resource, "getrlimit", of(1))
    assert free_memory(tmp_path) == 0
