"""Which nodes meet a condition on their attributes, told in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.graph import Graph
from relwise.data.node_type import Attribute, NodeType
from relwise.errors import InputError

SHOWN = 12  # names of columns in an error


def nodes_where(graph: Graph, node_types: Sequence[str], condition: str) -> npt.NDArray[np.bool_]:
    """(N,) whether each node is of one of the types and meets the condition.

    The condition is an expression of DuckDB's SQL. Its columns are `id`, `label` and the type's attributes: numbers,
    words, texts, dates and truths as they are; several words as a list; a place as `name_latitude`, `name_longitude`.
    Where a value is missing the condition is not met, unless it asks for that (`revenue is null`).

    Args:
        graph: whose nodes.
        node_types: names of types; each must have the columns.
        condition: `"country = 'CAN' and revenue > 1e6"`.

    Raises:
        InputError: at what is no condition, naming the columns there are.

    >>> graph = Graph.from_triples([("ann", "knows", "bob")])
    >>> nodes_where(graph, ["node"], "id like 'a%'").tolist()
    [True, False]
    """
    import duckdb

    met = np.zeros(graph.num_nodes, dtype=bool)
    for name in node_types:
        table = attribute_frame(graph.node_types[graph.type_index[name]])
        low, high = graph.type_range(name)
        # In memory, and shut off from files: a condition may come from a stranger.
        connection = duckdb.connect(config={"enable_external_access": "false"})
        try:
            connection.register("nodes", table)
            asked = connection.extract_statements(f"select coalesce(cast(({condition}) as boolean), false) from nodes")
            found = connection.execute(asked[0]).fetchnumpy() if len(asked) == 1 else {}
            values = np.concatenate([np.asarray(one, dtype=bool) for one in found.values()] or [met[:0]])
            if len(found) != 1 or len(values) != len(table):
                raise InputError(f"{condition!r} is no condition", remedy="write one such as \"country = 'CAN'\"")
            met[low:high] = values
        except duckdb.Error as error:
            said = str(error).partition("\n")[0].removesuffix("!")
            columns = ", ".join(table.columns[:SHOWN])
            raise InputError(
                f"{condition!r} is no condition on a {name}: {said}", remedy=f"its columns are {columns}"
            ) from None
        finally:
            connection.close()
    return met


def attribute_frame(nodes: NodeType) -> pd.DataFrame:
    """The nodes of a type as a table: `id`, `label`, and their attributes."""
    labels = nodes.ids if nodes.labels is None else nodes.labels
    columns: dict[str, Any] = {"id": nodes.ids.astype(str), "label": labels}
    for attribute in nodes.attributes:
        columns |= _columns(attribute)
    return pd.DataFrame(columns)


def _columns(attribute: Attribute) -> dict[str, Any]:
    values, name = attribute.values, attribute.name
    if attribute.modality == "place":
        return {f"{name}_latitude": values[:, 0], f"{name}_longitude": values[:, 1]}
    if attribute.modality == "vector":
        return {}  # nothing that a person could ask of
    if attribute.modality == "multi_categorical":
        return {name: [None if words is None else list(words) for words in values]}
    if attribute.modality == "boolean":
        return {name: pd.arrays.BooleanArray(values == 1, np.isnan(values))}
    if attribute.modality == "numeric":
        return {name: pd.arrays.FloatingArray(values.astype(np.float64), np.isnan(values))}
    return {name: values}
