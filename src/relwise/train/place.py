"""Where a step is done: on the CPU, or on a GPU, from which only what is counted comes back (loss, logits, negatives),
and the states where a sampler works on the CPU.

| on the CPU | on a GPU |
| --- | --- |
| edges are NumPy's, negatives made by Numba | the corruptor's tables lie on the device, negatives are made by Triton |
| the network runs as it is written | the same; with `RELWISE_CUDA_GRAPHS=1` its passes are recorded and replayed |

Recording (CUDA graphs) is for graphs so small that kernels are shorter than it takes to launch them. What waits for the
device cannot be recorded (texts read by a recurrent network, PyG's layers): it runs as it is written. It is asked for
and not the default because no GPU has run it yet.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from relwise.data.edges import Edges
from relwise.errors import InputError
from relwise.negatives.corrupt import Negatives
from relwise.negatives.device import DeviceCorruptor, Drawn, Triples
from relwise.nn.attributes.base import AttributeEncoder
from relwise.nn.network import Network

if TYPE_CHECKING:  # the trainer is made of one of these
    from relwise.train.loop import Trainer


def find_device(name: Literal["cpu", "cuda"]) -> torch.device:
    """The device of a setting; raises InputError where there is no such GPU."""
    if name == "cuda" and not torch.cuda.is_available():
        built = torch.version.cuda is not None
        raise InputError(
            f"device = cuda, and {'torch finds no GPU here' if built else 'this torch was built without CUDA'}",
            remedy="set device=cpu" if built else "install a build of torch for CUDA, or set device=cpu",
        )
    return torch.device(name)


class OnHost:
    """A step's work on the CPU."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer

    def encode(self, keep: Tensor) -> Tensor:
        """(N, d) states, with messages along the facts of `keep`."""
        trainer = self.trainer
        return trainer.model.encode(trainer.inputs, trainer.adjacency, keep, trainer.edge_inputs)

    def positives(self, index: np.ndarray) -> Edges:
        """The edges of `index`."""
        return self.trainer.corruptor.at(index)

    def negatives(self, index: np.ndarray, nodes: Tensor, asked: Tensor | None, step: int, seed: int) -> Negatives:
        """A negative for each; arguments as of `Corruptor.sample`."""
        trainer = self.trainer
        return trainer.corruptor.sample(index, trainer.sampler, trainer.model.decoder, nodes, asked, step, seed)

    def logits(self, nodes: Tensor, *parts: Edges) -> Tensor:
        """The logits of all parts' edges."""
        columns = zip(*((part.heads, part.relations, part.tails) for part in parts), strict=True)
        return self.trainer.model.decoder(nodes, *(torch.from_numpy(np.concatenate(column)) for column in columns))

    def cross_entropy(self, nodes: Tensor, positives: Edges, negatives: Edges, counts: np.ndarray) -> Tensor | None:
        """As of `Decoder.cross_entropy`."""
        true, false = ((part.heads, part.relations, part.tails) for part in (positives, negatives))
        return self.trainer.model.decoder.cross_entropy(nodes, true, false, counts)

    def on_host(self, edges: Edges) -> Edges:
        """The edges, as the CPU has them."""
        return edges


class OnDevice:
    """A step's work on a GPU."""

    def __init__(self, trainer: Trainer, device: torch.device) -> None:
        self.trainer, self.device = trainer, device
        self.corruptor = DeviceCorruptor(trainer.corruptor, device)
        self._recorded: Callable[[Tensor], Tensor] | None = None

    def encode(self, keep: Tensor) -> Tensor:
        keep = keep.to(self.device)
        if self._recorded is None:
            network = _Encode(self.trainer)
            self._recorded = record(network, keep) if os.environ.get("RELWISE_CUDA_GRAPHS") == "1" else network
        return self._recorded(keep)

    def positives(self, index: np.ndarray) -> Triples:
        return self.corruptor.at(torch.from_numpy(index).to(self.device))

    def negatives(self, index: np.ndarray, nodes: Tensor, asked: Tensor | None, step: int, seed: int) -> Drawn:
        trainer, which = self.trainer, torch.from_numpy(index).to(self.device)
        return self.corruptor.sample(which, trainer.sampler, trainer.model.decoder, nodes, asked, step, seed)

    def logits(self, nodes: Tensor, *parts: Triples) -> Tensor:
        return self.trainer.model.decoder(nodes, *map(torch.cat, zip(*parts, strict=True)))

    def cross_entropy(self, nodes: Tensor, positives: Triples, negatives: Triples, counts: np.ndarray) -> None:
        """None: the gradient is that of the logits."""

    def on_host(self, edges: Triples) -> Edges:
        return Edges(*(column.cpu().numpy() for column in edges))


class _Encode(nn.Module):
    """The network as a function of the mask alone."""

    def __init__(self, trainer: Trainer) -> None:
        super().__init__()
        self.model = trainer.model
        self.given = trainer.inputs, trainer.adjacency, trainer.edge_inputs

    def forward(self, keep: Tensor) -> Tensor:
        inputs, adjacency, edge_inputs = self.given
        return self.model.encode(inputs, adjacency, keep, edge_inputs)


def record(module: nn.Module, keep: Tensor) -> Callable[[Tensor], Tensor]:
    """The module's forward and backward pass as CUDA graphs; the module itself, where it waits for the device."""
    if any(isinstance(part, AttributeEncoder | Network) and part.waits for part in module.modules()):
        return module
    with torch.random.fork_rng(devices=[keep.device]):  # what is drawn to record it is no step's draw
        recorded: Any = torch.cuda.make_graphed_callables(module, (keep.clone(),), allow_unused_input=True)
    return recorded
