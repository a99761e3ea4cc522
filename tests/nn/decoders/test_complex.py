from collections.abc import Iterator

import numba
import numpy as np
import pytest
import torch

import relwise
from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.errors import InputError
from relwise.evaluate.metrics import roc_auc
from relwise.nn.decoders import ComplEx, DistMult
from relwise.predictor import RelationshipPredictor
from relwise.settings import Settings
from tests.command import here
from tests.small_data import TINY, triples_folder

pytestmark = pytest.mark.usefixtures("one_thread")
NODES, RELATIONS, DIM, EDGES = 9, 3, 6, 40


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take long where other work fills the cores, as it may where tests run."""
    before = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    yield
    torch.set_num_threads(before[0])
    numba.set_num_threads(before[1])


def case(dtype=torch.float64):
    torch.manual_seed(0)
    decoder = ComplEx(RELATIONS, DIM).to(dtype)
    nodes = torch.randn(NODES, DIM, dtype=dtype)
    heads, tails = torch.randint(0, NODES, (2, EDGES))
    return decoder, nodes, heads, torch.randint(0, RELATIONS, (EDGES,)), tails


def numbers(rows):
    return torch.complex(*rows.detach().chunk(2, dim=1))


def test_the_score_is_that_of_complex_numbers():
    decoder, nodes, heads, relations, tails = case()
    h, w, t = numbers(nodes[heads]), numbers(decoder.relation[relations]), numbers(nodes[tails])
    assert h.dtype == torch.complex128
    torch.testing.assert_close(decoder(nodes, heads, relations, tails), (h * w * t.conj()).sum(1).real)


def test_the_score_is_pykeens():
    modules = pytest.importorskip("pykeen.nn.modules")
    decoder, nodes, heads, relations, tails = case()
    h, w, t = numbers(nodes[heads]), numbers(decoder.relation[relations]), numbers(nodes[tails])
    torch.testing.assert_close(decoder(nodes, heads, relations, tails).detach(), modules.ComplExInteraction()(h, w, t))


def test_without_imaginary_parts_of_relations_it_is_distmult():
    decoder, nodes, heads, relations, tails = case()
    other = DistMult(RELATIONS, DIM).double()
    with torch.no_grad():
        decoder.relation[:, DIM // 2 :] = 0
        other.relation.copy_(decoder.relation[:, : DIM // 2].repeat(1, 2))
    torch.testing.assert_close(
        decoder(nodes, heads, relations, tails).detach(), other(nodes, heads, relations, tails).detach()
    )


@pytest.mark.parametrize("missing", ["head", "tail"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_the_query_times_a_candidate_is_the_logit_of_that_edge(missing, dtype, tolerance):
    decoder, nodes, heads, relations, tails = case(dtype)
    anchor, other = (tails, heads) if missing == "head" else (heads, tails)
    query = decoder.query(missing, nodes[anchor], relations)
    logits = decoder(nodes, heads, relations, tails)
    torch.testing.assert_close((query * nodes[other]).sum(1), logits, rtol=tolerance, atol=tolerance)
    # And of all candidates at once, as ranking asks.
    everyone = torch.arange(NODES)
    block = query @ nodes.T
    for i in range(5):
        anchors, relation = anchor[i].expand(NODES), relations[i].expand(NODES)
        ends = (everyone, relation, anchors) if missing == "head" else (anchors, relation, everyone)
        torch.testing.assert_close(block[i], decoder(nodes, *ends), rtol=tolerance, atol=tolerance)


def test_gradients_reach_nodes_and_relations():
    decoder, nodes, heads, relations, tails = case()

    def score(nodes, relation):
        return torch.func.functional_call(decoder, {"relation": relation}, (nodes, heads, relations, tails))

    relation = decoder.relation.detach().requires_grad_()
    assert torch.autograd.gradcheck(score, (nodes.requires_grad_(), relation))


def test_no_edges_have_no_scores():
    decoder, nodes, *_ = case()
    none = torch.empty(0, dtype=torch.int64)
    assert decoder(nodes, none, none, none).shape == (0,)
    assert decoder.query("head", nodes[:0], none).shape == (0, DIM)


def test_an_odd_size_is_refused():
    with pytest.raises(ValueError, match="dim = 5"):
        ComplEx(2, 5)
    with pytest.raises(InputError, match="dim = 5 is odd") as caught:
        Settings.of({"decoder": "complex", "dim": "5"})
    assert caught.value.remedy == "set dim=6, or decoder=distmult"
    assert Settings.of({"dim": 5}).decoder == "distmult"


def test_the_command_line_trains_saves_loads_and_predicts(tmp_path):
    data, run = triples_folder(tmp_path / "data"), tmp_path / "run"
    words = [word for key, value in {**TINY, "decoder": "complex"}.items() for word in ("--set", f"{key}={value}")]
    trained = here("train", data, "--out", run, *words)
    assert trained.code == 0, trained.err
    assert "- decoder: complex\n" in (run / "MODEL_CARD.md").read_text()
    model = relwise.load(run)
    assert isinstance(model.network.decoder, ComplEx)
    relation, head = model.graph.relation_names[0], model.graph.node_id(int(model.graph.edges.heads[0]))
    asked = here("predict", run, "--relation", relation, "--head", head, "--top", 3, "--json")
    assert (asked.code, asked.err) == (0, "")
    top = model.top_k(relation, head=head, k=3)
    assert asked.out.count('"tail"') == len(top) == 3
    # The query (of top_k) and the operator (of predict_proba) agree.
    edges = [(head, relation, tail) for tail in top["tail"]]
    np.testing.assert_allclose(model.predict_proba(edges), top["probability"], rtol=1e-5)


def test_it_can_tell_direction_and_distmult_cannot():
    """Stone to paper to scissors to stone, half of the edges at random: is one of test likelier than its reverse?"""
    rng = np.random.default_rng(0)
    pairs = [(i, j) for i in range(36) for j in range(36) if j % 3 == (i + 1) % 3 and rng.random() < 0.5]
    graph, found = Graph.from_triples([(i, "loses to", j) for i, j in pairs]), {}
    for decoder in ("distmult", "complex"):
        model = RelationshipPredictor(dim=16, steps=120, sampler="random", decoder=decoder).fit(graph)
        edges = model.split.test.positives
        asked = Edges.concatenate(edges, Edges(edges.tails, edges.relations, edges.heads))
        found[decoder] = roc_auc(np.arange(len(asked)) < len(edges), model.scorer.logits(asked))
    assert found["distmult"] == pytest.approx(0.5, abs=0.02)  # the same logit up to rounding
    assert found["complex"] > 0.95
