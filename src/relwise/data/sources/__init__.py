"""Where tables come from: `open_source(spec)` opens what a person named.

| spec | source |
| --- | --- |
| a folder | its files: CSV (`.csv`, `.tsv`), Parquet (`.parquet`, `.pq`), JSON Lines (`.jsonl`, `.ndjson`) |
| a DuckDB file | the tables and views in it, read-only |
| an SQLite file | the tables and views in it, read-only |
| `postgresql://user@host/database` | the tables and views that the user may read; extra `[sql]` |
"""

from relwise.data.sources.base import ForeignKey, Source
from relwise.data.sources.open import open_source

__all__ = ["ForeignKey", "Source", "open_source"]
