"""The methods of table 2, what is fixed of each, and the space in which each is tuned (see `table2.py`).

| method | what it is |
| --- | --- |
| `distmult`, `complex`, `conve`, `rotate`, `transe` | an embedding table and a decoder alone |
| `rgcn`, `han`, `hgt`, `rgat`, `gatne`, `relgnn` | an encoder under DistMult (GATNE: its own states a relation) |
| `NAME+asa` | the same with ASA's negatives; without a sign they are random |
| `relgnn+nscaching`, `+self_adversarial`, `+hardest`, `+kbgan` | the other samplers |
| `metapath2vec` | walks and a skip-gram, with a training of its own |
| `path3`, `adamic_adar`, `degree_product` | plain counting: nothing is learnt |

A variant by its sampler shares all settings with its method but those of the sampler: `mu`, `pool`, `warmup` (of
self-adversarial negatives the `temperature`). All of these are tuned within the method's own budget.

ConvE alone learns as its authors' does: an end and a relation make one image, which is multiplied with many candidates.
Its negatives are shared pools, all weighed alike; with one random negative of its own a positive costs four images.

The dear ones are made affordable, and may be the worse for it. ConvE learns from a hundredth or some of the edges in
each step, and has d = 64: on two cores it makes few passes over the data, where its authors made hundreds. RGAT, whose
layer makes a d × d matrix for each message, has d = 16: with 32 a step reads and writes gigabytes. HGT has d = 64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from relwise.errors import InputError, nearest
from table2_data import Case


@dataclass(frozen=True)
class Log:
    """A number between two others, its logarithm drawn evenly."""

    low: float
    high: float


@dataclass(frozen=True)
class Even:
    """A number between two others, drawn evenly."""

    low: float
    high: float


@dataclass(frozen=True)
class Among:
    """One of some values."""

    values: tuple[Any, ...]


Space = Mapping[str, Log | Even | Among]
Options = dict[str, Any]
Kind = Literal["encoder", "lookup", "walks", "counting"]

ENCODER: Space = {
    "learning_rate": Log(0.002, 0.05),
    "weight_decay": Log(1e-6, 1e-3),
    "dropout": Among((0.0, 0.2, 0.4)),
    "layers": Among((1, 2)),
}
LOOKUP: Space = {
    "dropout": Among((0.0, 0.2, 0.4)),
    "learning_rate": Log(0.005, 0.2),
    "weight_decay": Log(1e-7, 1e-3),
    "dim": Among((64, 128, 256)),
    "share": Among((0.05, 0.1, 0.3)),
    "embedding_std": Among((None, 0.03)),
}
# Where distances are learnt, vectors start as long as their margin asks.
DISTANCE: Space = {
    **{name: kind for name, kind in LOOKUP.items() if name != "embedding_std"},
    "dim": Among((64, 128)),
    "share": Among((0.02, 0.05, 0.1)),
}
CONVE: Space = {
    "dropout": Among((0.0, 0.2)),
    "learning_rate": Log(0.002, 0.05),
    "weight_decay": Log(1e-7, 1e-3),
    "share": Among((0.01, 0.02, 0.05)),
}
WALKS: Space = {"dim": Among((64, 128, 256)), "context": Among((3, 5, 7, 10)), "seconds": Among((15.0, 30.0, 60.0))}
POOL = Among((10, 30, 100))
WARMUP = Among((0, 50))  # steps of random negatives first
SAMPLERS: dict[str, Space] = {
    "asa": {"mu": Even(0.0, 0.3), "pool": POOL, "warmup": WARMUP},
    "nscaching": {"pool": POOL, "warmup": WARMUP},
    "self_adversarial": {"pool": Among((5, 10, 20)), "temperature": Among((0.5, 1.0, 2.0))},
    "hardest": {"pool": POOL, "warmup": Among((50, 100))},
    "kbgan": {"pool": Among((10, 20, 50)), "warmup": WARMUP},
}
OTHERS = ("nscaching", "self_adversarial", "hardest", "kbgan")  # of relgnn alone
# By family or sampler, where tuning begins or what it does not choose. Without a warm-up `hardest` may collapse.
NEGATIVES: dict[str, Options] = {
    "conve": {"sampler": "self_adversarial", "temperature": 0.0, "pool": 128, "shared_pool": 64},
    "hardest": {"warmup": 50},
}
COUNTING = ("path3", "adamic_adar", "degree_product")
# A run of `--quick`: at most so many steps, and none begun after so many seconds of two cores.
QUICK_STEPS: dict[Kind, int] = {"encoder": 100, "lookup": 250}
QUICK_SECONDS = 18.0


@dataclass(frozen=True)
class Method:
    """A row of the table.

    Args:
        name: of the row.
        family: the method whose settings it shares; its own name where it is no variant.
        kind: how it is trained.
        fixed: settings that are not tuned, and where tuning begins.
        space: what is tuned, with random negatives.
        sampler: whose negatives it learns from.
        negatives: settings of these that are not tuned.
    """

    name: str
    family: str
    kind: Kind
    fixed: Options = field(default_factory=dict)
    space: Space = field(default_factory=dict)
    sampler: str = "random"
    negatives: Options = field(default_factory=dict)

    @property
    def varies(self) -> bool:
        """Whether it is a variant by its sampler."""
        return self.sampler != "random"

    @property
    def tuned(self) -> Space:
        """The space of what it does not share."""
        return SAMPLERS[self.sampler] if self.varies else self.space


_TABLE: Options = {"steps": 500, "eval_every": 25, "patience": 1000}
_DEAR: Options = {"steps": 120, "eval_every": 20}
_FAMILIES: dict[str, tuple[Kind, Options, Space]] = {
    "distmult": ("lookup", {**_TABLE, "dropout": 0.0, "decoder": "distmult", "share": 0.1}, LOOKUP),
    "complex": ("lookup", {**_TABLE, "dropout": 0.0, "decoder": "complex", "share": 0.1}, LOOKUP),
    "conve": (
        "lookup",
        {"dropout": 0.0, "decoder": "conve", "dim": 64, "share": 0.02, "steps": 200, "eval_every": 40},
        CONVE,
    ),
    "rotate": ("lookup", {**_TABLE, "dropout": 0.0, "decoder": "rotate", "share": 0.05}, DISTANCE),
    "transe": ("lookup", {**_TABLE, "dropout": 0.0, "decoder": "transe", "share": 0.05}, DISTANCE),
    "rgcn": ("encoder", {}, ENCODER),
    "han": ("encoder", {"steps": 150, "eval_every": 15}, ENCODER),
    "hgt": ("encoder", {**_DEAR, "dim": 64}, ENCODER),
    "rgat": ("encoder", {**_DEAR, "dim": 16}, ENCODER),
    "gatne": ("encoder", {"learning_rate": 0.01}, ENCODER),
    "relgnn": ("encoder", {}, ENCODER),
}


def _methods() -> list[Method]:
    found = []
    for family, (kind, fixed, space) in _FAMILIES.items():
        own = {**fixed, "encoder": "lookup" if kind == "lookup" else family}
        found.append(Method(family, family, kind, own, space, negatives=NEGATIVES.get(family, {})))
        for sampler in ("asa", *(OTHERS if family == "relgnn" else ())):
            negatives = NEGATIVES.get(sampler, {})
            found.append(Method(f"{family}+{sampler}", family, kind, own, space, sampler, negatives))
    walks: Options = {"dim": 128, "context": 7, "seconds": 30.0}
    found.append(Method("metapath2vec", "metapath2vec", "walks", walks, WALKS))
    return [*found, *(Method(name, name, "counting") for name in COUNTING)]


METHODS: dict[str, Method] = {method.name: method for method in _methods()}


def methods_named(names: str | None) -> list[Method]:
    """The methods of a list with commas; all where it is none.

    Raises:
        InputError: at a name that is none of theirs.

    >>> [method.name for method in methods_named("rgcn,rgcn+asa")]
    ['rgcn', 'rgcn+asa']
    """
    wanted = list(METHODS) if names is None else names.split(",")
    for name in wanted:
        if name not in METHODS:
            remedy = nearest(name, METHODS) or f"the methods are {', '.join(METHODS)}"
            raise InputError(f"there is no method {name!r}", where="--methods", remedy=remedy)
    return [METHODS[name] for name in dict.fromkeys(wanted)]


def options(method: Method, case: Case, chosen: Mapping[str, Options], quick: bool = False) -> Options:
    """All settings of a method on a data set that are not the defaults.

    Args:
        method: the method.
        case: the data set.
        chosen: by method, the values that tuning chose on this data set; the defaults hold where there are none.
        quick: with reduced steps.
    """
    base = {"encoder": case.encoder, "lookup": case.lookup}.get(method.kind, {})
    own = {**base, **method.fixed, **chosen.get(method.family, {})}
    if method.kind == "walks":
        return {**own, "seconds": min(own["seconds"], QUICK_SECONDS)} if quick else own
    if method.kind == "counting":
        return own
    own |= {"sampler": method.sampler, **method.negatives, **(chosen.get(method.name, {}) if method.varies else {})}
    own.setdefault("steps", 250)
    if quick:
        own["steps"] = min(own["steps"], QUICK_STEPS[method.kind])
        own["eval_every"] = min(20, own["steps"])
    return own
