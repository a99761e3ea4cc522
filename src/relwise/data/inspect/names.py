"""What the names of tables and columns say: their words, the type of thing a table holds, which column means which."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

ID_WORDS = frozenset({"id", "key", "code", "no", "nr", "num", "number", "pk", "fk", "ref", "uuid", "guid"})
"""The last word of a column that holds ids."""

HEAD_WORDS = frozenset({"head", "source", "src", "from", "subject", "left"})
TAIL_WORDS = frozenset({"tail", "target", "dst", "to", "object", "right"})
"""Columns of edge lists, which say at which end they stand and not what stands there."""

SELF_WORDS = frozenset(
    {"parent", "reports", "manager", "supervisor", "superior", "boss", "reply", "previous", "next", "predecessor"}
    | {"successor", "replaces", "replaced", "supersedes"}
)
"""Words of a column that refers to another row of its own table."""

QUANTITY_WORDS = frozenset(
    {"quantity", "qty", "amount", "count", "total", "sum", "price", "cost", "value", "level", "rate", "rating", "score"}
    | {"units", "stock", "age", "year", "month", "day", "hour", "weight", "height", "width", "length", "size", "rank"}
    | {"percent", "discount", "tax", "fee", "min", "max", "avg", "mean", "n", "per", "stars", "position", "order"}
)
"""Words of a column whose whole numbers count or measure, and refer to nothing."""

_IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman", "statuses": "status"}
_NO_PLURAL = ("ss", "us", "is", "news", "series", "species")
_LAYERS = frozenset({"tbl", "dim", "fact", "stg"})
_ENDINGS = frozenset({".csv", ".tsv", ".parquet", ".pq", ".jsonl", ".ndjson", ".json", ".gz", ".zst"})


def words(name: str) -> list[str]:
    """The words of a name in lower case, whichever way they are joined.

    >>> words("CustomerID"), words("ship_via"), words("n2PartsHTML"), words("straße 5")
    (['customer', 'id'], ['ship', 'via'], ['n', '2', 'parts', 'html'], ['straße', '5'])
    """
    parts = re.findall(r"\d+|[^\W\d_]+", name)
    return [word.lower() for part in parts for word in _humps(part)]


def singular(word: str) -> str:
    """One of what an English plural names.

    >>> [singular(w) for w in ("categories", "boxes", "addresses", "orders", "status", "cases", "people")]
    ['category', 'box', 'address', 'order', 'status', 'case', 'person']
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if not word.endswith("s") or word.endswith(_NO_PLURAL) or len(word) < 3:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return word[:-2]
    return word[:-1]


def stem(table: str) -> str:
    """A table's name without folder, file ending and database schema.

    >>> stem("nodes/Orders.csv"), stem("public.orders"), stem("a__buys__b.csv.gz")
    ('Orders', 'orders', 'a__buys__b')
    """
    path = PurePosixPath(table)
    while path.suffix.lower() in _ENDINGS:
        path = path.with_suffix("")
    return path.name.rsplit(".", 1)[-1] or path.name


def type_name(table: str) -> str:
    """What one row of a table is.

    >>> type_name("Categories.csv"), type_name("dim_ticket_types"), type_name("OrderDetails"), type_name("!.csv")
    ('category', 'ticket_type', 'order_detail', 'row')
    """
    found = words(stem(table))
    found = found[1:] if len(found) > 1 and found[0] in _LAYERS else found
    return "_".join([*found[:-1], singular(found[-1])]) if found else "row"


def snake(name: str, otherwise: str) -> str:
    """A name in lower case, its words joined by `_`.

    >>> snake("EmployeeTerritories", "x"), snake("--", "x")
    ('employee_territories', 'x')
    """
    return "_".join(words(name)) or otherwise


def column_stem(column: str) -> str:
    """What an id column refers to, as its name has it.

    >>> column_stem("CustomerID"), column_stem("ShipVia"), column_stem("ReportsTo"), column_stem("id")
    ('customer', 'ship_via', 'reports_to', '')
    """
    found = words(column)
    while found and found[-1] in ID_WORDS:
        found.pop()
    joined = "_".join(found)
    # "userid" is one word; "paid" and "grid" are too short to be taken apart.
    return joined[:-2] if joined.endswith("id") and "_" not in joined and len(joined) > 5 else joined


def names_own_key(table: str, column: str) -> bool:
    """Whether a column is called as the key of its table would be.

    >>> names_own_key("Customers", "CustomerID"), names_own_key("users", "id"), names_own_key("Orders", "CustomerID")
    (True, True, False)
    """
    found = words(column)
    return bool(found) and column_stem(column) in ("", type_name(table), snake(stem(table), "")) and _is_id(column)


def is_reference(column: str) -> bool:
    """Whether a column's name sounds like one that refers to rows elsewhere."""
    found = words(column)
    return bool(found) and (_is_id(column) or found[-1] in ("to", "by", "via", "of", "from", "in"))


def refers(column: str, table: str, key: str, of: str) -> bool:
    """Whether a column's name says that it refers to `table` by `key`; `of` is the table it stands in.

    >>> refers("ShipToCustomerID", "Customers", "CustomerID", "Orders"), refers("user_id", "users", "id", "posts")
    (True, True)
    >>> refers("head", "nodes/office.csv", "id", "office__in_city__city.csv")
    True
    """
    mine, keys, kind = "_".join(words(column)), "_".join(words(key)), type_name(table)
    distinctive = column_stem(key) != "" and keys not in ("name", "title", "code")
    if distinctive and (mine == keys or mine.endswith(f"_{keys}")):
        return True
    about = column_stem(column)
    about = "_".join([*about.split("_")[:-1], singular(about.split("_")[-1])])
    if about == kind or about.endswith(f"_{kind}"):
        return True
    ends = re.split(r"_{2,}", stem(of))
    return len(ends) > 1 and (
        (mine in HEAD_WORDS and type_name(ends[0]) == kind) or (mine in TAIL_WORDS and type_name(ends[-1]) == kind)
    )


def half_refers(column: str, table: str) -> bool:
    """Whether a word of a column's name begins a table's, or the other way round.

    >>> half_refers("ShipVia", "Shippers"), half_refers("ShipVia", "Suppliers")
    (True, False)
    """
    kinds = [word for word in type_name(table).split("_") if len(word) >= 4]
    mine = [word for word in words(column) if len(word) >= 4]
    return any(kind.startswith(word) or word.startswith(kind) for kind in kinds for word in mine)


def _is_id(column: str) -> bool:
    found = words(column)
    return found[-1] in ID_WORDS or (len(found) == 1 and found[0].endswith("id") and len(found[0]) > 5)


def _humps(part: str) -> list[str]:
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+", part)
    return found or [part]
