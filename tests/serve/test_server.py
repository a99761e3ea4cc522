"""`relwise serve` as people run it: address, token, log, the typed client, and how it stops."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from relwise.predictor import RelationshipPredictor
from relwise.serve.client import Client, ServiceError
from relwise.serve.options import others_can_read
from relwise.serve.runs import named_folders
from relwise.serve.shapes import Query
from tests.command import ENVIRONMENT, Ran, here
from tests.serve.live import Live, served

TOKEN = "a-token-that-is-long-enough"


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("token") / "token.txt"
    file.write_text(TOKEN + "\n", encoding="utf-8")
    file.chmod(0o644)
    return file


@pytest.fixture(scope="module")
def live(folder: Path, token_file: Path) -> Iterator[Live]:
    with served(folder, f"again={folder}", "--token-file", token_file) as server:
        yield server


def refused(ran: Ran, *words: str) -> None:
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    for word in words:
        assert word in ran.err


# -- before it starts -------------------------------------------------------------------------------------


def test_other_hosts_need_a_token(folder: Path) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        refused(here("serve", folder, "--host", host), "there is no token", "--token-file")


def test_a_token_is_one_long_word(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "token"
    refused(here("serve", folder, "--token-file", file), "cannot be read")
    for text in ("", "short", "two words that are long", "ein-langes-Wört-mit-Umlaut", "a-line-that-is\nanother-line"):
        file.write_text(text, encoding="utf-8")
        refused(here("serve", folder, "--token-file", file), "at least 16 ASCII characters")


def test_a_token_that_others_can_read_is_told(token_file: Path, tmp_path: Path) -> None:
    assert others_can_read(token_file)
    own = tmp_path / "own"
    own.write_text(TOKEN, encoding="utf-8")
    own.chmod(0o640)
    assert not others_can_read(own)


def test_a_name_that_leads_elsewhere_needs_a_token(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever "localhost" is said to be."""
    with socket.create_server(("0.0.0.0", 0)) as bound:
        monkeypatch.setattr("relwise.serve.server.open_socket", lambda host, port: bound)
        refused(here("serve", folder, "--host", "localhost"), "there is no token")


def test_runs_have_different_names(folder: Path, tmp_path: Path) -> None:
    refused(here("serve", folder, folder), "two runs are called 'shop'")
    refused(here("serve", f"={folder}"), "has no name")
    refused(here("serve", tmp_path / "absent"), "no such run folder")
    odd = tmp_path / "a=b"
    odd.mkdir()
    assert named_folders([str(odd)]) == {"a=b": odd}


