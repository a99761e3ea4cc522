"""The benchmark data: table, checks, downloads from a server on this machine, and copies in the form of Cen et al."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import cen_format
import data
import data_fetch
import relwise
from data_sources import DataFile, DataSet, load
from relwise.errors import InputError
from relwise.predictor import RelationshipPredictor

FILES = {"train.txt": b"1 a b\n" * 40_000, "more/test.txt": b"1 b c 1\n"}


class Server(http.server.BaseHTTPRequestHandler):
    """Serves FILES: whole, broken off in the middle (`/cut/`) or as other bytes (`/other/`); notes what was asked."""

    asked: list[str]

    def do_GET(self) -> None:
        _, how, name = self.path.split("/", 2)
        self.asked.append(name)
        content = FILES.get(name)
        if content is None:
            self.send_error(404)
            return
        if how == "other":
            content = content.replace(b"1", b"2")
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if how == "cut" else content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """The address of a server on this machine, and the names that it was asked for."""
    asked: list[str] = []
    handler = type("Handler", (Server,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}", asked
        running.shutdown()
        thread.join()


def _set(address: str | None, how: str = "whole", **kinds: str) -> DataSet:
    files = tuple(
        DataFile(
            name,
            len(content),
            hashlib.sha256(content).hexdigest(),
            address and f"{address}/{kinds.get(Path(name).stem, how)}/{name}",
        )
        for name, content in FILES.items()
    )
    return DataSet("small", "a small set", 3, 2, 1, "none", "here", "none", "made up", files)


def _held(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# -- fetching ----------------------------------------------------------------------------------------------


def test_fetch_brings_what_is_lacking(server: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = server
    wanted = _set(address)
    assert data_fetch.fetch(wanted, tmp_path) == list(FILES)
    assert _held(tmp_path / "small") == FILES
    assert data_fetch.check(wanted, tmp_path) == []
    asked.clear()
    assert data_fetch.fetch(wanted, tmp_path) == []
    assert asked == []
    (tmp_path / "small" / "train.txt").write_bytes(b"1 a c\n" * 40_000)  # of the same size
    (line,) = data_fetch.check(wanted, tmp_path)
    assert "train.txt: differs: its SHA-256" in line
    assert data_fetch.fetch(wanted, tmp_path) == ["train.txt"]
    assert asked == ["train.txt"]
    assert _held(tmp_path / "small") == FILES


@pytest.mark.parametrize(
    ("how", "what"), [("other", "is another file by now"), ("cut", "broke off after 120,000 of 240,000 bytes")]
)
def test_nothing_wrong_is_kept(server: tuple[str, list[str]], tmp_path: Path, how: str, what: str) -> None:
    wanted = _set(server[0], train=how)
    with pytest.raises(InputError, match=what) as caught:
        data_fetch.fetch(wanted, tmp_path)
    assert str(caught.value.where).endswith("train.txt")
    assert _held(tmp_path) == {}
    # Nor does what lies there give way to it.
    path = tmp_path / "small" / "train.txt"
    path.write_bytes(b"of another day")
    with pytest.raises(InputError, match=what):
        data_fetch.fetch(wanted, tmp_path)
    assert _held(tmp_path / "small") == {"train.txt": b"of another day"}


def test_an_interruption_leaves_nothing_half_written(
    server: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def interrupt(name: str, size: int, total: int) -> None:
        seen.append(len(_held(tmp_path)))
        raise KeyboardInterrupt

    monkeypatch.setattr(data_fetch, "_progress", interrupt)
    with pytest.raises(KeyboardInterrupt):
        data_fetch.fetch(_set(server[0]), tmp_path)
    assert seen == [1]  # under another name
    assert _held(tmp_path) == {}


def test_without_a_network_or_an_address(server: tuple[str, list[str]], tmp_path: Path) -> None:
    for wanted, what in (
        (_set("http://127.0.0.1:9"), "cannot be fetched"),
        (_set(server[0].replace("http", "none")), "unknown url type"),
        (_set(None), "cannot be fetched in this form"),
    ):
        with pytest.raises(InputError, match=what) as caught:
            data_fetch.fetch(wanted, tmp_path)
        assert caught.value.remedy == "set RELWISE_DATA to a folder that holds small/"
    assert _held(tmp_path) == {}
    gone = _set(server[0])
    lost = DataFile("lost.txt", 1, "0", f"{server[0]}/whole/lost.txt")
    with pytest.raises(InputError, match="Not Found"):
        data_fetch.fetch(DataSet(**{**vars(gone), "files": (lost,)}), tmp_path)


# -- the program -------------------------------------------------------------------------------------------


def test_the_program(
    server: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(data, "load", lambda: {"small": _set(server[0])})
    monkeypatch.setenv("RELWISE_DATA", str(tmp_path))
    assert data.main(["check", "small"]) == 1
    assert "set RELWISE_DATA to the folder that holds small/" in capsys.readouterr().out
    assert data.main(["fetch", "small", "--out", str(tmp_path)]) == 0
    assert "2 of 2 files fetched" in capsys.readouterr().out
    assert data.main(["check"]) == 0
    assert data.benchmark_folder("small") == tmp_path / "small"
    (tmp_path / "small" / "train.txt").unlink()
    assert data.main(["check"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == f"{tmp_path / 'small' / 'train.txt'}: missing"
    assert data.main(["check", "smal"]) == 2
    assert "did you mean 'small'?" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="set RELWISE_DATA"):
        data.benchmark_folder("large")


def test_the_table_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    sets = load()
    folders = "amazon youtube_partial canada_procurement northwind fb15k237 wn18rr fb237_v1"
    assert list(sets) == folders.split()
    for data_set in sets.values():
        assert all(len(file.sha256) == 64 and file.bytes > 0 for file in data_set.files)
        assert all((file.url is None) or file.url.startswith("https://") for file in data_set.files)
    assert {name for name, data_set in sets.items() if not data_set.published} == {"canada_procurement", "northwind"}
    assert data.main(["list"]) == 0
    printed = capsys.readouterr().out
    assert all(f"\n{name}: " in printed and sets[name].licence in printed for name in sets)


@pytest.mark.data
@pytest.mark.parametrize("name", list(load()))
def test_our_files_are_those_of_the_table(name: str, benchmark_data) -> None:
    folder = benchmark_data(name)
    assert data_fetch.check(load()[name], folder.parent) == []


@pytest.mark.data
@pytest.mark.parametrize("name", ["amazon", "northwind", "fb237_v1"])
def test_the_counts_are_the_graphs(name: str, benchmark_data) -> None:
    data_set, folder = load()[name], benchmark_data(name)
    if name == "amazon":
        graph = relwise.read(folder)
        # The graph leaves out no edge of Amazon's.
        assert (graph.num_nodes, len(graph.edges), graph.num_relations) == (10_099, 148_659, 2)
        assert (data_set.nodes, data_set.edges, data_set.relations) == (10_099, 148_659, 2)
    elif name == "fb237_v1":
        parts = [relwise.read(folder / part) for part in ("train_graph", "unseen_graph")]
        assert data_set.nodes == sum(graph.num_nodes for graph in parts)
        assert data_set.edges == sum(len(graph.edges) for graph in parts)
        assert data_set.relations == parts[0].num_relations
    else:
        assert len(data_set.files) == len([p for p in folder.rglob("*") if p.is_file() and p.name != "NOTES.md"])


# -- Cen et al.'s formats ----------------------------------------------------------------------------------


def _cen(folder: Path, features: str | None = None) -> Path:
    """30 nodes in a ring with chords, in GATNE's form; every tenth edge is for validation, the next for the test."""
    rng = np.random.default_rng(0)
    lines: dict[str, list[str]] = {"train": [], "valid": [], "test": []}
    for i in range(30):
        for k, relation in ((1, 1), (2, 1), (3, 2)):
            part = {0: "valid", 1: "test"}.get((3 * i + k) % 10, "train")
            edge = f"{relation} n{i} n{(i + k) % 30}"
            lines[part].append(edge if part == "train" else f"{edge} 1")
            if part != "train":
                lines[part].append(f"{relation} n{i} n{(i + 10 + rng.integers(10)) % 30} 0")
    folder.mkdir(parents=True)
    for part, rows in lines.items():
        (folder / f"{part}.txt").write_text("\n".join(rows) + "\n")
    if features is not None:
        (folder / "feature.txt").write_text(features)
    return folder


