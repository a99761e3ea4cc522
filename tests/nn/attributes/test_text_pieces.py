import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relwise.nn.attributes.text import clean
from relwise.nn.attributes.text_pieces import MAX_PIECES, pieces_of, vocabulary
from tests.nn.attributes.cases import column

TEXTS = st.lists(st.none() | st.text(max_size=12), max_size=8)


def test_words_of_three_texts_are_whole_and_the_others_spelled():
    values = column("Oslo air", "air base", "no AIR", "air base", "base", None)
    assert " air" in vocabulary(values)
    assert " base" not in vocabulary(values)  # of three rows, but of two texts
    pieces = vocabulary(values)
    assert [pieces[i - 1] for i in pieces_of(column("Air"), pieces).lists()[0]] == [" air"]


def test_letters_of_one_word_alone_are_unknown():
    pieces = vocabulary(column("ab", "ac"))
    assert pieces == [" a"]
    assert pieces_of(column("ab", "a"), pieces).lists() == [[1, 0], [1]]
    assert vocabulary(column("ab", "cd")) == [" a", " c", "b", "d"]  # where there is nothing else


def test_what_stands_in_frequent_words_alone_is_no_letter():
    assert vocabulary(column("air a", "air b", "air c")) == [" a", " air", " b", " c"]


@given(TEXTS, TEXTS)
@settings(deadline=None)
def test_known_pieces_spell_the_text(fitted, texts):
    pieces = vocabulary(column(*fitted))
    rows = pieces_of(column(*texts), pieces)
    assert rows.lengths.tolist() == sorted(rows.lengths.tolist(), reverse=True)
    assert rows.num_distinct == len(set(map(str, rows.lists())))
    for text, row in zip(texts, rows.lists(), strict=True):
        assert (not row) == (not clean(text))
        if 0 not in row and len(row) < MAX_PIECES:
            assert "".join(pieces[i - 1] for i in row) == "".join(f" {word}" for word in clean(text).split())


def test_long_texts_are_cut():
    values = column("word " * 100, "b word", "c word")
    assert [len(row) for row in pieces_of(values, vocabulary(values)).lists()] == [MAX_PIECES, 2, 2]


@pytest.mark.parametrize("texts", [(), (None,), ("", " \n")])
def test_no_text_has_no_pieces(texts):
    assert vocabulary(column(*texts)) == []
    assert pieces_of(column("a", None, ""), []).lists() == [[0], [], []]


def test_the_order_of_rows_does_not_matter():
    texts = ["air one", "air two", "air three", "two trees"]
    assert vocabulary(column(*texts)) == vocabulary(column(*texts[::-1]))
