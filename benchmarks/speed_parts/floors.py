"""Each operation of a training step beside its floor.

A floor counts what no implementation can leave undone: each input read once, each output written once, at the measured
rate of streaming arrays of that size; rows gathered at the measured rate of gathering from a table of that size;
floating-point operations at the measured matrix rate. Masked edges are counted where they are left out, once a step,
and nowhere else; what is stored for backward is not. The operations are timed alone, with a real step's inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from relwise.data.edges import Edges
from relwise.kernels.attention import attend, attend_and_activate, attend_backward, attend_backward_in_place
from relwise.kernels.dropout import dropout
from relwise.kernels.grouped import add_by_source
from relwise.kernels.layer_products import layer_gradients, layer_products
from relwise.kernels.masked import kept_edges
from relwise.kernels.node_logits import Parts, add_to_sources, node_logits, node_logits_backward, vectors_backward
from relwise.negatives.device import Triples
from relwise.negatives.report import BINS
from relwise.nn.relgnn import SLOPE
from relwise.settings import Settings
from relwise.train.loop import Trainer
from speed_parts.graphs import training_data
from speed_parts.measure import repeat
from speed_parts.rates import Rates


@dataclass(frozen=True, eq=False)
class Step:
    """A real step's inputs, on a device.

    Args:
        model: the network.
        inputs: of its encoders.
        adjacency: the message graph.
        keep: (F,) the facts that carry messages in this step.
        positives, negatives: (3, n) heads, relations and tails.
        draw: draws the supervised edges; `corrupt`: their negatives; `update`: the optimizer's step; `whole`: a step.
    """

    model: Any
    inputs: list
    adjacency: Any
    keep: Tensor
    positives: Tensor
    negatives: Tensor
    draw: Callable[[], Any]
    corrupt: Callable[[], Any]
    update: Callable[[], Any]
    whole: Callable[[], Any]


def measure(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each operation, each layer of the network counted in; then their sum, and the whole step."""
    device, budget = spec["device"], spec["seconds"]
    graph, split = training_data(spec["graph"])
    settings = Settings.of({"sampler": "random", "dim": spec["dim"], "device": device})
    step = _of_trainer(Trainer(graph, split, settings, 0))
    floors, rates = floors_of(step, Rates(device, budget / 4))
    operations = operations_of(step)
    assert floors.keys() == operations.keys()
    rows = []
    for name, run in operations.items():
        samples = repeat(run, budget, warm=2, device=device)
        rows.append({"operation": name, "floor_s": floors[name], "samples": samples})
    alone = [sum(run) for run in zip(*(np.resize(row["samples"], 50) for row in rows), strict=True)]
    total = sum(floors.values())
    whole = repeat(step.whole, 4 * budget, least=5, warm=2, device=device)
    rows.append({"operation": "sum of the operations alone", "floor_s": total, "samples": alone})
    rows.append({"operation": "whole step", "floor_s": total, "samples": whole, "detail": rates})
    return rows


