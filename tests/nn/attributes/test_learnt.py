import pytest
import torch

from relwise.nn.attributes import LearntEmbedding
from tests.nn.attributes.cases import reloaded, same_bits


def test_start():
    weight = LearntEmbedding(500, 64).weight
    assert weight.std().item() == pytest.approx(3 * 64**-0.5, rel=0.05)
    assert LearntEmbedding(500, 64, std=2.0).weight.std().item() == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("num_nodes", [0, 1, 5])
def test_new_nodes_have_no_vector_and_change_no_other(num_nodes):
    embedding = LearntEmbedding(num_nodes, 4)
    known = embedding(embedding.prepare(num_nodes))
    more = embedding(embedding.prepare(num_nodes + 2))
    assert torch.equal(known, embedding.weight)
    assert torch.equal(more[:num_nodes], known)
    assert (more[num_nodes:] == 0).all()
    assert more.shape == (num_nodes + 2, 4)


@pytest.mark.parametrize("prepared", [[0, 1, 2], [2, 0, 1], [1, 1, -1]])
def test_gradient_reaches_the_nodes_asked_for(prepared):
    embedding = LearntEmbedding(3, 2)
    embedding(torch.tensor(prepared)).sum().backward()
    assert embedding.weight.grad is not None
    assert embedding.weight.grad[:, 0].tolist() == [prepared.count(i) for i in range(3)]


def test_round_trip():
    embedding = LearntEmbedding(3, 2)
    assert same_bits(reloaded(embedding).weight.detach(), embedding.weight.detach())
