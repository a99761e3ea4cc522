"""`/docs`: Swagger UI over the OpenAPI document, from files of a package: a browser needs no other server."""

from __future__ import annotations

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

FILES = "/docs/files"


def add_handbook(app: FastAPI) -> None:
    """Serve `/docs` and what it is made of."""
    folder = Path(fastapi_offline.__file__).parent / "static"
    app.mount(FILES, StaticFiles(directory=folder), name="handbook")

    @app.get("/docs", include_in_schema=False)
    async def handbook(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}{FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{FILES}/swagger-ui.css",
            swagger_favicon_url=f"{root}{FILES}/favicon.png",
            # Otherwise it shows the picture of a validator elsewhere.
            swagger_ui_parameters={"validatorUrl": None},
        )
