"""How concentrated attention is in each layer: the paper's figure of per-node entropies, of this run."""

from __future__ import annotations

import numpy as np
import torch
from markupsafe import Markup

from relwise.evaluate.attention import attention_entropy, uniform_entropy
from relwise.nn.build import prepare_edges, prepare_inputs
from relwise.nn.messages import message_graph
from relwise.nn.model import RelGNN
from relwise.report.charts import histogram
from relwise.report.facts import Facts
from relwise.report.markup import join, tag

BINS = 24
LISTED = 5_000_000  # training edges beyond which nothing is computed for a page: two numbers an edge, head and layer

Entropies = list[tuple[np.ndarray, np.ndarray]]


def attention(facts: Facts) -> Markup:
    """A histogram for each layer; a sentence where there is no attention, or the graph is too large for a page."""
    if not isinstance(facts.model, RelGNN):
        return tag("p", f"The encoder {facts.settings.encoder} has no attention of ours to tell of.")
    if len(facts.split.message) > LISTED:
        return tag("p", f"Left out: the graph has more than {LISTED:,} training edges.")
    layers = entropies(facts)
    charts = [_chart(f"Layer {i}", learnt, equal) for i, (learnt, equal) in enumerate(layers, 1)]
    shares = ", ".join(
        f"layer {i} {100 * learnt.mean() / equal.mean():.0f} %"
        for i, (learnt, equal) in enumerate(layers, 1)
        if len(equal)
    )
    text = (
        "Each entity weighs its neighbours. Where all weigh alike, the entropy of the weights is the logarithm of "
        "their number; the lower it is, the fewer of them decide. Counted are entities with two neighbours or more, "
        f"each with the mean of its heads. Mean entropy as a share of equal weights': {shares or 'none'}."
    )
    return join([tag("p", text), tag("div", *charts, class_="charts")])


def entropies(facts: Facts) -> Entropies:
    """Of each layer, of the n nodes with two edges or more: (n,) the mean entropy of a node's heads, in nats, and
    (n,) that of equal weights."""
    assert isinstance(facts.model, RelGNN)
    adjacency = message_graph(facts.graph, facts.split.message).adjacency
    indptr = adjacency.indptr.numpy()
    with torch.no_grad():
        inputs = prepare_inputs(facts.model, facts.graph)
        edges = prepare_edges(facts.model, facts.graph, facts.split.message, adjacency)
        layers = facts.model.attention(inputs, adjacency, edges)
    able = np.diff(indptr) > 1
    equal = uniform_entropy(indptr)[able]
    return [(attention_entropy(alpha.detach().numpy(), indptr)[able].mean(axis=1), equal) for alpha in layers]


def _chart(title: str, learnt: np.ndarray, equal: np.ndarray) -> Markup:
    if not len(equal):
        return tag("p", f"{title}: no entity has two neighbours.")
    bounds = np.linspace(0, max(float(equal.max()), float(learnt.max())), BINS + 1)
    counts = {
        "learnt": np.histogram(learnt, bounds)[0].tolist(),
        "if all weighed alike": np.histogram(equal, bounds)[0].tolist(),
    }
    return histogram(title, "entropy of a node's attention, nats", "entities", bounds.tolist(), counts)
