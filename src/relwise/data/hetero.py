"""A graph to and from PyG's `HeteroData`, and to NetworkX.

A graph made into `HeteroData` and back is the same graph, with its edges in the order of their relations.

| in the graph | in `HeteroData` |
| --- | --- |
| a node type | `data[type].num_nodes`, `.node_id` (list), `.node_label` (list, where there are labels) |
| an attribute | `data[type][name]`: a tensor (n,) or (n, k), a timestamp in microseconds; a list of words or tuples |
| a relation | `data[head, name, tail].edge_index`, positions within types; an undirected edge stands once |
| times, parts, groups | `.time` (microseconds since 1970), `.part` (0 train, 1 valid, 2 test), `.group` of a relation |
| an edge attribute | `data[head, name, tail][attribute]`, as that of a node type |
| given negatives | `.valid_negatives`, `.test_negatives` (2, n) of a relation |
| everything else | `data.relwise`, a dict: modalities, undirected relations, split rule, notes |

A `HeteroData` from elsewhere has no `data.relwise`: then tensors of one number per node are numeric, of
several (as `x`) vectors, lists of strings categorical; relations are directed.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph, Modality, NodeType, Relation, SplitRule
from relwise.errors import InputError

if TYPE_CHECKING:
    from networkx import MultiDiGraph
    from torch_geometric.data import HeteroData

_OWN = ("node_id", "node_label", "num_nodes")
_NEGATIVES = {"valid": "valid_negatives", "test": "test_negatives"}
_OWN_OF_EDGES = ("edge_index", "time", "part", "group", *_NEGATIVES.values())


def to_hetero(graph: Graph) -> HeteroData:
    """The graph as PyG's `HeteroData` (see the module's text). Needs the extra `[pyg]`."""
    import torch
    from torch_geometric.data import HeteroData

    data = HeteroData()
    for node_type in graph.node_types:
        store = data[node_type.name]
        store.num_nodes = len(node_type)
        store.node_id = node_type.ids.tolist()
        if node_type.labels is not None:
            store.node_label = list(node_type.labels)
        _store_attributes(store, node_type.attributes, _OWN, f"node type '{node_type.name}'")
    for code, relation in enumerate(graph.relations):
        store = data[relation.head, relation.name, relation.tail]
        own = np.flatnonzero(graph.edges.relations == code)
        store.edge_index = torch.tensor(_local(graph, graph.edges[own], relation))
        if graph.edges.times is not None:
            store.time = torch.tensor(graph.edges.times[own].astype("datetime64[us]").astype(np.int64))
        if graph.parts is not None:
            store.part = torch.tensor(graph.parts[own])
        if graph.groups is not None:
            store.group = torch.tensor(graph.groups[own])
        attributes = graph.edge_attributes.get(code, ())
        _store_attributes(store, attributes, _OWN_OF_EDGES, f"relation '{relation.name}'")
        for part, negatives in graph.negatives.items():
            store[_NEGATIVES[part]] = torch.tensor(_local(graph, negatives[negatives.relations == code], relation))
    data.relwise = {
        "modalities": {t.name: {a.name: a.modality for a in t.attributes} for t in graph.node_types},
        "edge_modalities": {
            graph.relations[code].full_name: {a.name: a.modality for a in attributes}
            for code, attributes in graph.edge_attributes.items()
        },
        "undirected": [relation.full_name for relation in graph.relations if not relation.directed],
        "split_rule": asdict(graph.split_rule),
        "notes": list(graph.notes),
    }
    return data


def from_hetero(data: HeteroData) -> Graph:
    """A graph from PyG's `HeteroData` (see the module's text)."""
    own: dict[str, Any] = getattr(data, "relwise", None) or {}
    node_types = tuple(_node_type(name, data[name], own.get("modalities", {}).get(name)) for name in data.node_types)
    start = dict(zip(data.node_types, np.cumsum([0, *map(len, node_types)])[:-1], strict=True))
    relations, found, times, parts, groups = [], [], [], [], []
    edge_attributes: dict[int, tuple[Attribute, ...]] = {}
    negatives: dict[str, list[Edges]] = {}
    for code, (head, name, tail) in enumerate(data.edge_types):
        store = data[head, name, tail]
        directed = f"{head}.{name}.{tail}" not in own.get("undirected", ())
        relations.append(Relation(name, head, tail, directed))

        def edges(index: Any, code: int = code, head: str = head, tail: str = tail) -> Edges:
            pairs = np.asarray(index, dtype=np.int64)
            return Edges(pairs[0] + start[head], np.full(pairs.shape[1], code), pairs[1] + start[tail])

        found.append(edges(store.edge_index))
        times.append(_times(store, len(found[-1])))
        parts.append(np.asarray(store.part, dtype=np.int8) if "part" in store else None)
        groups.append(np.asarray(store.group, dtype=np.int64) if "group" in store else np.full(len(found[-1]), -1))
        modalities = own.get("edge_modalities", {}).get(f"{head}.{name}.{tail}", {})
        edge_attributes[code] = _attributes(store, len(found[-1]), modalities, _OWN_OF_EDGES)
        for part, key in _NEGATIVES.items():
            if key in store:
                negatives.setdefault(part, []).append(edges(store[key]))
    all_edges = Edges.concatenate(*found)
    if any(time is not None for time in times):
        unknown = [np.full(len(edges), np.datetime64("NaT", "us")) for edges in found]
        moments = np.concatenate([u if t is None else t for t, u in zip(times, unknown, strict=True)])
        all_edges = Edges(all_edges.heads, all_edges.relations, all_edges.tails, moments)
    given = [part for part in parts if part is not None]
    if given and len(given) < len(parts):
        raise InputError("some relations have a 'part' and some do not", remedy="give it to all or to none")
    given_rule: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in own.get("split_rule", {}).items()
    }
    rule = SplitRule(**given_rule) if given_rule else SplitRule("given" if given else "random")
    return Graph(
        node_types,
        tuple(relations),
        all_edges,
        np.concatenate(given) if given else None,
        {part: Edges.concatenate(*lists) for part, lists in negatives.items()},
        rule,
        tuple(own.get("notes", ())),
        {code: attributes for code, attributes in edge_attributes.items() if attributes},
        np.concatenate(groups) if any("group" in data[edge_type] for edge_type in data.edge_types) else None,
    )


def to_networkx(graph: Graph) -> MultiDiGraph:
    """The graph as NetworkX's `MultiDiGraph`.

    A node is `(type, id)` with `label` and its attributes that are not missing; an edge has the relation's
    name for a key and `directed`, with `time`, `part`, `group` and its attributes where the data give them. An
    undirected edge stands once.
    """
    from networkx import MultiDiGraph

    result = MultiDiGraph()
    keys: list[tuple[str, str]] = []
    for node_type in graph.node_types:
        for row, node in enumerate(node_type.ids):
            known = {a.name: a.values[row] for a in node_type.attributes if not _missing(a.values[row])}
            keys.append((node_type.name, str(node)))
            result.add_node(keys[-1], **{"label": graph.node_label(len(keys) - 1), **known})
    names, edges = graph.relation_names, graph.edges
    places = _places(graph)
    for i, (head, relation, tail) in enumerate(zip(edges.heads, edges.relations, edges.tails, strict=True)):
        own, row = graph.edge_attributes.get(int(relation), ()), places[i]
        extra: dict[str, Any] = {a.name: a.values[row] for a in own if not _missing(a.values[row])}
        extra["directed"] = graph.relations[relation].directed
        if edges.times is not None and not np.isnat(edges.times[i]):
            extra["time"] = edges.times[i].astype("datetime64[us]").item()
        if graph.parts is not None:
            extra["part"] = ("train", "valid", "test")[graph.parts[i]]
        if graph.groups is not None and graph.groups[i] >= 0:
            extra["group"] = int(graph.groups[i])
        result.add_edge(keys[head], keys[tail], key=names[relation])
        result.edges[keys[head], keys[tail], names[relation]].update(extra)
    return result


def _places(graph: Graph) -> npt.NDArray[np.int64]:
    """(edges,) which edge of its relation each one is: the row of its attributes."""
    places = np.empty(len(graph.edges), dtype=np.int64)
    for code in range(graph.num_relations):
        own = np.flatnonzero(graph.edges.relations == code)
        places[own] = np.arange(len(own))
    return places


def _local(graph: Graph, edges: Edges, relation: Relation) -> npt.NDArray[np.int64]:
    """(2, n) positions within the types of the relation's ends."""
    return np.stack(
        [edges.heads - graph.type_range(relation.head)[0], edges.tails - graph.type_range(relation.tail)[0]]
    )


