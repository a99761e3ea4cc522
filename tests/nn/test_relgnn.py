import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from relwise.nn.relgnn import SLOPE, AttributeFusion, RelGNNConv

NODES, RELATIONS, IN, OUT = 10, 3, 5, 4


def leaky(value, slope=SLOPE):
    return np.where(np.asarray(value) > 0, value, slope * np.asarray(value))


def by_the_paper(conv, x, edge_index, edge_type, state, keep=None):
    """Eq. 3-5 in explicit loops and float64: (N, out) states, and (E, L) weights in the edges' order."""
    p = {name: value.detach().double().numpy() for name, value in conv.named_parameters()}
    x, state = x.detach().double().numpy(), state.detach().double().numpy()
    if conv.coefficient is None:
        w = list(p["basis"])
    else:
        w = [sum(c * v for c, v in zip(row, p["basis"], strict=True)) for row in p["coefficient"]]  # eq. 5
    heads = p["attention_target"].shape[1]
    a = [
        np.concatenate([p[f"attention_{part}"][:, head] for part in ("target", "relation", "source")])
        for head in range(heads)
    ]
    sources, targets = edge_index.tolist()
    out, alpha = np.zeros((len(x), conv.out_dim)), np.zeros((len(sources), heads))
    for i in range(len(x)):
        own = p["weight_self"].T @ x[i]
        incoming = [e for e, t in enumerate(targets) if t == i and (keep is None or keep[e])]
        total = np.zeros(conv.out_dim)
        for head in range(heads):
            logits = []
            for e in incoming:
                r, h_j = int(edge_type[e]), x[sources[e]]
                logits.append(leaky(a[head] @ np.concatenate([own, state[r], w[r].T @ h_j])))  # eq. 4
            share = np.exp(logits) / np.sum(np.exp(logits)) if logits else []
            message = np.zeros(conv.out_dim)
            for e, weight in zip(incoming, share, strict=True):
                alpha[e, head] = weight
                message += weight * (w[int(edge_type[e])].T @ x[sources[e]])
            total += message  # each head's sum of d numbers first, the average after
        out[i] = leaky(total / heads + own)  # eq. 3
    return torch.from_numpy(out), torch.from_numpy(alpha)


def make(seed=0, heads=2, bases=None, edges=40, isolated=2, **options):
    torch.manual_seed(seed)
    conv = RelGNNConv(IN, OUT, RELATIONS, heads, bases, **options).double()
    x = torch.randn(NODES, IN, dtype=torch.float64)
    edge_index = torch.randint(0, NODES - isolated, (2, edges))
    return conv, x, edge_index, torch.randint(0, RELATIONS, (edges,))


# -- the paper's equations -------------------------------------------------------------------------------


