"""A graph saved to a folder, losslessly, and read again: JSON and Parquet, no pickle.

| file | what |
| --- | --- |
| `graph.json` | format, node types with their attributes' modalities, relations, split rule, notes, counts |
| `nodes.<i>.parquet` | of node type i: `id`, `label` (where there are labels), one column per attribute |
| `edges.parquet` | `head`, `relation`, `tail` (indices in the one node space); `time`, `part`, `group` if any |
| `negatives.parquet` | the same, of the edges that the data say do not hold |
| `relations.<i>.parquet` | where relation i's edges have attributes: one column each, a row per edge of it in `edges` |

Format 1 knew no edge attributes and no groups; it is still read. Written anew, the folder is whole once `graph.json`
stands in it: that file is written last.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from relwise.data.edges import Edges, IntArray
from relwise.data.files import read_bytes, read_text
from relwise.data.graph import Attribute, Graph, NodeType, Relation, SplitRule
from relwise.errors import InputError

FORMAT = 2


def write_graph(graph: Graph, folder: str | Path) -> None:
    """Save a graph to a folder, which is made where it is absent."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "graph.json").unlink(missing_ok=True)
    for i, node_type in enumerate(graph.node_types):
        columns = {"id": pa.array(node_type.ids.tolist(), pa.string())}
        if node_type.labels is not None:
            columns["label"] = pa.array(node_type.labels.tolist(), pa.string())
        columns |= _columns(node_type.attributes)
        pyarrow.parquet.write_table(pa.table(columns), folder / f"nodes.{i}.parquet")
    for i, attributes in graph.edge_attributes.items():
        if attributes:
            pyarrow.parquet.write_table(pa.table(_columns(attributes)), folder / f"relations.{i}.parquet")
    _write_edges(graph.edges, graph.parts, folder / "edges.parquet", graph.groups)
    negatives = {name: graph.negatives[name] for name in sorted(graph.negatives)}
    which = np.repeat(np.arange(len(negatives), dtype=np.int8), [len(edges) for edges in negatives.values()])
    _write_edges(_with_times(negatives), which, folder / "negatives.parquet")
    about = {
        "format": FORMAT,
        "node_types": [
            {
                "name": node_type.name,
                "count": len(node_type),
                "labels": node_type.labels is not None,
                "attributes": _described(node_type.attributes),
            }
            for node_type in graph.node_types
        ],
        "relations": [
            {"name": r.name, "head": r.head, "tail": r.tail, "directed": r.directed} for r in graph.relations
        ],
        "edges": {
            "count": len(graph.edges),
            "times": graph.edges.times is not None,
            "parts": graph.parts is not None,
            "groups": graph.groups is not None,
            "attributes": [
                {"relation": i, "attributes": _described(some)} for i, some in graph.edge_attributes.items() if some
            ],
        },
        "negatives": [
            {"part": name, "count": len(edges), "times": edges.times is not None} for name, edges in negatives.items()
        ],
        "split_rule": asdict(graph.split_rule),
        "notes": list(graph.notes),
    }
    (folder / "graph.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_saved_graph(folder: str | Path) -> Graph:
    """The graph that `write_graph` saved. Raises InputError where a file is missing, damaged or newer."""
    folder = Path(folder)
    about = _read_json(folder / "graph.json")
    try:
        return _assemble(about, folder)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise InputError(
            f"the saved graph is damaged: {type(error).__name__} {error}",
            where=str(folder),
            remedy="save it anew",
        ) from None


def _assemble(about: dict[str, Any], folder: Path) -> Graph:
    node_types = tuple(_node_type(each, folder / f"nodes.{i}.parquet") for i, each in enumerate(about["node_types"]))
    relations = tuple(Relation(**each) for each in about["relations"])
    path = folder / "edges.parquet"
    edges, parts, groups = _read_edges(path, about["edges"]["count"])
    edge_attributes = {}
    for each in about["edges"].get("attributes", ()):
        code = each["relation"]
        table = _read_parquet(folder / f"relations.{code}.parquet", int((edges.relations == code).sum()))
        edge_attributes[code] = _attributes(each["attributes"], table)
    negatives: dict[str, Edges] = {}
    false, which, _ = _read_edges(folder / "negatives.parquet", sum(each["count"] for each in about["negatives"]))
    for code, each in enumerate(about["negatives"]):
        chosen = false[which == code]
        negatives[each["part"]] = chosen if each["times"] else _without_times(chosen)
    graph = Graph(
        node_types,
        relations,
        edges if about["edges"]["times"] else _without_times(edges),
        parts if about["edges"]["parts"] else None,
        negatives,
        _split_rule(about["split_rule"]),
        tuple(about["notes"]),
        edge_attributes,
        groups if about["edges"].get("groups") else None,
    )
    for some in (edges, false):
        if len(some) and not (
            (some.relations >= 0).all()
            and (some.relations < len(relations)).all()
            and min(some.heads.min(), some.tails.min()) >= 0
            and max(some.heads.max(), some.tails.max()) < graph.num_nodes
        ):
            raise InputError("an edge lies outside the saved nodes", where=str(path), remedy="save the graph anew")
    return graph


def _read_json(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(
            f"not JSON: {error.msg}", where=f"{path}, line {error.lineno}", remedy="save the graph anew"
        ) from None
    found = about.get("format") if isinstance(about, dict) else None
    if not isinstance(found, int):
        raise InputError("this is no saved graph", where=str(path), remedy="save the graph anew")
    if found > FORMAT:
        raise InputError(
            f"the saved graph has format {found}, newer than {FORMAT}",
            where=str(path),
            remedy="update relwise",
        )
    return about


def _read_parquet(path: Path, count: int) -> pa.Table:
    try:
        table = pyarrow.parquet.read_table(pa.BufferReader(read_bytes(path)))
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"cannot be read as Parquet: {reason}", where=str(path), remedy="save the graph anew"
        ) from None
    if table.num_rows != count:
        raise InputError(
            f"{table.num_rows} rows where graph.json says {count}",
            where=str(path),
            remedy="save the graph anew",
        )
    return table


def _node_type(about: dict[str, Any], path: Path) -> NodeType:
    table = _read_parquet(path, about["count"])
    labels = _objects(table["label"]) if about["labels"] else None
    ids = pd.Index(_objects(table["id"]), dtype=object)
    return NodeType(about["name"], ids, labels, _attributes(about["attributes"], table))


def _split_rule(about: dict[str, Any]) -> SplitRule:
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in about.items()}
    return SplitRule(**given)


