"""The one error that a schema's mistakes become: the file, the key, what is wrong, the nearest right key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from relwise.errors import InputError, nearest


def schema_error(error: ValidationError, model: type[BaseModel], path: str | Path) -> InputError:
    """The first of a schema's mistakes, an unknown key before all others (it often explains them).

    Args:
        error: what Pydantic found.
        model: the whole schema's model.
        path: the schema's file.
    """
    found = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    first = found[0]
    keys = [str(key) for key in first["loc"]]
    own = first.get("ctx", {}).get("error")
    if isinstance(own, InputError):
        key = own.where or ".".join(keys)
        return InputError(own.what, where=_where(path, key), remedy=own.remedy)
    if first["type"] == "extra_forbidden":
        choices = _fields(model, keys[:-1])
        remedy = nearest(keys[-1], choices)
        if not remedy and isinstance(first["input"], dict):
            remedy = f"a name that holds dots stands in quotes, and the keys here are {', '.join(choices)}"
        remedy = remedy or f"the keys here are {', '.join(choices)}"
        return InputError(f"unknown key {keys[-1]!r}", where=_where(path, ".".join(keys)), remedy=remedy)
    if first["type"] == "missing":
        return InputError("missing", where=_where(path, ".".join(keys)), remedy="add it")
    if first["type"] == "too_short":
        return InputError("there is none", where=_where(path, f"{keys[0]}"), remedy=f"add a [{keys[0]}.NAME]")
    # A union's branches follow the key in the path: they are no keys.
    if keys[:1] == ["split"]:
        keys = keys[:2]
    wanted = {
        "string_type": "a string",
        "bool_type": "true or false",
        "literal_error": "one of: " + _choices(first),
    }
    wanted |= dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), 'a table, as in { key = "value" }')
    said = wanted.get(first["type"])
    return InputError(
        f"{first['input']!r} does not fit",
        where=_where(path, ".".join(keys)),
        remedy=f"give {said}" if said else first["msg"].lower(),
    )


def _where(path: str | Path, key: str) -> str:
    return f"{path}, key '{key}'" if key else str(path)


def _choices(error: Any) -> str:
    return str(error.get("ctx", {}).get("expected", ""))


def _fields(model: type[BaseModel], keys: list[str]) -> list[str]:
    """The fields of the model that a path of keys leads to."""
    here: Any = model
    for key in keys:
        if isinstance(here, type) and issubclass(here, BaseModel):
            here = here.model_fields[key].annotation
            here = next((arm for arm in get_args(here) if arm is not type(None)), here) if _optional(here) else here
        elif get_origin(here) is dict:
            here = get_args(here)[1]
    return list(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else []


def _optional(annotation: Any) -> bool:
    return type(None) in get_args(annotation)
