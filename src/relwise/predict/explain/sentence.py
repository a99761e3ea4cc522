"""An explanation in a sentence or two, for a person who reads nothing else of it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from relwise.predict.explain.explanation import AttributeEffect, Carrier, Explanation, Node

NAMED = 2  # ties and inner nodes that are named
APART = 0.2  # in probability: less apart, the network and the whole do not disagree
FEW = 0.05  # of the logit: what matters less is not worth a word


def sentence(explained: Explanation, looked: bool = True) -> str:
    """The sentences.

    Args:
        explained: all the rest of an explanation.
        looked: whether it was looked at what the network goes by.
    """
    edge = statement(explained.head, explained.relation, explained.tail, ids=True)
    ways = _ways(explained)
    probability = f"({explained.probability:.2f})"
    if explained.known:
        parts = [f"Known {probability}: {edge}; apart from that edge itself, {ways or _none(explained)}."]
    elif explained.probability >= 0.5:
        parts = [f"Likely {probability}: {edge}, {f'for {ways}' if ways else f'although {_none(explained)}'}."]
    else:
        parts = [f"Unlikely {probability}: {edge}{f', although {ways}' if ways else f'; {_none(explained)}'}."]
    if looked:
        favourable = explained.known or explained.probability >= 0.5
        parts.append(_speaks_for(explained) if favourable else _speaks_against(explained))
        alone = 1 / (1 + math.exp(-min(max(explained.logit, -100), 100)))
        if (alone >= 0.5) != (explained.probability >= 0.5) and abs(alone - explained.probability) > APART:
            parts.append(f"By itself, the network says {alone:.2f}.")
    return " ".join(part.replace("..", ".") if part.endswith("..") else part for part in parts if part)


def statement(head: Node, relation: str, tail: Node, ids: bool = False) -> str:
    """An edge in words.

    Args:
        head, relation, tail: the edge.
        ids: say the ids, too, where they are not the names.

    >>> statement(Node("N1", "N1"), "departs_from", Node("JFK", "Kennedy"), ids=True)
    'N1 departs from Kennedy (JFK)'
    >>> statement(Node("a", "a"), "1", Node("b", "b"))
    'a -[1]-> b'
    """
    ends = [f"{node.name} ({node.id})" if ids and node.name != node.id else node.name for node in (head, tail)]
    is_word = re.fullmatch(r"[^\W\d]\w*", relation)
    return f" {relation.replace('_', ' ')} ".join(ends) if is_word else f" -[{relation}]-> ".join(ends)


def _ways(explained: Explanation) -> str:
    """What the weightiest pattern says; empty where there is none."""
    if not explained.paths:
        return ""
    best = explained.paths[0]
    head, tail = explained.head, explained.tail
    if best.length == 1:
        back = best.pattern.startswith("~")
        ends = (tail, head) if back else (head, tail)
        return f"the two are tied already: {statement(ends[0], best.pattern.removeprefix('~'), ends[1])}"
    capped = any(note.startswith("paths of three steps") for note in explained.notes) and best.length == 3
    count = f"{'at least ' if capped else ''}{best.count:,} {'path' if best.count == 1 else 'paths'}"
    inner = list(dict.fromkeys(node.name for example in best.examples for node in example[1:2]))[:NAMED]
    more = "" if best.count == 1 else "such as "
    verb = "leads" if best.count == 1 else "lead"
    return f"{count} {best.pattern} {verb} from {head.name} to {tail.name}, {more}by way of {' or '.join(inner)}"


def _none(explained: Explanation) -> str:
    return f"no known path of up to three steps leads from {explained.head.name} to {explained.tail.name}"


def _speaks_for(explained: Explanation) -> str:
    reasons = _reasons(explained.carriers, explained.attributes, explained, 1)
    return f"The network goes most by {reasons}." if reasons else ""


def _speaks_against(explained: Explanation) -> str:
    reasons = _reasons(explained.against, explained.attributes, explained, -1)
    return f"What speaks most against it is {reasons}." if reasons else ""


def _reasons(
    carriers: Sequence[Carrier], attributes: Sequence[AttributeEffect], explained: Explanation, sign: int
) -> str:
    """The strongest ties and the strongest attribute, each with what it adds to the logit."""
    found = [
        (abs(carrier.effect), f"{statement(carrier.head, carrier.relation, carrier.tail)} ({carrier.effect:+.2f})")
        for carrier in carriers[:NAMED]
        if sign * carrier.effect >= FEW
    ]
    for attribute in attributes:
        if sign * attribute.effect >= FEW:
            end = explained.head if attribute.side == "head" else explained.tail
            words = f"{end.name}'s {attribute.name} = {attribute.value} ({attribute.effect:+.2f})"
            found.append((abs(attribute.effect), words))
            break
    found.sort(key=lambda pair: -pair[0])  # most first
    words = [text for _, text in found[: NAMED + 1]]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