def _attributes(about: list[dict[str, Any]], table: pa.Table) -> tuple[Attribute, ...]:
    return tuple(Attribute(each["name"], each["modality"], _values(table, each)) for each in about)


def _described(attributes: tuple[Attribute, ...]) -> list[dict[str, Any]]:
    return [{"name": a.name, "modality": a.modality, "width": _width(a)} for a in attributes]


def _columns(attributes: tuple[Attribute, ...]) -> dict[str, pa.Array]:
    return {f"attribute.{attribute.name}": _column(attribute) for attribute in attributes}


def _width(attribute: Attribute) -> int | None:
    return attribute.values.shape[1] if attribute.values.ndim == 2 else None


def _column(attribute: Attribute) -> pa.Array:
    """An attribute's values as an Arrow array of one row per node or edge."""
    values = attribute.values
    if attribute.modality == "multi_categorical":
        return pa.array([None if words is None else list(words) for words in values], pa.list_(pa.string()))
    if attribute.modality in ("categorical", "text"):
        return pa.array(values.tolist(), pa.string())
    if attribute.modality == "timestamp":
        return pa.array(values.astype("datetime64[us]"), pa.timestamp("us"))
    flat = pa.array(np.ascontiguousarray(values).ravel(), from_pandas=False)
    width = _width(attribute)
    if width is None:
        return flat
    # Parquet has no lists of length 0.
    return pa.FixedSizeListArray.from_arrays(flat, width) if width else pa.nulls(len(values), pa.bool_())


def _values(table: pa.Table, about: dict[str, Any]) -> npt.NDArray:
    """The reverse of `_column`."""
    column = table[f"attribute.{about['name']}"].combine_chunks()
    if about["modality"] in ("categorical", "text"):
        return _objects(column)
    if about["modality"] == "multi_categorical":
        return _objects([None if words is None else tuple(words) for words in column.to_pylist()])
    if about["modality"] == "timestamp":
        return np.array(column.to_numpy(zero_copy_only=False), dtype="datetime64[us]")
    width = about["width"]
    if width == 0:
        return np.empty((len(column), 0), dtype=np.float32)
    flat = column if width is None else column.flatten()
    values = np.array(flat.to_numpy(zero_copy_only=False))
    return values if width is None else values.reshape(-1, width)


def _objects(column: Any) -> npt.NDArray[np.object_]:
    result = np.empty(len(column), dtype=object)
    result[:] = column if isinstance(column, list) else column.to_pylist()
    return result


def _with_times(negatives: dict[str, Edges]) -> Edges:
    """All negatives one after the other, NaT where a part has no times."""
    none = np.datetime64("NaT", "us")
    return Edges.concatenate(
        *(
            Edges(e.heads, e.relations, e.tails, np.full(len(e), none) if e.times is None else e.times)
            for e in negatives.values()
        )
    )


def _without_times(edges: Edges) -> Edges:
    return Edges(edges.heads, edges.relations, edges.tails)


def _write_edges(edges: Edges, parts: npt.NDArray[np.int8] | None, path: Path, groups: IntArray | None = None) -> None:
    columns = {"head": edges.heads, "relation": edges.relations, "tail": edges.tails}
    arrays = {name: pa.array(values, pa.int64()) for name, values in columns.items()}
    if edges.times is not None:
        arrays["time"] = pa.array(edges.times.astype("datetime64[us]"), pa.timestamp("us"))
    if parts is not None:
        arrays["part"] = pa.array(parts, pa.int8())
    if groups is not None:
        arrays["group"] = pa.array(groups, pa.int64())
    pyarrow.parquet.write_table(pa.table(arrays), path)


def _read_edges(path: Path, count: int) -> tuple[Edges, npt.NDArray[np.int8], IntArray]:
    """Edges with their times (NaT where the file has none), parts (0 where none) and groups (-1 where none)."""
    table = _read_parquet(path, count)
    heads, relations, tails = (table[name].to_numpy() for name in ("head", "relation", "tail"))
    times = np.full(count, np.datetime64("NaT", "us"))
    if "time" in table.column_names:
        times = np.array(table["time"].to_numpy(), dtype="datetime64[us]")
    parts = np.zeros(count, dtype=np.int8)
    if "part" in table.column_names:
        parts = np.array(table["part"].to_numpy(), dtype=np.int8)
    groups = np.full(count, -1)
    if "group" in table.column_names:
        groups = np.array(table["group"].to_numpy(), dtype=np.int64)
    return Edges(heads, relations, tails, times), parts, groups
