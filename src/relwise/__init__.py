"""relwise: relationship prediction in attributed, heterogeneous, multi-relational graphs.

>>> import relwise
>>> graph = relwise.Graph.from_triples([(i, "likes", (i + k) % 40) for i in range(40) for k in (1, 2, 3, 4)])
>>> model = relwise.RelationshipPredictor(dim=16, steps=20).fit(graph)
>>> model.predict_proba([(0, "likes", 1)]).shape
(1,)
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Read when torch and its thread pool are first loaded; what the user has set stands.
# Huge pages make allocation-heavy torch code several times faster.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
# Threads that wait spin for a moment only. By default they spin for milliseconds, and where another program wants
# the cores, each of the many short parallel sections then costs a time slice: steps of 0.2 s took several seconds.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

__version__ = "0.1.0"

if TYPE_CHECKING:
    from relwise.data.graph import Graph as Graph
    from relwise.data.graph import SplitRule as SplitRule
    from relwise.data.read import read as read
    from relwise.errors import InputError as InputError
    from relwise.negatives import ASASampler as ASASampler
    from relwise.negatives import HardestSampler as HardestSampler
    from relwise.negatives import NSCachingSampler as NSCachingSampler
    from relwise.negatives import RandomSampler as RandomSampler
    from relwise.nn.decoders import ComplEx as ComplEx
    from relwise.nn.decoders import DistMult as DistMult
    from relwise.nn.relgnn import AttributeFusion as AttributeFusion
    from relwise.nn.relgnn import RelGNNConv as RelGNNConv
    from relwise.predictor import RelationshipPredictor as RelationshipPredictor

_PLACES = {
    "Graph": "relwise.data.graph",
    "SplitRule": "relwise.data.graph",
    "read": "relwise.data.read",
    "InputError": "relwise.errors",
    "ASASampler": "relwise.negatives",
    "HardestSampler": "relwise.negatives",
    "NSCachingSampler": "relwise.negatives",
    "RandomSampler": "relwise.negatives",
    "ComplEx": "relwise.nn.decoders",
    "DistMult": "relwise.nn.decoders",
    "AttributeFusion": "relwise.nn.relgnn",
    "RelGNNConv": "relwise.nn.relgnn",
    "RelationshipPredictor": "relwise.predictor",
}

__all__ = [
    "ASASampler",
    "AttributeFusion",
    "ComplEx",
    "DistMult",
    "Graph",
    "HardestSampler",
    "InputError",
    "NSCachingSampler",
    "RandomSampler",
    "RelGNNConv",
    "RelationshipPredictor",
    "SplitRule",
    "load",
    "read",
]


def load(folder: str | Path) -> RelationshipPredictor:
    """The trained model in a run folder."""
    from relwise.predictor import RelationshipPredictor

    return RelationshipPredictor.load(folder)


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: `import relwise` alone stays quick, and reading data needs no torch."""
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'relwise' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
