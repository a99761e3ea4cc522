from __future__ import annotations

from pathlib import Path

from relwise.predictor import RelationshipPredictor
from tests.command import here
from tests.fakes import small_graph
from tests.small_data import TINY


def test_report_writes_one_page_and_names_it(tmp_path: Path) -> None:
    RelationshipPredictor(**TINY).fit(small_graph()).save(tmp_path / "run")  # type: ignore[arg-type]
    ran = here("report", str(tmp_path / "run"), "--out", str(tmp_path / "page.html"))
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"written to {tmp_path / 'page.html'}\n"
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    ran = here("report", str(tmp_path))
    assert ran.code == 2
    assert "this is no run folder" in ran.err
    assert ran.err.count("\n") == 1
