"""Checkpoints: a training that goes on from one ends as an unbroken one does, and a wrong one is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from relwise.data.fingerprint import fingerprint
from relwise.data.graph import Attribute, Graph
from relwise.data.split import split_graph
from relwise.errors import InputError
from relwise.kernels.matmul import library, use_library
from relwise.predictor import RelationshipPredictor
from relwise.settings import Settings
from relwise.train import checkpoint
from relwise.train.checkpoint import load_checkpoint, save_checkpoint
from relwise.train.loop import Trainer
from relwise.train.state import TrainingResult
from tests.fakes import small_graph
from tests.small_data import TINY

GRAPH = small_graph()


class KilledError(Exception):
    """Stands for a kill."""


@pytest.fixture(autouse=True)
def _keep_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def make_trainer(graph: Graph = GRAPH, seed: int = 0, **given: Any) -> Trainer:
    return Trainer(graph, split_graph(graph, seed), Settings.of({**TINY, **given}), seed)


def data_of(trainer: Trainer) -> str:
    return fingerprint(trainer.graph, trainer.split)


def stop_after(validations: int, path: Path, **given: Any) -> Trainer:
    """A training that writes a checkpoint at each validation and is stopped after so many."""
    trainer = make_trainer(**given)
    left = validations

    def validated(_: object) -> None:
        nonlocal left
        save_checkpoint(trainer, path, data_of(trainer))
        left -= 1
        if not left:
            raise KilledError

    with pytest.raises(KilledError):
        trainer.fit(on_validation=validated)
    return trainer


def resumed(path: Path, **given: Any) -> Trainer:
    trainer = make_trainer(**given)
    load_checkpoint(trainer, path, data_of(trainer))
    return trainer


def assert_same_weights(one: Trainer, other: Trainer) -> None:
    mine, its = one.model.state_dict(), other.model.state_dict()
    assert mine.keys() == its.keys()
    for name in mine:
        assert torch.equal(mine[name], its[name]), name


def timeless(result: TrainingResult) -> TrainingResult:
    return replace(result, seconds=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A checkpoint after the first of four validations."""
    stop_after(1, tmp_path / "checkpoint.safetensors")
    return tmp_path / "checkpoint.safetensors"


@pytest.mark.parametrize(
    ("validations", "given"),
    [
        (1, {}),
        (2, {"sampler": "asa", "mu_decay": "linear", "warmup": 7}),
        (3, {"sampler": "hardest", "warmup": 12, "select": "mrr", "weight_decay": 0.01}),
        (4, {"node_embedding": True, "bases": 2}),
        (2, {"node_embedding": True, "embedding_dropout": 0.3, "text": "rnn_pretrained"}),
        (1, {"sampler": "nscaching", "warmup": 4, "pool": 6}),
        (2, {"sampler": "nscaching", "warmup": 25, "pool": 3}),
        (2, {"sampler": "kbgan", "warmup": 4, "pool": 6}),
        (1, {"sampler": "kbgan", "warmup": 25, "pool": 3}),
        # So high a rate that the best state is an early one, and patience ends the training.
        (2, {"learning_rate": 0.1, "steps": 60, "eval_every": 2, "patience": 3}),
    ],
)
def test_a_resumed_training_ends_as_an_unbroken_one(tmp_path: Path, validations: int, given: dict[str, Any]) -> None:
    unbroken = make_trainer(**given)
    expected = unbroken.fit()
    path = tmp_path / "checkpoint.safetensors"
    stop_after(validations, path, **given)
    trainer = resumed(path, **given)
    assert trainer.state.step == validations * trainer.settings.eval_every
    result = trainer.fit()
    assert timeless(result) == timeless(expected)
    assert_same_weights(trainer, unbroken)


def test_a_training_stopped_at_every_validation_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = make_trainer()
    expected = unbroken.fit()
    path = tmp_path / "checkpoint.safetensors"
    stop_after(1, path)
    for _ in range(2):
        trainer = resumed(path)

        def validated(_: object, trainer: Trainer = trainer) -> None:
            save_checkpoint(trainer, path, data_of(trainer))
            raise KilledError

        with pytest.raises(KilledError):
            trainer.fit(on_validation=validated)
    trainer = resumed(path)
    assert trainer.state.step == 15
    assert timeless(trainer.fit()) == timeless(expected)
    assert_same_weights(trainer, unbroken)


def test_steps_after_the_last_checkpoint_are_done_again(tmp_path: Path) -> None:
    unbroken = make_trainer()
    unbroken.fit()
    path = tmp_path / "checkpoint.safetensors"
    trainer = make_trainer()

    def step(state: Any, _: float) -> None:
        if state.step == 8:
            raise KilledError

    with pytest.raises(KilledError):
        trainer.fit(step, lambda _: save_checkpoint(trainer, path, data_of(trainer)))
    other = resumed(path)
    assert other.state.step == 5
    other.fit()
    assert_same_weights(other, unbroken)


