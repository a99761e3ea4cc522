import pytest
import torch

from relwise.nn.decoders import DistMult

NODES, RELATIONS, DIM, EDGES = 9, 3, 6, 40


def case(dtype=torch.float64):
    torch.manual_seed(0)
    decoder = DistMult(RELATIONS, DIM).to(dtype)
    nodes = torch.randn(NODES, DIM, dtype=dtype)
    heads, tails = torch.randint(0, NODES, (2, EDGES))
    return decoder, nodes, heads, torch.randint(0, RELATIONS, (EDGES,)), tails


def test_the_score_is_pykeens():
    modules = pytest.importorskip("pykeen.nn.modules")
    decoder, nodes, heads, relations, tails = case()
    expected = modules.DistMultInteraction()(nodes[heads], decoder.relation[relations], nodes[tails])
    torch.testing.assert_close(decoder(nodes, heads, relations, tails), expected)


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


def test_both_ends_may_change_places():
    decoder, nodes, heads, relations, tails = case()
    torch.testing.assert_close(decoder(nodes, heads, relations, tails), decoder(nodes, tails, relations, heads))


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
    assert decoder.query("tail", nodes[:0], none).shape == (0, DIM)


@pytest.mark.parametrize("missing", ["head", "tail"])
def test_its_factors_times_the_anchors_are_its_queries(missing):
    decoder, nodes, heads, relations, _ = case(torch.float32)
    product = nodes[heads] * decoder.factors()[relations]
    assert torch.equal(decoder.query(missing, nodes[heads], relations), product)
    assert torch.equal(decoder.keys(nodes), nodes)
