"""The documentation: snippets run, schemas read, commands parse, links lead somewhere, tables are the code's."""

from __future__ import annotations

import ast
import doctest
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numba
import numpy as np
import pandas as pd
import pytest
import torch
import typer.main

import relwise
from relwise.bundle import CHECKPOINT, computed_with
from relwise.cli import TRAIN_HELP, app
from relwise.data.schema import EndSchema, NodeSchema, RelationSchema, Schema, SplitSchema, TimeSchema, read_schema
from relwise.data.schema_attribute import MODALITIES, AttributeSchema
from relwise.predictor import RelationshipPredictor
from relwise.settings import SamplerName, Settings
from tests.fakes import small_graph
from tests.small_data import TINY

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
NAMED = {"plane": ["N14228"], "airport": ["LAX", "JFK"]}
"""Ids that the snippets ask about."""


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take long where other work fills the cores, as it may where tests run."""
    before = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    yield
    torch.set_num_threads(before[0])
    numba.set_num_threads(before[1])


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def _with_blocks(language: str) -> list[Any]:
    return [pytest.param(page, id=page.name) for page in PAGES if _blocks(page, language)]


def _table(page: str, first: str) -> list[list[str]]:
    """The cells of the table whose header's first cell is `first`, without the marks of code."""
    rows = re.search(rf"^\| {first} \|.*\n\| ---.*\n((?:\|.*\n)+)", _text(page), re.MULTILINE)
    assert rows, f"{page} has no table of {first}"
    lines = rows[1].replace("`", "").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


# -- snippets and schemas ----------------------------------------------------------------------------------


def _write_tables(schema: Schema, folder: Path) -> None:
    """Tables of made-up rows that a schema describes, with dates all through 2013."""
    rng = np.random.default_rng(0)
    ids = {name: NAMED.get(name, []) + [f"{name} {i}" for i in range(30)] for name in schema.nodes}
    columns: dict[str, dict[str, Any]] = {}
    for name, node in schema.nodes.items():
        if node.table is None:
            continue
        count = len(ids[name])
        made = columns.setdefault(node.table, _key_columns(node.key, ids[name]))
        if node.name is not None:
            made[node.name] = [f"the {node_id}" for node_id in ids[name]]
        _add_attributes(made, node.attributes, count, rng)
    foreign = set(columns)
    for relation in schema.relations.values():
        made = columns.setdefault(relation.table, {})
        count = len(next(iter(made.values()))) if made else 200
        for end in (relation.head, relation.tail):
            named = _key_columns(end.column, [str(i) for i in rng.choice(ids[end.type], count)])
            made |= {key: cells for key, cells in named.items() if relation.table not in foreign or key not in made}
        if relation.time is not None:
            made[relation.time.column] = _days(count, rng, relation.time.format)
        if relation.group is not None:
            made[relation.group] = rng.integers(0, count // 2, count)
        _add_attributes(made, relation.attributes, count, rng)
    for name, made in columns.items():
        frame = pd.DataFrame(made)
        frame.to_parquet(folder / name) if name.endswith(".parquet") else frame.to_csv(folder / name, index=False)


def _key_columns(key: str | list[str] | None, ids: list[str]) -> dict[str, Any]:
    """A key's columns; of a compound one each has a part."""
    if isinstance(key, list):
        return {column: [f"{column} {node_id}" for node_id in ids] for column in key}
    return {str(key): ids}


def _days(count: int, rng: np.random.Generator, format: str | None) -> list[str]:
    days = pd.Timestamp("2013-01-01") + pd.to_timedelta(rng.integers(0, 365, count), "D")
    return [day.strftime(format or "%Y-%m-%d") for day in days]


def _add_attributes(
    made: dict[str, Any], attributes: dict[str, AttributeSchema], count: int, rng: np.random.Generator
) -> None:
    """The columns that attributes are made of."""
    for attribute in attributes.values():
        for column in attribute.columns:
            number = rng.integers(1, 9, count)
            words = {"categorical": "kind ", "text": "a text of ", "multi_categorical": f"a{attribute.separator}b "}
            if attribute.modality == "timestamp":
                made[column] = _days(count, rng, attribute.format)
            elif attribute.modality == "boolean":
                made[column] = np.where(number > 4, "yes", "no")
            else:
                word = words.get(attribute.modality)
                made[column] = number if word is None else [f"{word}{i}" for i in number]
        if attribute.before is not None:
            made.setdefault(attribute.before, _days(count, rng, None))


def _make_data(sample: str, folder: Path) -> None:
    folder.mkdir()
    (folder / "schema.toml").write_text(sample, encoding="utf-8")
    _write_tables(read_schema(folder / "schema.toml"), folder)


@pytest.mark.parametrize("page", _with_blocks("toml"))
def test_schemas_are_valid_and_fit_the_code(page: Path, tmp_path: Path) -> None:
    for number, sample in enumerate(_blocks(page, "toml")):
        _make_data(sample, tmp_path / str(number))
        graph = relwise.read(tmp_path / str(number))
        assert {relation.name for relation in graph.relations} <= set(re.findall(r"\w+", sample))
        assert (np.bincount(graph.edges.relations, minlength=graph.num_relations) > 1).all()


@pytest.mark.parametrize("page", _with_blocks("python"))
def test_python_snippets_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All snippets of a page in order, in a folder that holds the data of the README's schema."""
    _make_data(_blocks(ROOT / "README.md", "toml")[0], tmp_path / "my-data")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for snippet in _blocks(page, "python"):
        if ">>>" not in snippet:
            exec(compile(snippet, page.name, "exec"), names)
            continue
        test = doctest.DocTestParser().get_doctest(snippet, names, page.name, str(page), 0)
        said: list[str] = []
        doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
        assert not said, "".join(said)
        names = test.globs


# -- commands and links ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", _with_blocks("console"))
def test_commands_parse(page: Path) -> None:
    commands: Any = typer.main.get_command(app)
    for line in "".join(_blocks(page, "console")).splitlines():
        program, name, *arguments = shlex.split(line)
        assert program == "relwise"
        commands.commands[name].make_context(name, arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            missing.append(link)
    assert not missing


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_has_the_targets(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", _text("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^    )make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)) <= targets


