import subprocess
import sys
from typing import Any, get_args

import numpy as np
import pytest
import torch

import relwise
from relwise.data.fingerprint import fingerprint
from relwise.data.split import split_graph
from relwise.errors import InputError
from relwise.evaluate.metrics import roc_auc
from relwise.kernels import cuda
from relwise.negatives.device import DeviceCorruptor
from relwise.nn.decoders import conve
from relwise.settings import SamplerName, Settings
from relwise.train.checkpoint import load_checkpoint, save_checkpoint
from relwise.train.loop import Trainer
from relwise.train.place import OnDevice, find_device, record
from tests.fakes import graph_with_amounts, small_graph

ON: Any = "cuda"
on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
SMALL: dict[str, Any] = {"dim": 16, "steps": 30, "warmup": 5, "eval_every": 10, "patience": 100}


def trainer(**settings):
    graph = small_graph(0)
    return Trainer(graph, split_graph(graph, 0), Settings.of({**SMALL, **settings}), seed=1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said_before_any_work():
    assert find_device("cpu").type == "cpu"
    with pytest.raises(InputError, match="device = cuda"):
        trainer(device="cuda")


def test_no_work_is_done_by_the_command_line_either(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    (tmp_path / "train.txt").write_text("a\tto\tb\nb\tto\tc\nc\tto\td\nd\tto\ta\na\tto\tc\n", encoding="utf-8")
    command = [sys.executable, "-m", "relwise", "train", str(tmp_path), "--out", str(tmp_path / "run")]
    done = subprocess.run([*command, "--set", "device=cuda"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "device = cuda" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("encoder", ["han", "hgt", "rgat"])
def test_a_network_that_waits_for_its_device_is_not_recorded(encoder):
    pytest.importorskip("torch_geometric")
    made = trainer(encoder=encoder)
    assert record(made.model, torch.ones(1, dtype=torch.bool)) is made.model


@pytest.mark.parametrize("sampler", get_args(SamplerName))
@pytest.mark.parametrize("pool", [4, 60])  # so large a one is shared
def test_the_steps_of_a_device_are_the_hosts(sampler, pool, monkeypatch):
    """Without a GPU: on tensors of the CPU, with the negatives that are made where Triton is not installed."""
    monkeypatch.setattr(cuda, "HAS_TRITON", False)
    monkeypatch.delenv("RELWISE_CUDA_GRAPHS", raising=False)
    given = {"sampler": sampler, "pool": pool, "steps": 20}
    host, device = trainer(**given), trainer(**given)
    device.place = OnDevice(device, torch.device("cpu"))
    ours, theirs = host.fit(), device.fit()
    for one, other in zip(ours.history, theirs.history, strict=True):
        assert other == pytest.approx(one, rel=2e-3)  # the loss and its gradient are rounded otherwise
    assert theirs.tally.proposed == ours.tally.proposed
    assert theirs.tally.refused == ours.tally.refused


@on_gpu
@pytest.mark.parametrize("decoder", ["distmult", "complex"])
@pytest.mark.parametrize("bases", [None, 2])
def test_states_are_the_cpus(decoder, bases):
    host, device = (trainer(device=name, decoder=decoder, bases=bases) for name in ("cpu", "cuda"))
    ours, theirs = host.scorer(), device.scorer()
    assert theirs.nodes.is_cuda
    assert torch.allclose(ours.nodes, theirs.nodes.cpu(), rtol=1e-4, atol=1e-5)
    assert np.allclose(ours.logits(host.split.valid.edges), theirs.logits(host.split.valid.edges), rtol=1e-3, atol=1e-4)


@pytest.fixture(params=["0", "1"])
def recorded(request, monkeypatch):
    """As written, and as a CUDA graph."""
    monkeypatch.setenv("RELWISE_CUDA_GRAPHS", request.param)


@on_gpu
@pytest.mark.usefixtures("recorded")
def test_a_step_has_the_gradients_of_the_cpus():
    one, two = (trainer(device=name, dropout=0.0, embedding_dropout=0.0) for name in ("cuda", "cpu"))
    _, keep = one._supervised(5)
    grads = []
    for made in (one, two):
        made.model.train()
        for _ in range(2):  # the second time it is replayed
            made.model.zero_grad()
            made.place.encode(keep.clone()).square().sum().backward()
        grads.append({name: p.grad.cpu() for name, p in made.model.named_parameters() if p.grad is not None})
    assert grads[0].keys() == grads[1].keys()
    for name, grad in grads[0].items():
        assert (grad - grads[1][name]).norm() <= 1e-4 * grads[1][name].norm() + 1e-6, name


@on_gpu
@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("sampler", ["random", "asa", "hardest", "nscaching"])
def test_training_learns_and_repeats_itself_to_the_bit(sampler):
    one, two = (trainer(device="cuda", sampler=sampler) for _ in range(2))
    found = [made.fit() for made in (one, two)]
    assert found[0].history == found[1].history
    assert found[0].history[-1]["loss"] < found[0].history[0]["loss"]
    weights = [made.model.state_dict() for made in (one, two)]
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


NETWORKS = [
    {"encoder": "rgcn"},
    {"encoder": "rgcn", "bases": 2},
    {"encoder": "gatne"},
    {"encoder": "lookup"},
    {"bases": 2, "degrees": True},
    {"node_embedding": True},
    {"precision": "bf16"},
    {"decoder": "rotate"},
    {"decoder": "transe"},
    {"decoder": "conve", "dim": 32},
    {"sampler": "self_adversarial", "pool": 60},
    {"sampler": "kbgan"},
    {"select": "mrr"},
]


@pytest.fixture
def same_negatives(monkeypatch):
    """Those of the CPU; and nothing is dropped, of which each device has its own draws."""
    monkeypatch.setattr(DeviceCorruptor, "sample", DeviceCorruptor._on_host)
    monkeypatch.setattr(conve, "DROPOUT", (0.0, 0.0, 0.0))
    return {"steps": 12, "eval_every": 4, "dropout": 0.0, "embedding_dropout": 0.0}


def losses(made):
    return [row["loss"] for row in made.fit().history]


@on_gpu
@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("settings", NETWORKS, ids=str)
def test_every_network_learns_as_on_the_cpu(settings, same_negatives):
    host, device = (trainer(device=name, **same_negatives | settings) for name in ("cpu", ON))
    rounded = 0.05 if "precision" in settings else 1e-3
    torch.testing.assert_close(device.scorer().nodes.cpu(), host.scorer().nodes, rtol=rounded, atol=rounded)
    ours, theirs = losses(host), losses(device)
    assert theirs == pytest.approx(ours, abs=0.01 if "precision" in settings else 0.003)
    assert max(ours) - min(ours) > 0.006  # there is something to agree on


@on_gpu
@pytest.mark.usefixtures("recorded")
def test_so_does_one_whose_edges_have_attributes_and_repeats_itself_to_the_bit(same_negatives):
    graph = graph_with_amounts()
    host, one, two = (
        Trainer(graph, split_graph(graph, 0), Settings.of({**SMALL, **same_negatives, "device": name}), seed=1)
        for name in ("cpu", ON, ON)
    )
    assert host.model.edge_encoder is not None
    torch.testing.assert_close(one.scorer().nodes.cpu(), host.scorer().nodes, rtol=1e-3, atol=1e-3)
    found = losses(one)
    assert found == losses(two)
    assert found == pytest.approx(losses(host), abs=0.003)


@on_gpu
@pytest.mark.usefixtures("recorded")
def test_a_predictor_that_was_trained_there_is_loaded_anywhere(tmp_path):
    model = relwise.RelationshipPredictor(device=ON, **SMALL).fit(small_graph(0))
    model.save(tmp_path / "run")
    test = model.split.test
    found = relwise.load(tmp_path / "run").scorer.probabilities(test.edges)
    assert np.array_equal(found, model.scorer.probabilities(test.edges))
    assert roc_auc(test.labels, found) > 0.6


@on_gpu
@pytest.mark.usefixtures("recorded")
def test_each_step_drops_other_entries():
    made = trainer(device="cuda", dropout=0.5)
    made.model.train()
    _, keep = made._supervised(5)
    states = []
    for seed in (1, 2, 1):
        torch.manual_seed(seed)
        states.append(made.place.encode(keep.clone()).detach().clone())
    assert not torch.equal(states[0], states[1])
    assert torch.equal(states[0], states[2])


@on_gpu
@pytest.mark.usefixtures("recorded")
def test_resumes_to_the_bit(tmp_path):
    whole, first = trainer(device="cuda", sampler="asa"), trainer(device="cuda", sampler="asa")
    data = fingerprint(whole.graph, whole.split)
    whole.fit()

    def stop(state):
        if state.step == 20:
            save_checkpoint(first, tmp_path / "checkpoint", data)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first.fit(on_validation=stop)
    again = trainer(device="cuda", sampler="asa")
    load_checkpoint(again, tmp_path / "checkpoint", data)
    again.fit()
    theirs = again.model.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in whole.model.state_dict().items())
