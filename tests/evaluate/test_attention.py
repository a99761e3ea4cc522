import numpy as np
import pytest
from scipy.stats import entropy as scipys

from relwise.data.graph import Graph
from relwise.evaluate.attention import attention_entropy, concentration, uniform_entropy
from relwise.predictor import RelationshipPredictor


def weights_of(counts, heads, seed=0):
    rng = np.random.default_rng(seed)
    parts = [rng.dirichlet(np.full(count, 0.5), heads).T for count in counts if count]
    return np.concatenate(parts), np.concatenate([[0], np.cumsum(counts)])


@pytest.mark.parametrize("heads", [1, 3])
def test_the_entropy_is_scipys(heads):
    counts = [3, 0, 1, 40, 2]
    alpha, indptr = weights_of(counts, heads)
    found = attention_entropy(alpha, indptr)
    for i, count in enumerate(counts):
        own = alpha[indptr[i] : indptr[i + 1]]
        want = scipys(own, axis=0) if count else np.full(heads, np.nan)
        np.testing.assert_allclose(found[i], want, atol=1e-12)


def test_equal_weights_have_the_most_and_one_edge_has_none():
    counts = np.array([4, 1, 7])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    alpha = np.repeat(1 / counts, counts)[:, None]
    np.testing.assert_allclose(attention_entropy(alpha, indptr)[:, 0], uniform_entropy(indptr), atol=1e-12)
    assert uniform_entropy(indptr)[1] == 0
    assert concentration(alpha, indptr) == {
        "nodes": 2, "entropy": [1.6661], "uniform": 1.6661, "share": [1.0],
    }  # fmt: skip


def test_weights_of_zero_count_nothing():
    assert attention_entropy([[1.0], [0.0]], [0, 2]).tolist() == [[0.0]]


def test_without_a_choice_there_is_nothing_to_tell():
    assert concentration(np.ones((2, 1)), [0, 1, 2]) == {"nodes": 0, "entropy": None, "uniform": None, "share": None}


def test_a_trained_network_tells_of_each_layer_and_head_and_others_of_none():
    graph = Graph.from_triples([(i, "likes", (i * k + 1) % 40) for i in range(40) for k in (1, 2, 3, 4)])
    found = RelationshipPredictor(dim=8, steps=5, layers=2, heads=3).fit(graph).attention()
    assert [len(layer["entropy"]) for layer in found] == [3, 3]
    assert all(0 < share <= 1 for layer in found for share in layer["share"])
    assert RelationshipPredictor(dim=8, steps=2, encoder="rgcn").fit(graph).attention() == []
