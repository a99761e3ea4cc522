import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.kernels.adjacency import build_adjacency

NODES, RELATIONS = 6, 4


@st.composite
def edges(draw):
    """(E, 4) source, target, relation, fact; repetition and loops included."""
    node, relation = st.integers(0, NODES - 1), st.integers(0, RELATIONS - 1)
    rows = draw(st.lists(st.tuples(node, node, relation, st.integers(0, 9)), max_size=40))
    return torch.tensor(rows, dtype=torch.int64).reshape(-1, 4)


def build(table):
    return build_adjacency(table[:, 0], table[:, 1], table[:, 2], NODES, RELATIONS, table[:, 3])


def targets(adjacency):
    return torch.repeat_interleave(torch.arange(NODES), adjacency.indptr.diff().long())


@given(edges())
@settings(max_examples=60, deadline=None)
def test_rows_are_exactly_the_pairs_of_relation_and_source_that_exist(table):
    adjacency = build(table)
    pairs = list(zip(adjacency.row_relation.tolist(), adjacency.row_source.tolist(), strict=True))
    assert pairs == sorted({(relation, source) for source, _, relation, _ in table.tolist()})
    pointer = adjacency.relation_ptr
    assert len(pointer) == RELATIONS + 1
    for relation in range(RELATIONS):
        assert [p for p in pairs if p[0] == relation] == pairs[pointer[relation] : pointer[relation + 1]]


@given(edges())
@settings(max_examples=60, deadline=None)
def test_order_maps_every_sorted_edge_back_to_the_given_one(table):
    adjacency = build(table)
    assert sorted(adjacency.order.tolist()) == list(range(len(table)))
    row = adjacency.row.long()
    rebuilt = (
        adjacency.row_source[row],
        targets(adjacency),
        adjacency.row_relation[row],
        adjacency.fact.long(),
    )
    assert torch.equal(torch.stack(rebuilt, dim=1), table[adjacency.order])


@given(edges())
@settings(max_examples=60, deadline=None)
def test_pointers_count_the_edges_of_each_target_and_of_each_row(table):
    adjacency = build(table)
    assert adjacency.num_edges == len(table)
    assert adjacency.indptr.diff().tolist() == torch.bincount(table[:, 1], minlength=NODES).tolist()
    rows = len(adjacency.row_source)
    assert adjacency.row_indptr.diff().tolist() == torch.bincount(adjacency.row.long(), minlength=rows).tolist()
    assert adjacency.indptr[0] == adjacency.row_indptr[0] == 0


@given(edges())
@settings(max_examples=60, deadline=None)
def test_the_transpose_holds_the_same_edges_sorted_by_row(table):
    adjacency = build(table)
    of_row = torch.repeat_interleave(torch.arange(len(adjacency.row_source)), adjacency.row_indptr.diff().long())
    transpose = torch.stack([of_row, adjacency.row_target.long(), adjacency.row_fact.long()], dim=1).tolist()
    edges = torch.stack([adjacency.row.long(), targets(adjacency), adjacency.fact.long()], dim=1).tolist()
    assert sorted(transpose) == sorted(edges)
    assert [pair[:2] for pair in transpose] == sorted(pair[:2] for pair in edges)
    assert adjacency.num_facts == (int(table[:, 3].max()) + 1 if len(table) else 0)


@given(edges(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_in_which_edges_are_given_changes_nothing_but_order(table, random):
    shuffle = torch.tensor(random.sample(range(len(table)), len(table)), dtype=torch.int64)
    one, other = build(table), build(table[shuffle])
    for name in ("indptr", "row", "row_relation", "row_source", "row_indptr", "row_target"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name


def test_without_edges_there_are_no_rows_and_all_pointers_are_zero():
    adjacency = build(torch.empty(0, 4, dtype=torch.int64))
    assert adjacency.num_edges == len(adjacency.row_source) == len(adjacency.order) == 0
    assert adjacency.indptr.tolist() == [0] * (NODES + 1)
    assert adjacency.row_indptr.tolist() == [0]
    assert adjacency.relation_ptr == (0,) * (RELATIONS + 1)


def test_without_nodes_there_is_an_adjacency_too():
    none = torch.empty(0, dtype=torch.int64)
    adjacency = build_adjacency(none, none, none, 0, 0)
    assert adjacency.indptr.tolist() == [0]
    assert adjacency.relation_ptr == (0,)


def test_without_facts_each_edge_is_one_of_its_own():
    source, target = torch.tensor([2, 0, 0]), torch.tensor([1, 1, 0])
    adjacency = build_adjacency(source, target, torch.zeros(3).long(), 3, 1)
    assert adjacency.fact.tolist() == adjacency.order.tolist()


@pytest.mark.parametrize("dtype", [torch.int32, torch.int16, torch.uint8])
def test_narrow_integers_do_not_overflow(dtype):
    source, target = torch.tensor([99, 98], dtype=dtype), torch.tensor([97, 99], dtype=dtype)
    adjacency = build_adjacency(source, target, torch.tensor([120, 110], dtype=dtype), 100, 121)
    assert adjacency.row_source.tolist() == [98, 99]
    assert adjacency.row_relation.tolist() == [110, 120]


def test_columns_of_different_length_are_refused():
    two, three = torch.zeros(2).long(), torch.zeros(3).long()
    with pytest.raises(ValueError, match="differ in length"):
        build_adjacency(two, three, two, 1, 1)
    with pytest.raises(ValueError, match="differ in length"):
        build_adjacency(two, two, two, 1, 1, fact=three)


def test_to_a_device_moves_every_tensor():
    adjacency = build(torch.tensor([[0, 1, 2, 0]]))
    moved = adjacency.to("meta")
    tensors = [value for value in vars(moved).values() if isinstance(value, torch.Tensor)]
    assert len(tensors) == 12
    assert all(tensor.device.type == "meta" for tensor in tensors)
    assert moved.relation_ptr == adjacency.relation_ptr
    assert np.array_equal(adjacency.to("cpu").row, adjacency.row)


def test_without_its_order_it_is_the_same_and_says_what_is_missing():
    adjacency = build_adjacency(torch.tensor([1, 0]), torch.tensor([0, 1]), torch.tensor([0, 0]), 2, 1)
    without = adjacency.without_order().to("cpu")
    assert torch.equal(without.row, adjacency.row)
    assert without.tiles == adjacency.tiles
    with pytest.raises(ValueError, match="build the adjacency anew"):
        _ = without.order
