"""The whole audit: nothing on clean graphs, all that is known of real ones, in time, as JSON, as TOML."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relwise.data.audit import Audit, audit
from relwise.data.audit.blanks import blanks
from relwise.data.graph import Graph, SplitRule
from relwise.data.read import read
from relwise.data.schema_split import SplitSchema
from relwise.data.split import split_graph
from tests.data.audit.graphs import audited, case, clean_graph, purchases
from tests.fakes import small_graph

SCHEMAS = Path(__file__).parents[3] / "benchmarks" / "schemas"


@pytest.mark.parametrize("dated", [False, True])
@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_found_where_nothing_is(seed: int, scale: int, dated: bool) -> None:
    assert audited(clean_graph(seed, dated, scale), seed) == Audit()


def test_leaks_come_first_and_the_seed_decides() -> None:
    found = audited(purchases())
    severities = [finding.severity for finding in found.findings]
    assert severities[0] == "leak"
    assert severities == sorted(severities, key=["leak", "warn", "note"].index)
    assert audited(purchases()) == found
    graph = purchases()
    edges, relations = graph.edges, graph.relations
    assert (graph.edges, graph.relations) == (edges, relations)


def test_its_split_is_toml_and_mends_it() -> None:
    found = audited(purchases())
    text = found.one_split()
    assert text is not None
    table = tomllib.loads(text.replace("[split] ", "[split]\n").replace(", group", "\ngroup").replace(", thr", "\nthr"))
    schema = SplitSchema.model_validate(table["split"])
    assert set(schema.group) == {"buys_from", "order", "small_order", "changes"}
    again = audited(purchases(rule=schema.rule()))
    assert not [finding for finding in again.findings if finding.severity == "leak"]


def test_as_json_and_back() -> None:
    found = audited(replace(small_graph(), split_rule=SplitRule("time", "2020-09-01", "2020-11-01")))
    assert found.findings
    assert Audit.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
    assert len(found.describe()) == len(found.findings)


def test_without_time_it_says_what_it_left_out() -> None:
    graph = purchases()
    found = audit(graph, split_graph(graph), seconds=0.0)
    assert found.findings == ()
    assert found.unexamined == (f"all but repeated edges: {len(graph.edges):,} edges are too many for 0 s",)


def test_graphs_at_the_edge() -> None:
    lone = Graph.from_triples({"train": [("a", "r", "b")], "valid": [("a", "r", "c")]})
    found = audited(replace(lone, split_rule=SplitRule("given")))
    assert any("valid edges end in a node without training edges" in finding.sentence for finding in found.findings)
    only = Graph.from_triples({"train": [("a", "r", "b"), ("b", "r", "a")]})
    parts = np.zeros(2, dtype=np.int8)
    found = audited(replace(only, split_rule=SplitRule("given"), parts=parts))
    assert [finding.severity for finding in found.findings] == ["note"]


# -- real data ---------------------------------------------------------------------------------------------


def purchases_of_canada(folder: Path, at: Path) -> Graph:
    """The company level of `canada_procurement`: the benchmark's schema beside links to the tables."""
    for name in ("nodes", "edges"):
        (at / name).symlink_to(folder / name)
    (at / "schema.toml").write_text((SCHEMAS / "canada_procurement.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return read(at)


@pytest.mark.data
def test_canada(benchmark_data: Callable[[str], Path], tmp_path: Path) -> None:
    graph = purchases_of_canada(benchmark_data("canada_procurement"), tmp_path)
    assert (len(graph.edges), graph.num_relations) == (66_422, 11)
    found = audited(replace(graph, split_rule=SplitRule()))
    leaks = [finding for finding in found.findings if finding.severity == "leak"]
    projection = next(f for f in leaks if f.sentence.startswith("'office buys_from supplier', through 'office part_of"))
    assert projection.relations[:3] == ("buys_from", "part_of", "open_bidding_award")
    assert projection.through == ("part_of",)
    implied = next(f for f in leaks if f.sentence.startswith("'department amended_contract_with supplier' implies one"))
    assert set(implied.relations[1:]) == {
        "open_bidding_award",
        "non_competitive_award",
        "traditional_competitive_award",
    }
    assert "94.4 % of its pairs have one" in implied.sentence  # 307 of 5,505 pairs have none, says its note
    assert all(finding.kind in ("derived", "overlaps") for finding in leaks)
    # Each remedy that it offers does mend it.
    group = {name for finding in leaks for name in finding.group}
    by_group = SplitRule("group", group=tuple(group), through=("part_of",))
    for mended in (replace(graph, split_rule=by_group), replace(graph, edge_attributes={})):
        assert {finding.severity for finding in audited(mended).findings} == {"note"}
    # By time what edges were worth is blank where the business went on, which tells that it did.
    told = [finding for finding in blanks(case(graph)) if finding.severity == "warn"]
    assert {finding.relations[0]: finding.types[0] for finding in told} == {
        "open_bidding_award": "supplier",
        "non_competitive_award": "supplier",
        "buys": "commodity",
        "supplies": "supplier",
        "buys_from": "supplier",
    }
    assert all("columns 'contracts' and 'value'" in finding.sentence for finding in told)


@pytest.mark.data
def test_amazon(benchmark_data: Callable[[str], Path]) -> None:
    finding, order = audited(read(benchmark_data("amazon"))).findings
    assert (finding.severity, finding.count) == ("leak", 2_991)
    assert finding.sentence.startswith("2,991 of 14,746 (20.3 %) test edges of '1' and '2' stand in train turned round")
    assert "1,463 of 7,378 (19.8 %) of valid" in finding.sentence
    assert (order.kind, order.severity, order.relations) == ("ends", "note", ("1", "2"))
    assert order.sentence.endswith("can")
    assert "by relation: '1' (87.0 %) and '2' (70.3 %)" in order.sentence
