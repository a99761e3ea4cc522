"""The run folder: whole or refused, equal to the bit when it is read again, and free of pickle."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import relwise
from relwise import bundle
from relwise.data.graph import Graph, SplitRule
from relwise.errors import InputError
from relwise.predictor import RelationshipPredictor
from relwise.settings import Settings
from tests.compare import assert_same_edges, assert_same_graph
from tests.fakes import small_graph
from tests.small_data import TINY

FILES = [
    "settings.json",
    "model.json",
    "weights.safetensors",
    "judgement.json",
    "split.parquet",
    "metrics.json",
    "metrics.csv",
    "log.jsonl",
    "MODEL_CARD.md",
    "graph/graph.json",
    "graph/nodes.0.parquet",
    "graph/nodes.1.parquet",
    "graph/nodes.2.parquet",
    "graph/edges.parquet",
    "graph/negatives.parquet",
]


@pytest.fixture(scope="module")
def fitted() -> RelationshipPredictor:
    return RelationshipPredictor(seed=4, sampler="asa", warmup=5, node_embedding=True, **TINY).fit(small_graph())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def saved(fitted: RelationshipPredictor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    fitted.save(folder)
    return folder


@pytest.fixture
def run(saved: Path, tmp_path: Path) -> Path:
    """A copy of the run folder that may be spoilt."""
    shutil.copytree(saved, tmp_path / "run")
    return tmp_path / "run"


def refused(run: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        relwise.load(run)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return caught.value


ASK = """
import sys
import relwise
model = relwise.load(sys.argv[1])
print(*(float(p).hex() for p in model.scorer.probabilities(model.split.test.edges)))
print(*(float(p).hex() for p in model.scorer.probabilities(model.graph.edges)))
print(*(p.hex() for p in model.top_k("works_at", head="pe1", k=5)["probability"]))
print(float(model.score()).hex())
"""


def test_a_new_process_gives_scores_equal_to_the_bit(fitted: RelationshipPredictor, saved: Path) -> None:
    modalities = {a.modality for t in fitted.graph.node_types for a in t.attributes}
    assert modalities == {"numeric", "categorical", "timestamp", "text", "vector", "place"}
    ran = subprocess.run([sys.executable, "-c", ASK, str(saved)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    test, edges, top, score = ([float.fromhex(x) for x in line.split()] for line in ran.stdout.splitlines())
    np.testing.assert_array_equal(test, fitted.scorer.probabilities(fitted.split.test.edges))
    np.testing.assert_array_equal(edges, fitted.scorer.probabilities(fitted.graph.edges))
    np.testing.assert_array_equal(top, fitted.top_k("works_at", head="pe1", k=5)["probability"])
    assert score == [fitted.score()]
    assert len(set(edges)) > 200, "scores that are all alike prove nothing"


def test_all_of_a_run_comes_back(fitted: RelationshipPredictor, saved: Path) -> None:
    model = relwise.load(saved)
    assert_same_graph(model.graph, fitted.graph)
    assert (model.settings, model.seed) == (fitted.settings, fitted.seed)
    assert model.log == fitted.log
    assert model.training == {**fitted.training, "computed_with": bundle.computed_with()}
    for name in ("message", "filter"):
        mine, its = getattr(model.split, name), getattr(fitted.split, name)
        for field in ("heads", "relations", "tails"):
            np.testing.assert_array_equal(getattr(mine, field), getattr(its, field))
    np.testing.assert_array_equal(model.split.supervised, fitted.split.supervised)
    for name in ("valid", "test"):
        mine, its = model.split.part(name), fitted.split.part(name)
        np.testing.assert_array_equal(mine.labels, its.labels)
        np.testing.assert_array_equal(mine.edges.heads, its.edges.heads)
        np.testing.assert_array_equal(mine.edges.tails, its.edges.tails)
    assert_same_edges(model.split.filter, fitted.graph.edges)


def test_a_run_saved_again_and_moved_is_the_same_run(saved: Path, tmp_path: Path) -> None:
    relwise.load(saved).save(tmp_path / "deep" / "again")
    again = (tmp_path / "deep" / "again").rename(tmp_path / "moved")
    for name in FILES:
        # The measures hold how many seconds they took.
        if name != "metrics.json":
            assert (again / name).read_bytes() == (saved / name).read_bytes(), name
    one, other = (json.loads((run / "metrics.json").read_text()) for run in (saved, again))
    assert {**one, "seconds": 0} == {**other, "seconds": 0}
    relwise.load(again)


def test_the_manifest_lists_every_file(saved: Path) -> None:
    manifest = json.loads((saved / "run.json").read_text())
    assert sorted(manifest["files"]) == sorted(FILES)
    there = {path.relative_to(saved).as_posix() for path in saved.rglob("*") if path.is_file()}
    assert there == {*FILES, "run.json"}
    assert (manifest["format"], manifest["relwise"]) == (bundle.FORMAT, relwise.__version__)
    assert manifest["training"]["steps"] == 20


def test_a_run_of_format_1_answers_with_the_network_alone(run: Path, fitted: RelationshipPredictor) -> None:
    """Before the final probabilities there was no judgement.json."""
    (run / "judgement.json").unlink()
    manifest = json.loads((run / "run.json").read_text())
    del manifest["files"]["judgement.json"]
    (run / "run.json").write_text(json.dumps({**manifest, "format": 1}))
    loaded = relwise.load(run)
    edges = loaded.split.test.edges
    assert not loaded.judgement.fitted
    np.testing.assert_allclose(loaded.final.probabilities(edges), fitted.scorer.probabilities(edges), rtol=1e-6)


@pytest.mark.parametrize("directed", [True, False])
def test_a_run_of_format_2_is_judged_where_no_relation_is_undirected(run: Path, directed: bool) -> None:
    """Its judgement told an undirected pair's ends apart."""
    graph = json.loads((run / "graph" / "graph.json").read_text())
    assert not all(relation["directed"] for relation in graph["relations"])
    for relation in graph["relations"]:
        relation["directed"] = directed or relation["directed"]
    (run / "graph" / "graph.json").write_text(json.dumps(graph))
    manifest = json.loads((run / "run.json").read_text())
    manifest["files"]["graph/graph.json"] = bundle._digest(run / "graph" / "graph.json")
    for version, judged in ((2, directed), (3, True)):
        (run / "run.json").write_text(json.dumps({**manifest, "format": version}))
        read = bundle.read_run(run)
        assert all(relation.directed for relation in read.graph.relations) == directed
        assert (read.judgement is not None) == judged


