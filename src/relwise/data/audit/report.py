"""`audit`: all checks within a time budget, and `Audit`, what they found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from relwise.data.audit.attributes import attributes
from relwise.data.audit.blanks import blanks
from relwise.data.audit.case import Case
from relwise.data.audit.derived import derived
from relwise.data.audit.ends import ends
from relwise.data.audit.finding import SEVERITIES, Finding
from relwise.data.audit.nodes import nodes
from relwise.data.audit.overlaps import overlaps
from relwise.data.audit.remedy import words_of_split
from relwise.data.audit.repeated import repeated
from relwise.data.audit.times import times
from relwise.data.graph import Graph
from relwise.data.split import Split

SECONDS = 60.0
# The whole audit of 2.5 million random edges was measured at 300,000 edges a second of one core.
EDGES_A_SECOND = 300_000


@dataclass(frozen=True)
class Audit:
    """What the audit found.

    Args:
        findings: leaks first, the larger share first.
        unexamined: what the time did not suffice for, in sentences; empty where all was examined.
    """

    findings: tuple[Finding, ...] = ()
    unexamined: tuple[str, ...] = ()

    def describe(self) -> list[str]:
        """One sentence per finding, its remedy behind it; then what was not examined."""
        found = [f"{finding.severity}: {finding.sentence}. Remedy: {finding.remedy}" for finding in self.findings]
        return [*found, *(f"not examined: {text}" for text in self.unexamined)]

    def one_split(self) -> str | None:
        """The `[split]` that keeps together all relations that give each other away; None where one remedy says it."""
        several = [finding for finding in self.findings if finding.group]
        if len(several) < 2:
            return None
        group = dict.fromkeys(name for finding in self.findings for name in finding.group)
        through = dict.fromkeys(name for finding in self.findings for name in finding.through)
        return f'[split] by = "group", {words_of_split(list(group), list(through))}'

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it.

        >>> Audit.from_json(Audit((), ("nothing",)).to_json())
        Audit(findings=(), unexamined=('nothing',))
        """
        return {
            "findings": [finding.to_json() for finding in self.findings],
            "unexamined": list(self.unexamined),
        }

    @staticmethod
    def from_json(given: dict[str, Any]) -> Audit:
        """The audit that `to_json` gave."""
        return Audit(tuple(Finding.from_json(one) for one in given["findings"]), tuple(given["unexamined"]))


def audit(
    graph: Graph,
    split: Split,
    seed: int = 0,
    *,
    seconds: float = SECONDS,
    say: Callable[[str], None] | None = None,
) -> Audit:
    """Look for what would make measures promise too much.

    Args:
        graph: the graph.
        split: its split.
        seed: of what is sampled.
        seconds: after so long no check begins; what was left out is said. Below it, the same seed gives the same
            findings.
        say: told what goes on, where that takes longer than a moment.
    """
    case = Case(graph, split, seed, seconds, say)
    findings = [*repeated(case)]
    if len(graph.edges) > EDGES_A_SECOND * max(0.0, case.left):
        case.unexamined.append(f"all but repeated edges: {len(graph.edges):,} edges are too many for {seconds:.0f} s")
        return Audit(tuple(findings), tuple(case.unexamined))
    findings += nodes(case) + times(case) + ends(case)
    pairs: list[Finding] = []
    if case.left > 0:
        case.progress("relations that tie the same pairs")
        pairs = overlaps(case)
    else:
        case.unexamined.append("relations that tie the same pairs; the time ran out")
    findings += pairs + attributes(case) + blanks(case)
    findings += derived(case, {name for finding in pairs for name in finding.relations})
    findings.sort(key=lambda finding: (SEVERITIES.index(finding.severity), -finding.share))
    return Audit(tuple(findings), tuple(case.unexamined))