# -- what the pages say of the code ------------------------------------------------------------------------


def test_every_setting_is_told_with_its_default() -> None:
    fields = Settings.model_fields
    told = {key: default for key, default, *_ in _table("docs/method.md", "key")}
    defaults = {key: "none" if field.default is None else str(field.default).lower() for key, field in fields.items()}
    assert told == defaults
    assert all(f"\n\n{key} = " in TRAIN_HELP for key in fields)


def test_every_sampler_is_told() -> None:
    samplers = set(get_args(SamplerName))
    assert {row[0].split()[0] for row in _table("README.md", "`sampler`")} == samplers
    assert {row[0] for row in _table("docs/method.md", "sampler")} == samplers


def test_every_key_and_modality_of_a_schema_is_told() -> None:
    assert [row[0] for row in _table("docs/data.md", "modality")] == list(MODALITIES)
    keys = "\n".join(" ".join(row[:3]) for row in _table("docs/data.md", "key"))
    for model in (NodeSchema, RelationSchema, EndSchema, TimeSchema, SplitSchema):
        assert all(re.search(rf"\b{key}\b", keys) for key in model.model_fields), model


@pytest.fixture(scope="module")
def trained() -> RelationshipPredictor:
    return RelationshipPredictor(**TINY).fit(small_graph())


def test_what_evaluate_prints_is_told(trained: RelationshipPredictor) -> None:
    page, metrics = _text("docs/evaluation.md"), json.loads(json.dumps(trained.metrics("test")))
    measures = re.findall(r"[\w@]+", " ".join(row[0] for row in _table("docs/evaluation.md", "name")))
    for place in (metrics["micro"], *metrics["relations"].values(), *metrics["baselines"].values()):
        assert list(place) == measures
    assert f"the {len(measures)} names" in page
    told = "".join(_blocks(ROOT / "docs" / "evaluation.md", "text"))
    counts = metrics["counts"]["micro"]
    for place in (metrics, metrics["leakage"], metrics["leakage"]["counts"], metrics["without_leaked"], counts):
        assert all(f'"{key}"' in told for key in place)
    scorers = ["model", *metrics["baselines"]]
    table = trained.evaluate("test").table()
    assert list(table["scorer"].unique()) == scorers
    assert all(f"`{name}`" in page for name in (*scorers, *table.columns))


def test_every_file_of_a_run_is_told(trained: RelationshipPredictor, tmp_path: Path) -> None:
    trained.save(tmp_path)
    page = _text("docs/run-folder.md")
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    told = {name for name, *_ in _table("docs/run-folder.md", "file")}
    assert {re.sub(r"nodes\.\d+\.", "nodes.<i>.", name) for name in files} == told
    assert f"`{CHECKPOINT}`" in page
    assert all(f"`{key}`" in page for key in (*trained.training, *computed_with()))


# -- who may import whom -----------------------------------------------------------------------------------


def test_imports_are_as_contributing_says() -> None:
    allowed = {part: set(re.findall(r"\w+", may)) for part, may in _table("CONTRIBUTING.md", "part")}
    package = ROOT / "src" / "relwise"
    for path in sorted(package.rglob("*.py")):
        part = path.relative_to(package).with_suffix("").parts[0]
        if part in ("__init__", "__main__"):
            continue
        assert set(_imported(path)) <= allowed[part] | {part}, path


def _imported(path: Path) -> Iterator[str]:
    """The parts of relwise that a file imports; `import relwise` alone (for its version) is none."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "relwise":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("relwise."):
            yield str(node.module).split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("relwise."))
