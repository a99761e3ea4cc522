import torch

from relwise.kernels.adjacency import build_adjacency
from relwise.nn.encoders.edge_list import edge_list

N, R, E = 9, 4, 40


def given(seed=0):
    generator = torch.Generator().manual_seed(seed)
    source, target = torch.randint(0, N, (2, E), generator=generator)
    relation, fact = (torch.randint(0, size, (E,), generator=generator) for size in (R - 1, 25))  # the last has none
    return source, target, relation, fact


def rows(*columns):
    return sorted(zip(*(c.tolist() for c in columns), strict=True))


def test_the_messages_are_those_given_relation_after_relation():
    source, target, relation, fact = given()
    edges = edge_list(build_adjacency(source, target, relation, N, R, fact))
    assert rows(*edges.ends, edges.relation, edges.fact) == rows(source, target, relation, fact)
    assert (edges.relation.diff() >= 0).all()


def test_only_facts_that_are_kept_are_left():
    source, target, relation, fact = given(1)
    keep = torch.rand(25, generator=torch.Generator().manual_seed(2)) < 0.5
    edges = edge_list(build_adjacency(source, target, relation, N, R, fact)).kept(keep)
    stays = keep[fact]
    assert 0 < int(stays.sum()) < E
    assert rows(*edges.ends, edges.relation) == rows(source[stays], target[stays], relation[stays])
    for r, part in enumerate(edges.by_relation()):
        assert rows(*part) == rows(source[stays & (relation == r)], target[stays & (relation == r)])


def test_it_is_made_once_for_an_adjacency():
    adjacency = build_adjacency(*given()[:3], N, R)
    assert edge_list(adjacency) is edge_list(adjacency)
