"""Every mistake in the data is one InputError that says what, where, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from relwise.data.read import read
from relwise.errors import InputError
from tests.data.folders import BENCHMARK, SCHEMA, SHOP, TRIPLES, write_folder


def _fails(folder: Path, files: dict[str, str], **replaced: str | bytes | None) -> InputError:
    with pytest.raises(InputError) as caught:
        read(write_folder(folder, files, **replaced))
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return caught.value


def _check(error: InputError, folder: Path, where: str, what: str, remedy: str) -> None:
    assert error.where == str(folder / where) if where else str(folder)
    assert what in error.what
    assert remedy in str(error.remedy)


@pytest.mark.parametrize(
    ("name", "content", "where", "what", "remedy"),
    [
        ("planes_csv", None, "planes.csv", "there is no such file", "airports.csv"),
        ("planes_csv", "", "planes.csv", "the file is empty", "leave it out"),
        ("schema_toml", "\n", "schema.toml", "the file is empty", "leave it out"),
        ("planes_csv", "tailnum,model,year,maker,n_seats\n", "planes.csv", "no row below", "add rows"),
        # a header without the key columns
        ("planes_csv", "tail,model\nN1,A\n", "planes.csv", "there is no column 'tailnum'", "'tail'"),
        ("planes_csv", "tailnum,year\nN1,1\n", "planes.csv", "there is no column 'model'", "the columns are"),
        (
            "visits_csv",
            "tailnum,to,first,route\nN1,JFK,,r\n",
            "visits.csv",
            "no column 'dest'",
            "the columns",
        ),
        ("visits_csv", "tailnum,dest,route\nN1,JFK,r\n", "visits.csv", "no column 'first'", "the columns"),
        # ids
        (
            "near_csv",
            "a,b\nJFK,SFO\nLAX,SFX\n",
            "near.csv, row 3, column 'b'",
            "no airport 'SFX' in airports.csv",
            "'SFO'",
        ),
        (
            "near_csv",
            'a,b\n"JF\nK",SFO\n',
            "near.csv, row 2, column 'a'",
            "no airport 'JF\\nK'",
            "did you mean 'JFK'?",
        ),
        (
            "near_csv",
            "a,b\nJFK,99\n",
            "near.csv, row 2, column 'b'",
            "no airport '99'",
            "add it to airports.csv",
        ),
        (
            "airports_csv",
            "faa,lat,lon\nJFK,,\n\nJFK,,\n",
            "airports.csv, row 4, column 'faa'",
            "stands also in row 2",
            "keep",
        ),
        (
            "airports_csv",
            "faa,lat,lon\nJFK,,\n ,1,2\n",
            "airports.csv, row 3, column 'faa'",
            "the id is blank",
            "fill",
        ),
        ("near_csv", "a,b\nJFK,SFO\nLAX,\n", "near.csv, row 3, column 'b'", "the id is blank", "fill it in"),
        # a relation with one edge
        ("near_csv", "a,b\nJFK,SFO\n", "near.csv", "the relation 'near' has one edge", "at least two edges"),
        (
            "near_csv",
            "a,b\nJFK,SFO\nSFO,JFK\n",
            "near.csv",
            "the relation 'near' has one edge",
            "at least two",
        ),
        # numbers
        (
            "planes_csv",
            "tailnum,model,year,maker,n_seats\nN1,,NaN,,\n",
            "planes.csv, row 2, column 'year'",
            "NaN is not",
            "blank",
        ),
        (
            "planes_csv",
            "tailnum,model,year,maker,n_seats\nN1,,,,-inf\n",
            "planes.csv, row 2, column 'n_seats'",
            "-inf",
            "blank",
        ),
        (
            "planes_csv",
            "tailnum,model,year,maker,n_seats\nN1,,x,,\n",
            "planes.csv, row 2, column 'year'",
            "'x' is not",
            "categorical",
        ),
        (
            "airports_csv",
            "faa,lat,lon\nJFK,90.5,0\n",
            "airports.csv, row 2, column 'lat'",
            "no latitude",
            "degrees",
        ),
        # dates
        (
            "visits_csv",
            "tailnum,dest,first,route\nN1,JFK,1/2/13,r\n",
            "visits.csv, row 2, column 'first'",
            "not a date",
            "YYYY",
        ),
        # lines and bytes
        ("near_csv", "a,b\nJFK,SFO\nLAX\n", "near.csv, row 3", "1 field where the header has 2", "commas"),
        ("near_csv", "a,b\nJFK,SFO,LAX\n", "near.csv, row 2", "3 fields where the header has 2", "quotes"),
        ("near_csv", b"a,b\nJFK,SFO\nJ\xffK,LAX\n", "near.csv, row 3", "byte 0xff is not UTF-8", "UTF-8"),
        (
            "schema_toml",
            SCHEMA.encode() + b"# \xff",
            "schema.toml, line 34",
            "byte 0xff is not UTF-8",
            "UTF-8",
        ),
        # the schema
        (
            "schema_toml",
            SCHEMA.replace("directed", "undirected"),
            "schema.toml, key 'relations.near.undirected'",
            "unknown key",
            "'directed'",
        ),
        (
            "schema_toml",
            SCHEMA.replace("2013-03-01", "2013-02-30"),
            "schema.toml, key 'split'",
            "not a date",
            "2013-09-01",
        ),
        (
            "schema_toml",
            SCHEMA.replace("[split]", "[split"),
            "schema.toml, line 30, column 7",
            "not TOML",
            "mend",
        ),
    ],
)
def test_tables(tmp_path: Path, name: str, content: str | bytes | None, where: str, what: str, remedy: str) -> None:
    error = _fails(tmp_path, SHOP, **{name: content})
    _check(error, tmp_path, where, what, remedy)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_parquet_numbers(tmp_path: Path, value: float) -> None:
    schema = SCHEMA.replace("planes.csv", "planes.parquet")
    table = {
        "tailnum": ["N1", "N2"],
        "model": ["a", "b"],
        "year": [None, value],
        "maker": ["", ""],
        "n_seats": [1, 2],
    }
    pyarrow.parquet.write_table(pa.table(table), tmp_path / "planes.parquet")
    error = _fails(tmp_path, SHOP, schema_toml=schema)
    _check(error, tmp_path, "planes.parquet, row 2, column 'year'", f"{value} is not a number", "blank")


@pytest.mark.parametrize(
    ("name", "content", "where", "what", "remedy"),
    [
        ("train_txt", None, "", "train.txt is missing", "nothing to learn from"),
        ("test_txt", None, "", "test.txt is missing", "give both"),
        ("train_txt", "", "train.txt", "the file is empty", "at least one row"),
        ("valid_txt", "\n\n", "valid.txt", "the file is empty", "at least one row"),
        (
            "valid_txt",
            "1 a c 1\n\n1 a b 2\n",
            "valid.txt, line 3",
            "the label is '2'",
            "1 (the edge holds) or 0",
        ),
        ("test_txt", "1 a c true\n", "test.txt, line 1", "the label is 'true'", "1 (the edge holds) or 0"),
        ("test_txt", "1 a c 0\n", "test.txt", "no line has the label 1", "add edges"),
        (
            "train_txt",
            "1 a b\n1 a b c\n",
            "train.txt, line 2",
            "4 fields where there should be 3",
            "relation head tail",
        ),
        ("valid_txt", "\n1 a c 1\n1 a c\n", "valid.txt, line 3", "3 fields where there should be 4", "label"),
        (
            "valid_txt",
            "1 a c\n",
            "valid.txt, line 1",
            "3 fields where there should be 4",
            "relation head tail label",
        ),
        ("train_txt", b"1 a b\n1 \xe9 b\n", "train.txt, line 2", "byte 0xe9 is not UTF-8", "UTF-8"),
    ],
)
def test_benchmarks(tmp_path: Path, name: str, content: str | bytes | None, where: str, what: str, remedy: str) -> None:
    _check(_fails(tmp_path, BENCHMARK, **{name: content}), tmp_path, where, what, remedy)


@pytest.mark.parametrize(
    ("name", "content", "where", "what", "remedy"),
    [
        ("train_txt", None, "", "train.txt is missing", "nothing to learn from"),
        ("valid_txt", None, "", "valid.txt is missing", "or neither"),
        ("train_txt", "", "train.txt", "the file is empty", "at least one row"),
        (
            "train_txt",
            "a\tr\tb\na\tr\n",
            "train.txt, line 2",
            "2 fields where there should be 3",
            "with tabs between",
        ),
        (
            "test_txt",
            "a\tr\tb\r\n\r\na\tr\tb\t\r\n",
            "test.txt, line 3",
            "4 fields where there should be 3",
            "tabs",
        ),
        (
            "train_txt",
            "a\tr\tb\na\t\tb\n",
            "train.txt, line 2, column 'relation'",
            "the relation is blank",
            "fill it in",
        ),
        ("valid_txt", b"a\tr\tb\n\n\xff\tr\tb\n", "valid.txt, line 3", "byte 0xff is not UTF-8", "UTF-8"),
    ],
)
def test_triples(tmp_path: Path, name: str, content: str | bytes | None, where: str, what: str, remedy: str) -> None:
    _check(_fails(tmp_path, TRIPLES, **{name: content}), tmp_path, where, what, remedy)


def test_folders(tmp_path: Path) -> None:
    error = _fails(tmp_path, {"notes.txt": "a b c"})
    _check(error, tmp_path, "", "no data that can be recognised", "schema.toml")
    assert "train.txt" in str(error.remedy)
    for path, what in (
        (tmp_path / "nowhere", "no such folder"),
        (tmp_path / "notes.txt", "a file, not a folder"),
    ):
        with pytest.raises(InputError) as caught:
            read(path)
        assert caught.value.where == str(path)
        assert what in caught.value.what
