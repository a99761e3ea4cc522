"""The model page of a run as one self-contained HTML file, to read or to send to a colleague.

Nothing in it is loaded from elsewhere and it has no script; charts are inline SVG; it follows light and dark. Each
section is a file of this package: a function from `Facts` to markup. The web page shows the same sections.

| section | file |
| --- | --- |
| what the run is | `about.py` |
| measures beside the plain baselines; per relation | `measures.py` |
| reliability diagram | `calibration.py` |
| what not to use it for | `warnings.py` |
| leaks and the audit's findings | `findings.py` |
| types, relations, attributes | `data.py` |
| training curve | `training.py` |
| the sampler's report | `sampler.py` |
| attention entropy | `attention.py` |
| settings and versions | `settings.py` |
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from relwise.errors import InputError
from relwise.report.facts import Facts, read_facts
from relwise.report.page import Section, contents, page, sections

__all__ = ["Facts", "Section", "contents", "page", "read_facts", "sections", "write_report"]


def write_report(run: str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a run folder.

    Args:
        run: the run folder.
        out: the HTML file; None: `report.html` in the run folder. One that stands there is replaced.

    Returns:
        The file.

    Raises:
        InputError: where the folder is no run, or the file cannot be written.
    """
    file = Path(out) if out is not None else Path(run) / "report.html"
    if file.is_dir():
        raise InputError("this is a folder, not a file", where=str(file), remedy="name an HTML file with --out")
    text = page(read_facts(run))
    part = file.with_name(file.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, file)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise InputError(
            f"cannot be written ({error.strerror})", where=str(file), remedy="name another place with --out"
        ) from None
    return file