def _times(store: Any, count: int) -> npt.NDArray[np.datetime64] | None:
    if "time" not in store:
        return None
    return np.asarray(store.time, dtype=np.int64).reshape(count).astype("datetime64[us]")


def _store_attributes(store: Any, attributes: tuple[Attribute, ...], own: tuple[str, ...], where: str) -> None:
    import torch

    for attribute in attributes:
        if attribute.name in own:
            raise InputError(
                f"an attribute cannot be called {attribute.name!r} in HeteroData", where=where, remedy="rename it"
            )
        values = attribute.values
        if attribute.modality == "timestamp":
            values = values.astype("datetime64[us]").astype(np.int64)
        store[attribute.name] = list(values) if values.dtype == object else torch.tensor(values)


def _attributes(
    store: Any, count: int, modalities: dict[str, Modality] | None, own: tuple[str, ...]
) -> tuple[Attribute, ...]:
    """A store's attributes: those that are named, or, where nothing is said, all that have a row for each."""
    attributes = []
    for key, value in store.to_dict().items():
        if key in own or (modalities is not None and key not in modalities):
            continue
        values = np.empty(len(value), dtype=object) if isinstance(value, list) else np.asarray(value)
        if isinstance(value, list):
            values[:] = value
        if values.shape[:1] != (count,) or values.ndim > 2:
            continue
        modality = None if modalities is None else modalities[key]
        modality = modality or ("categorical" if isinstance(value, list) else ("numeric", "vector")[values.ndim - 1])
        attributes.append(Attribute(key, modality, _plain(values, modality)))
    return tuple(attributes)