def floors_of(step: Step, rates: Rates) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds that each operation takes at least, and the rates behind them."""
    layer, on_cpu = next(step.model._convolutions()), step.keep.device.type == "cpu"
    layers, (nodes, dim) = len(step.model.layers), (step.adjacency.num_nodes, layer.out_dim)
    heads, rows, edges = layer.attention_source.shape[1], len(step.adjacency.row_source), step.adjacency.num_edges
    kept = int(step.keep[step.adjacency.fact.long()].sum())
    count, facts = step.positives.shape[1], len(step.keep)
    weights = sum(p.numel() for p in step.model.parameters())
    table, row_table = 4 * nodes * dim, 4 * rows * dim
    matrix = max(rates.product(size, dim, dim) for size in (nodes, rows))
    from_rows = rates.gather(rows, dim, kept)
    from_nodes = rates.gather(nodes, dim, kept)
    exponentials = rates.exponentials()
    small, memory = rates.stream(2 * table), rates.stream(7 * 4 * weights)
    on_host = small if on_cpu else Rates("cpu", rates.budget).stream(2 * table)  # where edges are drawn
    products = 2 * (rows + nodes) * dim * dim / matrix
    # Of each edge two numbers and what they are told by, both ways, and of the kept ones two are written and read.
    line, mask, ids = 4 * dim, (2 * 8 * edges + facts + 2 * 4 * kept) / small, 4 * kept / small
    floors = {
        "draw of supervised edges": (facts + 8 * count) / on_host,
        "dropout": layers * 4 * table / small,
        "masked edges": mask,
        "products forward": layers * products,
        "heads' logits": layers * 3 * 2 * (rows + nodes) * heads * dim / matrix,
        "attention forward": layers * (kept * line / from_rows + max(ids, kept * heads / exponentials) + table / small),
        "attention backward": layers * (kept * line / from_nodes + ids + 2 * row_table / small),
        "products backward": layers * 2 * products,
        "fusion": 8 * table / small,
        # Of each end the other end's row: for the logit, and for the gradient, if the two are not found together.
        "scoring": (1 if on_cpu else 2) * 4 * count * line / from_nodes + table / small,
        # A look-up in the known edges is one line of the cache.
        "negatives": count * (24 + 8) / small + count * 64 / from_nodes,
        "Adam": 7 * 4 * weights / memory,
    }
    return floors, {
        "matrix_gflops": round(matrix / 1e9, 1),
        "gather_rows_gbs": round(from_rows / 1e9, 1),
        "gather_nodes_gbs": round(from_nodes / 1e9, 1),
        "stream_gbs": round(small / 1e9, 1),
        "stream_weights_gbs": round(memory / 1e9, 1),
        "gexp": round(exponentials / 1e9, 2),
        "kept_edges": kept,
        "rows": rows,
        "supervised": count,
    }


def operations_of(step: Step) -> dict[str, Callable[[], Any]]:
    """Each operation of the step as a run of its own."""
    model, adjacency, keep = step.model, step.adjacency, step.keep
    on_cpu = keep.device.type == "cpu"
    graph, mask = (kept_edges(adjacency, keep), None) if on_cpu else (adjacency, keep)
    layers = list(model._convolutions())
    with torch.no_grad():
        state = torch.cat([encoder(x) for encoder, x in zip(model.encoders, step.inputs, strict=True)])
        relation = model.relation_state()
        given: list[dict[str, Tensor]] = []
        for layer in layers:
            own, rows = layer_products(state, layer.weights(), layer.weight_self, graph)
            logit = rows @ layer.attention_source
            logit += (relation @ layer.attention_relation).index_select(0, graph.row_relation)
            at_target = own @ layer.attention_target
            of_edges = at_target, logit, rows, graph, mask, SLOPE
            told = attend_and_activate(own.clone(), *of_edges) if on_cpu else attend(*of_edges)[1]
            given.append({"x": state, "own": own, "rows": rows, "logit": logit, "target": at_target, "told": told})
            state = layer.propagate(state, graph, relation, mask)
    grad, grad_rows = torch.randn_like(state), torch.randn_like(given[0]["rows"])
    grad_own = grad.clone()  # which its products are written over

    def of_layers(run: Callable[[Any, dict[str, Tensor]], Any]) -> Callable[[], Any]:
        @torch.no_grad()
        def all_layers() -> None:
            for layer, tensors in zip(layers, given, strict=True):
                run(layer, tensors)

        return all_layers

    def leave_out() -> None:
        if on_cpu:  # a GPU looks each up
            kept_edges(adjacency, keep)

    def forward_products(layer: Any, t: dict[str, Tensor]) -> None:
        layer_products(t["x"], layer.weights(), layer.weight_self, graph)

    def backward_products(layer: Any, t: dict[str, Tensor]) -> None:
        matrices = layer.weights(), layer.weight_self
        _, (grad_x, by_row) = layer_gradients(t["x"], grad_rows, grad_own, *matrices, graph)
        if not on_cpu:  # where they are added with what the logits ask for
            add_by_source(by_row, graph, grad_x)

    def logits(layer: Any, t: dict[str, Tensor]) -> None:
        weights, alone, of = layer.weights(), layer.weight_self, (layer.attention_target, layer.attention_source)
        if not on_cpu:
            for states, vectors in ((t["own"], of[0]), (t["rows"], of[1])):
                logit = states @ vectors
                torch.addmm(states, logit, vectors.t())
                _ = states.t() @ logit
            return
        parts = Parts(weights, alone, of[0], layer.attention_relation, of[1], relation)
        target, row, vectors = node_logits(t["x"], parts, graph)
        grads = node_logits_backward(target, row, t["x"], graph)
        vectors_backward(*grads, parts, torch.zeros_like(weights), torch.zeros_like(alone))
        add_to_sources(grad_rows, target, row, vectors, graph, torch.empty_like(t["x"]))

    def forward_attention(_: Any, t: dict[str, Tensor]) -> None:
        if on_cpu:  # over what stands in `own`, again and again
            attend_and_activate(t["own"], t["target"], t["logit"], t["rows"], graph, mask, SLOPE)
        else:
            attend(t["target"], t["logit"], t["rows"], graph, mask, SLOPE)

    def backward_attention(_: Any, t: dict[str, Tensor]) -> None:
        back = attend_backward_in_place if on_cpu else attend_backward
        back(grad, t["target"], t["logit"], t["rows"], t["told"], graph, mask, SLOPE)

    def drop(_: Any, t: dict[str, Tensor]) -> None:
        for _ in range(2):  # backward does the same again
            dropout(t["x"], model.dropout)

    ends = [state.clone().requires_grad_() for _ in range(2)]

    def fuse() -> None:
        torch.autograd.grad(model.fusion(*ends), [*ends, model.fusion.attention], grad)

    told = np.empty((2, BINS), np.int64)
    positives, negatives = (tuple(edges.cpu().numpy()) for edges in (step.positives, step.negatives))

    def score() -> None:
        if on_cpu:
            loss = model.decoder.cross_entropy(ends[0], positives, negatives, told)
            torch.autograd.grad(loss, [ends[0], model.decoder.relation])
            return
        logits = [model.decoder(ends[0], *edges) for edges in (step.positives, step.negatives)]
        torch.autograd.grad(logits, [ends[0], model.decoder.relation], [torch.ones_like(x) for x in logits])

    return {
        "draw of supervised edges": step.draw,
        "dropout": of_layers(drop),
        "masked edges": leave_out,
        "products forward": of_layers(forward_products),
        "heads' logits": of_layers(logits),
        "attention forward": of_layers(forward_attention),
        "attention backward": of_layers(backward_attention),
        "products backward": of_layers(backward_products),
        "fusion": fuse,
        "scoring": score,
        "negatives": step.corrupt,
        "Adam": step.update,
    }


def _of_trainer(trainer: Trainer) -> Step:
    trainer.step()  # so that every weight has a gradient
    index, keep = trainer._supervised(0)
    place: Any = trainer.place
    positives, keep = _stacked(place.positives(index)), keep.to(trainer.device)
    adjacency, model = trainer.adjacency, trainer.model
    with torch.no_grad():
        nodes = model.encode(trainer.inputs, adjacency, keep)
        logit = model.decoder(nodes, *positives)

    def corrupt() -> Any:
        return place.negatives(index, nodes, logit, 0, 1)

    def whole() -> None:
        trainer.step()
        trainer.state.step += 1

    draw, update, negatives = lambda: trainer._supervised(0), trainer.optimizer.step, _stacked(corrupt().edges)
    return Step(model, trainer.inputs, adjacency, keep, positives, negatives, draw, corrupt, update, whole)


def _stacked(edges: Edges | Triples) -> Tensor:
    """(3, n) heads, relations and tails."""
    if isinstance(edges, Triples):
        return torch.stack(edges)
    return torch.stack([torch.from_numpy(a.copy()) for a in (edges.heads, edges.relations, edges.tails)])
