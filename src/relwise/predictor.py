"""`RelationshipPredictor`: the whole chain behind scikit-learn's habits: fit, predict_proba, score, and more."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, Unpack

import numpy as np
import pandas as pd

import relwise
from relwise import bundle
from relwise.card import model_card
from relwise.data.audit import Audit, Leakage, audit, leakage
from relwise.data.fingerprint import fingerprint
from relwise.data.graph import Graph
from relwise.data.split import Split, carry_over, split_graph
from relwise.errors import InputError
from relwise.evaluate.attention import concentration
from relwise.evaluate.metrics import average_precision
from relwise.evaluate.reliability import reliability_report
from relwise.evaluate.table import APART, Result, evaluate
from relwise.nn.model import RelGNN
from relwise.nn.network import Network
from relwise.predict.answers import Answers
from relwise.predict.final import FinalScorer, Judgement
from relwise.predict.scorer import Scorer
from relwise.settings import Settings, SettingsKeywords
from relwise.train.checkpoint import load_checkpoint, save_checkpoint
from relwise.train.loop import Trainer
from relwise.train.progress import TrainingProgress
from relwise.train.state import TrainingResult

LISTED = 5_000_000  # training edges beyond which a run does not tell of its attention: two numbers an edge and head


class RelationshipPredictor(Answers):
    """Predicts which relationships are missing from a graph: RelGNN, trained on the relationships known.

    Args:
        seed: of the split, the weights, the negatives and everything else random.
        settings: keywords, each of `relwise.settings.Settings` (`dim`, `sampler`, `steps`, ...).

    >>> graph = Graph.from_triples([(i, "likes", (i + k) % 40) for i in range(40) for k in (1, 2, 3, 4)])
    >>> model = RelationshipPredictor(dim=16, steps=20).fit(graph)
    >>> model.predict_proba([(0, "likes", 1), (0, "likes", 20)]).shape
    (2,)
    >>> list(model.top_k("likes", head=0, k=2).columns)
    ['head', 'relation', 'tail', 'name', 'probability', 'known', 'evidence']
    """

    def __init__(self, seed: int = 0, **settings: Unpack[SettingsKeywords]) -> None:
        super().__init__()
        self.settings = Settings.of(settings)
        self.seed = seed
        self.training: dict[str, Any] = {}
        self.log: list[dict[str, float]] = []
        self.measured: dict[str, Any] = {}
        """The measures on test, as the run folder that was written or read last has them."""
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
        if progress:
            for sentence in result.tally.describe():
                _say(sentence)
        self._fitted(graph, split, trainer.model.cpu())
        if progress:
            _say("joining the graph's own evidence to the network's logit, on the validation edges")
        self._judge_by(Judgement.fit(graph, split, self.scorer, self.seed))
        self.audited = found
        self.training = _training(result, trainer)
        if len(split.message) <= LISTED:
            self.training["attention"] = self.attention()
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
        other._judge_by(self.judgement)
        other.training, other.log, other.audited = dict(self.training), self.log, self.audited
        return other

    # -- measuring ----------------------------------------------------------------------------------------

    def score(self, edges: Sequence[tuple[object, str, object]] | None = None, labels: Any = None) -> float:
        """Average precision: on the edges and labels given, else on the test part."""
        if edges is not None:
            if labels is None:
                raise InputError("edges without labels", remedy="give labels too: whether each edge holds")
            return average_precision(np.asarray(labels, dtype=bool), self.predict_proba(edges))
        test = self.split.test
        return average_precision(test.labels, self.final.probabilities(test.edges))

    def leakage(self) -> Leakage:
        """Which valid and test edges stand in train in another guise."""
        if self._leakage is None:
            self._leakage = leakage(self.graph, self.split)
        return self._leakage

    def evaluate(self, split: str = "test") -> Result:
        """The table of measures of a part: the model's, its parts' and the plain baselines'; computed once."""
        part = self.split.part(split)
        if not part.labels.any():
            raise InputError(f"the {split} part has no edges", remedy="train with a split that has some")
        if split not in self._metrics:
            final, apart = self.final, {}
            if self.judgement.fitted:
                alone = self.final_by(self.judgement.alone)
                apart = {
                    "network": (self.scorer.probabilities, self.scorer.block),
                    "evidence": (alone.probabilities, alone.block),
                }
            self._metrics[split] = evaluate(self.graph, part, self.split, final.probabilities, final.block, apart=apart)
        return self._metrics[split]

    def metrics(self, split: str = "test") -> dict[str, Any]:
        """`evaluate`'s measures as JSON holds them, with and without the edges that leak."""
        began = time.perf_counter()
        result = self.evaluate(split)
        leaks = self.leakage()
        part = leaks.part(split)
        without = result.to_json(keep=~part.leaked)
        not_reversed = result.to_json(keep=~(part.same | part.reversed))
        kept = [key for key in ("micro", *APART, "baselines", "counts") if key in without]
        return {
            "split": split,
            **result.to_json(),
            "calibration": self._calibration(split),
            "leakage": {"counts": part.counts(), "sentences": leaks.describe()},
            "audit": self.audited.to_json(),
            "without_reversed": {key: not_reversed[key] for key in kept},
            "without_leaked": {key: without[key] for key in kept},
            "seconds": round(time.perf_counter() - began, 3),
            "version": relwise.__version__,
        }

    def _calibration(self, split: str) -> dict[str, Any]:
        """How far the probabilities of a part can be taken at their word: as the network gives them, and as shown."""
        part, valid = self.split.part(split), self.split.valid

        def told(scorer: Scorer | FinalScorer) -> dict[str, Any]:
            found = (scorer.probabilities(edges) for edges in (part.edges, valid.edges))
            return reliability_report(part.labels, next(found), valid.labels, next(found))

        return {
            "fitted": self.judgement.fitted,
            "method": self.judgement.both.calibration.method,
            "prior": self.final.share_true,
            "network": told(self.scorer),
            "final": told(self.final),
        }

    def attention(self) -> list[dict[str, Any]]:
        """How concentrated each layer's attention is (see `relwise.evaluate.attention.concentration`).

        Empty for networks without attention of ours.
        """
        _, _, model = self._fit
        if not isinstance(model, RelGNN):
            return []
        inputs, adjacency, edge_inputs = self._prepared()
        layers = model.attention(inputs, adjacency, edge_inputs)
        return [concentration(alpha.detach().numpy(), adjacency.indptr.numpy()) for alpha in layers]

    # -- keeping ------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> None:
        """Write the run folder (see `relwise.bundle`)."""
        graph, split, model = self._fit
        if split.test.labels.any():
            metrics, table = self.metrics("test"), self.evaluate("test").table()
        else:
            metrics = {"split": "test", "micro": {}, "relations": {}, "baselines": {}}
            metrics, table = {**metrics, "audit": self.audited.to_json()}, pd.DataFrame()
        self.measured = dict(metrics)
        training = {**self.training, "computed_with": bundle.computed_with()}
        settings, seed = self._trained_with
        run = bundle.Run(graph, split, settings, seed, model, self.judgement.to_json(), metrics, self.log, training)
        sentences = [*self.leakage().describe(), *self.audited.describe()]
        card = model_card(graph, split, settings, seed, metrics, training, sentences)
        bundle.write_run(run, Path(folder), table, card)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The predictor that `save` wrote."""
        run = bundle.read_run(folder)
        model = cls(run.seed, **run.settings.model_dump())  # type: ignore[arg-type]
        model._fitted(run.graph, run.split, run.model)
        model._folder = Path(folder)
        if run.judgement is not None:
            model._judge_by(Judgement.from_json(run.judgement))
        model.training, model.log, model.measured = dict(run.training), run.log, dict(run.metrics)
        if "audit" in run.metrics:
            model.audited = Audit.from_json(run.metrics["audit"])
        return model

    def __repr__(self) -> str:
        changed = {key: v for key, v in self.settings.model_dump().items() if v != Settings.model_fields[key].default}
        return f"RelationshipPredictor({', '.join(f'{k}={v!r}' for k, v in {'seed': self.seed, **changed}.items())})"

    def _fitted(self, graph: Graph, split: Split, model: Network) -> None:
        self._answer_from(graph, split, model)
        # What set_params changes later is for the next fit.
        self._trained_with = (self.settings, self.seed)
        self._metrics, self._leakage = {}, None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _training(result: TrainingResult, trainer: Trainer) -> dict[str, Any]:
    """What the run folder keeps of a training."""
    return {
        "steps": result.steps,
        "best_step": result.best_step,
        f"valid_{trainer.settings.select}": result.best,
        "train_seconds": round(result.seconds, 1),
        "negatives": result.tally.to_json(),
        "edges_without_negative": trainer.uncorruptible,
    }
