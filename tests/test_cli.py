"""The command line end to end: what it writes where, and every mistake as one line and exit code 2."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import relwise
from relwise import bundle
from relwise.data.tables import read_table
from relwise.predictor import RelationshipPredictor
from relwise.settings import Settings
from tests.command import Ran, apart, here
from tests.data.folders import BENCHMARK, SCHEMA, SHOP, TRIPLES, write_folder
from tests.small_data import TINY, benchmark_folder, schema_folder, triples_folder

SET = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
MEASURES = {"auc", "ap", "f1", "mrr", "hits@1", "hits@10", "hits@30"}
BASELINES = {"degree_product", "adamic_adar", "path3"}
ROW = {"head", "relation", "tail", "name", "probability", "known", "evidence"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return schema_folder(tmp_path_factory.mktemp("data") / "schema")


@pytest.fixture(scope="module")
def model(data: Path) -> RelationshipPredictor:
    return RelationshipPredictor(seed=2, **TINY).fit(relwise.read(data))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def saved(model: RelationshipPredictor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    model.save(run)
    return run


@pytest.fixture
def run(saved: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return shutil.copytree(saved, tmp_path / "run")


def refused(ran: Ran, *words: str) -> None:
    """A mistake: one line on stderr, nothing on stdout, exit code 2, no traceback."""
    assert ran.code == 2, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert ran.err.startswith("relwise: ")
    assert ran.err.endswith("\n")
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err, ran.err


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


# -- what works -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [schema_folder, benchmark_folder, triples_folder])
def test_training_on_each_kind_of_data_gives_a_run_that_can_be_measured_and_asked(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    folder, run = make(tmp_path / "data"), tmp_path / "runs" / "one"
    trained = here("train", folder, "--out", run, "--seed", 1, *SET)
    assert trained.code == 0, trained.err
    assert [line for line in trained.err.splitlines() if line.startswith("step ")][-1].startswith("step 20/20  loss ")
    assert trained.err.endswith(f"written to {run}\n")
    assert "path3" in trained.out
    assert sorted(path.name for path in tmp_path.rglob("*part")) == []
    assert sorted(path.name for path in run.parent.iterdir()) == ["one"]

    measured = here("evaluate", run, "--json")
    assert (measured.code, measured.err) == (0, "")
    metrics = json.loads(measured.out)
    assert measured.out.count("\n") == 1
    stored = json.loads((run / "metrics.json").read_text())
    assert {**metrics, "seconds": 0} == {**stored, "seconds": 0}

    model = relwise.load(run)
    assert model.seed == 1
    assert {key: model.get_params()[key] for key in TINY} == TINY
    relation = model.graph.relation_names[-1]
    head = model.graph.node_id(int(model.graph.edges.heads[-1]))
    asked = here("predict", run, "--relation", relation, "--head", head, "--top", 4, "--json")
    assert (asked.code, asked.err) == (0, "")
    assert json.loads(asked.out) == model.top_k(relation, head=head, k=4).to_dict(orient="records")


def test_the_same_command_gives_the_same_run_and_another_seed_another(tmp_path: Path, data: Path) -> None:
    runs = [tmp_path / name for name in ("one", "two", "other")]
    for run, seed in zip(runs, (0, 0, 1), strict=True):
        assert here("train", data, "--out", run, "--seed", seed, *SET).code == 0
    one, two, other = ((run / "weights.safetensors").read_bytes() for run in runs)
    assert one == two != other


def test_the_command_line_gives_what_the_api_gives(tmp_path: Path, data: Path, saved: Path) -> None:
    assert here("train", data, "--out", tmp_path / "run", "--seed", 2, *SET).code == 0
    for name in ("weights.safetensors", "split.parquet", "graph/nodes.0.parquet", "log.jsonl", "settings.json"):
        assert (tmp_path / "run" / name).read_bytes() == (saved / name).read_bytes(), name


@pytest.mark.parametrize("split", ["valid", "test"])
def test_evaluate_prints_one_json_object_with_all_measures(saved: Path, split: str) -> None:
    ran = here("evaluate", saved, "--split", split, "--json")
    assert (ran.code, ran.err) == (0, "")
    metrics = json.loads(ran.out, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    assert metrics["split"] == split
    assert metrics["version"] == relwise.__version__
    assert metrics["seconds"] >= 0
    assert metrics["micro"].keys() >= MEASURES
    assert metrics["relations"].keys() == {"works_at", "owns", "knows", "located_in"}
    assert metrics["baselines"].keys() == BASELINES
    for values in (metrics["micro"], *metrics["relations"].values(), *metrics["baselines"].values()):
        assert values.keys() >= MEASURES
        assert all(0 <= values[measure] <= 1 for measure in MEASURES)


def test_evaluate_shows_people_the_network_beside_the_baselines(saved: Path, model: RelationshipPredictor) -> None:
    ran = here("evaluate", saved)
    assert (ran.code, ran.err) == (0, "")
    for words in ("network", "degree", "adamic", "path3", f"{100 * model.metrics()['micro']['auc']:.2f}"):
        assert words in ran.out
    assert "test positives" in ran.out


@pytest.mark.parametrize("end", ["head", "tail"])
def test_predict_prints_one_json_list(saved: Path, model: RelationshipPredictor, end: str) -> None:
    ran = here("predict", saved, "--relation", "knows", f"--{end}", "pe1", "--json")
    assert (ran.code, ran.err) == (0, "")
    rows = json.loads(ran.out)
    assert len(rows) == 10
    assert all(row.keys() == ROW for row in rows)
    assert rows == model.top_k("knows", **{end: "pe1"}).to_dict(orient="records")  # type: ignore[arg-type]
    assert not any(row["known"] for row in rows)
    assert all(row[end] == "pe1" for row in rows)


def test_predict_lists_known_relationships_when_asked(saved: Path) -> None:
    ran = here("predict", saved, "--relation", "knows", "--head", "pe1", "--top", 100, "--known", "--json")
    known = [row["known"] for row in json.loads(ran.out)]
    assert len(known) == 27
    assert 0 < sum(known) < 27


def test_predict_shows_people_names(saved: Path, model: RelationshipPredictor) -> None:
    ran = here("predict", saved, "--relation", "works_at", "--head", "pe0", "--top", 3)
    assert (ran.code, ran.err) == (0, "")
    for row in model.top_k("works_at", head="pe0", k=3).to_dict(orient="records"):
        assert str(row["tail"]) in ran.out
        assert f"{row['probability']:.4f}" in ran.out


PAIRS = 'tail,relation,note,head\nco1,works_at,a,pe0\npe2,knows,b,pe1\nci0,located_in,"c, d",co5\nco1,owns,,pe0\n'


@pytest.mark.parametrize("out", ["scored.csv", "scored.parquet", "scored.tsv.csv"])
@pytest.mark.parametrize("source", ["pairs.csv", "pairs.parquet"])
def test_pairs_are_scored_in_their_order_with_their_columns(
    tmp_path: Path, saved: Path, model: RelationshipPredictor, source: str, out: str
) -> None:
    (tmp_path / "pairs.csv").write_text(PAIRS)
    frame = read_table(tmp_path / "pairs.csv")
    if source.endswith("parquet"):
        frame.to_parquet(tmp_path / source, index=False)
    ran = here("predict", saved, "--pairs", tmp_path / source, "--out", tmp_path / out)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"4 pairs scored, written to {tmp_path / out}\n"
    scored = read_table(tmp_path / out)
    assert list(scored.columns) == ["tail", "relation", "note", "head", "probability"]
    for column in frame.columns:
        assert scored[column].tolist() == frame[column].tolist()
    triples = list(frame[["head", "relation", "tail"]].astype(str).itertuples(index=False, name=None))
    np.testing.assert_array_equal(scored["probability"].astype(float), model.predict_proba(triples))
    assert not list(tmp_path.glob("*.part"))


def test_scored_pairs_may_replace_a_file_and_be_scored_again(tmp_path: Path, saved: Path) -> None:
    (tmp_path / "pairs.csv").write_text(PAIRS)
    for _ in range(2):
        ran = here("predict", saved, "--pairs", tmp_path / "pairs.csv", "--out", tmp_path / "pairs.csv")
        assert ran.code == 0, ran.err
    scored = pd.read_csv(tmp_path / "pairs.csv")
    assert list(scored.columns) == ["tail", "relation", "note", "head", "probability"]


def test_help_teaches_all_settings_with_their_defaults() -> None:
    ran = here("train", "--help")
    assert ran.code == 0
    text = " ".join(ran.out.split())
    for name, field in Settings.model_fields.items():
        default = "none" if field.default is None else field.default
        assert f"{name} = {default}: {' '.join(str(field.description).split())}" in text
    for words in ("--set", "--seed", "--resume", "--out", "schema.toml", "relation head tail [label]"):
        assert words in text, words


def test_help_of_the_program_and_its_commands() -> None:
    program = here("--help")
    assert program.code == 0
    assert all(command in program.out for command in ("train", "evaluate", "predict"))
    assert "--json" in here("evaluate", "--help").out
    assert all(option in here("predict", "--help").out for option in ("--pairs", "--head", "--tail", "--top"))


# -- in a process of its own ------------------------------------------------------------------------------


def test_a_program_of_its_own_trains_evaluates_and_keeps_stdout_clean(tmp_path: Path) -> None:
    run = tmp_path / "run"
    trained = apart("train", triples_folder(tmp_path / "data"), "--out", run, *SET)
    assert trained.code == 0, trained.err
    assert "Warning" not in trained.err
    measured = apart("evaluate", run, "--json")
    assert (measured.code, measured.err) == (0, "")
    assert {**json.loads(measured.out), "seconds": 0} == {
        **json.loads((run / "metrics.json").read_text()),
        "seconds": 0,
    }
    refused(apart("predict", run, "--relation", "nows", "--head", "pe0"), "no relation 'nows'", "'knows'")


def test_a_program_of_its_own_refuses_bad_data_and_settings(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", SHOP, near_csv=b"a,b\nJFK,SFO\nJ\xffK,LAX\n")
    before = contents(tmp_path)
    refused(apart("train", folder, "--out", tmp_path / "run"), "near.csv, row 3", "not UTF-8")
    refused(apart("train", folder, "--out", tmp_path / "run", "--set", "dims=3"), "'dims'", "'dim'")
    assert contents(tmp_path) == before


# -- bad data ---------------------------------------------------------------------------------------------

NUMBERS = "tailnum,model,year,maker,n_seats\nN1,A1,1999,BOEING,\nN2,,,,5\nN3,B2,{},AIRBUS,6\n"

BAD_DATA = [
    ("a missing file", SHOP, {"planes_csv": None}, ["planes.csv: there is no such file"]),
    ("an empty file", SHOP, {"visits_csv": ""}, ["visits.csv: the file is empty"]),
    ("an empty schema", SHOP, {"schema_toml": ""}, ["schema.toml: the file is empty"]),
    (
        "a header without the key column",
        SHOP,
        {"planes_csv": "tail,model,year,maker,n_seats\nN1,,,,\n"},
        ["planes.csv", "no column 'tailnum'", "'tail'"],
    ),
    (
        "a header without the column of an end",
        SHOP,
        {"near_csv": "from,to\nJFK,SFO\n"},
        ["near.csv", "no column 'a'"],
    ),
    (
        "an edge whose end is in no row of its node table",
        SHOP,
        {"near_csv": "a,b\nJFK,SFO\nLAX,SFX\n"},
        ["near.csv, row 3, column 'b'", "no airport 'SFX'", "'SFO'"],
    ),
    (
        "a duplicate node id",
        SHOP,
        {"airports_csv": "faa,lat,lon\nJFK,,\nLAX,,\nSFO,,\nLAX,,\n"},
        ["airports.csv, row 5, column 'faa'", "'LAX' stands also in row 3"],
    ),
    ("a relation with one edge", SHOP, {"near_csv": "a,b\nJFK,SFO\n"}, ["near.csv", "'near' has one edge"]),
    ("NaN", SHOP, {"planes_csv": NUMBERS.format("NaN")}, ["planes.csv, row 4, column 'year'", "NaN", "blank"]),
    ("infinity", SHOP, {"planes_csv": NUMBERS.format("inf")}, ["planes.csv, row 4, column 'year'", "inf"]),
    ("minus infinity", SHOP, {"planes_csv": NUMBERS.format("-Infinity")}, ["row 4, column 'year'", "-Infinity"]),
    ("a number too large", SHOP, {"planes_csv": NUMBERS.format("1e999")}, ["row 4, column 'year'", "too large"]),
    (
        "text in a number column",
        SHOP,
        {"planes_csv": NUMBERS.format("old")},
        ["planes.csv, row 4, column 'year'", "'old' is not a number", "categorical"],
    ),
    (
        "a label other than 0 or 1",
        BENCHMARK,
        {"test_txt": "2 b c 1\n2 a d 2\n"},
        ["test.txt, line 2", "the label is '2'"],
    ),
    ("bytes that are not UTF-8", SHOP, {"near_csv": b"a,b\nJFK,SFO\nJ\xe9K,LAX\n"}, ["near.csv, row 3", "0xe9"]),
    ("such bytes in a benchmark", BENCHMARK, {"train_txt": b"1 a b\n1 \xe9 b\n"}, ["train.txt, line 2", "UTF-8"]),
    ("such bytes in triples", TRIPLES, {"valid_txt": b"a\tr\t\xff\n"}, ["valid.txt, line 1", "UTF-8"]),
    ("a missing part of a benchmark", BENCHMARK, {"test_txt": None}, ["test.txt is missing"]),
    ("a missing part of triples", TRIPLES, {"train_txt": None}, ["train.txt is missing"]),
    ("an empty benchmark", BENCHMARK, {"train_txt": ""}, ["train.txt: the file is empty"]),
    ("an empty file of triples", TRIPLES, {"train_txt": "\n"}, ["train.txt: the file is empty"]),
    (
        "a schema with an unknown key",
        SHOP,
        {"schema_toml": SCHEMA.replace("directed", "undirected")},
        ["schema.toml", "'directed'"],
    ),
    (
        "a schema that is not TOML",
        SHOP,
        {"schema_toml": SCHEMA.replace("[split]", "[split")},
        ["schema.toml, line 30", "not TOML"],
    ),
    ("an id over two lines", SHOP, {"near_csv": 'a,b\n"JF\nK",SFO\n'}, ["near.csv, row 2, column 'a'", "'JFK'"]),
    ("nothing that can be read", {"notes.md": "x"}, {}, ["no data that can be recognised"]),
]


@pytest.mark.parametrize(("files", "changed", "words"), [case[1:] for case in BAD_DATA], ids=[c[0] for c in BAD_DATA])
def test_bad_data_is_refused_in_one_line_and_leaves_nothing(
    tmp_path: Path, files: dict[str, str], changed: dict[str, str | bytes | None], words: list[str]
) -> None:
    folder = write_folder(tmp_path / "data", files, **changed)
    before = contents(tmp_path)
    refused(here("train", folder, "--out", tmp_path / "run", *SET), *words, str(folder))
    assert contents(tmp_path) == before


def test_data_that_are_no_folder_are_refused(tmp_path: Path) -> None:
    refused(here("train", tmp_path / "nowhere", "--out", tmp_path / "run"), "no such folder", "nowhere")
    (tmp_path / "edges.csv").write_text("a,b\n1,2\n")
    refused(here("train", tmp_path / "edges.csv", "--out", tmp_path / "run"), "a file, not a folder")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--set", "samplr=asa"], ["no setting 'samplr'", "'sampler'"]),
        (["--set", "dim=64", "--set", "lr=0.1"], ["no setting 'lr'"]),
        (["--set", "dim=large"], ["dim = 'large'", "size d of node and relation states"]),
        (["--set", "dim=0"], ["dim = '0'", "greater than or equal to 1"]),
        (["--set", "dim="], ["dim = ''"]),
        (["--set", "dim"], ["--set 'dim' has no value", "--set dim=VALUE"]),
        (["--set", "=3"], ["no setting ''"]),
        (["--set", "mu=nan"], ["mu = 'nan'"]),
        (["--set", "learning_rate=inf"], ["learning_rate = 'inf'", "finite"]),
        (["--set", "sampler=bernoulli"], ["sampler = 'bernoulli'", "random", "hardest", "asa", "nscaching", "kbgan"]),
        (["--set", "sampler=adversarial"], ["sampler = 'adversarial'", "self_adversarial"]),
        (["--set", "seed=3"], ["no setting 'seed'"]),
    ],
)
def test_a_bad_setting_is_refused_before_the_data_are_read(tmp_path: Path, given: list[str], words: list[str]) -> None:
    refused(here("train", tmp_path / "nowhere", "--out", tmp_path / "run", *given), *words)
    assert list(tmp_path.iterdir()) == []


def test_an_out_that_cannot_be_a_folder_is_refused(tmp_path: Path, data: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    refused(here("train", data, "--out", file, *SET), f"{file}: this is a file, not a folder", "--out")
    ran = here("train", data, "--out", file / "run", *SET)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[-1].startswith(f"relwise: {file / 'run'}: the folder cannot be made")
    assert contents(tmp_path) == {str(file): b"mine"}


# -- bad questions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--relation", "work_at", "--head", "pe0"], ["no relation 'work_at'", "'works_at'"]),
        (["--relation", "zzz", "--head", "pe0"], ["no relation 'zzz'", "works_at, owns, knows, located_in"]),
        (["--relation", "works_at", "--head", "pe100"], ["no person with the id 'pe100'", "'pe10'"]),
        (["--relation", "works_at", "--tail", "c01"], ["no company with the id 'c01'", "'co1'"]),
        (["--relation", "works_at", "--head", "co1"], ["no person with the id 'co1'"]),
        (["--relation", "works_at", "--head", "pe0", "--tail", "co0"], ["one end must be given"]),
        ([], ["nothing to predict", "--relation", "--pairs"]),
        (["--head", "pe0"], ["nothing to predict"]),
        (["--pairs", "pairs.csv"], ["--pairs goes with --out"]),
        (["--pairs", "pairs.csv", "--out", "x.csv", "--head", "pe0"], ["--pairs goes with --out"]),
    ],
)
@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_question_that_cannot_be_answered_is_refused(
    tmp_path: Path, saved: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], words: list[str], as_json: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(here("predict", saved, *given, *as_json), *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (None, ["pairs.csv: there is no such file"]),
        ("", ["pairs.csv: the file is empty"]),
        ("head,relation,tail\n", ["pairs.csv", "no row below"]),
        ("head,relation\npe0,knows\n", ["pairs.csv", "no column 'tail'", "'head', 'relation'"]),
        ("Head,relation,tail\npe0,knows,pe1\n", ["pairs.csv", "no column 'head'", "'Head'"]),
        (
            "head,relation,tail\npe0,knows,pe1\npe0,works_at,co1\npe2,knows,px1\npy1,knows,pe1\n",
            ["pairs.csv, row 4: there is no person with the id 'px1'", "'pe1'"],
        ),
        (
            "head,relation,tail\npe0,knows,pe1\n\npe0,likes,pe1\npx,knows,pe1\n",
            ["pairs.csv, row 4: there is no relation 'likes'"],
        ),
        ("head,relation,tail\npe99,knows,pe1\npe0,likes,pe1\n", ["pairs.csv, row 2: ", "'pe99'", "'pe9'"]),
        ("head,relation,tail\npe0,,pe1\n", ["pairs.csv, row 2: there is no relation ''"]),
        ("head,relation,tail\npe0,knows\n", ["pairs.csv, row 2", "2 fields where the header has 3"]),
        (b"head,relation,tail\npe\xff,knows,pe1\n", ["pairs.csv, row 2", "UTF-8"]),
    ],
)
def test_bad_pairs_are_refused_naming_file_and_row(
    tmp_path: Path, saved: Path, pairs: str | bytes | None, words: list[str]
) -> None:
    if pairs is not None:
        (tmp_path / "pairs.csv").write_bytes(pairs.encode() if isinstance(pairs, str) else pairs)
    (tmp_path / "scored.csv").write_text("of yesterday")
    before = contents(tmp_path)
    refused(here("predict", saved, "--pairs", tmp_path / "pairs.csv", "--out", tmp_path / "scored.csv"), *words)
    assert contents(tmp_path) == before


def test_the_row_of_an_unknown_id_is_found_in_parquet_too(tmp_path: Path, saved: Path) -> None:
    frame = pd.DataFrame({"head": ["pe0"] * 300, "relation": "knows", "tail": ["pe1"] * 299 + ["nobody"]})
    frame.to_parquet(tmp_path / "pairs.parquet")
    ran = here("predict", saved, "--pairs", tmp_path / "pairs.parquet", "--out", tmp_path / "scored.parquet")
    refused(ran, "pairs.parquet, row 300: there is no person with the id 'nobody'")
    assert not (tmp_path / "scored.parquet").exists()


def test_scored_pairs_go_nowhere_where_there_is_no_place_for_them(tmp_path: Path, saved: Path) -> None:
    (tmp_path / "pairs.csv").write_text(PAIRS)
    (tmp_path / "folder").mkdir()
    before = contents(tmp_path)
    for out, words in ((tmp_path / "no" / "scored.csv", "no such folder"), (tmp_path / "folder", "folder: ")):
        refused(here("predict", saved, "--pairs", tmp_path / "pairs.csv", "--out", out), words, "--out")
    assert contents(tmp_path) == before


# -- bad runs ---------------------------------------------------------------------------------------------

COMMANDS = [
    ["evaluate"],
    ["evaluate", "--json"],
    ["predict", "--relation", "knows", "--head", "pe0", "--json"],
    ["predict", "--pairs", "pairs.csv", "--out", "scored.csv"],
]


def spoil_missing(run: Path) -> None:
    (run / "weights.safetensors").unlink()


def spoil_truncated(run: Path) -> None:
    path = run / "graph" / "edges.parquet"
    path.write_bytes(path.read_bytes()[:-20])


def spoil_manifest(run: Path) -> None:
    path = run / "run.json"
    path.write_bytes(path.read_bytes()[:100])


def spoil_newer(run: Path) -> None:
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**manifest, "format": bundle.FORMAT + 1}))


def spoil_unfinished(run: Path) -> None:
    (run / "run.json").rename(run / "checkpoint.safetensors")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_missing, ["weights.safetensors: the file is missing", "train anew"]),
        (spoil_truncated, ["edges.parquet: the file is truncated", "copy the run folder again"]),
        (spoil_manifest, ["run.json: the file is truncated"]),
        (spoil_newer, [f"format {bundle.FORMAT + 1}", "upgrade relwise"]),
        (spoil_unfinished, ["has not finished", "--resume"]),
        (shutil.rmtree, ["there is no such run folder", "relwise train"]),
    ],
)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_a_spoilt_run_is_refused(
    run: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], spoil: Callable[[Path], None], words: list[str]
) -> None:
    monkeypatch.chdir(run.parent)
    Path("pairs.csv").write_text(PAIRS)
    spoil(run)
    before = contents(run.parent)
    refused(here(command[0], run, *command[1:]), *words, str(run))
    assert contents(run.parent) == before


def test_data_are_no_run(data: Path) -> None:
    refused(here("evaluate", data), "this is no run folder", "run.json")


def test_a_run_without_test_edges_can_be_trained_and_is_told_when_measured(tmp_path: Path) -> None:
    folder = schema_folder(tmp_path / "data")
    schema = (folder / "schema.toml").read_text()
    (folder / "schema.toml").write_text(schema + '[split]\nby = "time"\nvalid = "2020-09-01"\ntest = "2021-06-01"\n')
    trained = here("train", folder, "--out", tmp_path / "run", *SET)
    assert trained.code == 0, trained.err
    refused(here("evaluate", tmp_path / "run"), "the test part has no edges")
    assert json.loads(here("evaluate", tmp_path / "run", "--split", "valid", "--json").out)["split"] == "valid"
    assert here("predict", tmp_path / "run", "--relation", "knows", "--head", "pe0", "--json").code == 0
