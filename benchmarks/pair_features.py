"""What a data scientist would do instead: a table of features for each pair, and boosted trees on it.

Features of (head, relation, tail): the relation; both ends' degrees, under the relation and in all; ties of the pair
under other relations; shared neighbours (Adamic-Adar) and paths of length 3; both ends' attributes, numbers as they
stand, words by how frequent they are, text by its first SVD components, and whether a word is both ends'.

The trees learn from a later window of the training edges, with features counted over the edges before it: counted over
the edges themselves, every feature would give the answer away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer

from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph
from relwise.data.split import draw_negatives
from relwise.evaluate.baselines import AdamicAdar, Path3

TEXT = 8  # components of a text

Floats = npt.NDArray[np.float32]


class PairFeatures:
    """Features of pairs, counted over the edges given.

    Args:
        graph: whose attributes are the ends'.
        evidence: the edges to count over.
    """

    def __init__(self, graph: Graph, evidence: Edges) -> None:
        self.graph = graph
        n, relations = graph.num_nodes, graph.num_relations
        self.out = np.zeros((n, relations), np.float32)
        self.into = np.zeros((n, relations), np.float32)
        np.add.at(self.out, (evidence.heads, evidence.relations), 1)
        np.add.at(self.into, (evidence.tails, evidence.relations), 1)
        ones = np.ones(len(evidence), np.float32)
        self.ties = [
            sparse.csr_matrix((ones[rows], (evidence.heads[rows], evidence.tails[rows])), shape=(n, n))
            for rows in (evidence.relations == r for r in range(relations))
        ]
        self.shared, self.paths = AdamicAdar(evidence, n), Path3(evidence, n)
        self.attributes, self.words = _attribute_table(graph)

    def __call__(self, edges: Edges) -> Floats:
        """(n, features) of n edges."""
        heads, relations, tails = edges.heads, edges.relations, edges.tails
        own = np.arange(len(edges))
        ties = np.stack([np.asarray(tie[heads, tails]).ravel() for tie in self.ties], axis=1)
        ties[own, relations] = 0  # of an edge that is known, itself
        columns = [
            relations[:, None],
            self.out[heads, relations][:, None],
            self.into[tails, relations][:, None],
            (self.out[heads] + self.into[heads]).sum(axis=1, keepdims=True),
            (self.out[tails] + self.into[tails]).sum(axis=1, keepdims=True),
            ties,
            self.shared.pairs(heads, tails)[:, None],
            self.paths.pairs(heads, tails)[:, None],
            self.attributes[heads],
            self.attributes[tails],
            self.attributes[heads][:, self.words] == self.attributes[tails][:, self.words],
        ]
        return np.concatenate(columns, axis=1).astype(np.float32)


def fit_trees(
    graph: Graph, message: Edges, supervised: npt.NDArray[np.bool_], since: str, rounds: int, seed: int
) -> HistGradientBoostingClassifier:
    """Boosted trees that tell training edges from drawn ones.

    Args:
        graph: whose edges they are.
        message: the training edges, with times.
        supervised: (len(message),) which of them may be learnt from.
        since: the first day of the window that is learnt from; features are counted over what lies before it.
        rounds: trees at most; fewer where a tenth of the edges, left out, says so.
        seed: of the negatives.
    """
    assert message.times is not None
    late = message.times >= np.datetime64(since)
    positives = message[late & supervised]
    negatives = draw_negatives(graph, positives, np.random.default_rng([seed, 5]))
    features = PairFeatures(graph, message[~late])
    table = features(Edges.concatenate(_plain(positives), _plain(negatives)))
    table[:, np.isnan(table).all(axis=0)] = 0  # a column that no such end has, which scikit-learn cannot bin
    truth = np.repeat([True, False], [len(positives), len(negatives)])
    options: dict[str, Any] = {"early_stopping": True, "categorical_features": [0]}  # mistyped in scikit-learn
    trees = HistGradientBoostingClassifier(max_iter=rounds, random_state=seed, **options)
    return trees.fit(table, truth)


def _plain(edges: Edges) -> Edges:
    return Edges(edges.heads, edges.relations, edges.tails)


def _attribute_table(graph: Graph) -> tuple[Floats, npt.NDArray[np.intp]]:
    """(N, columns) every node's attributes, NaN where its type has none of that name; and which columns are words.

    Columns of one name are one column over all types: a city's region and a supplier's are the same words.
    """
    given: dict[str, list[tuple[tuple[int, int], Attribute]]] = {}
    for node_type in graph.node_types:
        for attribute in node_type.attributes:
            given.setdefault(attribute.name, []).append((graph.type_range(node_type.name), attribute))
    table, words = [], []
    for parts in given.values():
        columns = _numbers([attribute for _, attribute in parts])
        words += [len(table)] if parts[0][1].modality in ("categorical", "multi_categorical") else []
        for column in columns.T:
            whole, at = np.full(graph.num_nodes, np.nan, np.float32), 0
            for (low, high), attribute in parts:
                whole[low:high] = column[at : at + len(attribute.values)]
                at += len(attribute.values)
            table.append(whole)
    shape = (graph.num_nodes, 0)
    return np.stack(table, axis=1) if table else np.empty(shape, np.float32), np.array(words, dtype=np.intp)


def _numbers(attributes: list[Attribute]) -> npt.NDArray:
    """(rows of all, columns) attributes of one name as numbers."""
    modality, values = attributes[0].modality, np.concatenate([a.values for a in attributes])
    if modality in ("numeric", "boolean"):
        return values[:, None]
    if modality == "timestamp":
        return np.where(np.isnat(values), np.nan, values.astype(np.int64).astype(float))[:, None]
    if modality in ("place", "vector"):
        return values
    if modality == "text":
        texts = ["" if text is None else str(text) for text in values]
        pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), min_df=2, max_features=20_000)
        table: Any = pieces.fit_transform(texts)
        return TruncatedSVD(min(TEXT, table.shape[1] - 1), random_state=0).fit_transform(table)
    distinct, where = np.unique(np.array([str(word) for word in values]), return_inverse=True)
    rank = np.empty(len(distinct))
    rank[np.argsort(-np.bincount(where), kind="stable")] = np.arange(len(distinct))
    missing = np.array([word is None for word in values])
    return np.where(missing, np.nan, rank[where])[:, None]
