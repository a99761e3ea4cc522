from __future__ import annotations

from pathlib import Path

import pytest

from relwise.data.graph import SplitRule
from relwise.data.schema import read_schema
from relwise.errors import InputError
from tests.data.folders import SCHEMA


def _read(folder: Path, text: str):
    (folder / "schema.toml").write_text(text, encoding="utf-8")
    return read_schema(folder / "schema.toml")


def test_the_whole_of_it(tmp_path: Path) -> None:
    schema = _read(tmp_path, SCHEMA)
    seats = schema.nodes["plane"].attributes["seats"]
    assert (seats.modality, seats.columns) == ("numeric", ("n_seats",))
    position = schema.nodes["airport"].attributes["position"]
    assert (position.modality, position.columns) == ("place", ("lat", "lon"))
    assert schema.nodes["route"].table is None
    assert [r.name(key) for key, r in schema.relations.items()] == ["visits", "flies", "near"]
    assert [r.directed for r in schema.relations.values()] == [True, True, False]
    assert schema.split_rule == SplitRule("time", "2013-03-01", "2013-04-01")


_NO_SPLIT = SCHEMA[: SCHEMA.index("[split]")]


@pytest.mark.parametrize(
    ("split", "rule"),
    [
        ("", SplitRule()),
        ('by = "random"', SplitRule()),
        ('by = "random"\nvalid = 0.2\ntest = 0.3', SplitRule("random", 0.2, 0.3)),
        ('by = "time"\nvalid = 2013-03-01\ntest = 2013-04-01', SplitRule("time", "2013-03-01", "2013-04-01")),
        (
            'by = "time"\nvalid = 2013-03-01T06:30:00\ntest = 2013-04-01T00:00:00Z',
            SplitRule("time", "2013-03-01T06:30:00", "2013-04-01"),
        ),
        (
            'by = "time"\nvalid = "2013-03-01 06:30"\ntest = "2013-04-01T02:00+02:00"',
            SplitRule("time", "2013-03-01T06:30:00", "2013-04-01"),
        ),
    ],
)
def test_splits(tmp_path: Path, split: str, rule: SplitRule) -> None:
    assert _read(tmp_path, _NO_SPLIT + (f"[split]\n{split}\n" if split else "")).split_rule == rule


