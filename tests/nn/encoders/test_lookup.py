import torch

from relwise.data.graph import Graph
from relwise.nn.build import build_model, prepare_inputs
from relwise.nn.messages import message_graph
from relwise.settings import Settings

NODES = 400


def built(**options):
    graph = Graph.from_triples([(i, "to", (i + 1) % NODES) for i in range(NODES)])
    settings = Settings.of({"encoder": "lookup", "dim": 32, "embedding_dropout": 0.0, **options})
    model = build_model(graph, settings, 0, graph.edges)
    return model, prepare_inputs(model, graph), message_graph(graph, graph.edges).adjacency


def test_states_are_the_table_and_training_drops_a_share_of_their_numbers():
    model, inputs, adjacency = built(dropout=0.4)
    table = model.encoders[0].learnt.weight
    assert torch.equal(model.eval().encode(inputs, adjacency), table)
    torch.manual_seed(1)
    states = model.train().encode(inputs, adjacency)
    dropped = states == 0
    assert abs(dropped.float().mean() - 0.4) < 0.02
    torch.testing.assert_close(states[~dropped], table[~dropped] / 0.6, rtol=1e-4, atol=0)
    assert torch.equal(built(dropout=0.0)[0].train().encode(inputs, adjacency), table)


def test_embeddings_start_at_the_deviation_asked_for():
    for std, expected in ((None, 3 / 32**0.5), (0.03, 0.03)):
        table = built(embedding_std=std)[0].encoders[0].learnt.weight
        assert abs(float(table.detach().std()) / expected - 1) < 0.03