def test_the_json_files_are_json(saved: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    for path in saved.rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    for line in (saved / "log.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=refuse)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(run: Path, name: str) -> None:
    (run / name).unlink()
    error = refused(run)
    assert error.where == str(run / name)
    assert "missing" in error.what


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0.0, 0.5, -1])
def test_a_truncated_file_is_named(run: Path, name: str, keep: float) -> None:
    data = (run / name).read_bytes()
    (run / name).write_bytes(data[: -1 if keep < 0 else int(len(data) * keep)])
    error = refused(run)
    assert error.where == str(run / name)
    assert "truncated" in error.what


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_named(run: Path, name: str) -> None:
    data = bytearray((run / name).read_bytes())
    data[len(data) // 2] ^= 1
    (run / name).write_bytes(data)
    error = refused(run)
    assert error.where == str(run / name)
    assert "changed" in error.what
    (run / name).write_bytes(bytes(data) + b"more")
    assert "changed" in refused(run).what


def test_a_truncated_manifest_is_named(run: Path) -> None:
    data = (run / "run.json").read_bytes()
    for length in range(0, len(data) - 2, 41):
        (run / "run.json").write_bytes(data[:length])
        error = refused(run)
        assert error.where == str(run / "run.json")
        assert "truncated or damaged" in error.what


@pytest.mark.parametrize(
    "text", ["[]", "null", '"run"', "{}", '{"format": "x"}', '{"format": 1}', '{"format": 1, "files": []}', "\xff"]
)
def test_a_manifest_of_something_else_is_refused(run: Path, text: str) -> None:
    (run / "run.json").write_bytes(text.encode("latin-1"))
    assert "damaged" in refused(run).what


@pytest.mark.parametrize("more", [{}, {"files": None}, {"files": {"new.bin": {"size": 3}}}])
def test_a_newer_format_is_refused_whatever_else_the_manifest_says(run: Path, more: dict[str, object]) -> None:
    manifest = json.loads((run / "run.json").read_text())
    manifest |= {"format": bundle.FORMAT + 1, "relwise": "9.9", **more}
    (run / "run.json").write_text(json.dumps(manifest))
    error = refused(run)
    assert error.where == str(run)
    assert f"format {bundle.FORMAT + 1}" in error.what
    assert "upgrade" in str(error.remedy)
    assert "9.9" in str(error.remedy)


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    assert "no such run folder" in refused(tmp_path / "nowhere").what
    assert "no run folder" in refused(tmp_path).what
    (tmp_path / "file").write_text("x")
    assert "no such run folder" in refused(tmp_path / "file").what


def test_an_unfinished_run_is_told_how_to_go_on(run: Path) -> None:
    (run / "run.json").unlink()
    (run / "checkpoint.safetensors").write_bytes(b"x")
    error = refused(run)
    assert "not finished" in error.what
    assert "--resume" in str(error.remedy)


def test_other_files_in_the_folder_are_nobodys_business(fitted: RelationshipPredictor, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "big.bin").write_bytes(b"mine")
    fitted.save(tmp_path)
    (tmp_path / "notes.txt").write_text("mine, and longer")
    shutil.rmtree(tmp_path / "thesis")
    assert relwise.load(tmp_path).seed == 4


def test_saving_removes_the_checkpoint_and_only_then(fitted: RelationshipPredictor, tmp_path: Path) -> None:
    for name in ("checkpoint.safetensors", "checkpoint.safetensors.part"):
        (tmp_path / name).write_bytes(b"x")
    fitted.save(tmp_path)
    assert not list(tmp_path.glob("checkpoint*"))


def test_an_interrupted_save_leaves_no_whole_run(
    fitted: RelationshipPredictor, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(bundle, "write_graph", full)
    with pytest.raises(OSError, match="No space"):
        fitted.save(run)
    assert "no run folder" in refused(run).what


def test_another_model_may_be_saved_over_a_run(run: Path) -> None:
    rows = [(i, "likes", (i + k) % 30) for i in range(30) for k in (1, 2, 3)]
    model = RelationshipPredictor(**TINY).fit(Graph.from_triples(rows))  # type: ignore[arg-type]
    model.save(run)
    edges = model.split.test.edges
    np.testing.assert_array_equal(relwise.load(run).scorer.logits(edges), model.scorer.logits(edges))


def test_a_run_without_test_edges_is_saved_and_says_so(tmp_path: Path) -> None:
    graph = small_graph(split=SplitRule("time", "2020-09-01", "2021-06-01"))
    model = RelationshipPredictor(**TINY).fit(graph)  # type: ignore[arg-type]
    model.save(tmp_path)
    loaded = relwise.load(tmp_path)
    assert loaded.log == model.log
    assert "no edges to test on" in (tmp_path / "MODEL_CARD.md").read_text()
    with pytest.raises(InputError, match="test part has no edges"):
        loaded.metrics("test")
    assert loaded.metrics("valid")["micro"]["auc"] is not None


def test_the_card_tells_what_people_must_know(saved: Path) -> None:
    card = (saved / "MODEL_CARD.md").read_text(encoding="utf-8")
    for words in ("age (numeric)", "bio (text)", "position (place)", "not evidence", "Uses to refuse", "seed: 4"):
        assert words in card, words
    metrics = json.loads((saved / "metrics.json").read_text())
    assert f"{100 * metrics['micro']['ap']:.2f}" in card
    assert f"{100 * metrics['baselines']['path3']['ap']:.2f}" in card
    assert all(name in card for name in Settings.model_fields)


def test_no_file_of_a_run_is_a_pickle_or_an_archive(saved: Path) -> None:
    for path in saved.rglob("*"):
        if path.is_file():
            start = path.read_bytes()[:4]
            assert not start.startswith((b"PK", b"\x1f\x8b", b"\x93NUM")), path
            assert not (start[:1] == b"\x80" and start[1:2] <= b"\x05"), path


def test_the_source_neither_writes_nor_reads_pickle() -> None:
    modules = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    calls = {"read_pickle", "to_pickle", "torch.save", "torch.load"}
    sources = sorted(Path(relwise.__file__).parent.rglob("*.py"))
    assert len(sources) > 40
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not modules & {name.name.split(".")[0] for name in node.names}, source
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in modules, source
            elif isinstance(node, ast.Attribute):
                assert node.attr not in calls, source
                assert ast.unparse(node) not in calls, source
            elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant), source
                assert node.value.value is False, source
