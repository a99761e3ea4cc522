"""The model page: the sections of the report, of a run that is served."""

from __future__ import annotations

import relwise
from relwise.predictor import RelationshipPredictor
from relwise.report import Facts, contents, sections
from relwise.report.markup import tag
from relwise.serve.page.elements import box, markup, text
from relwise.serve.page.site import Site


async def model_page(site: Site, run_name: str | None) -> None:
    """All sections, made once for each run."""
    run = site.run(run_name)
    if run is None:
        return
    with site.frame("model", run):
        text("h1", f"The model: {run.name}")
        holder = box()
        with holder:
            if run.name not in site.sections:
                # It computes attention, and so asks the network.
                made = await site.ask(lambda: sections(facts_of(run.name, run.predictor)))
                if made is None:
                    return
                site.sections[run.name] = made
            parts = site.sections[run.name]
            markup(contents(parts))
            for part in parts:
                with box("section", aria_labelledby=part.key):
                    markup(tag("h2", part.title, id=part.key))
                    markup(part.body)


def facts_of(name: str, predictor: RelationshipPredictor) -> Facts:
    """What the report needs to know of a predictor in memory."""
    metrics = predictor.measured or {"micro": {}, "relations": {}, "baselines": {}}
    return Facts(
        name=name,
        version=str(metrics.get("version", relwise.__version__)),
        graph=predictor.graph,
        split=predictor.split,
        settings=predictor.settings,
        seed=predictor.seed,
        model=predictor.network,
        metrics=metrics,
        log=predictor.log,
        training=predictor.training,
    )
