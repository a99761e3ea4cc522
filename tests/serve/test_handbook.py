"""`/docs` needs no other server, and the OpenAPI document tells of every answer."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.testclient import TestClient

from relwise.serve.options import ServeOptions
from relwise.serve.shapes import MOST_EDGES, MOST_QUERIES

V1 = {"/v1/score", "/v1/top-k", "/v1/explain", "/v1/relations", "/v1/nodes", "/v1/model", "/v1/runs"}


def test_everything_the_page_loads_is_here(asking: TestClient) -> None:
    page = asking.get("/docs")
    assert page.status_code == 200
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert len(loaded) == 3
    for address in loaded:
        assert address.startswith("/docs/files/")
        assert asking.get(address).status_code == 200
    assert not re.search(r"https?://", page.text)
    assert "'/openapi.json'" in page.text.replace('"', "'")


def test_the_document_types_every_answer(asking: TestClient) -> None:
    document = asking.get("/openapi.json").json()
    assert set(document["paths"]) == V1 | {"/healthz", "/metrics"}
    for path, methods in document["paths"].items():
        for method in methods.values():
            for status, answer in method["responses"].items():
                schema = next(iter(answer["content"].values()))["schema"]
                assert schema == {"type": "string"} if path == "/metrics" and status == "200" else "$ref" in schema
                assert (schema.get("$ref") == "#/components/schemas/ErrorAnswer") == (int(status) >= 400)


def test_the_documentation_tells_of_every_endpoint_and_limit(asking: TestClient) -> None:
    page = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
    document = asking.get("/openapi.json").json()
    told = set(re.findall(r"^\| `(\w+) (/[\w/-]+)` \|", page, re.MULTILINE))
    assert told == {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    for limit in (f"{MOST_EDGES:,} edges", f"{MOST_QUERIES} queries", f"more than {ServeOptions().waiting} requests"):
        assert limit in page
    assert f"{ServeOptions().body // 2**20} MiB" in page
    assert f"`--timeout` seconds ({ServeOptions().timeout:g})" in page
