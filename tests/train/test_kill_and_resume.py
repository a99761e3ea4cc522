"""`kill -9` in the middle of `relwise train`, then `--resume`: the run is that of an unbroken training."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from safetensors import SafetensorError, safe_open

from relwise.errors import InputError
from relwise.train.loop import Trainer
from tests.command import apart, finish, here, start
from tests.small_data import schema_folder, triples_folder

LONG = ["--set", "dim=8", "--set", "steps=200", "--set", "eval_every=5", "--set", "patience=1000"]
SHORT = ["--set", "dim=8", "--set", "steps=10", "--set", "eval_every=5"]


def kill_past(step: int, process: subprocess.Popen[str], run: Path) -> None:
    """Kill a training as soon as its checkpoint stands at that step or beyond."""
    path, deadline = run / "checkpoint.safetensors", time.monotonic() + 300
    while step_of(path) < step:
        assert process.poll() is None, f"the training ended before it could be killed: {finish(process).err}"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (run / "run.json").exists(), "the training was over before it was killed"


def step_of(checkpoint: Path) -> int:
    try:
        with safe_open(checkpoint, "pt") as file:
            return json.loads(file.metadata()["relwise"])["state"]["step"]
    except (OSError, SafetensorError):
        return -1


def log(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def contents(run: Path) -> dict[str, bytes]:
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_a_training_killed_twice_and_resumed_gives_the_run_of_an_unbroken_one(tmp_path: Path) -> None:
    data = schema_folder(tmp_path / "data")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    settings = ["--seed", 3, "--set", "sampler=asa", "--set", "warmup=40", *LONG]
    unbroken = start("train", data, "--out", whole, *settings)
    kill_past(10, start("train", data, "--out", broken, *settings), broken)
    kill_past(100, start("train", data, "--out", broken, *settings, "--resume"), broken)
    resumed = apart("train", data, "--out", broken, *settings, "--resume")
    assert resumed.code == 0, resumed.err
    assert "step 95/200" not in resumed.err, "it did not go on from the checkpoint"
    assert "step 200/200" in resumed.err
    assert finish(unbroken).code == 0

    assert (broken / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()
    one, other = (json.loads((run / "metrics.json").read_text()) for run in (whole, broken))
    assert one["micro"] == other["micro"]
    assert one["relations"] == other["relations"]
    assert log(broken) == log(whole)
    assert len(log(whole)) == 40
    assert sorted(contents(broken)) == sorted(contents(whole))
    ends = [json.loads((run / "run.json").read_text())["training"] for run in (whole, broken)]
    for training in ends:
        assert training.pop("train_seconds") > 0
    assert ends[0] == ends[1]


def test_resume_without_a_checkpoint_starts_and_with_a_finished_run_says_so(tmp_path: Path) -> None:
    data, run = triples_folder(tmp_path / "data"), tmp_path / "run"
    first = here("train", data, "--out", run, *SHORT, "--resume")
    assert first.code == 0, first.err
    assert [row["step"] for row in log(run)] == [5, 10]
    before = contents(run)

    again = here("train", data, "--out", run, *SHORT, "--resume")
    assert again == (0, "", f"{run} holds a finished run; there is nothing to resume\n")
    refused = here("train", data, "--out", run, *SHORT)
    message = f"relwise: {run}: the folder holds a run already; name another --out, or delete it\n"
    assert refused == (2, "", message)
    assert contents(run) == before


def test_resume_goes_on_where_a_kill_left_nothing_but_half_a_checkpoint(tmp_path: Path) -> None:
    data, run = triples_folder(tmp_path / "data"), tmp_path / "run"
    run.mkdir()
    for name in ("checkpoint.safetensors.part", ".tmpAbCd"):
        (run / name).write_bytes(b"half")
    assert here("train", data, "--out", run, *SHORT, "--resume").code == 0
    assert not list(run.glob("checkpoint*"))


def test_a_checkpoint_is_not_trained_over_and_survives_a_mistake(tmp_path: Path) -> None:
    data, run = triples_folder(tmp_path / "data"), tmp_path / "run"
    run.mkdir()
    path = run / "checkpoint.safetensors"
    path.write_bytes(b"not one")
    over = here("train", data, "--out", run, *SHORT)
    assert over == (2, "", f"relwise: {run}: the folder is not empty; add --resume to go on, or name another --out\n")
    damaged = here("train", data, "--out", run, *SHORT, "--resume")
    assert damaged.code == 2
    assert damaged.err.splitlines()[-1].startswith(f"relwise: {path}: the checkpoint cannot be read")
    gone = here("train", tmp_path / "gone", "--out", run, *SHORT, "--resume")
    assert (gone.code, gone.out) == (2, "")
    assert path.read_bytes() == b"not one"


def test_resuming_with_another_setting_names_the_one_to_use(tmp_path: Path) -> None:
    data, run = triples_folder(tmp_path / "data"), tmp_path / "run"
    kill = [*SHORT[:2], "--set", "steps=100000", *SHORT[4:], "--set", "patience=100000"]
    kill_past(5, start("train", data, "--out", run, *kill), run)
    before = contents(run)
    other = here("train", data, "--out", run, *kill, "--set", "dim=16", "--resume")
    assert other.code == 2
    assert other.err.splitlines()[-1].endswith("resume with --set dim=8, or train into another folder")
    other = here("train", data, "--out", run, *kill, "--seed", "9", "--resume")
    assert other.err.splitlines()[-1].endswith("resume with --seed 0, or train into another folder")
    unread = here("evaluate", run)
    assert unread.code == 2
    assert unread.err == f"relwise: {run}: the training has not finished; relwise train DATA --out RUN --resume\n"
    assert contents(run) == before


def test_a_training_that_a_mistake_ends_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, run = triples_folder(tmp_path / "data"), tmp_path / "run"
    step = Trainer.step

    def diverging(trainer: Trainer) -> float:
        if trainer.state.step == 7:
            assert (run / "checkpoint.safetensors").exists()
            raise InputError("the loss became nan at step 8")
        return step(trainer)

    monkeypatch.setattr(Trainer, "step", diverging)
    ran = here("train", data, "--out", run, *SHORT)
    assert ran.code == 2
    assert ran.err.splitlines()[-1] == "relwise: the loss became nan at step 8"
    assert not run.exists()
    run.mkdir()
    assert here("train", data, "--out", run, *SHORT).code == 2
    assert list(run.iterdir()) == []


@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_training_into_a_folder_with_something_else_in_it_is_refused(tmp_path: Path, resume: list[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    ran = here("train", triples_folder(tmp_path / "data"), "--out", tmp_path, *SHORT, *resume)
    assert ran == (2, "", f"relwise: {tmp_path}: the folder is not empty; name another --out\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "thesis.txt"]
