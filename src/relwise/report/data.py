"""What the run was trained on: types with the attributes used, relations with their edges in each part."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from relwise.data.graph import NodeType
from relwise.report.facts import Facts
from relwise.report.markup import bullets, join, table, tag

MOST = 60  # rows of a table: beyond, the page would be for no one to read


def data(facts: Facts) -> Markup:
    """Node types, relations, and what reading the data dropped."""
    graph, split = facts.graph, facts.split
    types = [[t.name, _attributes(t, facts.settings.node_embedding), f"{len(t):,}"] for t in graph.node_types]
    parts = (split.message, split.valid.positives, split.test.positives)
    counts = np.stack([np.bincount(part.relations, minlength=graph.num_relations) for part in parts], axis=1)
    order = np.argsort(-counts.sum(axis=1), kind="stable")[:MOST]
    relations = [
        [
            graph.relation_names[i],
            f"{graph.relations[i].head} {'→' if graph.relations[i].directed else '-'} {graph.relations[i].tail}",
            *(f"{n:,}" for n in counts[i]),
        ]
        for i in order
    ]
    more = graph.num_relations - len(relations)
    return join(
        [
            table("Entities, and which of their attributes the model reads", ["type", "attributes", "entities"], types,
                  text=2),
            table("Known relationships, and where they went", ["relation", "between", "train", "valid", "test"],
                  relations, text=2),
            tag("p", f"And {more:,} more relations with fewer edges.", class_="muted") if more else None,
            tag("h3", "What reading the data left out") if graph.notes else None,
            bullets(graph.notes) if graph.notes else None,
        ]
    )  # fmt: skip


def _attributes(kind: NodeType, embedding: bool) -> str:
    used = ", ".join(f"{attribute.name} ({attribute.modality})" for attribute in kind.attributes)
    learnt = "a learnt embedding for each"
    return f"{used}; and {learnt}" if used and embedding else used or f"none; {learnt}"
