"""Likeliest candidates without scoring all of them: an index over the nodes' keys, joined by what paths reach.

The final logit of a candidate c for one end of an edge is, but for terms that all candidates share,

    slope · (q · k_c) + θ · (log-degrees of c) + what ties and paths say of c

The first two are one inner product: the keys are lengthened by the log-degrees, the query by their weights. Of these
the largest are found by an inverted file (Sivic & Zisserman 2003; faiss, Douze et al. 2024, [arXiv
2401.08281](https://arxiv.org/abs/2401.08281)): keys are gathered around centres by k-means, and of a query only the
`nprobe` nearest centres' keys are multiplied. The third is nought but for what some path reaches, which is walked to
(`Evidence.reached`): the walk is whole, so that evidence is exact, and the 500 candidates that it speaks most for are
joined. All candidates are then ranked by the exact final logit. What may be missed is what the inverted file overlooks
and no path, or paths of little weight, reach.

How much that is, is measured as the index is built, on queries drawn from the known edges: recall@10 against scoring
everything. `nprobe` is doubled until it is 0.95 or all centres are looked at. A type with less than 2000 nodes is not
indexed: all its nodes are scored.
"""

from __future__ import annotations

import hashlib
import json
import os
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
from relwise.predict.lengthened import Float32, lengthen_queries, query_vectors
from relwise.predict.top import Asked, Found, KnownPartners

MOST = 500  # candidates that paths speak most for; `benchmarks/candidates.py` finds all of the likeliest among them

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

        Raises:
            InputError: where it cannot be written.
        """
        faiss, types = load_faiss(), {}
        try:
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
        except OSError as error:
            where = str(error.filename or folder)
            remedy = "make the run folder writable, or copy the run"
            raise InputError(f"cannot be written ({error.strerror})", where=where, remedy=remedy) from None

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
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError, FileNotFoundError):
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
        reached, told = np.empty(0, np.int64), np.empty(0, np.float32)
        out = []
        for i, anchor in enumerate(anchors):
            if evidence is not None:
                reached, told = evidence.reached(relation, from_tail, anchor, (low, high), shared, own)
            best = reached if len(reached) <= MOST else reached[np.argpartition(-told, MOST)[:MOST]]
            chosen = np.union1d(near[i][near[i] >= 0] + low, best)
            is_known = np.isin(chosen, partners[i])
            left_out = (chosen == anchor) & ~is_known if known else (chosen == anchor) | is_known
            if allowed is not None:
                left_out |= ~allowed[chosen]
            chosen, is_known = chosen[~left_out], is_known[~left_out]
            logits = keys[chosen - low] @ plain[i] + np.float32(judge.offsets[relation])
            if len(reached):
                place = np.minimum(np.searchsorted(reached, chosen), len(reached) - 1)
                logits += np.where(reached[place] == chosen, told[place], np.float32(0))
            if evidence is not None:
                logits += evidence.of_ends(relation, from_tail, anchor, chosen, shared)
                edges = top.edges_of(relation, np.full(is_known.sum(), anchor), chosen[is_known], missing)
                logits[is_known] = self.scorer.logits(edges)  # which are no evidence for themselves
            best = np.argsort(-logits, kind="stable")[:k]
            out.append((chosen[best], logits[best], is_known[best]))
        return out
