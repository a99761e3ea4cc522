"""The page in a real browser: Chromium without a window, driven by Playwright.

RELWISE_SCREENSHOTS names a folder that pictures of each page go to: 1280 and 390 pixels wide, light and dark.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pandas as pd
import pytest
import uvicorn

from relwise.predictor import RelationshipPredictor
from relwise.serve.app import create_app
from relwise.serve.options import ServeOptions
from relwise.serve.page.entity import percent
from relwise.serve.page.mount import add_page
from relwise.serve.server import open_socket, url_of

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra [test])")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium")

OFFLINE = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""To Chromium: no name leads anywhere but to this machine."""

TOKEN = "a-token-of-many-letters"
EVIL = "<img src=x onerror=alert(1)>"
NAMES = (EVIL, "</title></script><script>alert(1)</script>", "{{ 7 * 7 }}", "\u200b", "\u202ebackwards", "x" * 700)
ENTITY = "/page/entity?type=person&id=pe3"


@pytest.fixture(scope="module")
def url(loaded: RelationshipPredictor, folder: Path) -> Iterator[str]:
    """A server that asks for a token, in a thread of its own: NiceGUI has one set of pages in a process.

    The second run has names that a stranger's table may hold, and no folder that could be written to.
    """
    odd = [{"id": f"odd{i}", "label": name} for i, name in enumerate(NAMES)]
    knows = [{"head": row["id"], "tail": "pe1"} for row in odd]
    grown = loaded.with_graph(loaded.graph.add_nodes("person", odd).add_edges("knows", knows))
    app = create_app({"shop": loaded, EVIL: grown}, ServeOptions(token=TOKEN))
    add_page(app, TOKEN, {"shop": folder})
    with open_socket("127.0.0.1", 0) as bound:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        until = time.monotonic() + 60
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        yield url_of(bound)
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", f"--host-resolver-rules={OFFLINE}"]
        )
        yield made
        made.close()


@pytest.fixture(scope="module")
def context(browser: Any, url: str) -> Iterator[Any]:
    """A browser that is logged in, and that reaches no other server; what it asked for is kept."""
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(20_000)
    made.asked = []
    made.on("request", lambda request: made.asked.append(request.url))
    page = made.new_page()
    page.goto(f"{url}/page/login")
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/page/")
    page.close()
    yield made
    made.close()


@pytest.fixture
def page(context: Any) -> Iterator[Any]:
    made = context.new_page()
    problems: list[str] = []
    made.on("pageerror", lambda error: problems.append(str(error)))
    made.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield made
    made.close()
    assert problems == []


def _rows(page: Any) -> list[tuple[str, str, str]]:
    """(words, name, probability) of each prediction listed."""
    page.wait_for_selector(".prediction")
    found = []
    for row in page.locator(".prediction").all():
        words = row.locator(".what > span").first.inner_text().strip()
        found.append((words, row.locator(".what a").inner_text(), row.locator(".chance > span").last.inner_text()))
    return found


def test_the_token_is_asked_for(browser: Any, url: str) -> None:
    stranger = browser.new_context(viewport={"width": 390, "height": 700})
    page = stranger.new_page()
    page.goto(f"{url}/page/model")
    assert page.url == f"{url}/page/login?to=model%3F"
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_label("Token").fill("no-such-token-at-all")
    page.get_by_role("button", name="Enter").click()
    assert "not the token" in page.get_by_role("alert").inner_text()
    assert page.request.get(f"{url}/page/marks.csv", max_redirects=0).status == 303
    stranger.close()


def test_search_finds_any_text_and_a_keyboard_is_enough(page: Any, url: str, loaded: RelationshipPredictor) -> None:
    page.goto(f"{url}/page/")
    page.wait_for_selector("#search")
    page.keyboard.type("person 3")
    # Half of it finds others, and "found" stands there already then.
    page.locator(".hits li:first-child").get_by_text("Person 3", exact=True).wait_for()
    assert page.locator("#search").input_value() == "person 3"
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.inner_text() == "Person 3"
    assert focused.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_selector(".prediction")
    assert page.url.endswith("/page/entity?type=person&id=pe3")
    page.get_by_role("button", name="Why?").first.focus()
    page.keyboard.press("Enter")
    sentence = page.locator(".sentence").first
    sentence.wait_for()
    name = page.locator(".prediction .what a").first.inner_text()
    edge = _edge(loaded, *_rows(page)[0][:2])
    assert sentence.inner_text() == loaded.explain(*edge).sentence
    assert name in sentence.inner_text()
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Right"
    page.go_back()
    page.get_by_text("found").wait_for()
    assert page.locator("#search").input_value() == "person 3"
    page.get_by_label("Search").fill("rivers")
    page.get_by_text("bio: likes rivers and boats").first.wait_for()


def _edge(loaded: RelationshipPredictor, words: str, name: str) -> tuple[str, str, str]:
    """The edge that a row on pe3's page is about."""
    relation = words.strip("→ ")
    table = loaded.top_k(relation, head="pe3", k=60)
    other = table[table["name"] == name].iloc[0]
    return other["head"], other["relation"], other["tail"]