def test_a_port_that_is_taken(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        refused(here("serve", folder, "--port", other.getsockname()[1]), "the address cannot be had", "--port")


# -- while it runs ----------------------------------------------------------------------------------------


def test_the_client_has_each_endpoint(live: Live, loaded: RelationshipPredictor) -> None:
    edges = [("pe0", "works_at", "co0"), ("pe3", "knows", "pe7")]
    with Client(live.url, TOKEN) as client:
        assert client.score(edges).probabilities == pytest.approx(loaded.predict_proba(edges).tolist())
        found = client.top_k([Query(head="pe0", relation="works_at"), Query(head="pe0", tail="co1")], k=3, known=True)
        assert [row.tail for row in found.answers[0]] == loaded.top_k("works_at", head="pe0", k=3, known=True)[
            "tail"
        ].tolist()
        assert {row.relation for row in found.answers[1]} == {"works_at", "owns"}
        assert client.explain(*edges[0]).sentence == loaded.explain(*edges[0]).sentence
        assert [relation.name for relation in client.relations().relations] == list(loaded.graph.relation_names)
        assert client.nodes("Company 1", type="company", limit=1).nodes[0].id == "co1"
        assert client.model().settings["dim"] == 8
        assert [run.name for run in client.runs().runs] == ["shop", "again"]
        assert client.health().status == "ok"
        assert 'relwise_requests_total{method="POST",route="/v1/score",status="200"}' in client.metrics()
    with Client(live.url, TOKEN, run="again") as client:
        assert client.score(edges).run == client.model().run == "again"
    with Client(live.url, TOKEN, run="agian") as client, pytest.raises(ServiceError, match="did you mean 'again'"):
        client.relations()


def test_the_client_tells_what_is_wrong(live: Live) -> None:
    with Client(live.url, TOKEN) as client, pytest.raises(ServiceError) as error:
        client.score([("pe0", "works_at", "co0"), ("pe0", "works_at", "co999")])
    assert (error.value.status, error.value.problem.field) == (404, "edges.1.tail")
    assert "did you mean" in str(error.value)


@pytest.mark.parametrize("token", [None, TOKEN[:-1], TOKEN + "x", TOKEN.upper()])
def test_without_the_token_only_health_is_told(live: Live, token: str | None) -> None:
    with Client(live.url, token) as client:
        assert client.health().runs == 2
        for ask in (client.relations, client.metrics, client.nodes, lambda: client.score([("pe0", "knows", "pe1")])):
            with pytest.raises(ServiceError, match="the token is missing or wrong") as error:
                ask()
            assert error.value.status == 401


def test_many_at_once_are_all_answered(live: Live, loaded: RelationshipPredictor) -> None:
    """From several threads at a time, mixed: the model is asked by one after the other."""
    failures: list[object] = []

    def ask(number: int) -> None:
        head = f"pe{number}"
        expected = loaded.top_k("works_at", head=head, k=5)["tail"].tolist()
        try:
            with Client(live.url, TOKEN) as client:
                for _ in range(5):
                    found = client.top_k([Query(head=head, relation="works_at")], k=5).answers[0]
                    assert [row.tail for row in found] == expected
                    client.score([(head, "knows", "pe20")] * 50)
                    client.nodes("person")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_the_client_needs_neither_torch_nor_the_server() -> None:
    code = (
        "import sys, relwise.serve.client; "
        "print([name for name in ('torch', 'numba', 'pandas', 'fastapi', 'uvicorn') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# -- how it stops -----------------------------------------------------------------------------------------


def test_it_ends_though_a_question_that_nobody_waits_for_is_still_asked(tmp_path: Path) -> None:
    """The process's own end would wait for the thread that the model works in."""
    script = (
        "import time\n"
        "from fastapi import FastAPI\n"
        "from relwise.serve.server import Server, open_socket, run_until_told, url_of\n"
        "from relwise.serve.worker import Worker\n"
        "worker, bound = Worker(), open_socket('127.0.0.1', 0)\n"
        "worker._submit(lambda: time.sleep(120))\n"
        "run_until_told(Server(FastAPI(), lambda: print(url_of(bound), flush=True), 1), bound)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.terminate()
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_what_is_in_flight_is_answered_and_the_log_tells_no_secret(live: Live, token_file: Path) -> None:
    """The last test here: it ends the server that the others share."""
    body = json.dumps({"edges": [{"head": "pe0", "relation": "works_at", "tail": "co0"}] * 3}).encode()
    head = (
        f"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with Client(live.url, TOKEN) as client:
        client.nodes("secret words")
    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(head.encode() + body[:10])
        time.sleep(0.5)
        live.process.terminate()
        # It has stopped listening, and still waits for the rest of the body.
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and _listens(live.port):
            time.sleep(0.05)
        assert not _listens(live.port)
        assert live.process.poll() is None
        connection.sendall(body[10:])
        connection.settimeout(20)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["run"] == "shop"
    assert live.process.wait(20) == 0
    line = [line for line in live.lines if line.get("route") == "/v1/score"][-1]
    assert (line["method"], line["route"], line["status"], line["edges"]) == ("POST", "/v1/score", 200, 3)
    assert 400 < line["ms"] < 60_000
    assert not any(word in live.log for word in (TOKEN, "secret", "pe0", "works_at"))
    warned = [line["message"] for line in live.lines if line.get("level") == "warning"]
    assert warned == [f"others on this machine can read the token: chmod 600 {token_file}"]


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
