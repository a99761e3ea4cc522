from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph, NodeType, SplitRule
from relwise.data.hetero import from_hetero, to_hetero, to_networkx
from relwise.errors import InputError
from tests.compare import assert_same_graph
from tests.fakes import small_graph


def _with_everything() -> Graph:
    graph = small_graph(3, SplitRule("time", "2020-09-01", "2020-11-01"))
    edges = graph.edges
    negatives = {
        "valid": Edges(edges.heads[:3], edges.relations[:3], edges.tails[1:4]),
        "test": Edges.empty(),
    }
    parts = (np.arange(len(edges)) % 3).astype(np.int8)
    own = int((edges.relations == 1).sum())
    words = np.empty(own, dtype=object)
    words[:] = [None if i % 5 == 0 else ("a", "b")[: i % 3] for i in range(own)]
    moments = np.datetime64("2020-01-01", "us") + np.arange(own).astype("timedelta64[D]")
    attributes = (
        Attribute("share", "numeric", np.where(np.arange(own) % 2, np.nan, 0.5)),
        Attribute("terms", "multi_categorical", words),
        Attribute("paid", "timestamp", moments),
        Attribute("vote", "boolean", np.ones(own)),
    )
    return replace(
        graph,
        parts=parts,
        negatives=negatives,
        notes=("a note",),
        edge_attributes={1: attributes},
        groups=np.arange(len(edges)) // 3 - 1,
        split_rule=SplitRule("group", 0.1, 0.2, None, ("owns", "works_at"), ("located_in",), "degree"),
    )


@pytest.mark.parametrize("graph", [small_graph(), _with_everything()], ids=["plain", "everything"])
def test_to_hetero_and_back_is_the_same_graph(graph: Graph) -> None:
    pytest.importorskip("torch_geometric")
    assert_same_graph(graph, from_hetero(to_hetero(graph)))


def test_hetero_data_is_valid_and_typed() -> None:
    pytest.importorskip("torch_geometric")
    graph = small_graph()
    data = to_hetero(graph)
    data.validate(raise_on_error=True)
    assert data.node_types == ["person", "company", "city"]
    assert data.edge_types[:2] == [("person", "works_at", "company"), ("person", "owns", "company")]
    assert data["company"].profile.shape == (20, 4)
    assert data["person"].node_id[0] == "pe0"
    index = data["company", "located_in", "city"].edge_index
    first = int(np.argmax(graph.edges.relations == 3))
    assert graph.node_id(int(graph.edges.tails[first])) == f"ci{int(index[1, 0])}"


def test_hetero_data_from_elsewhere() -> None:
    torch = pytest.importorskip("torch")
    pyg = pytest.importorskip("torch_geometric.data")
    data = pyg.HeteroData()
    data["user"].x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    data["user"].age = torch.tensor([30, 40])
    data["user"].country = ["no", "se"]
    data["item"].num_nodes = 3
    data["user", "buys", "item"].edge_index = torch.tensor([[0, 1], [2, 0]])
    data["item", "rev_buys", "user"].edge_index = torch.tensor([[2, 0], [0, 1]])
    data["item", "rev_buys", "user"].time = torch.tensor([0, 1_000_000])
    graph = from_hetero(data)
    assert [(a.name, a.modality) for a in graph.node_types[0].attributes] == [
        ("x", "vector"),
        ("age", "numeric"),
        ("country", "categorical"),
    ]
    assert graph.node_types[0].attributes[0].values.dtype == np.float32
    assert graph.node_types[1].ids.tolist() == ["0", "1", "2"]
    assert [relation.full_name for relation in graph.relations] == ["user.buys.item", "item.rev_buys.user"]
    assert (graph.edges.heads.tolist(), graph.edges.tails.tolist()) == ([0, 1, 4, 2], [4, 2, 0, 1])
    assert graph.edges.times is not None
    assert np.isnat(graph.edges.times[:2]).all()
    assert str(graph.edges.times[3]) == "1970-01-01T00:00:01.000000"
    assert (graph.split_rule.by, graph.parts) == ("random", None)
    data["user", "buys", "item"].part = torch.tensor([0, 1])
    with pytest.raises(InputError, match="some relations have a 'part'"):
        from_hetero(data)


def test_a_name_that_hetero_data_needs_itself() -> None:
    pytest.importorskip("torch_geometric")
    city = small_graph().node_types[2]
    attribute = Attribute("num_nodes", "numeric", np.zeros(len(city)))
    graph = Graph((NodeType("city", city.ids, None, (attribute,)),), (), Edges.empty())
    with pytest.raises(InputError, match="cannot be called 'num_nodes'"):
        to_hetero(graph)


def test_to_networkx() -> None:
    pytest.importorskip("networkx")
    graph = _with_everything()
    result = to_networkx(graph)
    assert (result.number_of_nodes(), result.number_of_edges()) == (60, 300)
    person = graph.node_types[0]
    for row, node in enumerate(person.ids):
        data = result.nodes["person", node]
        assert data["label"] == f"Person {row}"
        assert ("age" in data) == (not np.isnan(person.attributes[0].values[row]))
    i = int(np.argmax(graph.edges.relations == 2))
    ends = [("person", graph.node_id(int(end[i]))) for end in (graph.edges.heads, graph.edges.tails)]
    data = result.edges[ends[0], ends[1], "knows"]
    assert data["directed"] is False
    assert graph.groups is not None
    assert data["group"] == graph.groups[i]
    owns = np.flatnonzero(graph.edges.relations == 1)
    for row, edge in enumerate(owns[:10]):
        ends = [("person", graph.node_id(int(graph.edges.heads[edge])))]
        ends += [("company", graph.node_id(int(graph.edges.tails[edge])))]
        data = result.edges[ends[0], ends[1], "owns"]
        assert ("share" in data) == (row % 2 == 0)
        assert ("terms" in data) == (row % 5 != 0)
        assert data["paid"] == graph.edge_attributes[1][2].values[row]
    assert data["part"] == ("train", "valid", "test")[i % 3]
    assert not any("time" in d for *_, key, d in result.edges(keys=True, data=True) if key == "located_in")
