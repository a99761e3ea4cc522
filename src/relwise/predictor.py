"""`RelationshipPredictor`: the whole chain behind scikit-learn's habits: fit, predict_proba, score, and more."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

import relwise
from relwise import bundle
from relwise.card import model_card
from relwise.data.audit import Audit, Leakage, audit, leakage
from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import Split, carry_over, split_graph
from relwise.errors import InputError
from relwise.evaluate.metrics import average_precision
from relwise.evaluate.table import Result, evaluate
from relwise.nn.build import prepare_edges, prepare_inputs
from relwise.nn.messages import message_graph
from relwise.nn.model import RelGNN
from relwise.predict import top
from relwise.predict.scorer import Scorer
from relwise.settings import Settings, SettingsKeywords
from relwise.train.checkpoint import fingerprint, load_checkpoint, save_checkpoint
from relwise.train.loop import Trainer, TrainingResult
from relwise.train.progress import TrainingProgress


class RelationshipPredictor:
    """Predicts which relationships are missing from a graph: RelGNN, trained on the relationships known.

    Args:
        seed: of the split, the weights, the negatives and everything else random.
        settings: keywords, each of `relwise.settings.Settings` (`dim`, `sampler`, `steps`, ...).

    >>> graph = Graph.from_triples([(i, "likes", (i + k) % 40) for i in range(40) for k in (1, 2, 3, 4)])
    >>> model = RelationshipPredictor(dim=16, steps=20).fit(graph)
    >>> model.predict_proba([(0, "likes", 1), (0, "likes", 20)]).shape
    (2,)
    >>> list(model.top_k("likes", head=0, k=2).columns)
    ['head', 'relation', 'tail', 'name', 'probability', 'known']
    """

    def __init__(self, seed: int = 0, **settings: Unpack[SettingsKeywords]) -> None:
        self.settings = Settings.of(settings)
        self.seed = seed
        self._run: tuple[Graph, Split, RelGNN] | None = None
        self.training: dict[str, Any] = {}
        self.log: list[dict[str, float]] = []
        self._metrics: dict[str, Result] = {}
        self._leakage: Leakage | None = None
        self.audited = Audit()
        """What the audit found before the training."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The seed and all settings, as scikit-learn has it."""
        return {"seed": self.seed, **self.settings.model_dump()}

    def set_params(self, **params: Any) -> Self:
        """Change settings before the next fit."""
        self.seed = params.pop("seed", self.seed)
        self.settings = Settings.of({**self.settings.model_dump(), **params})
        return self

    # -- learning -----------------------------------------------------------------------------------------

    def fit(
        self,
        graph: Graph,
        *,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool = False,
    ) -> Self:
        """Split, audit and train.

        Args:
            graph: the graph; its `split_rule` says how it is split.
            checkpoint: a file to write checkpoints to, at each validation; None: none.
            resume: continue from the checkpoint, where there is one, to the same result as an unbroken run.
            progress: show a progress bar (or lines, where stderr is no terminal).
        """
        split = split_graph(graph, self.seed)
        found = audit(graph, split, self.seed, say=_say if progress else None)
        if progress:
            for sentence in found.describe() or ["nothing found"]:
                _say(f"audit: {sentence}")
        trainer = Trainer(graph, split, self.settings, self.seed)
        path = Path(checkpoint) if checkpoint else None
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        data = fingerprint(graph, split) if path else ""
        if path and resume and path.exists():
            load_checkpoint(trainer, path, data)
        with TrainingProgress(self.settings.steps, self.settings.select, quiet=not progress) as shown:

            def validated(state: Any) -> None:
                if path:
                    save_checkpoint(trainer, path, data)
                shown.on_validation(state)

            result = trainer.fit(shown.on_step, validated)
        self._fitted(graph, split, trainer.model)
        self.audited = found
        self.training = _training(result, trainer)
        self.log = result.history
        return self

    def with_graph(self, graph: Graph, *, use_held_out: bool = False) -> Self:
        """A predictor with this one's trained network on a graph that has grown, without training.

        What is new carries messages; the valid and test edges do not, and stay what is measured on. A node never seen
        in training is what its attributes and its neighbours say; new nodes of a type without attributes all start
        from one vector.

        Args:
            graph: this one's with more nodes and edges (`Graph.add_nodes`, `Graph.add_edges`).
            use_held_out: let the valid and test edges carry messages too, to predict from all that is known; nothing
                is left to measure on.

        Raises:
            InputError: where types, attributes, relations or the nodes trained on differ.

        >>> graph = Graph.from_triples([(i, "likes", (i + k) % 40) for i in range(40) for k in (1, 2, 3, 4)])
        >>> model = RelationshipPredictor(dim=16, steps=20).fit(graph)
        >>> grown = graph.add_nodes("node", [{"id": "new"}]).add_edges("likes", [{"head": "new", "tail": 3}])
        >>> len(model.with_graph(grown).top_k("likes", head="new", k=5))
        5
        """
        known, split, network = self._fit
        trained_with, seed = self._trained_with
        other = type(self)(seed, **trained_with.model_dump())
        other._fitted(graph, carry_over(split, known, graph, use_held_out=use_held_out), network)
        other.training, other.log, other.audited = dict(self.training), self.log, self.audited
        return other

    # -- answering ----------------------------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        return self._fit[0]

    @property
    def split(self) -> Split:
        return self._fit[1]

    @property
    def network(self) -> RelGNN:
        """The trained network."""
        return self._fit[2]

    @cached_property
    def scorer(self) -> Scorer:
        """Scores with the training edges as messages."""
        import torch

        graph, split, model = self._fit
        model.eval()
        with torch.no_grad():
            adjacency = message_graph(graph, split.message).adjacency
            edge_inputs = prepare_edges(model, graph, split.message, adjacency)
            nodes = model.encode(prepare_inputs(model, graph), adjacency, edge_inputs=edge_inputs)
        return Scorer(graph, model.decoder, nodes)

    def predict_proba(self, edges: Sequence[tuple[object, str, object]]) -> npt.NDArray[np.float64]:
        """(n,) the probability of each edge asked about.

        Args:
            edges: n triples (head id, relation, tail id).

        Raises:
            InputError: at an unknown id or relation, naming the nearest.
        """
        return self.scorer.probabilities(self.indexed(edges))

    def indexed(self, edges: Sequence[tuple[object, str, object]]) -> Edges:
        """Edges of ids and names as edges of indices; raises InputError at the first that is not in the graph."""
        graph = self.graph
        frame = pd.DataFrame([(str(h), str(r), str(t)) for h, r, t in edges], columns=["h", "r", "t"], dtype=object)
        heads, relations, tails = (np.empty(len(frame), np.int64) for _ in range(3))
        for name, rows in frame.groupby("r", sort=False).indices.items():
            relation = graph.relation_index(str(name))
            kind, picked = graph.relations[relation], frame.iloc[rows]
            relations[rows] = relation
            heads[rows] = graph.node_index(kind.head, picked["h"])
            tails[rows] = graph.node_index(kind.tail, picked["t"])
        return Edges(heads, relations, tails)

    def top_k(
        self, relation: str, head: object = None, tail: object = None, k: int = 10, known: bool = False
    ) -> pd.DataFrame:
        """The k likeliest relationships of one node that are missing from the graph.

        Args:
            relation: the relation's name.
            head: the id of the head; the tails are asked for.
            tail: the id of the tail; the heads are asked for. One of the two must be given.
            k: how many.
            known: list known relationships too, marked in the column `known`.

        Returns:
            Columns head, relation, tail, name (of the node found), probability, known.
        """
        if (head is None) == (tail is None):
            raise InputError("one end must be given, and one only", remedy="give head or tail")
        if k < 1:
            raise InputError(f"k = {k}: nothing to list", remedy="give at least 1")
        index = self.graph.relation_index(relation)
        kind = self.graph.relations[index]
        if tail is None:
            return top.top_k(self.scorer, index, int(self.graph.node_index(kind.head, [head])[0]), "tail", k, known)
        return top.top_k(self.scorer, index, int(self.graph.node_index(kind.tail, [tail])[0]), "head", k, known)

    def predict_missing(self, relation: str, k: int = 10) -> pd.DataFrame:
        """The k likeliest relationships of a relation that are missing from the graph, over all its pairs."""
        if k < 1:
            raise InputError(f"k = {k}: nothing to list", remedy="give at least 1")
        return top.predict_missing(self.scorer, self.graph.relation_index(relation), k)

    # -- measuring ----------------------------------------------------------------------------------------

    def score(self, edges: Sequence[tuple[object, str, object]] | None = None, labels: Any = None) -> float:
        """Average precision: on the edges and labels given, else on the test part."""
        if edges is not None:
            if labels is None:
                raise InputError("edges without labels", remedy="give labels too: whether each edge holds")
            return average_precision(np.asarray(labels, dtype=bool), self.predict_proba(edges))
        test = self.split.test
        return average_precision(test.labels, self.scorer.logits(test.edges))

    def leakage(self) -> Leakage:
        """Which valid and test edges stand in train in another guise."""
        if self._leakage is None:
            self._leakage = leakage(self.graph, self.split)
        return self._leakage

    def evaluate(self, split: str = "test") -> Result:
        """The table of measures of a part, the plain baselines beside the network's; computed once."""
        part = self.split.part(split)
        if not part.labels.any():
            raise InputError(f"the {split} part has no edges", remedy="train with a split that has some")
        if split not in self._metrics:
            scorer = self.scorer
            self._metrics[split] = evaluate(self.graph, part, self.split, scorer.probabilities, scorer.block)
        return self._metrics[split]

    def metrics(self, split: str = "test") -> dict[str, Any]:
        """`evaluate`'s measures as JSON holds them, with and without the edges that leak."""
        began = time.perf_counter()
        result = self.evaluate(split)
        leaks = self.leakage()
        part = leaks.part(split)
        without = result.to_json(keep=~part.leaked)
        not_reversed = result.to_json(keep=~(part.same | part.reversed))
        return {
            "split": split,
            **result.to_json(),
            "leakage": {"counts": part.counts(), "sentences": leaks.describe()},
            "audit": self.audited.to_json(),
            "without_reversed": {key: not_reversed[key] for key in ("micro", "baselines", "counts")},
            "without_leaked": {key: without[key] for key in ("micro", "baselines", "counts")},
            "seconds": round(time.perf_counter() - began, 3),
            "version": relwise.__version__,
        }

    # -- keeping ------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> None:
        """Write the run folder (see `relwise.bundle`)."""
        graph, split, model = self._fit
        if split.test.labels.any():
            metrics, table = self.metrics("test"), self.evaluate("test").table()
        else:
            metrics = {"split": "test", "micro": {}, "relations": {}, "baselines": {}}
            metrics, table = {**metrics, "audit": self.audited.to_json()}, pd.DataFrame()
        training = {**self.training, "computed_with": bundle.computed_with()}
        settings, seed = self._trained_with
        run = bundle.Run(graph, split, settings, seed, model, metrics, self.log, training)
        sentences = [*self.leakage().describe(), *self.audited.describe()]
        card = model_card(graph, split, settings, seed, metrics, training, sentences)
        bundle.write_run(run, Path(folder), table, card)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The predictor that `save` wrote."""
        run = bundle.read_run(folder)
        model = cls(run.seed, **run.settings.model_dump())  # type: ignore[arg-type]
        model._fitted(run.graph, run.split, run.model)
        model.training, model.log = dict(run.training), run.log
        if "audit" in run.metrics:
            model.audited = Audit.from_json(run.metrics["audit"])
        return model

    def __repr__(self) -> str:
        changed = {key: v for key, v in self.settings.model_dump().items() if v != Settings.model_fields[key].default}
        return f"RelationshipPredictor({', '.join(f'{k}={v!r}' for k, v in {'seed': self.seed, **changed}.items())})"

    @property
    def _fit(self) -> tuple[Graph, Split, RelGNN]:
        if self._run is None:
            raise InputError("the model is not trained yet", remedy="call fit(graph), or relwise.load(folder)")
        return self._run

    def _fitted(self, graph: Graph, split: Split, model: RelGNN) -> None:
        self._run = (graph, split, model)
        # What set_params changes later is for the next fit.
        self._trained_with = (self.settings, self.seed)
        self._metrics, self._leakage = {}, None
        self.__dict__.pop("scorer", None)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _training(result: TrainingResult, trainer: Trainer) -> dict[str, Any]:
    """What the run folder keeps of a training."""
    return {
        "steps": result.steps,
        "best_step": result.best_step,
        f"valid_{trainer.settings.select}": result.best,
        "train_seconds": round(result.seconds, 1),
        "negatives_proposed": result.proposed,
        "negatives_refused": result.refused,
        "edges_without_negative": trainer.uncorruptible,
    }
