from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relwise.report.markup import bullets, prose, table, tag
from tests.report.reading import Reader


@given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])))
def test_whatever_is_given_comes_out_as_text(text: str) -> None:
    """An HTML parser reads back what went in: in content, in an attribute's place, in a table's cells."""
    assert Reader(tag("p", text)).text == text
    assert Reader(tag("p", tag("b", text), title=text)).text == text
    assert Reader(bullets([text])).text == text
    read = Reader(table("c", ["h", text], [[text, text]]))
    assert read.tables["c"] == [["h", text], [text, text]]


def test_attributes_are_escaped_and_renamed() -> None:
    assert tag("i", class_="a", aria_label='"<', hidden=True, title=None) == (
        '<i class="a" aria-label="&#34;&lt;" hidden></i>'
    )


def test_a_table_tells_a_screen_reader_its_headers() -> None:
    made = table("Sizes", ["type", "nodes"], [["person", "3"]])
    assert made.count('scope="col"') == 2
    assert '<th scope="row">person</th><td class="number">3</td>' in made
    assert "<caption><span>Sizes</span></caption>" in made
    assert 'tabindex="0"' in made


def test_prose_knows_paragraphs_lists_and_bold() -> None:
    assert prose("a\nb\n\nc **d**") == "<p>a b</p><p>c <strong>d</strong></p>"
    assert prose("- a <b>;\n- c.") == "<ul><li>a &lt;b&gt;;</li><li>c.</li></ul>"
