"""`add_page`: the web page on an application of `relwise.serve.app`, in the same process."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from relwise.serve.page.entity import entity_page
from relwise.serve.page.login import PAGE, Sessions, add_login
from relwise.serve.page.marked import marks_page
from relwise.serve.page.marks import Marks
from relwise.serve.page.model import model_page
from relwise.serve.page.search import search_page
from relwise.serve.page.site import Site
from relwise.serve.refusal import Refusal
from relwise.serve.service import Service

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><g stroke="#1a56b8" stroke-width="3">'
    '<path d="M8 23 L16 8 L25 21" fill="none"/><path d="M8 23 L25 21" stroke-dasharray="3 3"/></g>'
    '<g fill="#1a56b8"><circle cx="8" cy="23" r="5"/><circle cx="16" cy="8" r="5"/><circle cx="25" cy="21" r="5"/></g>'
    "</svg>"
)


def add_page(app: FastAPI, token: str | None = None, folders: Mapping[str, Path] | None = None) -> None:
    """Mount the page at `/page/`, where `/` then leads.

    NiceGUI has one set of pages in a process, and so has this: it is for one application, before it starts.

    Args:
        app: of `create_app`.
        token: the server's, which the page asks for too; None: none.
        folders: the run folder of each run by name, where its marks are kept; of a run that is not there, marks end
            with the server.

    Raises:
        InputError: where marks are there and cannot be read.
    """
    service: Service = app.state.service
    site = Site(service, _marks(folders or {}))
    _add_files(app, site)
    if token is not None:
        app.state.sessions = Sessions(token)
        add_login(app, app.state.sessions)

    @ui.page("/")
    async def search(run: str | None = None, q: str = "") -> None:
        await search_page(site, run, q)

    @ui.page("/entity")
    async def entity(run: str | None = None, type: str = "", id: str = "") -> None:
        await entity_page(site, run, type, id)

    @ui.page("/marks")
    async def marks(run: str | None = None) -> None:
        await marks_page(site, run)

    @ui.page("/model", response_timeout=60)
    async def model(run: str | None = None) -> None:
        await model_page(site, run)

    # As it starts, NiceGUI looks for its server among all objects there are, and touches a name that torch gave up.
    warnings.filterwarnings("ignore", ".*torch.distributed.reduce_op", FutureWarning)
    ui.run_with(
        app,
        mount_path=PAGE,
        title="relwise",
        favicon=ICON,
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        binding_refresh_interval=None,
    )


def _marks(folders: Mapping[str, Path]) -> dict[str, Marks]:
    """The marks of each run; one folder served by two names has one."""
    places = {name: folder.resolve() for name, folder in folders.items()}
    kept = {place: Marks.of(place) for place in set(places.values())}
    return {name: kept[place] for name, place in places.items()}


def _add_files(app: FastAPI, site: Site) -> None:
    """What is no page of NiceGUI's: the way in, and the tables to take along."""

    @app.get("/", include_in_schema=False)
    async def begin() -> Response:
        return RedirectResponse(f"{PAGE}/", 307)

    @app.get(f"{PAGE}/marks.csv", include_in_schema=False)
    async def marks(run: str | None = None) -> Response:
        return _csv(site.marks(site.service.runs.get(run)).csv(), "marks.csv")

    @app.get(f"{PAGE}/negatives.csv", include_in_schema=False)
    async def negatives(run: str | None = None, part: str = "test") -> Response:
        if part not in ("valid", "test"):
            raise Refusal(422, "invalid", f"there is no part {part!r}", field="part", remedy="it is valid or test")
        return _csv(site.marks(site.service.runs.get(run)).negatives(part), "negatives.csv")


def _csv(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
