import numpy as np
import pytest
import torch

from relwise.nn.attributes import LearntEmbedding
from tests.nn.attributes.cases import reloaded, same_bits


def test_start():
    weight = LearntEmbedding(500, 64).weight
    assert weight.std().item() == pytest.approx(3 * 64**-0.5, rel=0.05)
    assert LearntEmbedding(500, 64, std=2.0).weight.std().item() == pytest.approx(2, rel=0.05)


def trained(num_nodes, dim=4, **options):
    """As after a training: the vector of new nodes is not zero."""
    embedding = LearntEmbedding(num_nodes, dim, **options)
    torch.nn.init.normal_(embedding.unknown)
    return embedding


@pytest.mark.parametrize("num_nodes", [0, 1, 5])
def test_new_nodes_share_a_vector_and_change_no_other(num_nodes):
    embedding = trained(num_nodes)
    known = embedding(embedding.prepare(num_nodes))
    more = embedding(embedding.prepare(num_nodes + 2))
    assert torch.equal(known, embedding.weight)
    assert torch.equal(more[:num_nodes], known)
    assert torch.equal(more[num_nodes:], embedding.unknown.expand(2, 4))
    assert embedding(embedding.prepare(0)).shape == (0, 4)


def test_nodes_marked_new_share_it_too():
    embedding = trained(4, new=np.array([False, True, False, True]))
    assert embedding.prepare(5).tolist() == [0, -1, 2, -1, -1]
    assert embedding.prepare(2).tolist() == [0, -1]
    out = embedding(embedding.prepare(4))
    assert torch.equal(out[[0, 2]], embedding.weight[[0, 2]])
    assert torch.equal(out[[1, 3]], embedding.unknown.expand(2, 4))
    assert torch.equal(reloaded(embedding)(embedding.prepare(4)), out)
    assert reloaded(embedding).prepare(5).tolist() == [0, -1, 2, -1, -1]


@pytest.mark.parametrize("prepared", [[0, 1, 2], [2, 0, 1], [1, 1, -1], [0, -1, 2], [-1, -1, -1]])
def test_gradient_reaches_the_nodes_asked_for(prepared):
    embedding = LearntEmbedding(3, 2)
    embedding(torch.tensor(prepared)).sum().backward()
    grad = torch.zeros(3, 2) if embedding.weight.grad is None else embedding.weight.grad
    assert grad[:, 0].tolist() == [prepared.count(i) for i in range(3)]
    of_new = 0.0 if embedding.unknown.grad is None else embedding.unknown.grad[0].item()
    assert of_new == prepared.count(-1)


def test_dropout_takes_a_share_of_the_nodes_for_new_in_training_alone():
    embedding = trained(4000, dropout=0.1)
    prepared = embedding.prepare(4000)
    torch.manual_seed(0)
    one, other = embedding(prepared), embedding(prepared)
    for out in (one, other):
        dropped = (out == embedding.unknown).all(dim=1)
        assert dropped.float().mean().item() == pytest.approx(0.1, abs=0.02)
        assert torch.equal(out[~dropped], embedding.weight[~dropped])
    assert not torch.equal(one, other)  # each step draws anew
    torch.manual_seed(0)
    assert torch.equal(embedding(prepared), one)  # by torch's generator
    assert torch.equal(embedding.eval()(prepared), embedding.weight)


def test_the_gradient_of_what_is_dropped_goes_to_the_shared_vector():
    embedding = trained(1000, dim=2, dropout=0.3)
    embedding(embedding.prepare(1000)).sum().backward()
    assert embedding.weight.grad is not None
    assert embedding.unknown.grad is not None
    kept = embedding.weight.grad[:, 0]
    assert set(kept.tolist()) == {0.0, 1.0}
    assert embedding.unknown.grad.tolist() == [1000 - kept.sum()] * 2


def test_without_dropout_nothing_is_drawn():
    embedding = trained(5, dropout=0.0)
    torch.manual_seed(0)
    embedding(embedding.prepare(5))
    drawn = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(torch.rand(1), drawn)


def test_what_is_seen_of_the_nodes_once_is_seen_anew_where_they_change():
    embedding = trained(3)
    prepared = embedding.prepare(3)
    assert torch.equal(embedding(prepared), embedding.weight)
    prepared[1] = -1
    assert torch.equal(embedding(prepared)[1], embedding.unknown)
    prepared[:2] = torch.tensor([1, 0])
    assert torch.equal(embedding(prepared), embedding.weight[[1, 0, 2]])
    assert torch.equal(embedding(embedding.prepare(4))[3], embedding.unknown)
    with torch.inference_mode():
        assert torch.equal(embedding(embedding.prepare(3)), embedding.weight)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_gradients_are_those_of_where(dropout):
    embedding = trained(400, dropout=dropout, new=np.arange(400) % 7 == 0)
    prepared = embedding.prepare(400)
    torch.manual_seed(0)
    out = embedding(prepared)
    torch.manual_seed(0)
    new = prepared == -1
    new |= (torch.rand(400) < dropout) if dropout else False
    expected = torch.where(new[:, None], embedding.unknown, embedding.weight)
    grad, of = torch.randn(400, 4), (embedding.weight, embedding.unknown)
    assert torch.equal(out, expected)
    got, want = (torch.autograd.grad(t, of, grad) for t in (out, expected))
    assert torch.equal(got[0], want[0])
    torch.testing.assert_close(got[1], want[1])  # a sum, in an order of its own


def test_round_trip():
    embedding = trained(3, dropout=0.2)
    again = reloaded(embedding)
    assert same_bits(again.weight.detach(), embedding.weight.detach())
    assert same_bits(again.unknown.detach(), embedding.unknown.detach())
    assert again.dropout == 0.2
