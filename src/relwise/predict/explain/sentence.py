"""An explanation in a sentence or two, for a person who reads nothing else of it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from relwise.predict.explain.explanation import AttributeEffect, Carrier, Explanation, Node, Paths

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
    likely = explained.probability >= 0.5
    verdict = "Known" if explained.known else "Likely" if likely else "Unlikely"
    joint, ways = _ways(explained, likely)
    if explained.known:
        joint = "; apart from that edge itself, "
    parts = [f"{verdict} ({explained.probability:.2f}): {edge}{joint}{ways}."]
    if looked:
        favourable = explained.known or likely
        parts.append(_speaks_for(explained) if favourable else _speaks_against(explained))
        alone = 1 / (1 + math.exp(-min(max(explained.logit, -100), 100)))
        if (alone >= 0.5) != likely and abs(alone - explained.probability) > APART:
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


def _ways(explained: Explanation, likely: bool) -> tuple[str, str]:
    """How what paths say is joined to the verdict, and what they say.

    Told is the pattern whose paths raise the final logit most, or of what is unlikely, where none does, that which
    lowers it most. Where no evidence is weighed the weightiest is told, but not as a reason.
    """
    paths = explained.paths
    if not paths:
        return (", although " if likely else "; "), _none(explained)
    if all(group.effect is None for group in paths):
        return "; ", _way(explained, paths[0])
    best = max(paths, key=lambda group: group.effect or 0.0)
    if (best.effect or 0.0) >= FEW:
        return (", for " if likely else ", although "), f"{_way(explained, best)} ({best.effect:+.2f})"
    worst = min(paths, key=lambda group: group.effect or 0.0)
    if not likely and (worst.effect or 0.0) <= -FEW:
        return ", for ", f"{_way(explained, worst)} ({worst.effect:+.2f})"
    ends = f"{explained.head.name} to {explained.tail.name}"
    return (", although " if likely else "; "), f"no path from {ends} speaks for it"


def _way(explained: Explanation, best: Paths) -> str:
    """What the paths of one pattern say."""
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
