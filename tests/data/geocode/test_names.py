import pytest
from hypothesis import given
from hypothesis import strategies as st

from relwise.data.geocode.names import plain, squeezed


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("SAINT-JÉRÔME", "St. Jerome"),
        ("Ste-Foy", "sainte foy"),
        ("L'Ancienne-Lorette", "L\u2019ANCIENNE LORETTE"),
        ("Straße", "STRASSE"),
        ("Zu\u0308rich", "Z\u00fcrich"),
        ("  Val   d'Or ", "VAL-D'OR"),
        ("Αθήνα", "ΑΘΗΝΑ"),
    ],
)
def test_spellings_of_one_name(written, same):
    assert plain(written) == plain(same)


@pytest.mark.parametrize(
    ("one", "other"), [("Ōsaka", "Ōsuka"), ("が", "か"), ("St. John", "St. John's"), ("北京", "南京")]
)
def test_other_names(one, other):
    assert plain(one) != plain(other)


@given(st.text(max_size=30))
def test_any_text_has_one_spelling(name):
    assert plain(plain(name)) == plain(name)
    assert plain(name) == plain(name).strip()
    assert " " not in squeezed(name)