@pytest.mark.parametrize(
    ("old", "new", "key", "what", "remedy"),
    [
        # unknown keys, with the nearest right one
        (
            'name = "model"',
            'nmae = "model"',
            "nodes.plane.nmae",
            "unknown key 'nmae'",
            "did you mean 'name'?",
        ),
        ("[split]", "[spilt]", "spilt", "unknown key 'spilt'", "did you mean 'split'?"),
        ("directed = false", "direkted = false", "relations.near.direkted", "unknown key", "'directed'"),
        ('column = "a" }', 'colum = "a" }', "relations.near.head.colum", "unknown key", "'column'"),
        ('by = "time"', 'by = "time"\nvaild = 1', "split.vaild", "unknown key", "'valid'"),
        ('"plane.flies.route"', "plane.flies.route", "relations.plane.flies", "unknown key", "in quotes"),
        # what is missing
        ('key = "tailnum"', "", "nodes.plane", "the key is missing", 'key = "..."'),
        ('table = "planes.csv"', "", "nodes.plane", "the table is missing", 'table = "..."'),
        ('table = "near.csv"', "", "relations.near.table", "missing", "add it"),
        # attributes
        (
            'year = "numeric"',
            'year = "numerc"',
            "nodes.plane.columns.year",
            "no modality 'numerc'",
            "'numeric'",
        ),
        (
            'year = "numeric"',
            "year = 3",
            "nodes.plane.columns.year",
            "3 is no modality",
            "numeric, categorical",
        ),
        ('year = "numeric"', 'year = "place"', "nodes.plane.columns.year", "two columns", "latitude"),
        ('["lat", "lon"]', '["lat"]', "nodes.airport.columns.position", "two columns", "latitude"),
        ('numeric = "n_seats"', 'numeric = ["a", "b"]', "nodes.plane.columns.seats", "one column", "own"),
        ('numeric = "n_seats"', "numeric = []", "nodes.plane.columns.seats", "names no columns", "write"),
        # values of the wrong kind
        ('table = "near.csv"', "table = 3", "relations.near.table", "3 does not fit", "give a string"),
        (
            "directed = false",
            'directed = "no"',
            "relations.near.directed",
            "'no' does not fit",
            "true or false",
        ),
        ('{ type = "airport", column = "a" }', '"airport"', "relations.near.head", "does not fit", "a table"),
        ('by = "time"', 'by = "date"', "split.by", "'date' does not fit", "'time', 'random', 'unseen' or 'group'"),
        # relations that do not fit the nodes
        (
            '{ type = "route"',
            '{ type = "rote"',
            "relations.plane.flies.route.tail.type",
            "no node type",
            "'route'",
        ),
        ('time = "first"', "directed = false", "relations.visits.directed", "one node type at both", "true"),
        (
            "[nodes.route]",
            "[nodes.route]\n[nodes.hub]",
            "nodes.hub",
            "no table and no relation",
            "leave it out",
        ),
        ('[relations."plane.flies.route"]', '[relations."plane.visits.airport"]', None, None, None),
        ('time = "first"', "", "split.by", "no relation names a time column", "random"),
        # dates and shares
        ('"2013-03-01"', '"2013-13-01"', "split", "valid is '2013-13-01', which is not a date", "date"),
        ('"2013-03-01"', '"soon"', "split", "valid is 'soon', which is not a date", "2013-09-01"),
        ('"2013-03-01"', "2013", "split", "which is not a date", "2013-09-01"),
        ('valid = "2013-03-01"', "", "split", "valid is missing", "2013-09-01"),
        ('"2013-03-01"', '"2013-04-01"', "split", "valid (2013-04-01) does not begin before test", "begins"),
        ('by = "time"', 'by = "random"', "split", "valid is '2013-03-01'", "share between 0 and 1"),
    ],
)
def test_one_error(tmp_path: Path, old: str, new: str, key: str | None, what: str | None, remedy: str | None) -> None:
    assert old in SCHEMA
    text = SCHEMA.replace(old, new, 1)
    if key is None:
        text = text.replace(
            'tail = { type = "route", column = "route" }', 'tail = { type = "airport", column = "dest" }'
        )
        key, what, remedy = "relations.plane.visits.airport", "same relation as 'visits'", "otherwise"
    with pytest.raises(InputError) as caught:
        _read(tmp_path, text)
    assert caught.value.where == f"{tmp_path / 'schema.toml'}, key '{key}'"
    assert str(what) in caught.value.what
    assert str(remedy) in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("valid", "test", "what"),
    [
        ("0.0", "0.1", "valid is 0.0"),
        ("0.1", "1", "test is 1"),
        ("0.5", "0.5", "nothing to train on"),
        ("nan", "0.1", "valid is nan"),
    ],
)
def test_shares(tmp_path: Path, valid: str, test: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        _read(tmp_path, f'{_NO_SPLIT}[split]\nby = "random"\nvalid = {valid}\ntest = {test}\n')
    assert what in caught.value.what


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("[nodes.plane]\ntable = \n", ", line 2, column 9", "Invalid value"),
        ("[nodes]\n[nodes]\n", ", line 2, column 7", "Cannot declare"),
        ("[nodes.plane", "", "at end of document"),
        ("", "", "the file is empty"),
        ("[split]\nby = 'random'", ", key 'nodes'", "missing"),
        ("[nodes]\n[relations]\n", ", key 'nodes'", "there is none"),
        ("nodes = 3\n[relations.x]", ", key 'nodes'", "does not fit"),
    ],
)
def test_what_is_no_schema(tmp_path: Path, text: str, where: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        _read(tmp_path, text)
    assert caught.value.where == f"{tmp_path / 'schema.toml'}{where}"
    assert what in caught.value.what
    assert caught.value.remedy
