"""`Relation`: what kind of edge there is, between nodes of which types."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """A relation from nodes of one type to nodes of another (or the same).

    An undirected relation has one type at both ends; each of its edges is stored once.
    """

    name: str
    head: str
    tail: str
    directed: bool = True

    @property
    def full_name(self) -> str:
        return f"{self.head}.{self.name}.{self.tail}"
