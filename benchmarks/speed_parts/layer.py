"""A layer forward and backward: ours, and the peers', on the same edges with the same states."""

from __future__ import annotations

from typing import Any

import torch

from relwise.kernels.memory import keep_freed_memory
from speed_parts import peers
from speed_parts.graphs import messages
from speed_parts.measure import Watch, repeat
from speed_parts.peers import Layer


def measure(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """One row. The kernels run once on a small graph first: what they load is no memory of the layer."""
    device, dim, heads = spec["device"], spec["dim"], spec["heads"]
    step(peers.build(spec["who"], messages("tiny"), dim, heads, device), dim, 50, device)()
    graph = messages(spec["graph"])
    layer = peers.build(spec["who"], graph, dim, heads, device)
    edges, nodes = len(graph), graph.num_nodes
    del graph
    run = step(layer, dim, nodes, device)
    if spec["who"] == "relwise":
        keep_freed_memory()  # as its training does
    watch = Watch(device)
    run()
    samples = repeat(run, spec["seconds"], spec["least"], warm=0 if spec["seconds"] > 30 else 1, device=device)
    return [
        {
            "samples": samples,
            **watch.read(),
            "structure_mib": round(layer.structure_mib, 1),
            "edges": edges,
            "nodes": nodes,
        }
    ]


def step(layer: Layer, dim: int, nodes: int, device: str = "cpu"):
    """A run of the layer forward and backward, down to the gradients of the states and of every weight."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(nodes, dim, generator=generator).to(device).requires_grad_()
    grad = torch.randn(nodes, dim, generator=generator).to(device)

    def run() -> None:
        x.grad = None
        layer.module.zero_grad(set_to_none=True)
        layer.forward(x).backward(grad)

    return run


def differences(dtype: torch.dtype, graph: str = "tiny", dim: int = 16, heads: int = 2) -> dict[str, float]:
    """The greatest relative difference of the lean peer from ours: of states, of their gradient, of each weight's."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        edges = messages(graph)
        found: list[dict[str, torch.Tensor]] = []
        for who in ("relwise", peers.LEAN):
            layer = peers.build(who, edges, dim, heads)
            generator = torch.Generator().manual_seed(1)
            x = torch.randn(edges.num_nodes, dim, generator=generator).requires_grad_()
            out = layer.forward(x)
            out.backward(torch.randn(out.shape, generator=generator))
            assert x.grad is not None
            grads = {name.replace("basis", "weight"): p.grad for name, p in layer.module.named_parameters()}
            assert all(g is not None for g in grads.values())
            found.append({"states": out.detach(), "grad of states": x.grad, **grads})  # pyright: ignore[reportArgumentType]
    finally:
        torch.set_default_dtype(default)
    ours, theirs = found
    assert ours.keys() == theirs.keys()
    return {
        name: float((ours[name] - theirs[name]).abs().max() / theirs[name].abs().max().clamp_min(1e-12))
        for name in theirs
    }
