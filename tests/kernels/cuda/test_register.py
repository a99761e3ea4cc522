"""The functions that the dispatcher is given for CUDA, called as it calls them."""

import pytest
import torch

from relwise.kernels import cuda, dropout, reference
from tests.kernels.cuda.device import on_device, relative_error
from tests.kernels.cuda.graphs import inputs, keeps, message_graph


class Operator:
    """Takes a kernel as an operator does."""

    def register_kernel(self, device):
        assert device == "cuda"
        return lambda function: setattr(self, "kernel", function)


def test_attention_takes_the_operators_arguments():
    a = message_graph(0)
    target, row, rows, grad = inputs(a, 2, 6, torch.float32)
    keep = keeps(a)["some"]
    static = (a.indptr, a.row, a.fact, keep, a.row_indptr, a.row_target, a.row_fact, 0.2)
    forward, backward = Operator(), Operator()
    cuda.register_attention(forward, backward)
    out, total = forward.kernel(*on_device(target, row, rows, *static))
    grads = backward.kernel(*on_device(grad, target, row, rows, total, *static))
    plain = (target, row, rows, a.indptr, a.row, keep[a.fact.long()], 0.2)
    assert relative_error(out, reference.attend(*plain)[0]) < 1e-5
    for got, want in zip(grads, reference.attend_backward(grad, *plain), strict=True):
        assert relative_error(got, want) < 1e-5


# (1 + 2i) (1 + i) conj(3 + 4i) = 9 + 13i, of which the real part counts.
SCORES = {
    False: (11.0, [[3.0, 4.0], [1.0, 2.0]], [[3.0, 8.0]], [[1.0, 1.0]]),
    True: (9.0, [[7.0, 1.0], [-1.0, 3.0]], [[11.0, -2.0]], [[1.0, 1.0]]),
}


@pytest.mark.parametrize("paired", [False, True])
def test_scoring_takes_the_operators_arguments(paired):
    score, grad_nodes, grad_relations, relation = SCORES[paired]
    nodes, relations = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor(relation)
    ends = torch.tensor([0]), torch.tensor([0]), torch.tensor([1])
    forward, backward = Operator(), Operator()
    cuda.register_scoring(forward, backward, paired)
    assert forward.kernel(*on_device(nodes, relations, *ends)).tolist() == [score]
    by_nodes, by_relations = backward.kernel(*on_device(torch.ones(1), nodes, relations, *ends))
    assert by_nodes.tolist() == grad_nodes
    assert by_relations.tolist() == grad_relations


def test_dropout_takes_the_operators_arguments():
    x, seed, threshold = torch.randn(7, 11), torch.tensor(2**61 + 5), 20_000
    operator = Operator()
    cuda.register_dropout(operator)
    want = dropout.drop(x, dropout.Drawn(threshold, seed))
    assert torch.equal(operator.kernel(*on_device(x, threshold, seed)).cpu(), want)
    assert (want == 0).any()