def _node_type(name: str, store: Any, modalities: dict[str, Modality] | None) -> NodeType:
    count = int(store.num_nodes)
    attributes = _attributes(store, count, modalities, _OWN)
    labels = None
    if "node_label" in store:
        labels = np.empty(count, dtype=object)
        labels[:] = store.node_label
    ids = [str(i) for i in store.node_id] if "node_id" in store else [str(i) for i in range(count)]
    return NodeType(name, pd.Index(ids, dtype=object), labels, attributes)


def _plain(values: npt.NDArray, modality: Modality) -> npt.NDArray:
    """Values as the modality's plain form (see `Attribute`)."""
    if modality == "multi_categorical":
        sets = np.empty(len(values), dtype=object)
        sets[:] = [None if value is None else tuple(value) for value in values]
        return sets
    if modality in ("categorical", "text"):
        words = np.empty(len(values), dtype=object)
        words[:] = [None if value is None else str(value) for value in values]
        return words
    if modality == "timestamp":
        return values.astype(np.int64).astype("datetime64[us]")
    return values.astype(np.float32 if modality == "vector" else np.float64)


def _missing(value: Any) -> bool:
    """Whether an attribute's value says that it is missing."""
    if value is None or isinstance(value, tuple):
        return value is None
    return bool(np.all(pd.isna(value)))
