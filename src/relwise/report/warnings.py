"""What a prediction is no evidence of, and what not to use the model for: the model card's words."""

from __future__ import annotations

from markupsafe import Markup

from relwise.card import NOT_EVIDENCE, REFUSE
from relwise.report.facts import Facts
from relwise.report.markup import join, prose, tag


def warnings(facts: Facts) -> Markup:
    """The same words in every report."""
    del facts
    evidence = [tag("h3", "What a prediction is not evidence of"), prose(NOT_EVIDENCE)]
    refused = [tag("h3", "Uses to refuse"), prose(REFUSE)]
    return tag("div", join([*evidence, *refused]), class_="careful")
