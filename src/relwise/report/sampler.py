"""What the negative sampler did: refused, taken, how hard, and how many of its negatives were true after all."""

from __future__ import annotations

from markupsafe import Markup

from relwise.report.charts import line_chart
from relwise.report.facts import Facts
from relwise.report.markup import join, table, tag


def sampler(facts: Facts) -> Markup:
    """The tally that `run.json` keeps, and its course over the steps."""
    tally = facts.training.get("negatives")
    if not tally or not tally["chosen"]:
        return tag("p", "No negatives were drawn, or the run does not tell of them.")
    refused = 100 * tally["refused"] / max(1, tally["proposed"])
    text = (
        f"A negative is a known edge with one end replaced. The sampler {facts.settings.sampler} was given "
        f"{tally['proposed']:,} of them; {tally['refused']:,} ({refused:.1f} %) were refused as known edges, and "
        f"{tally['chosen']:,} were learnt from. {tally['held_out']:,} of those "
        f"({10_000 * tally['held_out'] / tally['chosen']:.1f} in 10,000) are true edges of valid or test, which "
        "training cannot know."
    )
    rows = [
        [name, *(f"{value:.2f}" for value in tally["probability"][key].values())]
        for key, name in (("positive", "positives"), ("negative", "negatives taken"))
    ]
    shares = [f"{100 * float(share):g} % lie below" for share in tally["probability"]["positive"]]
    log = facts.log
    charts = [
        line_chart(title, "step", label, {label: [(row["step"], row[key]) for row in log if key in row]})
        for key, title, label in (
            ("hardness", "How hard the negatives were", "mean probability"),
            ("false_negatives", "Negatives that are true edges of valid or test", "in 10,000"),
        )
    ]
    return join(
        [
            tag("p", text),
            table("Probabilities under the network, before each update", ["edges", *shares], rows),
            tag("div", *charts, class_="charts"),
        ]
    )
