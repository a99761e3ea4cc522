"""What the run is, in a few sentences."""

from __future__ import annotations

from markupsafe import Markup

from relwise.data.graph import counted
from relwise.report.facts import Facts
from relwise.report.markup import join, tag

METHOD = "https://arxiv.org/abs/2102.07186"


def about(facts: Facts) -> Markup:
    """What the run is, what it learnt from, and how good it came out beside the best plain baseline."""
    graph, split, settings = facts.graph, facts.split, facts.settings
    entities = "1 entity" if graph.num_nodes == 1 else f"{graph.num_nodes:,} entities"
    what = (
        f"This model says of two entities and a kind of relationship how likely it is that the relationship holds. It "
        f"was trained on {counted(len(split.message), 'known relationship')} in "
        f"{counted(graph.num_relations, 'relation')} between {entities} of "
        f"{counted(len(graph.node_types), 'type')}."
    )
    how = (
        f"Trained by relwise {facts.version} with {settings.sampler} negatives, encoder {settings.encoder}, decoder "
        f"{settings.decoder} and seed {facts.seed}; {facts.training.get('steps', '?')} steps in "
        f"{facts.training.get('train_seconds', '?')} s, of which the state after step "
        f"{facts.training.get('best_step', '?')} was the best on validation and is kept. The method: "
    )
    return join(
        [
            tag("p", what, class_="lead"),
            _verdict(facts),
            tag(
                "p",
                how,
                tag(
                    "a",
                    "Relation-aware Graph Attention Model with Adaptive Self-adversarial Training (AAAI 2021)",
                    href=METHOD,
                ),
                ".",
            ),
        ]
    )


def _verdict(facts: Facts) -> Markup | None:
    """Average precision on test beside the best of plain counting: whether the network earns its keep."""
    micro, baselines = facts.metrics["micro"], facts.metrics["baselines"]
    if not micro or micro["ap"] is None:
        return tag("p", "The split left nothing to test on: how good this model is, is not known.", class_="lead")
    known = {name: values["ap"] for name, values in baselines.items() if values["ap"] is not None}
    text = f"On test its average precision is {100 * micro['ap']:.2f} %"
    if known:
        best = max(known, key=lambda name: known[name])
        side = "above" if micro["ap"] > known[best] else "not above"
        text += f", {side} the best plain counting, {best.replace('_', ' ')}, with {100 * known[best]:.2f} %"
    return tag("p", f"{text}.", class_="lead")