def test_a_finished_training_is_not_trained_further(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    unbroken = make_trainer()
    expected = unbroken.fit(on_validation=lambda _: save_checkpoint(unbroken, path, data_of(unbroken)))
    trainer = resumed(path)
    steps: list[float] = []
    assert timeless(trainer.fit(lambda _, loss: steps.append(loss))) == timeless(expected)
    assert not steps
    assert_same_weights(trainer, unbroken)


def test_the_seconds_of_both_parts_are_counted(path: Path) -> None:
    trainer = resumed(path)
    before = trainer.state.seconds
    assert before > 0
    assert trainer.fit().seconds > before


def test_the_predictor_resumes_too(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "one.safetensors"
    unbroken = RelationshipPredictor(**TINY).fit(GRAPH, checkpoint=path)  # type: ignore[arg-type]
    stop_after(2, path)
    model = RelationshipPredictor(**TINY).fit(GRAPH, checkpoint=path, resume=True)  # type: ignore[arg-type]
    assert model.log == unbroken.log
    edges = unbroken.split.test.edges
    np.testing.assert_array_equal(model.scorer.logits(edges), unbroken.scorer.logits(edges))
    again = RelationshipPredictor(**TINY).fit(GRAPH, checkpoint=tmp_path / "none", resume=True)  # type: ignore[arg-type]
    assert again.log == unbroken.log


def test_without_resume_a_checkpoint_is_not_read(path: Path) -> None:
    model = RelationshipPredictor(seed=3, **TINY).fit(GRAPH, checkpoint=path)  # type: ignore[arg-type]
    assert len(model.log) == 4


@pytest.mark.parametrize(
    ("given", "words", "remedy"),
    [
        ({"dim": 16}, ("dim = 8", "not 16"), "--set dim=8"),
        ({"sampler": "random"}, ("sampler = asa", "not random"), "--set sampler=asa"),
        ({"steps": 30}, ("steps = 20", "not 30"), "--set steps=20"),
        ({"bases": 2}, ("bases = None", "not 2"), "--set bases=None"),
        ({"seed": 5}, ("seed 0", "not 5"), "--seed 0"),
    ],
)
def test_a_checkpoint_of_other_settings_or_another_seed_is_refused(
    path: Path, given: dict[str, Any], words: tuple[str, ...], remedy: str
) -> None:
    with pytest.raises(InputError) as caught:
        resumed(path, **given)
    assert all(word in caught.value.what for word in words)
    assert caught.value.where == str(path)
    assert remedy in str(caught.value.remedy)


def changed_graphs() -> dict[str, Graph]:
    edges, first = GRAPH.edges, GRAPH.node_types[0]
    values = np.array(first.attributes[0].values)
    values[0] += 1
    words = np.array(first.attributes[1].values, dtype=object)
    words[1] = "sailor"
    numeric, categorical, *others = first.attributes

    def with_person(**changes: Any) -> Graph:
        return replace(GRAPH, node_types=(replace(first, **changes), *GRAPH.node_types[1:]))

    relations = (*GRAPH.relations[:2], replace(GRAPH.relations[2], directed=True), GRAPH.relations[3])
    return {
        "an edge fewer": replace(GRAPH, edges=edges[np.arange(1, len(edges))]),
        "another order": replace(GRAPH, edges=edges[np.arange(len(edges))[::-1]]),
        "a number": with_person(attributes=(Attribute("age", "numeric", values), categorical, *others)),
        "a word": with_person(attributes=(numeric, Attribute("role", "categorical", words), *others)),
        "an attribute fewer": with_person(attributes=first.attributes[1:]),
        "an id": with_person(ids=first.ids.str.replace("pe0", "zz0")),
        "directed": replace(GRAPH, relations=relations),
    }


@pytest.mark.parametrize("what", list(changed_graphs()))
def test_a_checkpoint_of_other_data_is_refused(path: Path, what: str) -> None:
    with pytest.raises(InputError, match="the data have changed") as caught:
        resumed(path, graph=changed_graphs()[what])
    assert caught.value.where == str(path)
    assert caught.value.remedy


def test_the_same_data_read_again_have_the_same_fingerprint() -> None:
    graph = small_graph()
    assert fingerprint(graph, split_graph(graph, 0)) == fingerprint(GRAPH, split_graph(GRAPH, 0))
    assert fingerprint(graph, split_graph(graph, 1)) != fingerprint(graph, split_graph(graph, 0))


@pytest.mark.parametrize("share", [0, 0.0001, 0.01, 0.5, 0.999])
def test_a_truncated_checkpoint_is_refused(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match="cannot be read") as caught:
        resumed(path)
    assert caught.value.where == str(path)
    assert "delete it" in str(caught.value.remedy)


@pytest.mark.parametrize("metadata", [None, {"other": "1"}, {"relwise": "{"}, {"relwise": "{}"}, {"relwise": "[]"}])
def test_a_file_that_is_no_checkpoint_is_refused(path: Path, metadata: dict[str, str] | None) -> None:
    save_file({"a": torch.zeros(2)}, path, metadata)
    with pytest.raises(InputError, match="cannot be read"):
        resumed(path)


def test_a_checkpoint_of_a_newer_format_is_refused(path: Path) -> None:
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["relwise"])
    about["format"] = checkpoint.FORMAT + 1
    save_file(load_file(path), path, {"relwise": json.dumps(about)})
    with pytest.raises(InputError, match="newer") as caught:
        resumed(path)
    assert "upgrade" in str(caught.value.remedy)


def test_a_checkpoint_of_an_older_format_is_refused(path: Path) -> None:
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["relwise"])
    about["format"] = checkpoint.FORMAT - 1
    save_file(load_file(path), path, {"relwise": json.dumps(about)})
    with pytest.raises(InputError, match="older") as caught:
        resumed(path)
    assert "from the start" in str(caught.value.remedy)


