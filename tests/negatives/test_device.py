"""Negatives made where the states are; in Triton's interpreter, or on a GPU, with the kernels' own tests."""

import numpy as np
import pytest
import torch

from relwise.data.graph import Graph
from relwise.negatives import ASASampler, Corruptor, HardestSampler, KnownEdges, NSCachingSampler, RandomSampler
from relwise.negatives.device import DeviceCorruptor
from relwise.nn.decoders import ComplEx, DistMult
from tests.kernels.cuda.device import CAN_RUN, DEVICE

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="no GPU, nor Triton's interpreter")


def made(count=14, dim=6, decoder=DistMult):
    triples = [(i, name, (i + k) % count) for i in range(count) for name, k in (("a", 1), ("a", 2), ("b", 3))]
    graph = Graph.from_triples(triples)
    corruptor = Corruptor(graph, graph.edges, KnownEdges(graph, graph.edges))
    torch.manual_seed(0)
    nodes = torch.randn(count, dim, device=DEVICE)
    return graph, corruptor, DeviceCorruptor(corruptor, torch.device(DEVICE)), decoder(2, dim).to(DEVICE), nodes


def drawn(device_corruptor, sampler, decoder, nodes, seed=3):
    index = torch.arange(0, len(device_corruptor.relations), 2, device=DEVICE)
    asked = decoder(nodes, *device_corruptor.at(index)).detach()
    torch.manual_seed(seed)
    return index, asked, device_corruptor.sample(index, sampler, decoder, nodes, asked, 0, seed)


@pytest.mark.parametrize("sampler", [RandomSampler(), HardestSampler(4), ASASampler(5, 0.1), NSCachingSampler(4)])
def test_every_negative_is_unknown_and_differs_from_its_positive_at_one_end(sampler):
    graph, _, corruptor, decoder, nodes = made()
    index, _, found = drawn(corruptor, sampler, decoder, nodes)
    known = set(zip(graph.edges.heads, graph.edges.relations, graph.edges.tails, strict=True))
    heads, relations, tails = (column.cpu().numpy() for column in found.edges)
    before = graph.edges[index.cpu().numpy()]
    assert (relations == before.relations).all()
    assert ((heads != before.heads) ^ (tails != before.tails)).all()
    assert not known & set(zip(heads, relations, tails, strict=True))
    assert int(found.proposed) - int(found.refused) >= len(index)
    assert {*(heads != before.heads)} == {True, False}


@pytest.mark.parametrize("decoder", [DistMult, ComplEx])
def test_takes_of_its_pool_what_the_cpu_takes(decoder):
    _, host, corruptor, score, nodes = made(decoder=decoder)
    sampler = ASASampler(7, 0.2)
    index, asked, found = drawn(corruptor, sampler, score, nodes)
    before = corruptor.at(index)
    replaced = (found.edges.heads == before.heads).long().cpu().numpy()
    pool = host.propose(index.cpu().numpy(), replaced, 7, 3)
    heads = np.where(replaced[:, None] == 0, pool, before.heads.cpu().numpy()[:, None])
    tails = np.where(replaced[:, None] == 1, pool, before.tails.cpu().numpy()[:, None])
    relations = np.broadcast_to(before.relations.cpu().numpy()[:, None], heads.shape)
    columns = [torch.from_numpy(np.ascontiguousarray(a).ravel()).to(DEVICE) for a in (heads, relations, tails)]
    logits = score(nodes, *columns).view(len(index), 7)
    best = sampler.choose(asked, logits, 0).cpu().numpy()
    got = torch.where(torch.from_numpy(replaced == 0).to(DEVICE), found.edges.heads, found.edges.tails)
    assert got.tolist() == pool[np.arange(len(index)), best].tolist()


def test_the_same_seed_draws_the_same_negatives():
    _, _, corruptor, decoder, nodes = made()
    one, two, other = (drawn(corruptor, RandomSampler(), decoder, nodes, seed)[2].edges for seed in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
