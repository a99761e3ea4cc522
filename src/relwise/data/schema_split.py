"""The `[split]` of a `schema.toml`."""

from __future__ import annotations

import datetime
import re
from typing import Literal, cast

import pandas as pd
from pydantic import Field, model_validator

from relwise.data.graph import SplitRule
from relwise.data.schema_attribute import SchemaPart
from relwise.errors import InputError


class SplitSchema(SchemaPart):
    """How the edges are split: by time (the first moment of each part), or in another way (shares)."""

    by: Literal["time", "random", "unseen", "group"]
    valid: float | datetime.date | datetime.datetime | str | None = None
    test: float | datetime.date | datetime.datetime | str | None = None
    type: str | None = None
    group: list[str] = Field(default_factory=list)
    through: list[str] = Field(default_factory=list)
    negatives: str = "uniform"

    @model_validator(mode="after")
    def _fits(self) -> SplitSchema:
        self.rule()
        for option, of in (("type", "unseen"), ("group", "group"), ("through", "group")):
            if getattr(self, option) and self.by != of:
                raise InputError(f'{option} goes with by = "{of}"', where=f"split.{option}", remedy="leave it out")
        if self.by == "unseen" and self.type is None:
            raise InputError("the node type is missing", where="split", remedy='say which is held out: type = "..."')
        return self

    @property
    def negatives_table(self) -> str | None:
        """The table of the negatives, where the person gives them."""
        return None if self.negatives in ("uniform", "degree") else self.negatives

    def rule(self) -> SplitRule:
        drawn: Literal["uniform", "degree"] = "degree" if self.negatives == "degree" else "uniform"
        if self.by != "time":
            default = SplitRule()
            valid = _share("valid", default.valid if self.valid is None else self.valid, self.by)
            test = _share("test", default.test if self.test is None else self.test, self.by)
            if valid + test >= 1:
                raise InputError("valid and test leave nothing to train on", remedy="let them sum to less than 1")
            return SplitRule(self.by, valid, test, self.type, tuple(self.group), tuple(self.through), drawn)
        valid, test = _moment("valid", self.valid), _moment("test", self.test)
        if not valid < test:
            raise InputError(
                f"valid ({_iso(valid)}) does not begin before test ({_iso(test)})",
                remedy="training ends where valid begins, and valid where test begins",
            )
        return SplitRule("time", _iso(valid), _iso(test), negatives=drawn)


def _share(name: str, value: object, by: str) -> float:
    if not isinstance(value, float | int) or isinstance(value, bool) or not 0 < value < 1:
        raise InputError(f"{name} is {value!r}", remedy=f'with by = "{by}" it is a share between 0 and 1')
    return float(value)


def _moment(name: str, value: object) -> pd.Timestamp:
    wrong = InputError(
        f"{name} is missing" if value is None else f"{name} is {str(value)!r}, which is not a date",
        remedy=f'with by = "time" it is a date: {name} = "2013-09-01"',
    )
    if not isinstance(value, str | datetime.date) or not re.match(r"\d{4}-\d{2}", str(value)):
        raise wrong
    try:
        moment = cast(pd.Timestamp, pd.Timestamp(str(value)))
    except ValueError:
        raise wrong from None
    return moment.tz_convert(None) if moment.tzinfo else moment


def _iso(moment: pd.Timestamp) -> str:
    return moment.isoformat() if moment != moment.normalize() else moment.date().isoformat()
