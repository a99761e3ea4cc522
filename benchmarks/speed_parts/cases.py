"""What is measured: every case of the full benchmark, and of its small form."""

from __future__ import annotations

from typing import Any, get_args

from relwise.settings import SamplerName, Settings
from speed_parts.peers import LEAN
from speed_parts.processes import RECORDED, Spec, case_name

PARTS = ("layer", "step", "floors", "sampler", "ranking", "growth", "start")
DEVICE_PARTS = ("layer", "step", "floors", "sampler")
POOLS = (10, 100, 500)
EPOCH = {"layers": 1, "share": 0.1}


def case(part: str, graph: str, who: str = "relwise", dim: int = 128, huge: bool = True, **more: Any) -> Spec:
    """A measurement: `seconds` of repetitions in each of `rounds` processes, `least` repetitions at least."""
    given = {"part": part, "graph": graph, "who": who, "dim": dim, "heads": 2, "huge": huge, "device": "cpu"}
    return given | {"seconds": 3.0, "least": 3, "rounds": 1, "timeout": 300} | more


def full(part: str) -> list[list[Spec]]:
    """The groups of a part; what stands in one group is run in turn."""
    if part == "layer":
        return [*_layers(), *_stock(), *_large()]
    if part == "step":
        both = [[case("step", "amazon", w, huge=h, rounds=2) for w in ("relwise", LEAN)] for h in (False, True)]
        road = {"settings": {"steps": 250}, "first": 80, "every": 5, "timeout": 500}
        return [*both, [case("reach", "amazon", w, rounds=r, **road) for w, r in (("relwise", 3), (LEAN, 1))]]
    if part == "floors":
        return [[case("floors", "amazon", seconds=1.0)]]
    if part == "sampler":
        return [[case("sampler", "amazon", w, rounds=2, settings=s) for w, s in samplers().items()]]
    if part == "ranking":
        return [[case("ranking", "fb15k237", "both", rounds=1, timeout=900)]]
    if part == "growth":
        short = case("epoch", "power-law-10M", dim=64, steps=2, settings=EPOCH, timeout=600)
        return [[short], [case("epoch", "power-law-50M", dim=64, steps=10, settings=EPOCH, timeout=3600)]]
    return [[case("start", "amazon", timeout=600)]]


def on_gpu(part: str) -> list[list[Spec]]:
    """The groups of a part on a GPU, where pages are no question and most graphs fit."""
    if part == "layer":
        sizes = [("amazon", 128), ("youtube-size", 128), *((f"power-law-{size}", 64) for size in ("1M", "10M", "50M"))]
        each = [[case("layer", graph, who, dim, rounds=2) for who in ("relwise", LEAN)] for graph, dim in sizes]
        names = ("RGCNConv", "HGTConv", "RGATConv")
        return [*each, *([case("layer", graph, who) for who in names] for graph in ("amazon", "youtube-size"))]
    if part == "step":
        road = {"settings": {"steps": 250}, "first": 80, "every": 5, "timeout": 500}
        whose = ("relwise", RECORDED, LEAN)
        steps = [case("step", "amazon", who, rounds=2) for who in whose]
        return [steps, [case("reach", "amazon", who, rounds=2, **road) for who in whose]]
    return full(part)


def small(part: str) -> list[list[Spec]]:
    """The same at a size that a test can afford."""
    quick: dict[str, Any] = {"dim": 16, "seconds": 0.05}
    if part == "layer":
        names = ("relwise", LEAN, "RGCNConv", "HGTConv", "RGATConv")
        large = [case("layer", "power-law-20k", who, **quick) for who in ("relwise", LEAN)]
        return [[case("layer", "tiny", who, **quick) for who in names], large]
    if part == "step":
        road = {"settings": {"steps": 20}, "first": 5, "every": 5, "auc": 0.5, "ap": 0.5}
        return [
            [case("step", "tiny", who, **quick) for who in ("relwise", LEAN)],
            [case("reach", "tiny", who, **quick, **road) for who in ("relwise", LEAN)],
        ]
    if part == "sampler":
        return [[case("sampler", "tiny", who, settings=given, **quick) for who, given in samplers().items()]]
    if part == "ranking":
        return [[case("ranking", "tiny", "both", dim=8)]]
    if part == "growth":
        return [[case("epoch", "power-law-20k", steps=3, settings=EPOCH, **quick)]]
    return [[case(part, "tiny", **quick)]]


def samplers() -> dict[str, dict[str, Any]]:
    """Names and settings of the samplers compared, those only that this version knows."""
    found: dict[str, dict[str, Any]] = {"random": {"sampler": "random"}}
    for name in ("asa", "nscaching"):
        if name in get_args(SamplerName):
            for pool in POOLS:
                found[f"{name}, pool {pool}"] = {"sampler": name, "pool": pool, "warmup": 0}
    shared = next((name for name in Settings.model_fields if "shared" in name), None)
    if shared:
        found["asa, pool 100, none shared"] = {"sampler": "asa", "pool": 100, "warmup": 0, shared: 1}
    return found


def _layers() -> list[list[Spec]]:
    return [
        [case("layer", graph, who, huge=huge, rounds=2, seconds=2.0) for who in ("relwise", LEAN)]
        for graph in ("amazon", "youtube-size")
        for huge in (False, True)
    ]


def _stock() -> list[list[Spec]]:
    """PyG's own layers, which do other or less work, with huge pages; RGAT's size halved until it fits."""
    groups = []
    for graph in ("amazon", "youtube-size"):
        groups.append([case("layer", graph, who, seconds=2.0) for who in ("RGCNConv", "HGTConv")])
        larger: list[str] = []
        for dim in (128, 64, 32, 16, 8):
            theirs = case("layer", graph, "RGATConv", dim, seconds=2.0, unless=list(larger))
            ours = case("layer", graph, "relwise", dim, seconds=1.0, needs=case_name(theirs), unless=list(larger))
            larger.append(case_name(theirs))
            groups.append([theirs] if dim == 128 else [theirs, ours])
    return groups


def _large() -> list[list[Spec]]:
    sizes = (("1M", 2), ("10M", 1), ("50M", 1))
    return [
        [case("layer", f"power-law-{size}", who, 64, rounds=rounds, timeout=600) for who in ("relwise", LEAN)]
        for size, rounds in sizes
    ]
