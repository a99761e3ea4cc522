import pytest
import torch

from relwise.kernels.adjacency import build_adjacency
from relwise.nn.encoders.rgcn import RGCNConv, relation_targets

N, R, E, D, K = 9, 3, 40, 6, 5


def edges(seed=0):
    generator = torch.Generator().manual_seed(seed)
    ends = torch.randint(0, N - 1, (2, E), generator=generator)  # the last node has none; some edges stand twice
    return ends, torch.randint(0, R, (E,), generator=generator)


@pytest.mark.parametrize("bases", [None, 2])
@pytest.mark.parametrize("share", [None, 0.6, 0.0])
def test_the_layer_and_its_gradients_are_pygs(bases, share):
    pyg = pytest.importorskip("torch_geometric.nn")
    ends, relation = edges()
    keep = None if share is None else torch.rand(E, generator=torch.Generator().manual_seed(1)) < share
    torch.manual_seed(2)
    ours = RGCNConv(D, K, R, bases).double()
    theirs = pyg.RGCNConv(D, K, R, num_bases=bases, bias=False).double()
    with torch.no_grad():
        theirs.weight.copy_(ours.basis)
        theirs.root.copy_(ours.weight_self)
        if bases:
            theirs.comp.copy_(ours.coefficient)
    x = torch.randn(N, D, dtype=torch.float64)
    adjacency = build_adjacency(ends[0], ends[1], relation, N, R)
    one, two = x.clone().requires_grad_(), x.clone().requires_grad_()
    kept = slice(None) if keep is None else keep
    got, want = ours(one, adjacency, keep), theirs(two, ends[:, kept], relation[kept])
    assert torch.allclose(got, want, atol=1e-12)
    grad = torch.randn(N, K, dtype=torch.float64)
    got.backward(grad)
    want.backward(grad)
    pairs = [(one.grad, two.grad), (ours.basis.grad, theirs.weight.grad), (ours.weight_self.grad, theirs.root.grad)]
    pairs += [(ours.coefficient.grad, theirs.comp.grad)] if bases else []
    for mine, other in pairs:
        assert torch.allclose(mine, other, atol=1e-12)


def test_targets_are_the_pairs_of_node_and_relation_with_messages():
    ends, relation = edges(3)
    adjacency = build_adjacency(ends[0], ends[1], relation, N, R)
    moved, node, pointer = relation_targets(adjacency)
    pairs = sorted({(int(t), int(r)) for t, r in zip(ends[1], relation, strict=True)})
    assert node.tolist() == [target for target, _ in pairs]
    counts = [sum((int(t), int(r)) == pair for t, r in zip(ends[1], relation, strict=True)) for pair in pairs]
    assert moved.indptr.diff().tolist() == counts
    assert pointer.diff().tolist() == [sum(target == i for target, _ in pairs) for i in range(N)]


def test_a_graph_without_edges_leaves_what_a_node_says_itself():
    none = torch.empty(0, dtype=torch.int64)
    layer, x = RGCNConv(D, K, R), torch.randn(N, D)
    out = layer(x, build_adjacency(none, none, none, N, R))
    assert torch.equal(out, x @ layer.weight_self)
