"""A trained run served over HTTP (extra `[serve]`): `relwise serve RUN`.

| file | what |
| --- | --- |
| `shapes.py`, `explanation.py` | every request and answer, as Pydantic models |
| `app.py`, `routes.py` | the application and its endpoints |
| `answering.py` | from requests to the predictor and back |
| `search.py` | nodes by any text in them |
| `runs.py` | several runs by name |
| `worker.py` | the one thread that the model works in |
| `service.py` | what the endpoints and the page share |
| `guard.py`, `limits.py`, `observe.py` | token and host; body and time; log and counters |
| `refusal.py` | the one shape of an error |
| `handbook.py` | `/docs`, which needs no network |
| `server.py` | address, signals, graceful stop |
| `page/` | the web page |
| `client.py` | a typed client in Python, which needs neither torch nor FastAPI |
"""
