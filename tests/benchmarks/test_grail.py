"""GraIL's measures against brute force, and the way from one graph to the answers on another, in small."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

import grail
from grail_measures import Question, auc_pr, hits_expected, hits_sampled, measured
from relwise.data.edges import Edges
from relwise.data.graph import Graph

TINY = {"dim": 8, "steps": 40, "eval_every": 10, "sampler": "random", "degrees": True}


@pytest.fixture(scope="module")
def question() -> Question:
    """80 nodes, of which the first 60 are asked about; 300 edges known, 40 asked."""
    rng = np.random.default_rng(0)
    triples = np.unique(rng.integers(0, [60, 3, 60], (400, 3)), axis=0)
    triples = rng.permutation(triples[triples[:, 0] != triples[:, 2]])[:340]
    ids = [(str(i), "r0", str(i)) for i in range(80)]  # names the nodes, and the relations, in order
    graph = Graph.from_triples([*ids, *((str(i), f"r{i}", str(i)) for i in (1, 2))])
    evidence, asked = (Edges(*part.T) for part in np.split(triples, [300]))
    return Question(graph, evidence, asked, np.arange(60))


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    """Scores with many ties, one for each (head, relation, tail)."""
    return np.random.default_rng(1).integers(0, 12, (80, 3, 80)).astype(float)


@pytest.fixture(scope="module")
def score(table: np.ndarray) -> grail.Score:
    return lambda edges: table[edges.heads, edges.relations, edges.tails]


def _triples(edges: Edges) -> list[tuple[int, int, int]]:
    return list(zip(edges.heads.tolist(), edges.relations.tolist(), edges.tails.tolist(), strict=True))


def test_negatives_are_grail_s(question: Question) -> None:
    """One end replaced, by an entity; no known edge, no node with itself; every open entity as often as another."""
    known = set(_triples(question.evidence))
    rows = np.repeat(np.arange(40), 300)
    for at_head in (True, False):
        drawn = _triples(question.draw(rows, np.full(len(rows), at_head), np.random.default_rng(2)))
        asked = _triples(question.asked)
        assert not known & set(drawn)
        counts: dict[int, int] = {}
        for row, (h, r, t) in zip(rows, drawn, strict=True):
            true = asked[row]
            assert (r, t if at_head else h) == (true[1], true[2] if at_head else true[0])
            assert h != t
            assert max(h, t) < 60
            if row == 0:
                counts[h if at_head else t] = counts.get(h if at_head else t, 0) + 1
        h, r, t = asked[0]
        fits = {
            x for x in range(60) if x != (t if at_head else h) and ((x, r, t) if at_head else (h, r, x)) not in known
        }
        assert set(counts) <= fits
        assert (h if at_head else t) in fits  # the true end itself is not refused
        assert max(counts.values()) < 20  # 5 are expected


def test_auc_pr(question: Question, score: grail.Score) -> None:
    rng = np.random.default_rng(3)
    at_head = rng.random(40) < 0.5
    negatives = question.draw(np.arange(40), at_head, rng)
    assert 5 < at_head.sum() < 35
    scores = [*score(question.asked), *score(negatives)]
    wanted = average_precision_score([1] * 40 + [0] * 40, scores)
    assert auc_pr(question, score, np.random.default_rng(3)) == pytest.approx(wanted)


def test_hits_sampled(question: Question, score: grail.Score, table: np.ndarray) -> None:
    """Ranks counted one by one, on the same draws: heads first, then tails."""
    rng, hits = np.random.default_rng(4), []
    for at_head in (True, False):
        rows = np.repeat(np.arange(40), 49)
        drawn = _triples(question.draw(rows, np.full(len(rows), at_head), rng))
        for i, true in enumerate(_triples(question.asked)):
            rank = 1.0
            for other in drawn[49 * i : 49 * (i + 1)]:
                rank += 1.0 if table[other] > table[true] else 0.5 if table[other] == table[true] else 0.0
            hits.append(rank <= 10)
    assert 0.05 < np.mean(hits) < 0.95
    assert hits_sampled(question, score, np.random.default_rng(4)) == pytest.approx(np.mean(hits))


def test_hits_expected(question: Question, score: grail.Score, table: np.ndarray) -> None:
    known, chances = set(_triples(question.evidence)), []
    for h, r, t in _triples(question.asked):
        for corrupt in (lambda x, r=r, t=t: (x, r, t), lambda x, h=h, r=r: (h, r, x)):
            others = [corrupt(x) for x in range(60)]
            others = [o for o in others if o not in known and o[0] != o[2] and o != (h, r, t)]
            p = sum(1.0 if table[o] > table[h, r, t] else 0.5 * (table[o] == table[h, r, t]) for o in others) / len(
                others
            )
            chances.append(sum(math.comb(50, i) * p**i * (1 - p) ** (50 - i) for i in range(10)))
    assert hits_expected(question, score) == pytest.approx(np.mean(chances))


def test_expectation_is_that_of_the_draws(question: Question) -> None:
    """Without ties, and but for the one candidate more, the mean over many draws."""
    scores = np.random.default_rng(5).random((80, 3, 80))
    score = lambda edges: scores[edges.heads, edges.relations, edges.tails]  # noqa: E731
    sampled = [hits_sampled(question, score, np.random.default_rng(seed)) for seed in range(60)]
    assert hits_expected(question, score) == pytest.approx(np.mean(sampled), abs=0.02)


def test_a_model_that_scores_all_alike_gains_nothing(question: Question) -> None:
    found = measured(question, lambda edges: np.zeros(len(edges)), seed=0, runs=2)
    assert found["auc_pr"] == pytest.approx(0.5)
    assert found["hits@10"] == 0
    assert found["hits@10_expected"] < 0.001


def _write(folder: Path, name: str, count: int, rng: np.random.Generator) -> None:
    """People who work for firms and know each other: who is tied to what follows from the relation alone."""
    folder.mkdir(parents=True)
    people, firms = ([f"{name}{kind}{i}" for i in range(count)] for kind in "pf")
    triples = {(str(p), "works_at", str(rng.choice(firms))) for p in people for _ in range(3)}
    triples |= {(str(p), "knows", str(rng.choice([q for q in people if q != p]))) for p in people for _ in range(3)}
    rows = rng.permutation(np.array(sorted(triples)))
    held = len(rows) // 6
    for part, some in zip(("test", "valid", "train"), np.split(rows, [held, 2 * held]), strict=True):
        (folder / f"{part}.txt").write_text("".join("\t".join(row) + "\n" for row in some))


def test_from_one_graph_to_the_other(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    for name in ("train_graph", "unseen_graph"):
        _write(tmp_path / name, name[0], 40, rng)
    (tmp_path / "unseen_graph" / "valid.txt").unlink()  # has no part in it
    training = grail.training_graph(tmp_path / "train_graph")
    question = grail.asked_of_unseen(training, tmp_path / "unseen_graph")
    ids = [question.graph.node_id(i) for i in question.entities]
    assert all(name.startswith("u") for name in ids)
    assert len(ids) == len(set(ids)) == question.graph.num_nodes - training.num_nodes
    given = [line.split("\t") for line in (tmp_path / "unseen_graph" / "test.txt").read_text().splitlines()]
    names = question.graph.relation_names
    found = [[question.graph.node_id(h), names[r], question.graph.node_id(t)] for h, r, t in _triples(question.asked)]
    assert found == given

    model = grail.learn(training, TINY, seed=0)
    score, valid = grail.answers(model, question), grail.valid_question(model)
    # No entity has a vector of its own: what has the same evidence has the same state.
    assert model.network.encoders[0].learnt is None
    assert len(valid.asked) == len(model.split.valid.positives)
    assert measured(valid, model.scorer.logits, 0, runs=1)["auc_pr"] > 0.6
    network = measured(question, score, 0, runs=2)
    assert network["auc_pr"] > 0.6  # kinds are told from kinds; by chance it is half
    both = measured(question, grail.together(valid, model.scorer.logits, question, score, 0), 0, runs=2)
    assert both["auc_pr"] > 0.6
    counted = grail.counting(question)
    assert set(counted) == {"degree_product", "adamic_adar", "path3", "relation_degrees"}


def test_relation_degrees() -> None:
    evidence = Edges(np.array([0, 0, 1]), np.array([0, 0, 1]), np.array([1, 2, 2]))
    score = grail.RelationDegrees(evidence, num_nodes=3, num_relations=2)
    asked = Edges(np.array([0, 1, 2]), np.array([0, 1, 0]), np.array([2, 2, 0]))
    np.testing.assert_allclose(score(asked), [np.log(3) + np.log(2), 2 * np.log(2), 0])


def test_rows_and_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(grail, "CSV", tmp_path / "grail.csv")
    for seed, value in ((0, 0.8), (1, 0.9)):
        measures = {name: value for name in grail.MEASURES}
        grail._record("RelGNN", seed, {**measures, "valid_auc_pr": 0.5}, 1.0, TINY)
        grail._record("path3", seed, measures, 1.0, {})
    grail._record("path3", 1, {name: 0.7 for name in grail.MEASURES}, 1.0, {})  # again: in the place of the first
    assert grail._stands("path3", 1)
    assert not grail._stands("path3", 2)
    grail.show()
    printed = capsys.readouterr().out
    assert "| RelGNN | 85.00 ± 7.07 |" in printed
    assert "| path3 | 75.00 ± 7.07 |" in printed
    assert "RelGNN, auc_pr: 85.00, above GraIL (Teru et al. 2020)'s 84.69." in printed
    assert "| NBFNet (Zhu et al. 2021), published |  |  | 83.4 |" in printed