def test_what_is_missing_stands_there_with_its_probability(page: Any, url: str, loaded: RelationshipPredictor) -> None:
    page.goto(f"{url}{ENTITY}")
    rows = _rows(page)
    assert len(rows) == 15
    edges = [_edge(loaded, words, name) for words, name, _ in rows]
    assert [shown for *_, shown in rows] == [percent(p) for p in loaded.predict_proba(edges)]
    known = {row for name in ("works_at", "owns", "knows") for row in _known(loaded, name)}
    assert not known & set(edges)


def _known(loaded: RelationshipPredictor, relation: str) -> set[tuple[str, str, str]]:
    table = loaded.top_k(relation, head="pe3", k=60, known=True)
    columns = (table[name].tolist() for name in ("head", "tail", "known"))
    return {(head, relation, tail) for head, tail, known in zip(*columns, strict=True) if known}


def test_predictions_are_filtered_and_more_are_shown(page: Any, url: str) -> None:
    page.goto(f"{url}{ENTITY}")
    assert len({words for words, *_ in _rows(page)}) > 1
    page.get_by_label("Relation").select_option("owns")
    page.wait_for_function(
        "[...document.querySelectorAll('.what > span:first-child')].every(e => /owns/.test(e.innerText))"
    )
    assert {words for words, *_ in _rows(page)} == {"owns →"}
    page.get_by_label("Relation").select_option("all")
    page.get_by_label("With").select_option("person")
    page.wait_for_function(
        "[...document.querySelectorAll('.what > span:first-child')].every(e => /knows/.test(e.innerText))"
    )
    before = len(_rows(page))
    page.get_by_role("button", name="Show more").click()
    page.wait_for_function(f"document.querySelectorAll('.prediction').length > {before}")


def test_right_and_wrong_are_kept_and_come_as_csv(page: Any, url: str, loaded: RelationshipPredictor) -> None:
    page.goto(f"{url}{ENTITY}")
    edges = [_edge(loaded, words, name) for words, name, _ in _rows(page)[:3]]
    page.get_by_role("button", name="Right:").nth(0).click()
    page.get_by_role("button", name="Wrong:").nth(1).click()
    page.get_by_role("button", name="Wrong:").nth(2).click()
    page.locator("button[aria-pressed=true]").nth(2).wait_for()
    page.reload()
    page.locator("button[aria-pressed=true]").nth(2).wait_for()
    page.get_by_role("link", name="Marks (3)").click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="All marks").click()
    frame = pd.read_csv(io.StringIO(Path(saved.value.path()).read_text(encoding="utf-8")), dtype=str)
    assert list(frame.columns) == ["head", "relation", "tail", "label"]
    assert list(frame.itertuples(index=False, name=None)) == [(*e, n) for e, n in zip(edges, "100", strict=True)]
    page.get_by_role("button", name=f"Take back: {' '.join(edges[2])}").click()
    page.locator(".hits li").nth(2).wait_for(state="detached")
    answer = page.request.get(f"{url}/page/negatives.csv?part=valid").text()
    assert answer.splitlines() == ["head,relation,tail,part", f"{','.join(edges[1])},valid"]
    assert page.request.get(f"{url}/page/negatives.csv?part=none").status == 422


def test_a_login_leads_to_the_page_that_was_wanted(browser: Any, url: str) -> None:
    """Whoever is sent an address arrives there."""
    stranger = browser.new_context()
    page = stranger.new_page()
    page.goto(f"{url}{ENTITY}")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Enter").click()
    page.get_by_role("heading", name="Person 3").wait_for()
    assert page.url == f"{url}{ENTITY}"
    page.goto(f"{url}/page")
    page.get_by_role("heading", name="Which relationships").wait_for()
    stranger.close()


