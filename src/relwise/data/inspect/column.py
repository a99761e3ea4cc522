"""What one column is: its modality, how it is read, or why it is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from relwise.data.columns import FALSE, TRUE
from relwise.data.inspect.cells import Cells
from relwise.data.inspect.dates import date_form, parse_dates
from relwise.data.inspect.names import QUANTITY_WORDS, words

CODE_WORDS = frozenset(
    {"id", "key", "code", "zip", "postal", "postcode", "zipcode", "phone", "fax", "tel", "telephone", "mobile"}
    | {"extension", "ssn", "isbn", "ean", "sku", "iban", "uuid", "guid", "hash", "token", "password"}
)
"""Words of a column whose digits are no quantity."""

PLACE_WORDS = frozenset({"city", "town", "locality", "region", "state", "province", "county", "country"})
STREET_WORDS = frozenset({"address", "street", "addr", "address1", "address2"})
LABEL_WORDS = ("name", "title", "label", "description")
_PERSON_WORDS = frozenset({"first", "last", "given", "family", "middle", "contact", "nick", "user"})
_PATH = re.compile(
    r"^(?:[A-Za-z]:\\|\\\\|\.{0,2}/\S+/)|https?://|\bwww\.|\.(?:jpe?g|png|gif|bmp|tiff?|svg|pdf|html?|docx?)\b", re.I
)
_PHONE = re.compile(r"(?=(?:.*\d){6})[+\d()\s./x-]{6,25}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w+")


@dataclass(frozen=True)
class Column:
    """What was found of one column.

    Args:
        name: the column.
        modality: as a schema names it; None: it is left out.
        reason: why it is left out.
        options: `separator` or `format`, where reading it needs one.
        remark: what a person should know of it.
        examples: its first distinct values.
        missing: the share of its cells that hold nothing.
        distinct: how many distinct values it has.
        label: how well it would do as the name that people are shown, from 0.
    """

    name: str
    modality: str | None = None
    reason: str = ""
    options: dict[str, str] = field(default_factory=dict)
    remark: str = ""
    examples: tuple[str, ...] = ()
    missing: float = 0.0
    distinct: int = 0
    label: int = 0


def inspect_column(name: str, cells: Cells) -> Column:
    """The modality of a column, by its cells, its name deciding where they leave a doubt.

    >>> inspect_column("size", Cells.of(pa.array(["4", "", "5.5", "6"]))).modality
    'numeric'
    >>> inspect_column("phone", Cells.of(pa.array(["555-1234567", "555-7654321"]))).reason
    'phone numbers: they say nothing of other rows'
    """
    distinct = 0 if cells.kind == "list" else len(cells.counts)
    found = _by_kind(name, cells, distinct)
    return Column(
        name=name,
        modality=found.modality,
        reason=found.reason,
        options=found.options,
        remark=found.remark,
        examples=cells.examples(),
        missing=cells.missing,
        distinct=distinct,
        label=_label(name, cells) if cells.kind == "string" and distinct > 1 else 0,
    )


def _by_kind(name: str, cells: Cells, distinct: int) -> Column:
    if not cells.given.any():
        return Column(name, reason="blank in every row")
    if cells.kind == "list":
        return _lists(name, cells)
    if cells.kind == "other":
        return Column(name, reason=f"its type, {cells.array.type}, is none that is read")
    if distinct == 1 and cells.given.all():
        return Column(name, reason=f"the same in every row: {cells.examples()[0]!r}")
    if cells.kind == "boolean":
        return Column(name, "boolean")
    if cells.kind == "date":
        return Column(name, "timestamp")
    if cells.kind in ("integer", "float"):
        if not np.isfinite(cells.numbers).all():
            return Column(name, reason="NaN or infinity among its numbers: write null where a value is missing")
        return _number(name, cells, distinct)
    return _string(name, cells, distinct)


def _lists(name: str, cells: Cells) -> Column:
    kept = cells.array.filter(pa.array(cells.given))
    inner = kept.flatten()
    if not (pa.types.is_integer(inner.type) or pa.types.is_floating(inner.type)):
        words = pa.types.is_string(inner.type) or pa.types.is_large_string(inner.type)
        return Column(name, "multi_categorical") if words else Column(name, reason="lists of neither numbers nor words")
    lengths = set(map(len, kept.to_pylist()))
    if len(lengths) > 1 or 0 in lengths:
        return Column(name, reason="lists of several lengths")
    numbers = inner.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    if not (np.abs(numbers) <= np.finfo(np.float32).max).all():
        return Column(name, reason="lists that hold more than numbers, or too large ones")
    return Column(name, "vector")


def _number(name: str, cells: Cells, distinct: int) -> Column:
    numbers, named = cells.numbers, set(words(name))
    values = set(np.unique(numbers).tolist()) if distinct <= 2 else set()
    if values and values <= {0.0, 1.0}:
        return Column(name, "boolean")
    whole = bool((numbers == np.round(numbers)).all())
    if whole and named & CODE_WORDS:
        if cells.repeated >= 0.5:
            return Column(name, "categorical", remark="whole numbers whose name is a code's")
        return Column(name, reason="codes of which nearly every row has its own")
    if whole and distinct == len(cells.given) > 2 and (np.diff(numbers) == 1).all():
        return Column(name, reason="it numbers the rows")
    # float32 is what a network sees.
    if np.abs(numbers).max() > np.finfo(np.float32).max:
        return Column(name, reason="numbers too large to compute with")
    return Column(name, "numeric")


def _string(name: str, cells: Cells, distinct: int) -> Column:
    values, weights = cells.counts.index.to_series(), cells.counts.to_numpy()
    lowered = set(values.str.lower()) if distinct <= 4 else set()
    if len(lowered) == 2 and lowered & set(TRUE) and lowered & set(FALSE):
        return Column(name, "boolean")
    named, zeros = set(words(name)), bool(values.str.fullmatch(r"0\d+").any())
    numeric = np.isfinite(cells.numbers)
    if numeric.all() and not zeros:
        dated = date_form(values.reset_index(drop=True)) if values.str.fullmatch(r"(?:19|20)\d{6}").all() else None
        if dated and dated.share == 1 and (named & {"date", "day", "time", "datetime", "on", "at"}):
            return Column(name, "timestamp", options={"format": str(dated.format)})
        return _number(name, cells, distinct)
    dated = date_form(values.reset_index(drop=True))
    if dated is not None and dated.share == 1:
        other = f"it may as well be {dated.other}: its dates fit both" if dated.other else ""
        return Column(name, "timestamp", options={"format": dated.format} if dated.format else {}, remark=other)
    if dated is not None and dated.share >= 0.9:
        wrong = next(v for v in values if parse_dates(pd.Series([v], dtype=object), dated.format).isna().all())
        return Column(name, reason=f"dates, but for values like {_short(wrong)!r}: mend those and declare it timestamp")
    if 0.9 <= numeric.mean() < 1 and not zeros and distinct > 20 and not named & CODE_WORDS:
        wrong = cells.texts.to_numpy()[~numeric][0]
        return Column(name, reason=f"numbers, but for cells like {_short(wrong)!r}: blank those and declare it numeric")
    separator = _separator(values, weights)
    if separator:
        return Column(name, "multi_categorical", options={} if separator == "|" else {"separator": separator})
    return _words(name, cells, named)


def _words(name: str, cells: Cells, named: set[str]) -> Column:
    values = cells.counts.index.to_series()
    if values.str.contains(_PATH).mean() >= 0.8:
        return Column(name, reason="file paths or web addresses")
    length = values.str.split().map(len).mean()
    repeated = cells.repeated
    if repeated >= 0.5 and (length < 8 or repeated >= 0.9):
        return Column(name, "categorical")
    if named & PLACE_WORDS and repeated > 0 and length < 6:
        return Column(name, "categorical")
    if named & STREET_WORDS:
        return Column(name, reason="street addresses: nearly every row has its own")
    if values.str.fullmatch(_MAIL).mean() >= 0.9:
        return Column(name, reason="mail addresses: nearly every row has its own")
    if values.str.fullmatch(_PHONE).mean() >= 0.9 or (named & {"phone", "fax", "telephone", "mobile"}):
        return Column(name, reason="phone numbers: they say nothing of other rows")
    lettered = values.str.contains(r"[^\W\d_]{3}", regex=True).mean() >= 0.8
    if lettered and (length >= 4 or (_label(name, cells) > 1 and not named & _PERSON_WORDS)):
        return Column(name, "text")
    kind = "names" if lettered and not named & CODE_WORDS else "codes"
    return Column(name, reason=f"{kind} of which nearly every row has its own")


def _separator(values: pd.Series, weights: np.ndarray) -> str | None:
    """What stands between the words of cells that hold several of a few words."""
    for separator in ("|", ";", ","):
        several = values.str.contains(separator, regex=False)
        if np.average(several, weights=weights) < 0.2:
            continue
        pieces = values.str.split(separator, regex=False)
        parts = pieces.explode().str.strip()
        parts = parts[parts != ""]
        if not len(parts) or parts.str.len().max() > 40 or parts.str.split().map(len).mean() > 3:
            continue
        # No more words than there are different cells, and each in several rows.
        if parts.nunique() <= min(len(values), (pieces.map(len).to_numpy() * weights).sum() / 3):
            return separator
    return None


def _label(name: str, cells: Cells) -> int:
    """How well a column would do as the name that people are shown."""
    named = words(name)
    known = [len(LABEL_WORDS) - LABEL_WORDS.index(word) for word in named if word in LABEL_WORDS]
    if not known or len(cells.counts) < 0.5 * len(cells.texts) or set(named) & (CODE_WORDS | QUANTITY_WORDS):
        return 0
    return max(1, 2 * max(known) - 3 * bool(set(named) & (_PERSON_WORDS | {"file", "ship", "of"})))


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 30 else text[:27] + "..."
