"""`Refusal`: the one error of the server, and the one shape in which every error is answered."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from relwise.errors import InputError
from relwise.serve.shapes import ErrorAnswer, Problem

LONGEST = 500  # characters of a sentence: an error answers, and does not echo, what was sent

JSON = "application/json"

CODES = {401: "unauthorised", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class Refusal(HTTPException):
    """A request that is not answered with success.

    Args:
        status: the HTTP status.
        code: a word for programs.
        what: what is wrong.
        field: which part of the request, `edges.0.head`.
        remedy: what would mend it.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        what: str,
        *,
        field: str | None = None,
        remedy: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, what, dict(headers) if headers else None)
        self.code, self.what, self.field, self.remedy = code, what, field, remedy

    def response(self) -> Response:
        problem = Problem(
            code=self.code, field=_plain(self.field), what=_plain(self.what) or "", remedy=_plain(self.remedy)
        )
        return Response(
            ErrorAnswer(error=problem).model_dump_json(),
            self.status_code,
            headers=self.headers,
            media_type="application/json",
        )

    @staticmethod
    def of(error: InputError, field: str | None = None) -> Refusal:
        """A user's mistake that the predictor found: something that is not in the graph."""
        return Refusal(404, "unknown", error.what, field=field or error.where, remedy=error.remedy)


def _plain(text: str | None) -> str | None:
    """Text that any answer can carry: shortened, without halves of characters."""
    if not text:
        return None
    text = text if len(text) <= LONGEST else text[:LONGEST] + "..."
    return text.encode("utf-8", "replace").decode("utf-8")


def handle_refusals(app: FastAPI) -> None:
    """Give every error that an endpoint or the framework raises the one shape."""

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        if isinstance(error, Refusal):
            return error.response()
        status = error.status_code
        if status == 400:  # FastAPI's, of a body that Python's reader gives up: a million brackets deep, say
            return NO_JSON.response()
        what = HTTPStatus(status).phrase.lower() if status in (404, 405) else str(error.detail)
        remedy = "see /docs for what there is" if status in (404, 405) else None
        return Refusal(status, CODES.get(status, "refused"), what, remedy=remedy, headers=error.headers).response()

    @app.exception_handler(InputError)
    async def mistaken(_: Request, error: InputError) -> Response:
        return Refusal(422, "invalid", error.what, field=error.where, remedy=error.remedy).response()

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return invalid_request(error.errors(), request.headers.get("content-type", "")).response()


NO_JSON = Refusal(400, "no_json", "the body is no JSON", remedy="send one JSON object, in UTF-8")


def invalid_request(errors: Any, content_type: str = JSON) -> Refusal:
    """The first thing that a request's shape has wrong; the value sent is not repeated."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return NO_JSON
    if first["loc"] == ("body",) and content_type.partition(";")[0].strip().lower() != JSON:
        return Refusal(
            422,
            "invalid",
            "the body is not said to be JSON",
            field="Content-Type",
            remedy=f"send the header Content-Type: {JSON}",
        )
    place = [str(part) for part in first["loc"][1:]] or [str(part) for part in first["loc"]]
    what = str(first["msg"]).removeprefix("Value error, ")
    return Refusal(422, "invalid", what[:1].lower() + what[1:], field=".".join(place), remedy=_remedy(len(errors)))


def _remedy(count: int) -> str:
    return "see /docs for the shape" if count == 1 else f"see /docs for the shape; {count} things are wrong in all"