@pytest.mark.parametrize("change", ["another name", "another shape", "one fewer", "one more"])
def test_a_checkpoint_of_another_network_is_refused_before_anything_is_loaded(path: Path, change: str) -> None:
    """An earlier version may have built another network from equal settings."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    name = "model.decoder.relation"
    if change == "another name":
        tensors["model.decoder.inner.relation"] = tensors.pop(name)
    elif change == "another shape":
        tensors[name] = tensors[name][1:].contiguous()
    elif change == "one fewer":
        tensors.pop(name)
    else:
        tensors[f"{name}.more"] = torch.zeros(1)
    save_file(tensors, path, metadata)
    trainer, untouched = make_trainer(), make_trainer()
    with pytest.raises(InputError, match=r"network is not the one .* \(model\.decoder\.") as caught:
        load_checkpoint(trainer, path, data_of(trainer))
    assert caught.value.where == str(path)
    assert "from the start" in str(caught.value.remedy)
    assert_same_weights(trainer, untouched)
    assert not trainer.optimizer.moments


def test_a_refused_checkpoint_leaves_the_trainer_as_it_was(path: Path) -> None:
    trainer, untouched = make_trainer(sampler="random"), make_trainer(sampler="random")
    with pytest.raises(InputError):
        load_checkpoint(trainer, path, data_of(trainer))
    assert_same_weights(trainer, untouched)
    assert trainer.state == untouched.state
    assert not trainer.optimizer.moments


@pytest.mark.parametrize("moment", ["before the rename", "while writing"])
def test_a_kill_while_writing_leaves_the_old_checkpoint(
    path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    before = path.read_bytes()
    trainer = resumed(path)

    def replace_never(*_: object) -> None:
        raise KilledError

    def half_written(tensors: dict[str, torch.Tensor], file: Path, metadata: dict[str, str]) -> None:
        save_file(tensors, file, metadata)
        file.write_bytes(file.read_bytes()[:1000])
        raise KilledError

    if moment == "while writing":
        monkeypatch.setattr(checkpoint, "save_file", half_written)
    else:
        monkeypatch.setattr(os, "replace", replace_never)
    with pytest.raises(KilledError):
        trainer.fit(on_validation=lambda _: save_checkpoint(trainer, path, data_of(trainer)))
    monkeypatch.undo()
    assert path.read_bytes() == before
    other, unbroken = resumed(path), make_trainer()
    assert timeless(other.fit()) == timeless(unbroken.fit())
    assert_same_weights(other, unbroken)
    save_checkpoint(other, path, data_of(other))
    assert [file.name for file in path.parent.iterdir()] == [path.name], "what was half written is still there"


def test_the_checkpoint_keeps_the_number_of_threads(path: Path) -> None:
    torch.set_num_threads(torch.get_num_threads() + 1)
    there = torch.get_num_threads()
    resumed(path)
    assert torch.get_num_threads() == there - 1


def test_the_checkpoint_keeps_the_library_of_the_matrix_products(path: Path) -> None:
    before = library()
    other = "torch" if before != "torch" else "onednn"
    try:
        use_library(other)
        resumed(path)
        assert library() == before
    finally:
        use_library(before)
