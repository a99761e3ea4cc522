"""The ablation's parts do what they say, on a small graph; rows stand once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import ablation
import trials
from ablation_parts import attention_off, fusion_off, masking_off, relation_state_off
from record import read_rows, write_rows
from relwise.data.graph import Graph
from relwise.data.split import Split, split_graph
from relwise.nn.encoders import RGCN
from relwise.nn.model import RelGNN
from relwise.settings import Settings
from relwise.train.loop import Trainer
from tests.fakes import small_graph

SMALL = {"dim": 8, "steps": 6, "eval_every": 3, "warmup": 2, "pool": 3}


@pytest.fixture(scope="module")
def data() -> tuple[Graph, Split]:
    graph = small_graph()
    return graph, split_graph(graph)


def trainer(data: tuple[Graph, Split], **own: object) -> Trainer:
    return Trainer(*data, Settings.of({**SMALL, **own}), 0)


def states(one: Trainer) -> torch.Tensor:
    one.model.eval()
    with torch.no_grad():
        return one.model.encode(one.inputs, one.adjacency, edge_inputs=one.edge_inputs)


@pytest.mark.parametrize("bases", [None, 3])
@pytest.mark.parametrize("training", [False, True])
def test_without_attention_and_fusion_outputs_are_rgcn_s(
    data: tuple[Graph, Split], bases: int | None, training: bool
) -> None:
    ours, theirs = trainer(data, bases=bases), trainer(data, bases=bases, encoder="rgcn")
    attention_off(ours)
    assert isinstance(ours.model, RelGNN)
    assert isinstance(theirs.model, RGCN)
    known = {name: value for name, value in ours.model.state_dict().items() if name in theirs.model.state_dict()}
    theirs.model.load_state_dict(known)  # strict: every weight of R-GCN's is one of ours
    kept = torch.rand(len(ours._learnable), generator=torch.Generator().manual_seed(1)) < 0.7
    found = []
    for one in (ours, theirs):
        if one is ours:
            fused = states(ours)
            fusion_off(ours)
        one.model.train(training)
        torch.manual_seed(3)  # of dropout
        start = one.model.encode(one.inputs, one.adjacency, kept)
        start.square().sum().backward()
        found.append((start, one.model.layers[0].basis.grad))
    for mine, other in zip(*found, strict=True):
        assert torch.allclose(mine, other, atol=1e-5)
    assert not torch.allclose(fused, states(ours), atol=1e-3)  # fusion had a say


def test_attention_has_a_say_when_it_is_on(data: tuple[Graph, Split]) -> None:
    on, off = trainer(data), trainer(data)
    attention_off(off)
    assert not torch.allclose(states(on), states(off), atol=1e-3)


def test_without_relation_states_they_change_nothing(data: tuple[Graph, Split]) -> None:
    on, off = trainer(data), trainer(data)
    relation_state_off(off)
    before = [states(one) for one in (on, off)]
    for one in (on, off):
        assert isinstance(one.model, RelGNN)
        with torch.no_grad():
            one.model.decoder.relation.mul_(3)
            one.model.inverse_state.mul_(3)
    assert not torch.allclose(before[0], states(on), atol=1e-4)
    assert torch.equal(before[1], states(off))


def test_without_masking_all_facts_speak_and_the_same_are_learnt(data: tuple[Graph, Split]) -> None:
    on, off = trainer(data), trainer(data)
    masking_off(off)
    (index, keep), (same, every) = on._supervised(5), off._supervised(5)
    assert np.array_equal(index, same)
    assert every.all()
    assert not keep.all()


@pytest.mark.parametrize("change", [attention_off, relation_state_off, fusion_off, masking_off])
def test_what_is_left_learns(data: tuple[Graph, Split], change) -> None:
    one, losses = trainer(data, steps=60, eval_every=20, warmup=20), []
    change(one)
    result = one.fit(lambda state, loss: losses.append(loss))
    assert np.mean(losses[-10:]) < np.mean(losses[:5]) - 0.05
    assert result.history[-1]["auc"] > 0.6


# -- the program -------------------------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path, data: tuple[Graph, Split], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ablation, "CSV", tmp_path / "ablation.csv")
    monkeypatch.setattr(trials, "load", lambda name: data)
    monkeypatch.setitem(trials.OPTIONS, "amazon", SMALL)
    return tmp_path / "ablation.csv"


def test_a_row_for_each_part_and_what_stands_is_not_run_again(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["run", "--data", "amazon", "--seeds", "2"]
    assert ablation.main(asked) == 0
    rows = read_rows(results)
    parts = [name for name, part in ablation.PARTS.items() if "amazon" in part.data]
    assert [(row["part"], row["seed"]) for row in rows] == [(name, seed) for seed in "01" for name in parts]
    for row in rows:
        assert 0 <= float(row["ap"]) <= 1
        assert row["command"] == f"python benchmarks/ablation.py run --data amazon --seeds {int(row['seed']) + 1}"
        assert "torch-" in row["versions"]
    full = {row["seed"]: row for row in rows if row["part"] == ablation.FULL}
    for name in parts[1:]:  # each part is another model, whose test edges score otherwise
        (row,) = (r for r in rows if (r["part"], r["seed"]) == (name, "0"))
        assert row["mrr"] != full["0"]["mrr"], name
    assert "| attention off |" in capsys.readouterr().out
    monkeypatch.setattr(trials, "load", lambda name: pytest.fail("the data are read though every row stands"))
    assert ablation.main(asked) == 0
    assert read_rows(results) == rows


def test_differences_are_seed_by_seed(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def row(part: str, seed: int, ap: float) -> dict[str, str]:
        same = dict.fromkeys(("auc", "mrr", "mrr_joint", "f1", "valid_ap"), "0.5")
        return {"data": "amazon", "part": part, "seed": str(seed), "ap": str(ap), **same, "best_step": "7",
                "two_core_seconds": "9"}  # fmt: skip

    full, off = (0.9, 0.5), (0.88, 0.479)
    write_rows(
        results,
        [row(ablation.FULL, s, ap) for s, ap in enumerate(full)]
        + [row("fusion off", s, ap) for s, ap in enumerate(off)],
    )
    assert ablation.main(["show"]) == 0
    printed = capsys.readouterr().out
    assert "| full model | 50.00 ± 0.00 | 70.00 ± 28.28 |  | 50.00 ± 0.00 |" in printed
    assert "| fusion off | 50.00 ± 0.00 | 67.95 ± 28.35 | **-2.05 ± 0.07** | 50.00 ± 0.00 | 0.00 ± 0.00 |" in printed
    assert "Not run yet: attention off" in printed


def test_a_wrong_name_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert ablation.main(["show", "--data", "amazn"]) == 2
    assert "there is no data set 'amazn'; did you mean 'amazon'?" in capsys.readouterr().err