def _features() -> str:
    """Of all nodes but n0 and n1, and of two that stand in no edge."""
    rows = [f"n{i} {np.sin(i):.3f} {np.cos(i):.3f} {i % 2}" for i in range(2, 32)]
    return "\n".join([f"{len(rows)} 3", *rows]) + "\n"


@pytest.mark.parametrize("counts", [True, False])
def test_a_copy_with_features_is_trained_on(tmp_path: Path, counts: bool, capsys: pytest.CaptureFixture[str]) -> None:
    text = _features() if counts else _features().split("\n", 1)[1]
    out = tmp_path / "out"
    assert data.main(["cen", str(_cen(tmp_path / "mine", text)), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "30 nodes have 3 features; 2 have none, and 2 stand in no edge" in said
    assert not any("feature.txt is the one" in line for line in said.splitlines())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "out"]
    graph = relwise.read(out)
    assert (graph.num_nodes, len(graph.edges), graph.split_rule.by) == (32, 90, "given")
    (nodes,) = graph.node_types
    values = dict(zip(nodes.ids, nodes.attributes[0].values, strict=True))
    np.testing.assert_allclose(values["n31"], [np.sin(31), np.cos(31), 1], atol=5e-4)
    assert np.isnan(values["n0"]).all()
    model = RelationshipPredictor(dim=8, steps=6, eval_every=3).fit(graph)
    assert np.isfinite(model.predict_proba([("n0", "1", "n31"), ("n2", "2", "n5")])).all()
    assert model.score() > 0


def test_a_copy_without_features(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert data.main(["cen", str(_cen(tmp_path / "mine")), "--out", str(tmp_path / "out")]) == 0
    assert relwise.read(tmp_path / "out").node_types[0].attributes == ()
    assert data.main(["cen", str(tmp_path / "mine"), "--out", str(tmp_path / "out")]) == 2
    assert "name another --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("train.txt", "1 a b\n1 a\n", "train.txt, line 2: 2 fields where there should be 3"),
        ("valid.txt", "1 a b 1\n\n1 a c 2\n", "valid.txt, line 3: the label is '2'"),
        ("feature.txt", "n1 1 2\nn2 1 two\n", "feature.txt, line 2: 'two' is not a number"),
    ],
)
def test_a_wrong_line_is_one_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, what: str
) -> None:
    (_cen(tmp_path / "mine") / file).write_text(text)
    assert data.main(["cen", str(tmp_path / "mine"), "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert what in line
    assert ";" in line  # and its remedy
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_the_authors_own_file_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = _cen(tmp_path / "mine", _features())
    content = _features().encode()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # as git has it
    known = DataSet(**{**vars(_set(None)), "missing": {"feature.txt": blob}})
    monkeypatch.setattr(cen_format, "load", lambda: {"small": known})
    assert "feature.txt is the one of here" in cen_format.convert(mine, tmp_path / "out")
