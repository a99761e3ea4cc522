"""Every encoder and every decoder through the same training: the loss falls, and what was learnt beats chance."""

from typing import get_args

import numpy as np
import pytest

from relwise.data.graph import Graph
from relwise.data.split import split_graph
from relwise.evaluate.metrics import roc_auc
from relwise.settings import DecoderName, EncoderName, Settings
from relwise.train.loop import Trainer

QUICK = {"dim": 16, "steps": 300, "eval_every": 300, "patience": 100, "warmup": 20, "pool": 4, "share": 0.5}
# Message passing learns this in fewer steps than embeddings alone; convolutions cost more a step, and learn from few.
OWN = {
    "relgnn": {"steps": 60, "eval_every": 60},
    "rgcn": {"steps": 60, "eval_every": 60},
    "han": {"steps": 100, "eval_every": 100, "learning_rate": 0.05},
    "hgt": {"steps": 100, "eval_every": 100},
    "rgat": {"steps": 120, "eval_every": 120},
    "gatne": {"steps": 100, "eval_every": 100, "learning_rate": 0.005},
    "conve": {"share": 0.1, "learning_rate": 0.03, "sampler": "random", "dropout": 0.0},  # it has dropout of its own
}
METHODS = [
    *((encoder, "distmult") for encoder in get_args(EncoderName)),
    *(("lookup", d) for d in get_args(DecoderName)),
]


def four_camps():
    """64 nodes of four camps, most tied within their own by `ally`, to the next one by `rival`."""
    rng = np.random.default_rng(0)
    pairs = [(i, j) for i in range(64) for j in range(64) if i != j and rng.random() < 0.7]
    names = {0: "ally", 1: "rival"}
    return Graph.from_triples([(i, names[(j - i) % 4], j) for i, j in pairs if (j - i) % 4 in names])


def trained(**settings):
    graph = four_camps()
    trainer = Trainer(graph, split_graph(graph, 0), Settings.of({**QUICK, **settings}), seed=0)
    first = trainer.step()
    trainer.state.step += 1
    result = trainer.fit()
    test = trainer.split.test
    return first, result.history[-1]["loss"], roc_auc(test.labels, trainer.scorer().logits(test.edges))


@pytest.mark.parametrize(("encoder", "decoder"), dict.fromkeys(METHODS))
def test_the_loss_falls_and_held_out_edges_are_told_from_others(encoder, decoder):
    if encoder in ("han", "hgt", "rgat"):
        pytest.importorskip("torch_geometric")
    first, last, auc = trained(encoder=encoder, decoder=decoder, **OWN.get(encoder, {}), **OWN.get(decoder, {}))
    assert last < first
    assert auc > 0.6
