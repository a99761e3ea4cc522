from __future__ import annotations

import pytest

from relwise.data.sources.postgres_url import PostgresURL
from relwise.errors import InputError


@pytest.mark.parametrize(
    ("url", "full", "shown"),
    [
        ("postgresql://me:pw@h:1/d", "postgresql://me:pw@h:1/d", "postgresql://me@h:1/d"),
        ("postgres://me@h/d", "postgresql://me@h/d", "postgresql://me@h/d"),
        ("postgresql+psycopg://me:pw@h/d", "postgresql://me:pw@h/d", "postgresql://me@h/d"),
        ("postgresql:///d?host=/run", "postgresql:///d?host=/run", "postgresql:///d?host=/run"),
        ("postgresql://h1:1,h2:2/d", "postgresql://h1:1,h2:2/d", "postgresql://h1:1,h2:2/d"),
        ("postgresql://me:pw@[::1]:5/d", "postgresql://me:pw@[::1]:5/d", "postgresql://me@[::1]:5/d"),
        # passwords that are written as they are
        ("postgresql://me:p@ss@h/d", "postgresql://me:p%40ss@h/d", "postgresql://me@h/d"),
        ("postgresql://me:p/s#s@h/d", "postgresql://me:p%2Fs%23s@h/d", "postgresql://me@h/d"),
        ("postgresql://me:p?ss@h/d", "postgresql://me:p%3Fss@h/d", "postgresql://me@h/d"),
        ("postgresql://me:p@s/s?#@h/d", "postgresql://me:p%40s%2Fs%3F%23@h/d", "postgresql://me@h/d"),
        ("postgresql://me:100%@h/d", "postgresql://me:100%25@h/d", "postgresql://me@h/d"),
        ("postgresql://me:p%40ss@h/d", "postgresql://me:p%40ss@h/d", "postgresql://me@h/d"),
        ("postgresql://h/d?user=me&password=pw", "postgresql://h/d?user=me&password=pw", "postgresql://h/d?user=me"),
    ],
)
def test_urls(url: str, full: str, shown: str) -> None:
    parsed = PostgresURL.parse(url)
    assert parsed.full.replace("?connect_timeout=10", "").replace("&connect_timeout=10", "") == full
    assert parsed.shown == shown
    assert "connect_timeout=10" in parsed.full
    assert "p" not in parsed.secrets
    assert shown in repr(parsed)
    assert all(secret not in repr(parsed) for secret in parsed.secrets)


def test_the_password_is_hidden_in_each_of_its_forms() -> None:
    url = PostgresURL.parse("postgresql://me:se%40cret@h/d?sslpassword=ke%2Fy")
    text = f"no: {url.full} se@cret se%40cret ke/y ke%2Fy"
    assert url.hidden(text) == "no: postgresql://me@h/d *** *** *** ***"


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret", "postgresql:/me:secret@h", "postgres://me @ h:secret/d", "postgres://h/d?secret"]
)
def test_what_is_no_url_is_not_shown(url: str) -> None:
    with pytest.raises(InputError) as caught:
        PostgresURL.parse(url)
    assert "secret" not in str(caught.value)
    assert "PGPASSWORD" in str(caught.value.remedy)
