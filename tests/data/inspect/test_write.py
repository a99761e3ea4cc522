"""The proposal as TOML: what names may hold, and what a person is told."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from relwise.data.inspect import schema_text
from relwise.data.inspect.proposal import (
    LeftOut,
    Proposal,
    ProposedAttribute,
    ProposedEnd,
    ProposedNodes,
    ProposedRelation,
    ProposedSplit,
)
from relwise.data.schema import Schema
from tests.data.inspect.shop import proposed, shop_tables

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(names, names, names.filter(bool), names, names)
def test_any_name_is_written_so_that_it_is_read_again(
    type_name: str, column: str, table: str, reason: str, doubt: str
) -> None:
    attribute = ProposedAttribute(column, "timestamp", (column,), {"format": f"%Y{reason}"}, reason)
    nodes = ProposedNodes(type_name, table, 3, (column, "b"), column, (attribute,), (LeftOut(column, reason),))
    end = ProposedEnd(type_name, (column,), 0.96, "name")
    relation = ProposedRelation("r", table, end, end, 5, 1, attributes=(attribute,))
    proposal = Proposal((nodes,), {"r": relation}, ProposedSplit(), (), {table: reason}, (doubt,))
    given = tomllib.loads(schema_text(proposal, reason, source=table))
    schema = Schema.model_validate(given)
    assert schema.source == table
    assert schema.nodes[type_name].key == [column, "b"]
    assert schema.nodes[type_name].attributes[column].columns == (column,)
    assert schema.relations["r"].head.column == column
    assert schema.relations["r"].on_orphan == "drop"


def test_what_a_person_reads(tmp_path: Path) -> None:
    text = schema_text(proposed(tmp_path, shop_tables()), "shop")
    assert "[relations.customer]  # 60 edges\n# CustomerID by its name, all of its values\ntable" in text
    assert 'time = { column = "OrderDate", format = "%m/%d/%Y" }' in text
    assert "# Phone: phone numbers: they say nothing of other rows" in text
    assert "# Not used: Settings.csv: it has no key" in text
    assert '# place = { address = ["City", "Region", "Country"] }  # in their stead' in text
    assert "# without dates, and so taken as always known: reports_to, order_details, category" in text
    assert "# each order has one date" in text
    assert "source" not in tomllib.loads(text)


def test_shares_are_rounded_down(tmp_path: Path) -> None:
    shops = [{"shop_id": str(i)} for i in range(3000)]
    visits = [{"visit_id": f"v{i}", "shop_id": str(i)} for i in range(1, 3001)]
    text = schema_text(proposed(tmp_path, {"shops": shops, "visits": visits}), "shop")
    assert "shop_id by its name, 99.9 % of its values" in text
    assert 'on_orphan = "drop"  # 1 row whose id is in no row of the node table' in text
