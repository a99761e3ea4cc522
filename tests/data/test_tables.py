from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from relwise.data.tables import cell, column_of, read_table
from relwise.errors import InputError


def _csv(folder: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_cells_stay_the_strings_they_are(tmp_path: Path) -> None:
    frame = read_table(_csv(tmp_path, 'id,x\n007,NA\n1.50,\n"NaN","a ""b"", c"\n'))
    assert frame["id"].tolist() == ["007", "1.50", "NaN"]
    assert frame["x"].tolist() == ["NA", "", 'a "b", c']


@pytest.mark.parametrize(
    "text",
    [
        "a,b\r\n1,2\r\n3,4\r\n",
        "\ufeffa,b\n1,2\n3,4",
        "a,b\n\n1,2\n\n3,4\n\n\n",
        '"a","b"\n"1","2"\n"3","4"\n',
    ],
)
def test_line_ends_marks_blank_lines_and_quotes(tmp_path: Path, text: str) -> None:
    assert read_table(_csv(tmp_path, text)).to_numpy().tolist() == [["1", "2"], ["3", "4"]]


def test_tabs_in_tsv(tmp_path: Path) -> None:
    assert read_table(_csv(tmp_path, "a\tb\n1,5\t2\n", "a.tsv")).to_numpy().tolist() == [["1,5", "2"]]


def test_a_long_quoted_cell_is_one_cell(tmp_path: Path) -> None:
    long = "word\n" * 300_000
    frame = read_table(_csv(tmp_path, f'a,b\n1,"{long}"\n2,x\n'))
    assert frame["b"].tolist() == [long, "x"]


def test_a_cell_is_named_by_its_line(tmp_path: Path) -> None:
    path = _csv(tmp_path, 'a,b\n"x\ny",1\n\n2,3\n')
    assert cell(path, 0, "b") == f"{path}, row 2, column 'b'"
    assert cell(path, 1) == f"{path}, row 5"


def test_parquet_keeps_types_and_tells_null_from_nan(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"i": pa.array([1, None]), "f": [float("nan"), None], "s": ["x", None]})
    pyarrow.parquet.write_table(table, path)
    frame = read_table(path)
    assert frame["i"].dtype == "int64[pyarrow]"
    assert pa.array(frame["f"].array).null_count == 1
    assert cell(path, 1, "i") == f"{path}, row 2, column 'i'"


def test_a_pandas_index_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    read_table(_csv(tmp_path, "id,x\nu,1\n")).set_index("id").to_parquet(path)
    assert set(read_table(path).columns) == {"id", "x"}


def _fails(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_table(path)
    return caught.value


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("a,b\n1,2\n3\n", ", row 3", "1 field where the header has 2"),
        ("a,b\n1,2,3\n4,5,6\n", ", row 2", "3 fields where the header has 2"),
        ('a,b\n"x\ny",2\n3\n', ", row 4", "1 field where the header has 2"),
        ('a,b\n1,2\n"3,4\n', ", row 3", "cannot be read as CSV"),
        ("a,b,a\n1,2,3\n", ", row 1", "columns 1 and 3 are both called 'a'"),
        ("a,b\n", "", "no row below"),
        ("a,b", "", "no row below"),
        ("", "", "empty"),
        ("\ufeff\n \n", "", "empty"),
        (b"a,b\n1,2\n3,\xe9t\xe9\n", ", row 3", "byte 0xe9 is not UTF-8"),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: str | bytes, where: str, what: str) -> None:
    path = _csv(tmp_path, text)
    error = _fails(path)
    assert error.where == f"{path}{where}"
    assert what in error.what
    assert error.remedy


def test_a_missing_file_names_what_lies_beside_it(tmp_path: Path) -> None:
    _csv(tmp_path, "a\n1\n", "planes.csv")
    assert _fails(tmp_path / "plane.csv").remedy == "did you mean 'planes.csv'?"
    assert "planes.csv" in str(_fails(tmp_path / "zzzzzzzz").remedy)
    assert "no folder" in str(_fails(tmp_path / "nowhere" / "a.csv").remedy)
    assert "folder" in _fails(tmp_path).what


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    pyarrow.parquet.write_table(pa.table({"a": list(range(100))}), whole)
    for damaged in (b"PAR1junk", whole.read_bytes()[:-20]):
        error = _fails(_csv(tmp_path, damaged, "a.parquet"))
        assert error.what.startswith("cannot be read as Parquet")
        assert error.where == str(tmp_path / "a.parquet")
    pyarrow.parquet.write_table(pa.table({"a": pa.array([], pa.int64())}), whole)
    assert "no rows" in _fails(whole).what
    two = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pyarrow.parquet.write_table(two, whole)
    assert "both called 'a'" in _fails(whole).what


def test_a_missing_column_names_the_nearest(tmp_path: Path) -> None:
    path = _csv(tmp_path, "tailnum,year\n1,2\n")
    frame = read_table(path)
    for name, remedy in (
        ("tailnumber", "did you mean 'tailnum'?"),
        ("zzz", "the columns are 'tailnum', 'year'"),
    ):
        with pytest.raises(InputError) as caught:
            column_of(frame, name, path)
        assert (caught.value.where, caught.value.remedy) == (str(path), remedy)
