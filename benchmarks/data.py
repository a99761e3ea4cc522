"""Where the benchmark data are: the folder in RELWISE_DATA, else `../shared/data` beside the checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def benchmark_folder(name: str) -> Path:
    """The folder of a benchmark data set; ends the program with one line where there is none."""
    folder = Path(os.environ.get("RELWISE_DATA", ROOT.parent / "shared" / "data")) / name
    if not folder.is_dir():
        sys.exit(f"{folder}: the data set is not there; set RELWISE_DATA to the folder that holds {name}/")
    return folder
