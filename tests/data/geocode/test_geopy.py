"""Geocoders of geopy: with a fake service, as there is no network here."""

import sqlite3
import subprocess
import sys
from types import SimpleNamespace

import pytest
from geopy.exc import GeocoderTimedOut

from relwise.data.geocode import GeopyGeocoder, geopy
from relwise.errors import InputError

PLACES = {"Oslo, Norway": (59.9, 10.7), "Bergen, Norway": (60.4, 5.3)}


class Service:
    """Knows `PLACES`; fails where it is told to."""

    def __init__(self, fail=False):
        self.asked, self.fail = [], fail

    def geocode(self, query):
        self.asked.append(query)
        if self.fail:
            raise GeocoderTimedOut("no answer")
        found = PLACES.get(query)
        return None if found is None else SimpleNamespace(latitude=found[0], longitude=found[1])


@pytest.fixture
def clock(monkeypatch):
    """Time that only sleeping lets pass."""
    state = SimpleNamespace(now=100.0, slept=[])

    def sleep(seconds):
        state.slept.append(seconds)
        state.now += seconds

    monkeypatch.setattr(geopy, "time", SimpleNamespace(monotonic=lambda: state.now, sleep=sleep))
    return state


@pytest.mark.usefixtures("clock")
def test_hits_and_misses_are_asked_for_once(tmp_path):
    service = Service()
    for _ in range(2):  # the second one finds the file
        geocoder = GeopyGeocoder(service, tmp_path / "places.db")
        for _ in range(2):
            assert geocoder.locate([" Oslo ", None, "Norway"]) == (59.9, 10.7)
            assert geocoder.locate(["Nowhere", "Norway"]) is None
            assert geocoder.locate([None, "  "]) is None
    assert service.asked == ["Oslo, Norway", "Nowhere, Norway"]


@pytest.mark.usefixtures("clock")
def test_two_services_do_not_share_their_answers(tmp_path):
    one, other = Service(), Service()
    assert GeopyGeocoder(one, tmp_path / "places.db", name="a").locate(["Oslo", "Norway"])
    assert GeopyGeocoder(other, tmp_path / "places.db", name="b").locate(["Oslo", "Norway"])
    assert one.asked == other.asked


def test_no_more_requests_than_allowed(tmp_path, clock):
    geocoder = GeopyGeocoder(Service(), tmp_path / "places.db", per_second=4)
    for name in ("Oslo", "Bergen", "Nowhere"):
        geocoder.locate([name, "Norway"])
    assert clock.slept == [0.0, 0.25, 0.25]
    geocoder.locate(["Oslo", "Norway"])
    assert len(clock.slept) == 3  # what is kept waits for nothing
    clock.now += 10
    geocoder.locate(["Oslo"])
    assert clock.slept[-1] == 0


@pytest.mark.usefixtures("clock")
def test_a_failure_is_one_line_and_keeps_what_was_found(tmp_path):
    service = Service()
    geocoder = GeopyGeocoder(service, tmp_path / "places.db")
    geocoder.locate(["Oslo", "Norway"])
    service.fail = True
    with pytest.raises(InputError) as caught:
        geocoder.locate(["Bergen", "Norway"])
    assert str(caught.value).startswith("the geocoder Service failed at 'Bergen, Norway' (no answer); try again")
    assert geocoder.locate(["Oslo", "Norway"]) == (59.9, 10.7)
    service.fail = False
    assert geocoder.locate(["Bergen", "Norway"]) == (60.4, 5.3)  # a failure is no answer


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("damage", ["text", "folder", "absent"])
def test_a_cache_that_cannot_be_used_is_one_line(tmp_path, damage):
    path = tmp_path / "places.db"
    if damage == "text":
        path.write_text("this is a letter, and no database at all\n" * 50)
    elif damage == "folder":
        path.mkdir()
    else:
        path = tmp_path / "no" / "places.db"
    with pytest.raises(InputError, match=r"places.db: the cache of the geocoder cannot be used .*; name another file"):
        GeopyGeocoder(Service(), path).locate(["Oslo", "Norway"])


def test_what_was_answered_survives_a_kill(tmp_path):
    script = """if True:
        import os, signal, sys
        from types import SimpleNamespace
        from relwise.data.geocode import GeopyGeocoder

        class Service:
            def geocode(self, query):
                if query == "last":
                    os.kill(os.getpid(), signal.SIGKILL)
                return SimpleNamespace(latitude=1.0, longitude=2.0)

        geocoder = GeopyGeocoder(Service(), sys.argv[1], per_second=1e9)
        for name in ("a", "b", "last"):
            geocoder.locate([name])
    """
    path = tmp_path / "places.db"
    assert subprocess.run([sys.executable, "-c", script, str(path)]).returncode == -9
    with sqlite3.connect(path) as kept:
        assert sorted(kept.execute("SELECT address, latitude FROM places")) == [("a", 1.0), ("b", 1.0)]


def test_a_rate_must_be_positive(tmp_path):
    with pytest.raises(ValueError, match="per_second must be positive"):
        GeopyGeocoder(Service(), tmp_path / "places.db", per_second=0)
