"""Likeliest candidates without scoring all of them: an index over the nodes' keys, joined by what paths reach.

The final logit of a candidate c for one end of an edge is, but for terms that all candidates share,

    slope · (q · k_c) + θ · (log-degrees of c) + what ties and paths say of c

The first two are one inner product: the keys are lengthened by the log-degrees, the query by their weights. Of these
the largest are found by an inverted file (Sivic & Zisserman 2003; faiss, Douze et al. 2024, [arXiv
2401.08281](https://arxiv.org/abs/2401.08281)): keys are gathered around centres by k-means, and of a query only the
`nprobe` nearest centres' keys are multiplied. The third is nought but for what some path reaches, which is walked to
(`Evidence.reached`); the walk is whole, so all that is reached is a candidate and its evidence is exact. All candidates
are then ranked by the exact final logit. What may be missed is what no path reaches and the inverted file overlooks.

How much that is, is measured as the index is built, on queries drawn from the known edges: recall@10 against scoring
everything. `nprobe` is doubled until it is 0.95 or all centres are looked at. A type with less than 2000 nodes is not
indexed: all its nodes are scored.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from relwise.errors import InputError
from relwise.nn.decoders import End
from relwise.predict import top
from relwise.predict.final import FinalScorer
from relwise.predict.lengthened import Float32, key_table, lengthen_queries, query_vectors, scales_of
from relwise.predict.top import Asked, Found, KnownPartners

SMALL = 2000  # nodes below which a type is not indexed
GOAL = 0.95  # recall@K to reach
K = 10
SAMPLE = 200  # queries of a type that recall is measured on
NEAR = 1e-5  # logits nearer to each other than that are equal: sums in another order

FORMAT = 1
INDEX = "index"  # the folder in a run folder
NOTE = "index.json"


def load_faiss() -> ModuleType:
    """The library, kept to one thread: a query is too small to share, and threads that wait would spin.

    Raises:
        InputError: where it is not installed.
    """
    try:
        import faiss
    except ImportError:
        raise InputError("an index needs the extra 'index'", remedy="pip install 'relwise[index]'") from None
    faiss.omp_set_num_threads(1)
    return faiss


@dataclass(frozen=True)
class Measured:
    """What an index of a type was measured to do.

    Args:
        nodes: of the type.
        centres, nprobe: how many there are, and how many a query looks at.
        queries: how many it was measured on.
        recall: the share of the 10 likeliest by scoring everything that it finds.
        exact_ms, approximate_ms: of one query, scoring everything, and by the index.
    """

    nodes: int
    centres: int
    nprobe: int
    queries: int
    recall: float
    exact_ms: float
    approximate_ms: float


@dataclass(frozen=True, eq=False)
class TypeIndex:
    """The index of one node type.

    Args:
        faiss: the inverted file over the lengthened keys.
        scales: (1 + columns,) what each column of log-degrees is multiplied with; its weight is divided by it.
        measured: how good and fast it is.
    """

    faiss: Any
    scales: npt.NDArray[np.float64]
    measured: Measured


@dataclass(frozen=True, eq=False)
class Index:
    """The likeliest candidates by an index where there is one, else by scoring all.

    Args:
        scorer: whose final logits rank.
        types: of each node type that is indexed, by name.
    """

    scorer: FinalScorer
    types: dict[str, TypeIndex]

    def find(
        self, queries: Sequence[Asked], k: int, known: bool = False, allowed: npt.NDArray[np.bool_] | None = None
    ) -> list[Found]:
        """As `top.find`, but for what the index overlooks."""
        found: dict[int, Found] = {}
        for (relation, missing), places in top.alike(queries).items():
            asked = [queries[place] for place in places]
            index = self.types.get(self._type(relation, missing))
            if index is None:
                best = top.find(self.scorer, asked, k, known, allowed)
            else:
                best = self._search(index, relation, missing, [one.anchor for one in asked], k, known, allowed)
            found |= dict(zip(places, best, strict=True))
        return [found[place] for place in range(len(queries))]

    def save(self, folder: Path, digest: str) -> None:
        """Write the index: a file for each type, then `index.json`, by which it is whole.

        Args:
            folder: made where it is absent.
            digest: of the run it is of (`relwise.predict.digest`).
        """
        faiss, types = load_faiss(), {}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / NOTE).unlink(missing_ok=True)
        for i, (name, index) in enumerate(self.types.items()):
            content = faiss.serialize_index(index.faiss).tobytes()
            (folder / f"{i}.faiss").write_bytes(content)
            sha = hashlib.sha256(content).hexdigest()
            types[name] = {"sha256": sha, "scales": index.scales.tolist(), "measured": asdict(index.measured)}
        written = folder / (NOTE + ".part")
        note = {"format": FORMAT, "digest": digest, "types": types}
        written.write_text(json.dumps(note, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(written, folder / NOTE)

    @staticmethod
    def load(folder: Path, digest: str, scorer: FinalScorer) -> Index:
        """The index that `save` wrote.

        Raises:
            InputError: where there is none, it is damaged, or of another run.
        """
        build = "relwise index RUN builds it"
        if not (folder / NOTE).is_file():
            raise InputError("there is no index", where=str(folder), remedy=build)
        damaged = InputError("the index is damaged", where=str(folder), remedy=f"{build} anew")
        try:
            note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
            if note["format"] != FORMAT or note["digest"] != digest:
                what = "another run" if note["format"] == FORMAT else "another version of relwise"
                raise InputError(f"the index is of {what}", where=str(folder), remedy=f"{build} anew")
            types = {}
            for i, (name, about) in enumerate(note["types"].items()):
                content = (folder / f"{i}.faiss").read_bytes()
                if hashlib.sha256(content).hexdigest() != about["sha256"]:
                    raise damaged
                read = load_faiss().deserialize_index(np.frombuffer(content, np.uint8))
                types[name] = TypeIndex(read, np.array(about["scales"]), Measured(**about["measured"]))
        except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError, FileNotFoundError):
            raise damaged from None
        return Index(scorer, types)

    def _keys(self, low: int, high: int) -> Float32:
        """(high - low, d) keys of some nodes; of most decoders a view, of others made once."""
        if low not in self._made:
            self._made[low] = self.scorer.network.block.candidates(low, high).cpu().numpy()
        return self._made[low]

    @cached_property
    def _made(self) -> dict[int, Float32]:
        return {}

    def _type(self, relation: int, missing: End) -> str:
        kind = self.scorer.graph.relations[relation]
        return kind.tail if missing == "tail" else kind.head

    def _search(
        self,
        index: TypeIndex,
        relation: int,
        missing: End,
        anchors: Sequence[int],
        k: int,
        known: bool,
        allowed: npt.NDArray[np.bool_] | None,
    ) -> list[Found]:
        graph, judge, evidence = self.scorer.graph, self.scorer.judge, self.scorer.evidence
        low, high = (int(b) for b in (graph.head_ranges if missing == "head" else graph.tail_ranges)[relation])
        plain = query_vectors(self.scorer, relation, missing, np.asarray(anchors, dtype=np.int64))
        keys = self._keys(low, high)
        partners = [KnownPartners.of(graph).find(relation, anchor, missing) for anchor in anchors]
        # Known ones and the anchor itself stand among the best, and are taken out.
        most = min(high - low, k + 1 + (0 if known else max(map(len, partners))))
        options = {"nprobe": index.measured.nprobe}
        if allowed is not None:
            options["sel"] = load_faiss().IDSelectorBatch(np.flatnonzero(allowed[low:high]))
        lengthened = lengthen_queries(self.scorer, relation, missing, plain, index.scales)
        _, near = index.faiss.search(lengthened, most, params=load_faiss().SearchParametersIVF(**options))
        shared, own, from_tail = judge.shared[relation], judge.own[relation], missing == "head"
        ends: tuple[End, End] = ("tail", "head") if from_tail else ("head", "tail")
        out = []
        for i, anchor in enumerate(anchors):
            reached, told = evidence.reached(relation, from_tail, anchor, (low, high), shared, own)
            chosen = np.union1d(near[i][near[i] >= 0] + low, reached)
            left_out = chosen == anchor
            if allowed is not None:
                left_out |= ~allowed[chosen]
            is_known = np.isin(chosen, partners[i])
            if not known:
                left_out |= is_known
            chosen, is_known = chosen[~left_out], is_known[~left_out]
            logits = keys[chosen - low] @ plain[i] + np.float32(judge.offsets[relation])
            kept = np.isin(reached, chosen, assume_unique=True)
            logits[np.searchsorted(chosen, reached[kept])] += told[kept]
            for end, nodes in zip(ends, (np.array([anchor]), chosen), strict=True):
                for column, values in evidence.degrees(relation, end, nodes):
                    logits += (shared[column] * values).astype(np.float32)
            best = np.argsort(-logits, kind="stable")[:k]
            out.append((chosen[best], logits[best], is_known[best]))
        return out


def build_index(scorer: FinalScorer, seed: int = 0, small: int = SMALL) -> Index:
    """Index each node type that is large enough, and measure what that is worth.

    Args:
        scorer: of final logits.
        seed: of the centres and of the queries drawn.
        small: nodes below which a type is not indexed.
    """
    graph, types = scorer.graph, {}
    for node_type in graph.node_types:
        asked = _drawn(scorer, node_type.name, seed)
        if len(node_type) >= small and asked:
            types[node_type.name] = _build(scorer, node_type.name, asked, seed)
    return Index(scorer, types)


def _build(scorer: FinalScorer, name: str, asked: list[Asked], seed: int) -> TypeIndex:
    faiss = load_faiss()
    low, high = scorer.graph.type_range(name)
    scales = scales_of(scorer, name, asked)
    table = key_table(scorer, name, scales)
    centres = max(1, int(np.sqrt(high - low)))
    made = faiss.IndexIVFFlat(faiss.IndexFlatIP(table.shape[1]), table.shape[1], centres, faiss.METRIC_INNER_PRODUCT)
    made.cp.seed, made.cp.min_points_per_centroid = seed + 1, 1
    made.train(table)
    made.add(table)
    expected, exact_ms = _timed(lambda one: top.find(scorer, [one], K)[0], asked)
    probe = 1
    while True:
        measured = Measured(high - low, centres, probe, len(asked), 0.0, exact_ms, 0.0)
        index = Index(scorer, {name: TypeIndex(made, scales, measured)})
        found, took = _timed(lambda one, index=index: index.find([one], K)[0], asked)
        recall = float(np.mean([recall_of(got, best) for got, best in zip(found, expected, strict=True)]))
        if recall >= GOAL or probe == centres:
            done = Measured(high - low, centres, probe, len(asked), recall, exact_ms, took)
            return TypeIndex(made, scales, done)
        probe = min(2 * probe, centres)


def recall_of(found: Found, expected: Found) -> float:
    """The share of the likeliest that were found; of equally likely ones any will do.

    >>> node = np.arange(3)
    >>> round(recall_of((node[:1], np.array([2.0]), node), (node, np.array([2.0, 1.0, 1.0]), node)), 3)
    0.333
    """
    if not len(expected[0]):
        return 1.0
    return min(1.0, float((found[1] >= expected[1][-1] - NEAR).sum()) / len(expected[0]))


def _timed(ask: Any, asked: Sequence[Asked]) -> tuple[list[Found], float]:
    """The answers, and the median time of one in milliseconds."""
    ask(asked[0])  # the first compiles
    out, took = [], []
    for one in asked:
        began = time.perf_counter()
        out.append(ask(one))
        took.append(time.perf_counter() - began)
    return out, 1e3 * float(np.median(took))


def _drawn(scorer: FinalScorer, name: str, seed: int) -> list[Asked]:
    """Queries for nodes of a type, from known edges: so are those that people ask, more of nodes with many."""
    graph, rng = scorer.graph, np.random.default_rng([seed, 17])
    asked = []
    for i in rng.permutation(len(graph.edges))[: 4 * SAMPLE].tolist():
        relation = int(graph.edges.relations[i])
        kind = graph.relations[relation]
        if kind.tail == name:
            asked.append(Asked(relation, int(graph.edges.heads[i]), "tail"))
        if kind.head == name:
            asked.append(Asked(relation, int(graph.edges.tails[i]), "head"))
    return asked[:SAMPLE]
