"""A digest of all that answers depend on: what was made with one run must not be taken for another's."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from relwise.data.fingerprint import fingerprint
from relwise.data.graph import Graph
from relwise.data.split import Split
from relwise.nn.network import Network
from relwise.predict.final import Judgement


def digest_of(graph: Graph, split: Split, network: Network, judgement: Judgement) -> str:
    """SHA-256 over the graph, its split and known edges, the weights and the judgement, in hexadecimal.

    >>> from relwise.predictor import RelationshipPredictor
    >>> graph = Graph.from_triples([(i, "likes", (i + k) % 40) for i in range(40) for k in (1, 2, 3, 4)])
    >>> one, other = (RelationshipPredictor(seed, dim=8, steps=2).fit(graph) for seed in (0, 1))
    >>> one.digest == one.digest, one.digest == other.digest
    (True, False)
    """
    digest = hashlib.sha256(fingerprint(graph, split).encode())
    for array in (graph.edges.heads, graph.edges.relations, graph.edges.tails):
        digest.update(np.ascontiguousarray(array).tobytes())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    digest.update(json.dumps(judgement.to_json(), sort_keys=True).encode())
    return digest.hexdigest()
