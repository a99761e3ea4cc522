"""The training loop: what it may learn from, that it learns, and that a seed decides everything."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relwise.data.edges import Edges
from relwise.data.graph import Graph, SplitRule
from relwise.data.split import split_graph
from relwise.errors import InputError
from relwise.evaluate.metrics import average_precision, roc_auc
from relwise.evaluate.ranks import Ranks, rank_edges
from relwise.nn.decoders import Decoder
from relwise.settings import SamplerName, Settings
from relwise.train.loop import Trainer
from relwise.train.state import TrainingResult
from tests.fakes import small_graph, tangled_graph
from tests.small_data import TINY

Fact = tuple[int, int, int]


def make_trainer(graph: Graph, seed: int = 0, **given: Any) -> Trainer:
    return Trainer(graph, split_graph(graph, seed), Settings.of({**TINY, **given}), seed)


def facts(edges: Edges) -> list[Fact]:
    return list(zip(edges.heads.tolist(), edges.relations.tolist(), edges.tails.tolist(), strict=True))


def watch(trainer: Trainer) -> list[dict[str, Any]]:
    """What each step masks, supervises and takes for negatives, as the model and the corruptor saw it."""
    seen: list[dict[str, Any]] = []
    encode, sample = trainer.model.encode, trainer.corruptor.sample

    def encode_seen(
        inputs: Any, adjacency: Any, keep: torch.Tensor | None = None, edge_inputs: Any = None
    ) -> torch.Tensor:
        if keep is not None:
            seen.append({"adjacency": adjacency, "keep": keep.numpy()})
        return encode(inputs, adjacency, keep, edge_inputs)

    def sample_seen(index: np.ndarray, *rest: Any) -> Any:
        negatives = sample(index, *rest)
        seen[-1] |= {"supervised": trainer.corruptor.edges[index], "negatives": negatives.edges}
        return negatives

    trainer.model.encode, trainer.corruptor.sample = encode_seen, sample_seen  # type: ignore[method-assign]
    return seen


def messages(graph: Graph, step: dict[str, Any]) -> set[Fact]:
    """The edges (head, relation, tail) whose messages a step lets through, inverse relations turned back."""
    adjacency = step["adjacency"]
    targets = np.repeat(np.arange(adjacency.num_nodes), np.diff(adjacency.indptr.numpy()))
    rows = adjacency.row.numpy()
    sources, relations = adjacency.row_source.numpy()[rows], adjacency.row_relation.numpy()[rows]
    directed = np.flatnonzero(graph.directed)
    let_through = step["keep"][adjacency.fact.numpy()]
    result = set()
    for source, relation, target in zip(
        sources[let_through].tolist(),
        relations[let_through].tolist(),
        targets[let_through].tolist(),
        strict=True,
    ):
        if relation < graph.num_relations:
            result.add((source, relation, target))
        else:
            result.add((target, int(directed[relation - graph.num_relations]), source))
    return result


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.3, 0.9]), st.sampled_from(["random", "asa"]))
def test_no_edge_that_is_supervised_or_its_reverse_carries_a_message(seed: int, share: float, sampler: str) -> None:
    graph = tangled_graph(seed)
    try:
        trainer = make_trainer(graph, seed % 100, dim=4, share=share, sampler=sampler, warmup=1)
    except InputError:
        assume(False)
        raise
    train = {fact for h, r, t in facts(trainer.split.message) for fact in ((h, r, t), (t, r, h))}
    seen = watch(trainer)
    for _ in range(3):
        trainer.step()
        trainer.state.step += 1
    for step in seen:
        passed = messages(graph, step)
        supervised = facts(step["supervised"])
        assert supervised
        assert passed <= train
        for head, relation, tail in supervised:
            assert (head, relation, tail) in train
            assert (head, relation, tail) not in passed
            assert (tail, relation, head) not in passed


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(get_args(SamplerName)))
def test_no_negative_is_a_known_edge_of_train_or_of_another_type(seed: int, sampler: str) -> None:
    graph = tangled_graph(seed)
    try:
        trainer = make_trainer(graph, seed % 100, dim=4, sampler=sampler, warmup=1, share=0.9)
    except InputError:
        assume(False)
        raise
    known = set(facts(trainer.split.message))
    known |= {(t, r, h) for h, r, t in known if not graph.directed[r]}
    seen = watch(trainer)
    for _ in range(3):
        trainer.step()
        trainer.state.step += 1
    for step in seen:
        negatives, positives = facts(step["negatives"]), facts(step["supervised"])
        each = len(negatives) // len(positives)
        assert each == 1 or sampler == "self_adversarial"
        assert len(negatives) == each * len(positives)
        positives = [fact for fact in positives for _ in range(each)]
        for (head, relation, tail), (of_head, of_relation, of_tail) in zip(negatives, positives, strict=True):
            assert (head, relation, tail) not in known
            assert head != tail
            assert relation == of_relation
            assert (head == of_head) != (tail == of_tail)
            assert graph.head_ranges[relation][0] <= head < graph.head_ranges[relation][1]
            assert graph.tail_ranges[relation][0] <= tail < graph.tail_ranges[relation][1]


def test_all_messages_pass_that_are_not_supervised() -> None:
    graph = small_graph()
    trainer = make_trainer(graph, share=0.2)
    seen = watch(trainer)
    trainer.step()
    train = {fact for h, r, t in facts(trainer.split.message) for fact in ((h, r, t), (t, r, h))}
    silent = {fact for h, r, t in facts(seen[0]["supervised"]) for fact in ((h, r, t), (t, r, h))}
    passed = messages(graph, seen[0])
    assert passed | {(t, r, h) for h, r, t in passed} == train - silent
    assert len(facts(seen[0]["supervised"])) == round(0.2 * len(trainer.split.message))


def test_steps_differ_in_what_they_supervise_and_each_edge_has_its_turn() -> None:
    trainer = make_trainer(small_graph(), share=0.5)
    seen = watch(trainer)
    for _ in range(15):
        trainer.step()
        trainer.state.step += 1
    turns = Counter(fact for step in seen for fact in facts(step["supervised"]))
    assert len(turns) == len(trainer.split.message)
    assert facts(seen[0]["supervised"]) != facts(seen[1]["supervised"])


def test_an_undirected_edge_given_both_ways_is_learnt_once() -> None:
    rows = [(i, "with", (i + k) % 30) for i in range(30) for k in (1, 2, 3)]
    graph = Graph.from_triples(rows + [(t, r, h) for h, r, t in rows], directed=False)
    assert len(graph.edges) == 180
    trainer = make_trainer(graph, share=0.9)
    keys = graph.keys(trainer.corruptor.edges)
    assert len(np.unique(keys)) == len(keys)
    seen = watch(trainer)
    trainer.step()
    keys = graph.keys(seen[0]["supervised"])
    assert len(np.unique(keys)) == len(keys) == round(0.9 * len(trainer.split.message) / 2)


def test_an_undated_edge_of_a_dated_relation_is_never_supervised() -> None:
    graph = small_graph(split=SplitRule("time", "2020-09-01", "2020-11-01"))
    trainer = make_trainer(graph, share=0.9)
    split = trainer.split
    undated = set(facts(split.message[~split.supervised]))
    assert undated
    assert not undated & set(facts(trainer.corruptor.edges))
    seen = watch(trainer)
    trainer.step()
    assert undated <= messages(graph, seen[0])


def test_the_loss_falls() -> None:
    losses: list[float] = []
    make_trainer(small_graph(), sampler="random", dim=16, steps=60, eval_every=30).fit(
        lambda _, loss: losses.append(loss)
    )
    assert len(losses) == 60
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


def test_what_is_learnt_is_better_than_chance() -> None:
    trainer = make_trainer(small_graph(), dim=16, steps=60, eval_every=30)
    trainer.fit()
    test = trainer.split.test
    assert roc_auc(test.labels, trainer.scorer().logits(test.edges)) > 0.65


def fitted(graph: Graph, seed: int = 0, **given: Any) -> tuple[TrainingResult, dict[str, torch.Tensor]]:
    trainer = make_trainer(graph, seed, **given)
    result = trainer.fit()
    return result, trainer.model.state_dict()


def numbers(result: TrainingResult) -> TrainingResult:
    return replace(result, seconds=0)


@pytest.mark.parametrize("sampler", ["random", "asa"])
def test_the_same_seed_gives_the_same_numbers_and_another_others(sampler: str) -> None:
    graph = small_graph()
    one, weights = fitted(graph, sampler=sampler, warmup=3)
    again, same = fitted(graph, sampler=sampler, warmup=3)
    other, different = fitted(graph, seed=1, sampler=sampler, warmup=3)
    assert numbers(one) == numbers(again)
    assert weights.keys() == same.keys()
    assert all(torch.equal(weights[name], same[name]) for name in weights)
    assert one.history != other.history
    assert not torch.equal(weights["decoder.relation"], different["decoder.relation"])


def test_the_seed_decides_whatever_the_state_of_the_global_generators() -> None:
    graph = small_graph()
    torch.manual_seed(1)
    np.random.seed(1)
    one, _ = fitted(graph)
    torch.manual_seed(2)
    np.random.seed(2)
    assert numbers(fitted(graph)[0]) == numbers(one)


def test_the_global_generators_are_left_as_they_were() -> None:
    torch.manual_seed(123)
    before = torch.get_rng_state().clone(), repr(np.random.get_state()), random.getstate()
    make_trainer(small_graph()).fit()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert repr(np.random.get_state()) == before[1]
    assert random.getstate() == before[2]


@pytest.mark.parametrize("measure", ["ap", "auc", "mrr"])
def test_the_best_state_is_kept_exactly(measure: str) -> None:
    graph = small_graph()
    # A rate so high that the measure goes up and down.
    trainer = make_trainer(
        graph, sampler="random", select=measure, learning_rate=0.1, steps=24, eval_every=2, patience=100
    )
    result = trainer.fit()
    values = [row[measure] for row in result.history]
    assert [row["step"] for row in result.history] == list(range(2, 25, 2))
    assert result.best == max(values)
    assert result.best_step == result.history[int(np.argmax(values))]["step"]
    assert result.best_step < result.steps == 24, "the test wants a best state that is not the last"
    assert not trainer.model.training
    scorer, valid = trainer.scorer(), trainer.split.valid
    if measure == "mrr":
        known = Edges.concatenate(trainer.split.message, valid.positives)  # and nothing of test
        ranks = rank_edges(valid.positives, known, graph, scorer.block)
        assert Ranks.concatenate(*ranks).mrr() == result.best
    else:
        function = {"ap": average_precision, "auc": roc_auc}[measure]
        assert function(valid.labels, scorer.logits(valid.edges)) == result.best


def test_training_stops_when_the_measure_has_not_risen_for_so_many_validations() -> None:
    settings = {"learning_rate": 0.1, "steps": 200, "eval_every": 2, "patience": 2}
    result = make_trainer(small_graph(), sampler="random", **settings).fit()
    assert result.steps == result.best_step + 2 * 2 < 200
    assert result.history[-1]["step"] == result.steps
    # Patience begins when the warm-up has ended: harder negatives are given their chance.
    result = make_trainer(small_graph(), sampler="asa", warmup=100, **settings).fit()
    assert result.steps == max(100, result.best_step) + 2 * 2


def test_the_last_step_is_validated_whatever_the_interval() -> None:
    result = make_trainer(small_graph(), steps=7, eval_every=5).fit()
    assert [row["step"] for row in result.history] == [5, 7]


@pytest.mark.parametrize(
    "given",
    [
        {"sampler": "random"},
        {"sampler": "hardest"},
        {"sampler": "asa"},
        {"sampler": "asa", "mu_decay": "linear", "warmup": 0},
        {"sampler": "asa", "mu_decay": "exponential", "mu": 0.3},
        {"sampler": "hardest", "pool": 1, "warmup": 0},
        {"sampler": "asa", "warmup": 1000},
        {"sampler": "asa", "shared_pool": 6},
        {"sampler": "hardest", "pool": 60},
    ],
)
def test_every_sampler_trains(given: dict[str, Any]) -> None:
    trainer = make_trainer(small_graph(), **{"warmup": 4, "pool": 5, "steps": 10, **given})
    result = trainer.fit()
    assert all(np.isfinite([row["loss"], row["ap"], row["auc"]]).all() for row in result.history)
    supervised = round(0.3 * len(trainer.split.message))
    pools = [trainer.sampler.pool(step) for step in range(10)]
    tally = result.tally
    assert tally.proposed - tally.refused == supervised * sum(pools)
    assert 0 < tally.refused < tally.proposed
    assert tally.chosen == sum(tally.positives) == sum(tally.negatives) == supervised * len(pools)


def test_a_pool_of_one_makes_every_sampler_the_random_one() -> None:
    graph = small_graph()
    first, *others = (numbers(fitted(graph, sampler=sampler, pool=1, warmup=0)[0]) for sampler in get_args(SamplerName))
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    "given",
    [
        {"layers": 1, "heads": 1},
        {"layers": 3, "heads": 3, "bases": 2},
        {"dropout": 0.0, "node_embedding": True},
        {"dim": 1, "share": 0.99},
        {"weight_decay": 0.1, "eval_every": 1, "steps": 2},
        {"eval_every": 1000, "steps": 2},
    ],
)
def test_the_settings_at_their_ends_train(given: dict[str, Any]) -> None:
    result = make_trainer(small_graph(), **{"steps": 4, **given}).fit()
    assert np.isfinite(result.best)
    assert result.history[-1]["step"] == result.steps


@pytest.mark.parametrize(
    "given",
    [
        {"steps": 1},
        {"steps": 20, "eval_every": 1},
        {"steps": 20, "eval_every": 20},
    ],
)
def test_a_training_that_diverges_is_an_error_with_a_remedy(given: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="step") as caught:
        make_trainer(small_graph(), learning_rate=1e30, **given).fit()
    assert "learning_rate" in str(caught.value.remedy)


def test_a_graph_without_validation_edges_is_refused_before_any_training() -> None:
    graph = Graph.from_triples([(1, "to", 2), (2, "to", 3)])
    with pytest.raises(InputError, match="validation part") as caught:
        make_trainer(graph)
    assert caught.value.remedy


def test_a_graph_in_which_everything_is_known_has_nothing_to_learn_from() -> None:
    everything = [(h, "to", t) for h in range(4) for t in range(4) if h != t]
    graph = replace(
        Graph.from_triples({"train": everything, "valid": [(0, "to", 0)], "test": [(1, "to", 1)]}),
        negatives={"valid": Edges(np.array([2]), np.array([0]), np.array([2]))},
    )
    with pytest.raises(InputError, match="no negative to learn from"):
        make_trainer(graph)


@pytest.mark.parametrize("decoder", ["distmult", "complex"])
@pytest.mark.parametrize("sampler", ["random", "asa"])
def test_a_step_learns_the_same_from_the_loss_in_one_operator_and_from_the_logits(
    decoder: str, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their losses, their gradients and what they count, save where a probability rounds over a border."""
    given: dict[str, Any] = {"sampler": sampler, "decoder": decoder, "pool": 4, "warmup": 0, "dim": 8}
    graph = Graph.from_triples([(i, f"to {k % 2}", (i * k + 1) % 31) for i in range(31) for k in range(2, 7)])
    at_once, step_by_step = (make_trainer(graph, **given) for _ in range(2))
    asked: list[int] = []
    offered = type(at_once.model.decoder).cross_entropy
    assert offered is not Decoder.cross_entropy
    at_once.model.decoder.cross_entropy = lambda *a: asked.append(1) or offered(at_once.model.decoder, *a)  # type: ignore[method-assign]
    monkeypatch.setattr(type(step_by_step.place), "cross_entropy", lambda *_: None)
    plain = step_by_step.step()
    monkeypatch.undo()
    assert at_once.step() == pytest.approx(plain, rel=1e-5)
    assert asked == [1]
    for (name, one), other in zip(at_once.model.named_parameters(), step_by_step.model.parameters(), strict=True):
        if one.grad is None or other.grad is None:
            assert one.grad is other.grad, name
        else:
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)
    tallies = at_once.state.tally, step_by_step.state.tally
    assert tallies[0].chosen == tallies[1].chosen > 0
    for kind in ("positives", "negatives"):
        difference = np.subtract(*(getattr(tally, kind) for tally in tallies))
        assert np.abs(difference).sum() <= 2