@pytest.mark.parametrize("heads", [1, 2, 3])
@pytest.mark.parametrize("bases", [None, 1, 2])
@pytest.mark.parametrize("state", ["own", "given"])
@pytest.mark.parametrize("mask", [False, True])
def test_the_layer_is_the_papers_equations(heads, bases, state, mask):
    conv, x, edge_index, edge_type = make(heads=heads, bases=bases)
    given_state = torch.randn(RELATIONS, OUT, dtype=torch.float64) if state == "given" else None
    keep = torch.rand(40) < 0.5 if mask else None
    used = conv.relation_state if given_state is None else given_state
    out, alpha = conv(x, edge_index, edge_type, given_state, keep, return_attention=True)
    expected, weights = by_the_paper(conv, x, edge_index, edge_type, used, keep)
    torch.testing.assert_close(out, expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(alpha, weights, rtol=1e-10, atol=1e-12)


@given(
    st.lists(st.tuples(*(st.integers(0, n - 1) for n in (NODES, NODES, RELATIONS))), max_size=30),
    st.integers(1, 3),
    st.none() | st.integers(1, 4),
    st.integers(0, 100),
)
@settings(max_examples=40, deadline=None)
def test_the_layer_is_the_papers_equations_on_any_graph(edges, heads, bases, seed):
    conv, x, _, _ = make(seed, heads, bases)
    table = torch.tensor(edges, dtype=torch.int64).reshape(-1, 3)
    out = conv(x, table[:, :2].T, table[:, 2])
    torch.testing.assert_close(out, by_the_paper(conv, x, table[:, :2].T, table[:, 2], conv.relation_state)[0])


def test_relation_states_may_have_a_size_of_their_own():
    conv, x, edge_index, edge_type = make(relation_dim=7)
    expected, _ = by_the_paper(conv, x, edge_index, edge_type, conv.relation_state)
    torch.testing.assert_close(conv(x, edge_index, edge_type), expected)


def test_a_node_without_edges_keeps_its_own_state_alone():
    conv, x, edge_index, edge_type = make()
    out = conv(x, edge_index, edge_type)
    alone = torch.nn.functional.leaky_relu(x @ conv.weight_self, SLOPE)
    torch.testing.assert_close(out[NODES - 2 :], alone[NODES - 2 :])
    nothing = conv(x, torch.empty(2, 0, dtype=torch.int64), torch.empty(0, dtype=torch.int64))
    torch.testing.assert_close(nothing, alone)


def test_an_edge_given_twice_counts_twice():
    conv, x, _, _ = make()
    edge_index, edge_type = torch.tensor([[0, 0, 1], [2, 2, 2]]), torch.tensor([0, 0, 1])
    out, alpha = conv(x, edge_index, edge_type, return_attention=True)
    once, weights = conv(x, edge_index[:, 1:], edge_type[1:], return_attention=True)
    torch.testing.assert_close(alpha[0], alpha[1])
    torch.testing.assert_close(alpha[0] + alpha[1], 2 * weights[0] / (1 + weights[0]))
    assert not torch.allclose(out[2], once[2])


@given(st.integers(0, 10_000), st.sampled_from([None, 2]))
@settings(max_examples=20, deadline=None)
def test_masking_edges_is_removing_them_in_values_and_in_gradients(seed, bases):
    conv, x, edge_index, edge_type = make(seed, bases=bases)
    keep = torch.rand(40) < 0.6
    x.requires_grad_()
    direction = torch.randn(NODES, OUT, dtype=torch.float64)
    inputs = [x, *conv.parameters()]
    masked, alpha = conv(x, edge_index, edge_type, edge_mask=keep, return_attention=True)
    removed = conv(x, edge_index[:, keep], edge_type[keep])
    torch.testing.assert_close(masked, removed)
    assert (alpha[~keep] == 0).all()
    for a, b in zip(
        torch.autograd.grad(masked, inputs, direction),
        torch.autograd.grad(removed, inputs, direction),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_attention_comes_in_the_order_of_edge_index_and_sums_to_one_per_target():
    conv, x, edge_index, edge_type = make()
    _, alpha = conv(x, edge_index, edge_type, return_attention=True)
    assert alpha.shape == (40, 2)
    total = torch.zeros(NODES, 2, dtype=torch.float64).index_add(0, edge_index[1], alpha)
    fed = torch.bincount(edge_index[1], minlength=NODES) > 0
    torch.testing.assert_close(total[fed], torch.ones_like(total[fed]))
    assert (total[~fed] == 0).all()
    shuffle = torch.randperm(40)
    _, shuffled = conv(x, edge_index[:, shuffle], edge_type[shuffle], return_attention=True)
    torch.testing.assert_close(shuffled, alpha[shuffle])


def test_renaming_the_nodes_renames_the_states():
    conv, x, edge_index, edge_type = make()
    names = torch.randperm(NODES)
    renamed = torch.empty_like(x).index_copy_(0, names, x)
    torch.testing.assert_close(conv(renamed, names[edge_index], edge_type)[names], conv(x, edge_index, edge_type))


def test_states_of_thousands_do_not_overflow_the_softmax():
    conv, x, edge_index, edge_type = make()
    out, alpha = conv(10_000 * x, edge_index, edge_type, return_attention=True)
    assert out.isfinite().all()
    assert alpha.isfinite().all()


# -- gradients and memory --------------------------------------------------------------------------------


@pytest.mark.parametrize("bases", [None, 2])
def test_every_parameter_gets_a_gradient_and_it_is_the_right_one(bases):
    conv, x, edge_index, edge_type = make(bases=bases)
    conv(x, edge_index, edge_type).square().sum().backward()
    for name, parameter in conv.named_parameters():
        assert parameter.grad is not None, name
        assert (parameter.grad != 0).any(), name
    names, values = zip(*conv.named_parameters(), strict=True)

    def function(x, *values):
        return torch.func.functional_call(conv, dict(zip(names, values, strict=True)), (x, edge_index, edge_type))

    values = tuple(value.detach().requires_grad_() for value in values)
    assert torch.autograd.gradcheck(function, (x.requires_grad_(), *values), fast_mode=True)


class Largest(TorchDispatchMode):
    """Remembers the size of the largest tensor that any operator gave."""

    numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(tensor, torch.Tensor):
                self.numel = max(self.numel, tensor.numel())
        return out


@pytest.mark.parametrize("bases", [None, 2])
def test_no_tensor_is_as_large_as_edges_times_d(bases):
    nodes, edges, width = 30, 4000, 16
    torch.manual_seed(0)
    conv = RelGNNConv(width, width, 2, heads=2, bases=bases)
    x = torch.randn(nodes, width, requires_grad=True)
    edge_index, edge_type = torch.randint(0, nodes, (2, edges)), torch.randint(0, 2, (edges,))
    saved = []
    hooks = torch.autograd.graph.saved_tensors_hooks(lambda t: (saved.append(t.numel()), t)[1], lambda t: t)
    with hooks, Largest() as largest:
        conv(x, edge_index, edge_type, edge_mask=torch.rand(edges) < 0.9).sum().backward()
    assert nodes * width in saved  # the hook does see inside the operator
    assert max(saved) <= edges < edges * width  # of the edges, only the mask
    assert largest.numel <= edges * 3  # a number for each edge and head, and beside them sums of the nodes


# -- the cache -------------------------------------------------------------------------------------------


def fresh(conv, x, edge_index, edge_type):
    other = copy.deepcopy(conv)
    other._cached = None
    return other(x, edge_index.clone(), edge_type.clone())


def change_in_place(edge_index, edge_type):
    edge_index[0, 3] = (edge_index[0, 3] + 1) % 8


def change_a_relation_in_place(edge_index, edge_type):
    edge_type[3] = (edge_type[3] + 1) % RELATIONS


def change_through_data(edge_index, edge_type):
    edge_index.data[0, 3] = (edge_index[0, 3] + 1) % 8


def change_through_numpy(edge_index, edge_type):
    edge_index.numpy()[0, 3] = (edge_index[0, 3] + 1) % 8


@pytest.mark.parametrize(
    "change", [change_in_place, change_a_relation_in_place, change_through_data, change_through_numpy]
)
def test_editing_the_edges_in_place_gives_the_new_result(change):
    conv, x, edge_index, edge_type = make()
    before = conv(x, edge_index, edge_type)
    change(edge_index, edge_type)
    after = conv(x, edge_index, edge_type)
    assert not torch.equal(before, after)
    assert torch.equal(after, fresh(conv, x, edge_index, edge_type))


def test_other_edges_or_another_number_of_nodes_give_the_new_result():
    conv, x, edge_index, edge_type = make()
    first = conv(x, edge_index, edge_type)
    flipped = conv(x, edge_index.flip(0), edge_type)
    assert not torch.equal(first, flipped)
    assert torch.equal(flipped, fresh(conv, x, edge_index.flip(0), edge_type))
    assert torch.equal(conv(x, edge_index[:, :20], edge_type[:20]), fresh(conv, x, edge_index[:, :20], edge_type[:20]))
    assert len(conv(x[:9], edge_index[:, :20], edge_type[:20])) == 9
    assert torch.equal(conv(x, edge_index, edge_type), first)


def test_many_short_lived_graphs_in_a_row_are_never_taken_for_one_another():
    # The allocator gives the same addresses again and again.
    conv, x, _, _ = make()
    for seed in range(30):
        generator = torch.Generator().manual_seed(seed)
        edge_index = torch.randint(0, 8, (2, 20), generator=generator)
        edge_type = torch.randint(0, RELATIONS, (20,), generator=generator)
        assert torch.equal(conv(x, edge_index, edge_type), fresh(conv, x, edge_index, edge_type))


def test_the_same_edges_are_sorted_once(monkeypatch):
    from relwise.nn import relgnn

    calls = []
    build = relgnn.build_adjacency
    monkeypatch.setattr(relgnn, "build_adjacency", lambda *a: (calls.append(1), build(*a))[1])
    conv, x, edge_index, edge_type = make()
    for _ in range(3):
        conv(x, edge_index, edge_type)
    assert len(calls) == 1


def test_what_inference_mode_sorted_can_be_trained_with():
    conv, x, edge_index, edge_type = make()
    with torch.inference_mode():
        inferred = conv(x, edge_index, edge_type)
        made_inside = edge_index.clone(), edge_type.clone()
        assert torch.equal(conv(x, *made_inside), inferred)
    for edges in ((edge_index, edge_type), made_inside):
        out = conv(x, *edges)
        out.sum().backward()
        assert torch.equal(out.detach(), inferred)


# -- beside PyG ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("heads", [1, 3])
def test_with_uniform_attention_and_one_relation_it_is_pygs_rgcn(heads):
    # RGCNConv takes the mean per relation and sums over relations; eq. 3 takes one softmax over all: the
    # two are the same where there is one relation.
    nn = pytest.importorskip("torch_geometric.nn")
    torch.manual_seed(0)
    conv, rgcn = RelGNNConv(IN, OUT, 1, heads).double(), nn.RGCNConv(IN, OUT, 1, bias=False).double()
    with torch.no_grad():
        for vector in (conv.attention_target, conv.attention_relation, conv.attention_source):
            vector.zero_()
        rgcn.weight.copy_(conv.basis)
        rgcn.root.copy_(conv.weight_self)
    x, edge_index = torch.randn(NODES, IN, dtype=torch.float64), torch.randint(0, NODES - 1, (2, 30))
    edge_type = torch.zeros(30, dtype=torch.int64)
    expected = torch.nn.functional.leaky_relu(rgcn(x, edge_index, edge_type), SLOPE)
    torch.testing.assert_close(conv(x, edge_index, edge_type), expected)


@pytest.mark.parametrize("bases", [None, 2])
def test_with_uniform_attention_it_is_pygs_rgcn_of_the_mean_over_all_edges(bases):
    # Each relation's mean, weighted by its share of the node's edges, makes RGCNConv's sum the mean of all.
    nn = pytest.importorskip("torch_geometric.nn")
    conv, x, edge_index, edge_type = make(bases=bases)
    with torch.no_grad():
        for vector in (conv.attention_target, conv.attention_relation, conv.attention_source):
            vector.zero_()
    rgcn = nn.RGCNConv(IN, OUT, 1, bias=False, root_weight=False).double()
    degree = torch.bincount(edge_index[1], minlength=NODES).clamp(min=1)
    total = x @ conv.weight_self
    for relation in range(RELATIONS):
        of_relation = edge_type == relation
        rgcn.weight.data[0] = conv.weights()[relation].detach()
        mean = rgcn(x, edge_index[:, of_relation], torch.zeros(int(of_relation.sum())).long())
        share = torch.bincount(edge_index[1, of_relation], minlength=NODES) / degree
        total = total + share[:, None] * mean
    torch.testing.assert_close(
        conv(x, edge_index, edge_type), torch.nn.functional.leaky_relu(total, SLOPE), rtol=1e-6, atol=1e-6
    )


def test_it_trains_inside_a_pyg_model():
    pytest.importorskip("torch_geometric")
    from torch_geometric.data import Data
    from torch_geometric.nn import Linear, Sequential

    torch.manual_seed(0)
    data = Data(
        torch.randn(NODES, IN),
        torch.randint(0, NODES, (2, 40)),
        edge_type=torch.randint(0, RELATIONS, (40,)),
        y=torch.arange(NODES) % 2,
    )
    model = Sequential(
        "x, edge_index, edge_type",
        [
            (RelGNNConv(IN, 8, RELATIONS), "x, edge_index, edge_type -> x"),
            (RelGNNConv(8, 8, RELATIONS, bases=2), "x, edge_index, edge_type -> x"),
            (Linear(8, 2), "x -> x"),
        ],
    )
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=0.05), []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(model(data.x, data.edge_index, data.edge_type), data.y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


# -- what is refused -------------------------------------------------------------------------------------


def test_a_node_or_relation_that_does_not_exist_is_refused():
    conv, x, edge_index, edge_type = make()
    with pytest.raises(ValueError, match="a node index is outside"):
        conv(x[:4], edge_index, edge_type)
    with pytest.raises(ValueError, match="a relation index is outside"):
        conv(x, edge_index, edge_type + 1)


@pytest.mark.parametrize("mask", [torch.ones(39).bool(), torch.ones(41).bool(), torch.arange(40)])
def test_a_mask_that_does_not_fit_the_edges_is_refused(mask):
    conv, x, edge_index, edge_type = make()
    with pytest.raises(ValueError, match="edge_mask"):
        conv(x, edge_index, edge_type, edge_mask=mask)


# -- fusion ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("heads", [1, 2, 5])
def test_fusion_is_the_papers_equations(heads):
    torch.manual_seed(heads)
    fusion = AttributeFusion(OUT, heads).double()
    first, last = torch.randn(NODES, OUT, dtype=torch.float64), torch.randn(NODES, OUT, dtype=torch.float64)
    out, weights, a = fusion(first, last), fusion.weights(first, last), fusion.attention.detach()
    for i in range(NODES):
        share = 0.0
        for head in range(heads):
            attr = math.exp(leaky(float(a[:, head] @ first[i])))  # eq. 7
            graph = math.exp(leaky(float(a[:, head] @ last[i])))
            share += attr / (attr + graph) / heads
        torch.testing.assert_close(out[i], share * first[i] + (1 - share) * last[i])  # eq. 6
        assert weights[i].tolist() == pytest.approx([share, 1 - share])


def test_fusion_of_large_states_is_finite_and_its_gradient_right():
    fusion = AttributeFusion(OUT).double()
    big = 1e6 * torch.randn(3, OUT, dtype=torch.float64)
    assert fusion(big, -big).isfinite().all()
    x, y = (torch.randn(3, OUT, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(fusion, (x, y))


def test_bf16_is_near_float32_and_not_the_same():
    torch.manual_seed(0)
    conv = RelGNNConv(64, 64, 3)
    x, edge_index, edge_type = torch.randn(50, 64), torch.randint(0, 50, (2, 400)), torch.randint(0, 3, (400,))
    exact = conv(x, edge_index, edge_type)
    (grad,) = torch.autograd.grad(exact.sum(), conv.basis)
    conv.precision = "bf16"
    rounded = conv(x, edge_index, edge_type)
    (rounded_grad,) = torch.autograd.grad(rounded.sum(), conv.basis)
    assert rounded.dtype == torch.float32
    assert 1e-4 < (rounded - exact).norm() / exact.norm() < 1e-2
    assert 1e-4 < (rounded_grad - grad).norm() / grad.norm() < 2e-2
