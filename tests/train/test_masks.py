"""What a step learns from, and what is silent meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.data.edges import Edges
from relwise.data.graph import SplitRule
from relwise.settings import Settings
from relwise.train.masks import RandomMask, TimeMask, make_mask
from tests.fakes import small_graph
from tests.train.test_loop import facts, make_trainer, messages, watch

NEVER = np.datetime64("NaT", "us")
TIME = SplitRule("time", "2020-09-01", "2020-11-01")


def moments(seed: int, count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(seed)
    times = np.datetime64("2020-01-01", "us") + rng.integers(0, 200, count).astype("timedelta64[D]")
    times[rng.random(count) < 0.2] = NEVER
    return times


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.01, 0.3, 0.45, 0.9]))
def test_time_divides_at_a_moment(seed: int, share: float) -> None:
    times = moments(seed)
    learnable = np.random.default_rng(seed + 1).random(len(times)) < 0.7
    chosen, silent = TimeMask(learnable, share, times).draw(seed)
    dated = ~np.isnat(times)
    assert not (chosen & ~learnable).any()
    assert not (chosen & ~silent).any(), "what is learnt from carries no message"
    moment = times[silent & dated].min()
    np.testing.assert_array_equal(silent & dated, dated & (times >= moment))
    np.testing.assert_array_equal(chosen & dated, learnable & dated & (times >= moment))
    assert (~silent & dated).any() or share < 0.02
    undated = learnable & ~dated
    assert (chosen & ~dated).sum() == max(1, round(share * undated.sum()))
    np.testing.assert_array_equal(silent & ~dated, chosen & ~dated)


def test_the_share_is_that_asked_for_on_average() -> None:
    times = moments(0, 4000)
    mask = TimeMask(np.ones(len(times), bool), 0.3, times)
    shares = [mask.draw(seed)[0].mean() for seed in range(400)]
    assert np.mean(shares) == pytest.approx(0.3, abs=0.03)
    assert min(shares) < 0.1
    assert max(shares) > 0.5
    np.testing.assert_array_equal(mask.draw(7)[0], mask.draw(7)[0])


def test_a_fact_is_as_old_as_its_earliest_statement() -> None:
    times = np.array(["2020-05-01", "2020-01-01", "2020-03-01", "NaT"], "datetime64[us]")
    edges = Edges(np.zeros(4, int), np.zeros(4, int), np.arange(4), times)
    mask = make_mask("time", np.ones(3, bool), 0.01, edges, np.array([0, 0, 1, 2]))
    assert isinstance(mask, TimeMask)
    chosen, silent = mask.draw(0)
    assert chosen.tolist() == silent.tolist() == [False, True, True]  # the undated is one of one


def test_without_dates_it_is_random() -> None:
    edges = Edges(np.zeros(4, int), np.zeros(4, int), np.arange(4))
    assert isinstance(make_mask("time", np.ones(4, bool), 0.5, edges, np.arange(4)), RandomMask)
    chosen, silent = RandomMask(np.ones(100, bool), 0.3).draw(1)
    assert chosen.sum() == 30
    np.testing.assert_array_equal(chosen, silent)


def test_in_a_step_nothing_passes_that_is_dated_after_what_is_learnt() -> None:
    graph = small_graph(split=TIME)
    trainer = make_trainer(graph, mask="time", share=0.4)
    message = trainer.split.message
    assert message.times is not None
    when = dict(zip(facts(message), message.times, strict=True))
    seen = watch(trainer)
    for _ in range(8):
        trainer.step()
        trainer.state.step += 1
    for step in seen:
        supervised = facts(step["supervised"])
        learnt = [when[fact] for fact in supervised if not np.isnat(when[fact])]
        passed = [when[fact] for fact in messages(graph, step) if fact in when and not np.isnat(when[fact])]
        assert learnt
        assert max(passed) < min(learnt)
        undated = {fact for fact, time in when.items() if np.isnat(time)}
        assert undated & messages(graph, step)
    assert len({len(step["supervised"]) for step in seen}) > 3


def test_it_learns_and_repeats_itself() -> None:
    graph = small_graph(split=TIME)
    runs = [make_trainer(graph, mask="time", steps=20, eval_every=10).fit() for _ in range(2)]
    assert runs[0].history == runs[1].history
    assert Settings.of({"mask": "time"}).mask == "time"
