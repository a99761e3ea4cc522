"""The training loop: full-graph steps in which a share of the edges is supervised and masked from the messages.

Everything a step draws is a function of (seed, step), so a run resumed from a checkpoint continues to the same
result as an unbroken one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import Split
from relwise.errors import InputError
from relwise.evaluate.metrics import average_precision, roc_auc
from relwise.evaluate.ranks import Ranks, rank_edges
from relwise.kernels.adam import Adam
from relwise.kernels.choice import places
from relwise.kernels.matmul import library
from relwise.kernels.memory import copy_of, free_idle_tables, give_back_freed_memory, keep_freed_memory
from relwise.kernels.threads import settle_threads
from relwise.negatives import Corruptor, KnownEdges
from relwise.negatives.blocks import pool_loss
from relwise.negatives.report import BINS, HeldOut, count_probabilities
from relwise.nn.build import build_model, prepare_edges, prepare_inputs
from relwise.nn.messages import message_graph
from relwise.predict.scorer import Scorer
from relwise.settings import Settings
from relwise.train.masks import make_mask
from relwise.train.place import OnDevice, OnHost, find_device
from relwise.train.sampler import make_sampler
from relwise.train.state import TrainingResult, TrainingState

RANKED = 2000  # validation edges ranked, at most, where MRR selects: enough to tell states apart, and quick
DIVERGED = "lower learning_rate, or scale the attributes"


def derived_seed(seed: int, *path: int) -> int:
    """A seed for one purpose at one step, unlike that of any other."""
    return int(np.random.SeedSequence([seed, *path]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def learning_rate(peak: float, step: int, steps: int) -> float:
    """The rate of a step: a linear rise over the first 20, so that Adam's moments settle, then half a cosine to zero.

    >>> [round(learning_rate(1.0, step, 100), 2) for step in (0, 19, 50, 100)]
    [0.05, 0.91, 0.5, 0.0]
    """
    return peak * min(1.0, (step + 1) / 20) * 0.5 * (1 + math.cos(math.pi * step / steps))


class Trainer:
    """Trains RelGNN on a split graph.

    Args:
        graph: the graph.
        split: its edges by what they are for.
        settings: of model, sampler and training.
        seed: of everything random.

    Raises:
        InputError: where no edge has a negative, or there is nothing to validate on.
    """

    def __init__(self, graph: Graph, split: Split, settings: Settings, seed: int = 0) -> None:
        self.device = find_device(settings.device)
        settle_threads()
        keep_freed_memory()
        library()  # whose setting may be wrong: told before any work
        self.graph, self.split, self.settings, self.seed = graph, split, settings, seed
        if not split.valid.labels.any() or split.valid.labels.all():
            raise InputError(
                "the validation part has no positive or no negative edges",
                where=f"split by {graph.split_rule.by}",
                remedy="give some, with label 1 and 0"
                if graph.split_rule.by == "given"
                else "set an earlier date or a larger share for valid",
            )
        messages = message_graph(graph, split.message)
        self.adjacency = messages.adjacency.to(self.device)
        # An undirected relation's edge given in both orientations is one thing to learn.
        learnable = messages.distinct[split.supervised[messages.distinct]]
        self.corruptor = Corruptor(graph, split.message[learnable], KnownEdges(graph, split.message))
        open_ = self.corruptor.corruptible
        self.uncorruptible = int((~open_).sum())
        if not open_.any():
            raise InputError(
                "every possible edge is known, so there is no negative to learn from",
                remedy="give more nodes",
            )
        # Of the corruptor's edges: what each states, and which of them can be learnt; of the facts: the same.
        self._fact, self._open = messages.facts[learnable], open_
        self._learnable = np.zeros(messages.num_facts, dtype=bool)
        self._learnable[self._fact[open_]] = True
        self.mask = make_mask(settings.mask, self._learnable, settings.share, split.message, messages.facts)
        self.sampler, self.held_out = make_sampler(settings), HeldOut(graph, split)
        self.model = build_model(graph, settings, derived_seed(seed, 0), split.message).to(self.device)
        self.inputs = prepare_inputs(self.model, graph)
        self.edge_inputs = prepare_edges(self.model, graph, split.message, self.adjacency)
        self.adjacency = self.adjacency.without_order()
        self.optimizer = Adam(self.model.parameters(), settings.learning_rate, settings.weight_decay)
        self.place = OnHost(self) if self.device.type == "cpu" else OnDevice(self, self.device)
        self.state = TrainingState()
        self.best_weights: dict[str, Any] = {}  # none before the first validation

    def fit(
        self,
        on_step: Callable[[TrainingState, float], None] | None = None,
        on_validation: Callable[[TrainingState], None] | None = None,
    ) -> TrainingResult:
        """Train to the end from where the state stands; the model is left with the best state's weights.

        Args:
            on_step: called after each step with the state and the step's loss.
            on_validation: called after each validation: where checkpoints are written.
        """
        settings, state = self.settings, self.state
        began = time.perf_counter() - state.seconds
        with torch.random.fork_rng(devices=[] if self.device.type == "cpu" else [self.device]):
            while state.step < settings.steps and not self._exhausted():
                loss = self.step()
                state.step += 1
                if on_step:
                    on_step(state, loss)
                if state.step % settings.eval_every == 0 or state.step == settings.steps:
                    self._validate(loss)
                    state.seconds = time.perf_counter() - began
                    if on_validation:
                        on_validation(state)
        state.seconds = time.perf_counter() - began
        if self.best_weights:
            self.model.load_state_dict(self.best_weights)
        self.model.eval()
        give_back_freed_memory()  # who predicts next has no use for it
        return TrainingResult(
            state.step,
            state.best_step,
            state.best,
            state.seconds,
            state.tally,
            state.history,
        )

    def step(self) -> float:
        """One update; returns its loss."""
        settings, seed = self.settings, derived_seed(self.seed, 1, self.state.step)
        # On the CPU not `torch.manual_seed`, which lists each call for a GPU that may be asked for later.
        (torch.default_generator if self.device.type == "cpu" else torch).manual_seed(seed)
        if not self.model.training:
            self.model.train()
        index, keep = self._supervised(seed)
        self.optimizer.forget_gradients()  # before the states are made: their memory is the gradients'
        place: Any = self.place  # each has edges of its own kind
        nodes = place.encode(keep)
        positives, step = place.positives(index), self.state.step
        with torch.no_grad():  # what the sampler goes by; what is learnt from is scored once, with the negatives
            asked = place.logits(nodes, positives) if self.sampler.pool(step) > 1 else None
        negatives = place.negatives(index, nodes, asked, step, seed)
        told = np.zeros((2, BINS), np.int64)
        loss, found = self._find_loss(nodes, positives, negatives, told)
        del nodes, positives, asked, keep  # the states go as soon as the backward pass is done with them
        self.optimizer.learning_rate = learning_rate(settings.learning_rate, step, settings.steps)
        loss.backward()
        self.optimizer.step()
        counts = int(negatives.proposed), int(negatives.refused), self.held_out.count(place.on_host(negatives.edges))
        for into, logits in zip(told, found, strict=False):
            into[:] = count_probabilities(logits.cpu().numpy())
        self.state.tally.add(*counts, *told)
        value = float(loss.detach())
        if not np.isfinite(value):
            raise InputError(f"the loss became {value} at step {step + 1}", remedy=DIVERGED)
        return value

    def _find_loss(
        self, nodes: Tensor, positives: Any, negatives: Any, told: np.ndarray
    ) -> tuple[Tensor, list[Tensor]]:
        """The loss; its probabilities are counted in `told`, or the logits that tell them are returned."""
        count = len(positives.heads)
        if negatives.pools is not None:
            loss, *found = pool_loss(negatives.pools, self.model.decoder, nodes, self.sampler.weigh)
            return loss, found
        if len(negatives.edges.heads) == count:
            loss = self.place.cross_entropy(nodes, positives, negatives.edges, told)
            if loss is not None:
                return loss, []
        logits = self.place.logits(nodes, positives, negatives.edges)
        seen = logits.detach()
        return self._loss(logits, count), [seen[:count], seen[count:]]

    def _loss(self, logits: Tensor, positives: int) -> Tensor:
        """Cross entropy (eq. 8), half of it of the positives, which come first, half of their negatives."""
        if len(logits) == 2 * positives:
            sign = torch.ones_like(logits)
            sign[:positives] = -1
            return functional.softplus(sign * logits).mean()
        negative = logits[positives:].view(positives, -1)
        weighed = (self.sampler.weigh(negative) * functional.softplus(negative)).sum(dim=1)
        return (functional.softplus(-logits[:positives]).mean() + weighed.mean()) / 2

    def scorer(self) -> Scorer:
        """Scores under the model's present weights, with all training edges as messages."""
        self.model.eval()
        with torch.no_grad():
            nodes = self.model.encode(self.inputs, self.adjacency, edge_inputs=self.edge_inputs)
            return Scorer(self.graph, self.model.decoder, nodes)

    def _supervised(self, seed: int) -> tuple[np.ndarray, Tensor]:
        """The edges that this step learns from, and the facts that carry its messages: disjoint, always."""
        chosen, silent = self.mask.draw(derived_seed(seed, 0))
        return places(chosen, self._fact, self._open), torch.from_numpy(np.logical_not(silent, out=silent))

    def _validate(self, loss: float) -> None:
        state = self.state
        self.optimizer.forget_gradients()  # their memory is the states'
        free_idle_tables()  # it needs others than a step
        lately, state.seen = state.tally.since(state.seen), replace(state.tally)
        row: dict[str, float] = {"step": state.step, "loss": loss, **self._measured()}
        row |= {"hardness": lately.hardness(), "false_negatives": lately.per_10_000()}
        state.history.append(row)
        if row[self.settings.select] > state.best:
            state.best, state.best_step = row[self.settings.select], state.step
            self._keep_weights()

    def _measured(self) -> dict[str, float]:
        """The measures of the validation edges."""
        valid, scorer = self.split.valid, self.scorer()
        logits = scorer.logits(valid.edges)
        if not np.isfinite(logits).all():
            raise InputError(f"the scores are no numbers after step {self.state.step}", remedy=DIVERGED)
        found = {"auc": roc_auc(valid.labels, logits), "ap": average_precision(valid.labels, logits)}
        if self.settings.select == "mrr":
            positives = valid.positives
            # Nothing of test may help to choose a state, not even by being left out of a rank.
            known = Edges.concatenate(self.split.message, positives)
            if len(positives) > RANKED:
                positives = positives[
                    np.random.default_rng([self.seed, 2]).choice(len(positives), RANKED, replace=False)
                ]
            ranks = rank_edges(positives, known, self.graph, scorer.block)
            found["mrr"] = Ranks.concatenate(*ranks).mrr()
        return found

    def _exhausted(self) -> bool:
        # Harder negatives are another task: what they bring shows only after the warm-up.
        warmup = self.settings.warmup if self.settings.sampler != "random" else 0
        waited = self.state.step - max(self.state.best_step, warmup)
        return bool(self.state.history) and waited >= self.settings.patience * self.settings.eval_every

    def _keep_weights(self) -> None:
        """Over those kept before, once there are any: never two copies beside the weights."""
        weights = {name: tensor.detach() for name, tensor in self.model.state_dict().items()}
        if self.best_weights:
            for name, tensor in weights.items():
                self.best_weights[name].copy_(tensor)
        else:
            self.best_weights = {name: copy_of(tensor) for name, tensor in weights.items()}
