"""A digest of a graph and its split: two that are equal have the same."""

from __future__ import annotations

import hashlib

import numpy as np

from relwise.data.graph import Graph
from relwise.data.split import Split


def fingerprint(graph: Graph, split: Split) -> str:
    """A digest of what is learnt from: the ids, attributes and edges of every part."""
    digest = hashlib.sha256()
    of_edges = (graph.edge_attributes[relation] for relation in sorted(graph.edge_attributes))
    for node_type in graph.node_types:
        digest.update("\0".join([node_type.name, *node_type.ids]).encode())
    for attributes in (*(node_type.attributes for node_type in graph.node_types), *of_edges):
        for attribute in attributes:
            digest.update(f"{attribute.name}\0{attribute.modality}".encode())
            values = attribute.values
            plain = "\0".join(map(repr, values)).encode() if values.dtype == object else values.tobytes()
            digest.update(plain)
    digest.update(repr(graph.relations).encode())
    edges = [split.message, split.valid.edges, split.test.edges]
    arrays = [array for part in edges for array in (part.heads, part.relations, part.tails)]
    for array in (*arrays, split.supervised, split.valid.labels, split.test.labels):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
