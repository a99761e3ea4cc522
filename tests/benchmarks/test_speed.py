"""The speed benchmark's own workings: graphs, equal peers, processes in turn, and misses that are shown as such."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
import torch

import speed
from speed_parts import bars, cases, layer, step
from speed_parts.graphs import both_ways, distinct, of_adjacency
from speed_parts.measure import Watch, repeat
from speed_parts.peers import LEAN
from speed_parts.processes import OUT_OF_MEMORY, case_name, in_process, in_turn, limited, together


def test_graphs_are_what_they_say() -> None:
    one, again = (distinct(20_000, 2_000, 2, skew=0.6, seed=3) for _ in range(2))
    low, high = np.minimum(one.source, one.target), np.maximum(one.source, one.target)
    assert len(np.unique(np.stack([one.relation, low, high]), axis=1).T) == len(one) == 20_000
    assert (one.source != one.target).all()
    np.testing.assert_array_equal(one.target, again.target)
    degrees = np.sort(np.bincount(np.concatenate([one.source, one.target]), minlength=2_000))[::-1]
    assert degrees.sum() == 40_000
    assert degrees[0] > 20 * degrees.mean()  # a hub
    assert 0.3 < np.polyfit(np.log(np.arange(1, 201)), -np.log(degrees[:200]), 1)[0] < 0.7  # degrees fall as i^-0.6


def test_every_peer_has_the_same_edges() -> None:
    edges = both_ways(distinct(300, 40, 3, skew=0.0, seed=0))
    back = of_adjacency(edges.adjacency())
    rows = [
        np.stack([m.source, m.target, m.relation])[:, np.lexsort((m.relation, m.source, m.target))]
        for m in (edges, back)
    ]
    np.testing.assert_array_equal(*rows)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_lean_peer_is_our_layer(dtype: torch.dtype, bound: float) -> None:
    found = layer.differences(dtype)
    assert {"states", "grad of states", "weight", "weight_self", "relation_state"} <= found.keys()
    assert max(found.values()) < bound


def test_peer_s_network_begins_as_ours() -> None:
    assert step.same_states(cases.case("step", "tiny", dim=8)) < 1e-5


def test_in_turn_alternates_and_stops_what_failed() -> None:
    seen = []
    group = [
        cases.case("layer", "tiny", who, rounds=rounds) for who, rounds in (("relwise", 3), (LEAN, 3), ("RGCNConv", 1))
    ]

    def run(spec):
        seen.append(spec["who"])
        return (
            [{"status": OUT_OF_MEMORY}]
            if spec["who"] == LEAN
            else [{"samples": [len(seen)], "grown_mib": 10 - len(seen)}]
        )

    rows = dict((spec["who"], found) for spec, found in in_turn(group, run))
    assert seen == ["relwise", LEAN, "RGCNConv", "relwise", "relwise"]
    assert rows[LEAN] == [{"status": OUT_OF_MEMORY, "processes": 1}]
    assert rows["relwise"] == [
        {"status": "ok", "processes": 3, "grown_mib": 9, "median_s": 4, "fastest_s": 1, "slowest_s": 5, "samples": 3}
    ]
    assert together([]) == []


def test_what_does_not_end_in_time_is_a_row() -> None:
    spec = cases.case("layer", "tiny", timeout=0.1)
    assert in_process(spec, 20e9, 1) == [{"status": "not done in 0.1 s"}]


def test_only_a_lack_of_memory_is_one() -> None:
    def fail(error: Exception):
        def measure(_):
            raise error

        return measure

    assert limited(fail(MemoryError()), {}) == [{"status": OUT_OF_MEMORY}]
    assert limited(fail(RuntimeError("DefaultCPUAllocator: can't allocate memory")), {}) == [{"status": OUT_OF_MEMORY}]
    for other in ("a wrong shape", "CUDA error: an illegal memory access was encountered"):
        with pytest.raises(RuntimeError, match=other):
            limited(fail(RuntimeError(other)), {})


def test_a_row_says_whether_passes_were_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def run(command, env, **_):
        asked.append(env["RELWISE_CUDA_GRAPHS"])
        return subprocess.CompletedProcess(command, 0, '[{"status": "ok"}]', "")

    monkeypatch.setenv("RELWISE_CUDA_GRAPHS", "1")
    monkeypatch.setattr(subprocess, "run", run)
    for spec in cases.on_gpu("step")[0]:
        in_process(spec, 0, 1)
    assert asked == ["0", "1", "0"]
    names = [case_name(spec) for part in cases.DEVICE_PARTS for group in cases.on_gpu(part) for spec in group]
    assert len(set(names)) == len(names)


def test_what_stands_is_not_measured_again() -> None:
    groups = [group for group in cases.full("layer") if group[0]["who"] == "RGATConv" and group[0]["graph"] == "amazon"]
    (first,), (smaller, ours), *_ = groups

    def pending(spec, status, group):
        return speed._pending(spec, status, group)

    assert pending(first, {}, groups[0])
    assert not pending(first, {case_name(first): OUT_OF_MEMORY}, groups[0])
    failed = {case_name(first): OUT_OF_MEMORY}
    assert pending(smaller, failed, groups[1])
    assert pending(ours, failed, groups[1])
    assert not pending(smaller, {case_name(first): "ok"}, groups[1])
    assert not pending(ours, failed | {case_name(smaller): OUT_OF_MEMORY}, groups[1])
    assert len({case_name(s) for p in cases.PARTS for g in cases.full(p) for s in g}) == sum(
        len(g) for p in cases.PARTS for g in cases.full(p)
    )


def test_misses_are_shown_as_misses(capsys: pytest.CaptureFixture[str]) -> None:
    about = {"cpu": "a CPU", "threads": "2", "load": "0.1", "versions": "", "commit": ""}
    found = {"samples": 3, "fastest_s": 0.9, "slowest_s": 3.0, "structure_mib": 1.0}
    rows = [
        speed.as_row(cases.case("layer", "amazon", who, huge=False), {"median_s": m, "grown_mib": g, **found}, about)
        for who, m, g in (("relwise", 1.0, 100.0), (LEAN, 16.0, 700.0))
    ]
    peak = {"status": OUT_OF_MEMORY}
    rows.append(speed.as_row(cases.case("epoch", "power-law-50M", dim=64), peak, about))
    judged = {v.what: v for v in bars.verdicts(rows) if v.found is not None}
    time, memory, epoch = judged.values()
    assert (time.found, time.bar, time.met) == (16, 15, True)
    assert (memory.found, memory.bar, memory.met) == (7, 8, False)
    assert memory.note.startswith("6.94 ")  # (700 + 1) / (100 + 1)
    assert epoch.met is False
    speed.tables.show(rows)
    printed = capsys.readouterr().out
    assert printed.count("MISSED") == 2
    assert "| RelGNN in PyG ops | 16.00 s | 900.0 ms to 3.00 s | 16.00 times |" in printed
    assert OUT_OF_MEMORY in printed


def test_repetitions_and_memory() -> None:
    runs = []
    assert len(repeat(lambda: runs.append(1), budget=0.0, least=4, warm=2)) == 4
    assert len(runs) == 6
    watch = Watch()
    held = torch.ones(16 << 20)  # 64 MiB
    grown = watch.read()["grown_mib"]
    if grown is not None:
        assert 60 < grown < 80
    assert held.sum() == 16 << 20
