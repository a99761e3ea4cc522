"""The training loop that a user of PyG and torch would write for the same model: the peer of `relwise.train.loop`.

The same start, share of supervised edges, learning rates, dropout and loss; random negatives, known edges refused.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import Split
from relwise.nn.build import build_model, prepare_inputs
from relwise.nn.messages import MessageGraph, message_graph
from relwise.nn.model import RelGNN
from relwise.settings import Settings
from relwise.train.loop import derived_seed, learning_rate
from speed_parts.graphs import of_adjacency
from speed_parts.peers import LeanEdges, LeanRelGNN


class LeanModel(nn.Module):
    """`RelGNN` on learnt embeddings with the lean layer, DistMult in torch; its weights begin as the given model's."""

    def __init__(self, model: RelGNN, attributes: Tensor, messages: MessageGraph, device: str) -> None:
        super().__init__()
        self.embedding = nn.Parameter(attributes.detach().clone())
        self.relation = nn.Parameter(model.decoder.relation.detach().clone())
        self.inverse = nn.Parameter(model.inverse_state.detach().clone())
        self.layers = nn.ModuleList(LeanRelGNN(layer, own_state=False) for layer in model._convolutions())
        self.fusion, self.dropout = model.fusion, model.dropout
        self.edges = LeanEdges.of(of_adjacency(messages.adjacency)).to(device)
        self.fact = messages.adjacency.fact.long().to(device)

    def encode(self, keep: Tensor | None = None) -> Tensor:
        """(N, d) final states; `keep` (F,) says which facts carry messages."""
        edges = self.edges if keep is None else self.edges.where(keep[self.fact])
        state, relation = self.embedding, torch.cat([self.relation, self.inverse])
        for layer in self.layers:
            state = layer(functional.dropout(state, self.dropout, self.training), edges, relation)
        return self.fusion(self.embedding, state)

    def score(self, nodes: Tensor, heads: Tensor, relations: Tensor, tails: Tensor) -> Tensor:
        return (nodes[heads] * self.relation[relations] * nodes[tails]).sum(dim=1)


class PlainLoop:
    """Full-graph steps in plain torch.

    Args:
        graph, split, settings, seed: as the trainer's.
        device: "cpu" or "cuda".
    """

    def __init__(self, graph: Graph, split: Split, settings: Settings, seed: int = 0, device: str = "cpu") -> None:
        self.graph, self.settings, self.device = graph, settings, device
        messages = message_graph(graph, split.message)
        model = build_model(graph, settings, derived_seed(seed, 0), split.message)
        assert isinstance(model, RelGNN)
        inputs = prepare_inputs(model, graph)
        with torch.no_grad():  # and without the dropout of learnt vectors, which the lean model does not know
            model.eval()
            attributes = torch.cat([encoder(x) for encoder, x in zip(model.encoders, inputs, strict=True)])
            model.train()
        self.model = LeanModel(model, attributes, messages, device).to(device)
        edges, facts = split.message[split.supervised], messages.facts[split.supervised]
        self.edges = torch.stack([torch.from_numpy(a.copy()) for a in (edges.heads, edges.relations, edges.tails)])
        self.edges, self.fact = self.edges.to(device), torch.from_numpy(facts).to(device)
        self.num_facts = messages.num_facts
        self.ranges = torch.from_numpy(graph.head_ranges).to(device), torch.from_numpy(graph.tail_ranges).to(device)
        heads, relations, tails = self.edges
        size = graph.num_nodes
        both = torch.cat([(relations * size + heads) * size + tails, (relations * size + tails) * size + heads])
        self.known = both.unique()
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.done = 0

    def step(self) -> float:
        settings = self.settings
        torch.manual_seed(self.done)
        self.model.train()
        chosen = self.drawn()
        positives = self.edges[:, chosen[self.fact]]
        nodes = self.model.encode(~chosen)
        positive = self.model.score(nodes, *positives)
        negative = self.model.score(nodes, *self.corrupted(positives))
        loss = 0.5 * (functional.softplus(-positive).mean() + functional.softplus(negative).mean())
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(settings.learning_rate, self.done, settings.steps)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.done += 1
        return float(loss.detach())

    def drawn(self) -> Tensor:
        """(F,) bool, the facts that a step learns from."""
        chosen = torch.zeros(self.num_facts, dtype=torch.bool, device=self.device)
        count = round(self.settings.share * self.num_facts)
        chosen[torch.randperm(self.num_facts, device=self.device)[:count]] = True
        return chosen

    def corrupted(self, edges: Tensor) -> Tensor:
        """(3, n) each edge with one end replaced; known edges are drawn again, a few times."""
        heads, relations, tails = edges.clone()
        wrong = torch.arange(edges.shape[1], device=self.device)
        at_head = torch.rand(len(wrong), device=self.device) < 0.5
        for _ in range(5):
            for end, ranges, which in ((heads, self.ranges[0], at_head), (tails, self.ranges[1], ~at_head)):
                index = wrong[which[wrong]]
                low, high = ranges[relations[index]].T
                end[index] = low + (torch.rand(len(index), device=self.device) * (high - low)).long()
            keys = (relations[wrong] * self.graph.num_nodes + heads[wrong]) * self.graph.num_nodes + tails[wrong]
            place = torch.searchsorted(self.known, keys).clamp_(max=len(self.known) - 1)
            wrong = wrong[(self.known[place] == keys) | (heads[wrong] == tails[wrong])]
            if not len(wrong):
                break
        return torch.stack([heads, relations, tails])

    @torch.no_grad()
    def logits(self, edges: Edges) -> Tensor:
        self.model.eval()
        arrays = [torch.from_numpy(a.copy()).to(self.device) for a in (edges.heads, edges.relations, edges.tails)]
        return self.model.score(self.model.encode(), *arrays)
