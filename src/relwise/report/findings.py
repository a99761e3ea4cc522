"""What would make the measures promise too much: leaks between the parts, and what the audit found."""

from __future__ import annotations

from markupsafe import Markup

from relwise.data.audit import Audit, Finding
from relwise.report.facts import Facts
from relwise.report.markup import bullets, join, tag

WORDS = {"leak": "measures promise too much", "warn": "measures may promise too much", "note": "good to know"}


def findings(facts: Facts) -> Markup:
    """The sentences of the leakage report, then each finding of the audit with its remedy."""
    sentences = facts.metrics.get("leakage", {}).get("sentences", [])
    found = Audit.from_json(facts.metrics["audit"]) if "audit" in facts.metrics else Audit()
    parts: list[Markup | None] = [
        tag("h3", "Edges of valid and test that stand in train in another guise"),
        bullets([f"{sentence}." for sentence in sentences]) if sentences else tag("p", "Nothing was measured."),
        tag("h3", "What the audit found before training"),
    ]
    if found.findings:
        parts.append(tag("ul", *(_item(finding) for finding in found.findings)))
    elif "audit" in facts.metrics:
        parts.append(tag("p", "Nothing."))
    else:
        parts.append(tag("p", "This run was not audited."))
    if found.unexamined:
        parts.append(bullets([f"Not examined: {text}." for text in found.unexamined]))
    return join(parts)


def _item(finding: Finding) -> Markup:
    mark = tag("span", finding.severity, class_=f"severity {finding.severity}", title=WORDS[finding.severity])
    return tag("li", mark, f" {finding.sentence}. Remedy: {finding.remedy}.")
