"""`relwise serve RUN`: trained runs over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relwise.errors import InputError


def serve(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="run folders, each FOLDER or NAME=FOLDER")],
    host: Annotated[str, typer.Option(help="the address to listen at; other than this machine's: with a token")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="the port; 0: one that is free, which is printed")] = 8000,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="a file with the word that every request must bear")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="seconds that a request may take")] = 30.0,
) -> None:
    """Serve trained runs over HTTP: a web page at /page/, the REST API with its handbook at /docs.

    One line of JSON a request goes to stderr. SIGTERM ends it once what was asked is answered.

    Examples:

    relwise serve my-run

    relwise serve shop=runs/shop flights=runs/flights --host 0.0.0.0 --token-file token.txt
    """
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise InputError("serving needs the extra 'serve'", remedy="pip install 'relwise[serve]'") from None
    from relwise.serve.observe import log_in_lines, note
    from relwise.serve.options import ServeOptions, others_can_read, read_token
    from relwise.serve.runs import named_folders
    from relwise.serve.server import LOCAL, Server, is_local, open_socket, run_until_told, url_of

    token = read_token(token_file) if token_file else None
    open_to_others = InputError(
        "others than this machine could ask, and there is no token",
        where=f"--host {host}",
        remedy="add --token-file FILE, or leave --host out",
    )
    if token is None and not is_local(host):
        raise open_to_others
    folders = named_folders(runs)
    with open_socket(host, port) as bound:
        if token is None and not is_local(bound.getsockname()[0]):
            raise open_to_others
        from relwise.predictor import RelationshipPredictor
        from relwise.serve.app import create_app
        from relwise.serve.page.mount import add_page
        from relwise.serve.worker import Worker

        options = ServeOptions(token=token, hosts=None if token else LOCAL | {host}, timeout=timeout)
        worker = Worker(options.waiting)
        loaded = {
            name: worker.run_now(lambda folder=folder: RelationshipPredictor.load(folder))
            for name, folder in folders.items()
        }
        app = create_app(loaded, options, worker=worker)
        add_page(app, token, folders)

        def ready() -> None:
            url = url_of(bound)
            print(f"serving {', '.join(loaded)} at {url} (page: {url}/page/, handbook: {url}/docs)", flush=True)

        log_in_lines()
        if token_file and others_can_read(token_file):
            note(level="warning", message=f"others on this machine can read the token: chmod 600 {token_file}")
        run_until_told(Server(app, ready, timeout), bound)
