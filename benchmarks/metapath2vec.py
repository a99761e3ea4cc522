"""metapath2vec: `Scalable Representation Learning for Heterogeneous Networks
<https://ericdongyx.github.io/papers/KDD17-dong-chawla-swami-metapath2vec.pdf>`_ (Dong, Chawla, Swami; KDD 2017).

    python benchmarks/metapath2vec.py amazon --seconds 60      # its measures on the validation edges; --part test

Random walks go by a metapath, a cycle of relations from a node type back to itself, walked again and again. A skip-gram
makes nodes of one window alike::

    max Σ over windows of log σ(x_i · x_j) + Σ over drawn windows of log σ(-x_i · x_j)

The walks and the skip-gram are PyG's `MetaPath2Vec`. It has a training of its own, so it is no encoder of relwise's:
an edge scores by the dot product of its ends, whatever its relation. Negatives are drawn from all nodes, as in the
paper (metapath2vec++ draws them by type). Where the paper is given its metapaths by experts, all cycles of up to four
relations are taken here, the shortest first. All walks share one table of embeddings; PyG's has no other for contexts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import SubsetRandomSampler

from clock import spent
from data import benchmark_folder
from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.read import read
from relwise.data.split import Split, split_graph
from relwise.evaluate.metrics import average_precision, f1_at, roc_auc
from relwise.nn.encoders.edge_list import edge_list
from relwise.nn.encoders.pyg import pyg_layers
from relwise.nn.messages import message_ends, message_graph

LONGEST, MOST = 4, 32  # relations in a metapath; metapaths
WALK, CONTEXT, NEGATIVES = 50, 7, 5  # PyG's example's; the paper's context and negatives
STARTS = (
    64  # nodes that a step's walks begin at: 3,000 windows and five times as many drawn ones, some 50 MB at d = 128
)
LEARNING_RATE = 0.01  # SparseAdam's, PyG's example's


def metapath2vec(
    graph: Graph,
    split: Split,
    dim: int = 128,
    *,
    epochs: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    walk: int = WALK,
    context: int = CONTEXT,
) -> npt.NDArray[np.float32]:
    """(N, d) embeddings, learnt from walks along the message edges.

    Args:
        graph: says node types and relations.
        split: whose message edges are walked.
        dim: d.
        epochs: how often a walk begins at each node by each metapath.
        seconds: of two cores (`clock.py`), after which training stops at the latest; an epoch not through ends there.
        seed: of all draws; the same seed gives the same embeddings where time does not cut them short.
        walk: steps of a walk.
        context: nodes of a window, of which the first is paired with the others.

    Raises:
        ValueError: without epochs and without seconds.
    """
    if epochs is None and seconds is None:
        raise ValueError("neither epochs nor seconds say when training ends")
    began = spent()
    parts = edge_list(message_graph(graph, split.message).adjacency).by_relation()
    paths = list(islice(metapaths(message_ends(graph)), MOST))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        table = torch.nn.Embedding(graph.num_nodes + 1, dim, sparse=True)  # the last is PyG's: where walks end
        torch.nn.init.normal_(table.weight, std=dim**-0.5)
        loaders = [_walks(graph.num_nodes, parts, path, table, walk, context) for path in paths]
        optimizer = torch.optim.SparseAdam(table.parameters(), lr=LEARNING_RATE)
        epoch = 0
        while epochs is None or epoch < epochs:
            for model, (walked, drawn) in _in_turn(loaders):
                if seconds is not None and spent() - began >= seconds:
                    return table.weight.detach()[:-1].numpy()
                walked = walked[(walked != model.dummy_idx).all(dim=1)]  # windows that no walk came to the end of
                if len(walked):
                    optimizer.zero_grad()
                    model.loss(walked, drawn).backward()
                    optimizer.step()
            epoch += 1
    return table.weight.detach()[:-1].numpy()


def metapaths(ends: Sequence[tuple[int, int]], longest: int = LONGEST) -> Iterator[tuple[int, ...]]:
    """Cycles of message relations, the shortest first; one for all its turns, and none that repeats a shorter one.

    Args:
        ends: the node types of each message relation (`relwise.nn.messages.message_ends`).
        longest: how many relations at most.

    >>> list(metapaths([(0, 1), (1, 0)]))  # written, and by whom: author - paper - author
    [(0, 1)]
    >>> list(metapaths([(0, 0), (0, 0)], longest=2))
    [(0,), (1,), (0, 1)]
    """
    begun = [(r,) for r in range(len(ends))]
    for length in range(1, longest + 1):
        for path in begun:
            turns = [path[i:] + path[:i] for i in range(1, length)]
            if ends[path[0]][0] == ends[path[-1]][1] and all(path < turn for turn in turns):
                yield path
        # A cycle's least turn begins with its least relation.
        begun = [
            (*path, r) for path in begun for r in range(path[0], len(ends)) if ends[r][0] == ends[path[-1]][1]
        ] if length < longest else []  # fmt: skip


def dot(nodes: npt.NDArray[np.float32], edges: Edges) -> npt.NDArray[np.float32]:
    """(n,) the score of each edge."""
    return np.einsum("nd,nd->n", nodes[edges.heads], nodes[edges.tails])


def _walks(
    num_nodes: int, parts: Sequence[Tensor], path: tuple[int, ...], table: torch.nn.Embedding, walk: int, context: int
) -> tuple[Any, Any]:
    """PyG's model of one metapath, on the one table, and what loads its walks.

    To PyG all nodes are of one type: relations alone say where a walk may go, and negatives are drawn from all.
    """
    kinds = [("node", str(r), "node") for r in path]
    links = {kind: parts[r] for kind, r in zip(kinds, path, strict=True)}
    model = pyg_layers("metapath2vec").MetaPath2Vec(
        links, 1, kinds, walk, context, num_negative_samples=NEGATIVES, num_nodes_dict={"node": num_nodes}
    )
    model.embedding, model.embedding_dim = table, table.embedding_dim
    starts = parts[path[0]][0].unique().tolist()
    return model, model.loader(batch_size=STARTS, sampler=SubsetRandomSampler(starts)) if starts else []


def _in_turn(loaders: Sequence[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """A batch of each loader, again and again, till all have given what they have."""
    running = [(model, iter(loader)) for model, loader in loaders]
    while running:
        left = []
        for model, batches in running:
            batch = next(batches, None)
            if batch is not None:
                left.append((model, batches))
                yield model, batch
        running = left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="the data set")
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=["valid", "test"], default="valid")
    arguments = parser.parse_args()
    graph = read(benchmark_folder(arguments.name))
    split = split_graph(graph, arguments.seed)
    nodes = metapath2vec(graph, split, arguments.dim, seconds=arguments.seconds, seed=arguments.seed)
    asked = split.part(arguments.part)
    scores = dot(nodes, asked.edges)
    found = roc_auc(asked.labels, scores), average_precision(asked.labels, scores), f1_at(asked.labels, scores, 0.0)
    print("  ".join(f"{name} {100 * value:.2f}" for name, value in zip(("AUC", "AP", "F1"), found, strict=True)))


if __name__ == "__main__":
    main()