def test_marks_are_in_the_run_folder_and_where_they_are_not_it_is_said(page: Any, url: str, folder: Path) -> None:
    """After the test above, which made three and took one back."""
    lines = (folder / "marks.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    assert [label for *_, label in (json.loads(line).values() for line in lines)] == [1, 0, 0, None]
    page.goto(f"{url}/page/marks")
    page.get_by_text("Marks are kept in marks.jsonl").wait_for()
    page.locator(".marked a").first.click()
    page.wait_for_url("**/page/entity?type=person&id=pe3")
    page.goto(f"{url}/page/marks?run={quote(EVIL)}")
    assert "lost when the server ends" in page.get_by_role("alert").inner_text()
    page.goto(f"{url}/page/entity?type=person&id=pe3&run={quote(EVIL)}")
    page.get_by_text("is lost when the server ends").wait_for()


def test_a_mark_that_cannot_be_written_is_not_shown_as_made(
    page: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    page.goto(f"{url}/page/entity?type=person&id=pe5")
    page.wait_for_selector(".prediction")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        page.get_by_role("button", name="Right:").first.click()
        assert "No space left" in page.get_by_role("alert").inner_text()
    assert page.locator("button[aria-pressed=true]").count() == 0


def test_what_is_open_stays_open_when_more_is_shown(page: Any, url: str) -> None:
    page.goto(f"{url}{ENTITY}")
    page.get_by_role("button", name="Why?").first.click()
    page.locator(".sentence").wait_for()
    page.get_by_role("button", name="Show more").focus()
    page.keyboard.press("Enter")
    page.locator(".prediction").nth(15).wait_for()
    assert page.locator(".sentence").is_visible()
    page.wait_for_function("document.activeElement.closest('.prediction') !== null")
    focused = page.locator(":focus").inner_text()
    assert focused == page.locator(".prediction .what a").nth(15).inner_text()


def test_a_failure_of_the_code_is_told_and_asked_anew(
    page: Any, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret")

    page.goto(f"{url}{ENTITY}")
    why = page.get_by_role("button", name="Why?").first
    with monkeypatch.context() as patch:
        patch.setattr(RelationshipPredictor, "explain", fail)
        why.click()
        assert "the server failed" in page.get_by_role("alert").inner_text()
    log = capsys.readouterr().err
    assert "RuntimeError at" in log
    assert "secret" not in log
    why.click()
    why.click()
    page.locator(".sentence").wait_for()
    assert page.get_by_role("alert").count() == 0


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_whatever_a_name_holds_it_is_text_that_can_be_clicked(page: Any, url: str, number: int) -> None:
    """In the title, as heading, in a sentence, in a drawing; the page fits on a telephone."""
    page.set_viewport_size({"width": 390, "height": 800})
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(f"{url}/page/entity?type=person&id=odd{number}&run={quote(EVIL)}")
    page.wait_for_selector(".prediction")
    page.get_by_role("button", name="Why?").first.click()
    page.locator(".sentence").wait_for()
    heading = page.locator("h1").inner_text()
    seen = NAMES[number] != "\u200b"
    name = NAMES[number][:100] if seen else f"odd{number}"
    assert heading.startswith(name)
    assert page.title().startswith(name)
    assert name in page.locator(".sentence").inner_text() or not seen
    assert page.locator("img").count() == 0
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("h1").bounding_box()["height"] < 250
    assert page.locator(".sentence").bounding_box()["height"] < 500
    page.goto(f"{url}/page/?run={quote(EVIL)}&q=odd{number}")
    hit = page.locator(".hits li").first
    hit.wait_for()
    # The name first, then what stands behind it, whichever way the name is written.
    link, chip = hit.locator("a").bounding_box(), hit.locator(".chip").first.bounding_box()
    assert link["width"] > 0
    assert chip["x"] > link["x"] or chip["y"] > link["y"]


def test_names_are_text_and_mistakes_are_told(page: Any, url: str) -> None:
    page.goto(f"{url}/page/")
    page.get_by_role("link", name=EVIL).click()
    page.get_by_role("heading", name="Which relationships").wait_for()
    assert page.locator("img").count() == 0
    assert page.get_by_role("link", name="Model").get_attribute("href").startswith("./model?run=%3Cimg")
    page.goto(f"{url}/page/entity?type=person&id=pe333")
    assert "did you mean 'pe3" in page.get_by_role("alert").inner_text()
    page.goto(f"{url}/page/?run=shopp")
    assert "did you mean 'shop'" in page.get_by_role("alert").inner_text()


def test_the_model_page_has_the_sections_of_the_report(page: Any, url: str, loaded: RelationshipPredictor) -> None:
    page.goto(f"{url}/page/model")
    page.get_by_role("heading", name="Settings and versions").wait_for()
    assert page.locator("section h2").count() == 11
    page.get_by_role("link", name="How good it is").click()
    assert page.url.endswith("#measures")
    shown = page.locator("#measures ~ *, section:has(#measures)").first.inner_text()
    assert f"{100 * loaded.measured['micro']['ap']:.2f}" in shown


@pytest.mark.parametrize("name", ["search", "entity", "marks", "model"])
def test_every_page_fits_and_every_control_has_a_name(page: Any, url: str, name: str) -> None:
    """At 1280 and 390 pixels, light and dark."""
    paths = {"search": "/page/?q=person", "entity": ENTITY, "marks": "/page/marks", "model": "/page/model"}
    page.goto(f"{url}{paths[name]}")
    page.wait_for_selector({"search": ".hits", "entity": ".prediction", "marks": "h1", "model": "#settings"}[name])
    if name == "entity":
        page.get_by_role("button", name="Why?").first.click()
        page.wait_for_selector(".sentence")
    assert page.evaluate(UNNAMED) == []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme, ground in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 28)")):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
            if folder := os.environ.get("RELWISE_SCREENSHOTS"):
                Path(folder).mkdir(parents=True, exist_ok=True)
                page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)


UNNAMED = """
[...document.querySelectorAll('a, button, input, select, summary, [role=region]')]
  .filter(e => !(e.innerText || '').trim() && !e.getAttribute('aria-label') && !(e.labels && e.labels.length))
  .map(e => e.outerHTML.slice(0, 80))
"""


def test_no_request_has_left_this_machine(context: Any, url: str) -> None:
    """Of all the tests above."""
    assert len(context.asked) > 50
    assert {urlsplit(address).hostname for address in context.asked} == {"127.0.0.1"}
