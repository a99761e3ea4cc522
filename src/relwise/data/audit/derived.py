"""A relation that follows from two others: first step, then second, `a(h, x) and b(x, t) => r(h, t)`.

Of each relation's test edges a sample is taken, and beside it pairs that are no edges, whose ends have as many edges of
the relation (`Case.non_edges`): well-connected nodes are tied in many ways. For every pair of steps (a relation each,
either way round) is counted

- *coverage*: the share of the test edges that training edges entail by it;
- the same share of the non-edges, which chance and popularity explain.

A pair of steps gives a relation away where coverage is far above that share, and

- it is a *projection*: one of the steps leads from the node in the middle to that node's only neighbour (an office to
  its department), and the edges of all parts entail nearly all of the relation's: then the other relation's edges are
  the relation's own, written for other nodes; or
- its *confidence* is high: the share of all pairs it makes that are edges. Else it is structure, which a model
  should learn: friends of friends are often friends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relwise.data.audit.case import Case
from relwise.data.audit.chance import LUCK, ODDS, odds_ratio, surprise
from relwise.data.audit.finding import Finding
from relwise.data.audit.remedy import keep_together
from relwise.data.audit.ties import Ties
from relwise.data.edges import Edges, IntArray

SAMPLED, NON_EDGES = 300, 600
# What is found is measured again on so many.
MEASURED = 20_000
# Sources whose pairs a confidence is taken over.
SOURCES = 300
COVERAGE, EXCESS, LEAST = 0.2, 0.2, 5
# A projection has nearly all of the relation's edges; it has all of them where non-edges follow this often too.
LIFT = 5.0
LEAK = 0.5
FUNCTIONAL = 0.95
CONFIDENCE, CONTAINED, WHOLE = 0.8, 0.9, 0.99
# Of a relation's rules that are no projections, so many are looked at, those that entail most first.
RULES = 12


@dataclass(frozen=True)
class _Rule:
    """Two steps that give a relation away: the shares that the module's text names."""

    first: int
    second: int
    target: int
    entailed: int
    coverage: float
    by_chance: float
    confidence: float
    projection: bool
    examples: tuple[tuple[str, ...], ...]


def derived(case: Case, told: set[str]) -> list[Finding]:
    """Relations that follow from two others.

    Args:
        case: what is audited.
        told: relations known to be given away by one other; of them only projections are looked for.
    """
    asked = np.bincount(case.asked.relations, minlength=case.graph.num_relations)
    rules: list[_Rule] = []
    order = [r for r in np.argsort(-asked, kind="stable").tolist() if asked[r]]
    for i, r in enumerate(order):
        if case.left < 0:
            case.unexamined.append(
                f"relations that follow from two others: {len(order) - i} of {len(order)} relations, those with "
                "the fewest edges; the time ran out"
            )
            break
        case.progress(f"rules of two steps, relation {i + 1} of {len(order)}")
        rules += _rules(case, r, case.graph.relation_names[r] in told)
    return _projections(case, [rule for rule in rules if rule.projection]) + _others(
        case, [rule for rule in rules if not rule.projection]
    )


def _rules(case: Case, target: int, told: bool) -> list[_Rule]:
    """The pairs of steps that give one relation away."""
    own = _sample(case, target, SAMPLED)
    found, tried = [], 0
    for body, by_chance in _candidates(case, target, own):
        relations = {case.every.relation(step) for step in body}
        if target in relations and len(relations) > 1:
            continue  # neighbours of a kind have the relation alike: that is structure
        projection = _through(case, *body) is not None
        if _fair(case, *body) or (not projection and (told or found or tried >= RULES)):
            continue
        tried += not projection
        confidence = _confidence(case, *body, target)
        edges, total = _entailed(case, *body, target), len(_sample(case, target, MEASURED))
        coverage = len(edges) / total
        if confidence < CONFIDENCE:
            contained = _contained(case, *body, target, own) if projection else 0.0
            if contained < (CONTAINED if coverage >= LIFT * by_chance else WHOLE):
                continue
        examples = case.edges_by_id(edges)
        found.append(_Rule(*body, target, len(edges), coverage, by_chance, confidence, projection, examples))
    # Of several nodes that stand for the same one, the first will do.
    carriers = {_carrier(case, rule.first, rule.second): rule for rule in reversed(found)}
    return [rule for rule in found if rule in carriers.values()]


def _candidates(case: Case, target: int, own: Edges) -> list[tuple[tuple[int, int], float]]:
    """Pairs of steps that entail far more test edges than non-edges, and the share of these; the best first."""
    heads, tails = case.non_edges(target, NON_EDGES)
    if not len(heads):
        return []
    pairs = np.concatenate([own.heads, heads]), np.concatenate([own.tails, tails])
    rows, codes = _bodies(case, case.message, target, *pairs)
    bodies, which = np.unique(codes, return_inverse=True)
    entailed = np.bincount(which, rows < len(own), len(bodies))
    others = np.bincount(which, rows >= len(own), len(bodies))
    coverage = entailed / len(own)
    # One more than was seen, so that none seen is not taken for never.
    by_chance = (others + 1) / (len(heads) + 1)
    able = np.flatnonzero((entailed >= LEAST) & (coverage >= COVERAGE) & (coverage - by_chance >= EXCESS))
    base = 2 * case.graph.num_relations
    return [
        ((int(bodies[i]) // base, int(bodies[i]) % base), float(others[i]) / len(heads))
        for i in able[np.argsort((by_chance - coverage)[able], kind="stable")].tolist()
        if odds_ratio(float(coverage[i]), float(by_chance[i])) >= ODDS
        and surprise(float(entailed[i]), len(own), float(by_chance[i])) < LUCK
    ]


def _sample(case: Case, target: int, most: int) -> Edges:
    """The relation's test edges, or so many of them."""
    own = case.asked[case.asked.relations == target]
    if len(own) <= most:
        return own
    return own[np.sort(np.random.default_rng([case.seed, 13, target]).permutation(len(own))[:most])]


def _bodies(case: Case, ties: Ties, target: int, heads: IntArray, tails: IntArray) -> tuple[IntArray, IntArray]:
    """The pairs of steps, `first · 2R + second`, that lead from each head to its tail."""
    rows, first, second = ties.two_steps(heads, tails)
    base = 2 * case.graph.num_relations
    codes = first * base + second
    if not case.graph.directed[target]:
        # Either end may be the head: the same two steps, walked back, are the same rule.
        codes = np.minimum(codes, ties.turned(second) * base + ties.turned(first))
    pairs = np.unique(np.stack([rows, codes], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _entailed(case: Case, first: int, second: int, target: int) -> Edges:
    """The relation's test edges, of so many of them, that two steps entail from training edges."""
    own = _sample(case, target, MEASURED)
    rows, codes = _bodies(case, case.message, target, own.heads, own.tails)
    return own[rows[codes == first * 2 * case.graph.num_relations + second]]


def _contained(case: Case, first: int, second: int, target: int, own: Edges) -> float:
    """The share of the relation's edges that two steps entail from the edges of all parts."""
    codes = _bodies(case, case.every, target, own.heads, own.tails)[1]
    return float((codes == first * 2 * case.graph.num_relations + second).sum() / len(own))


def _through(case: Case, first: int, second: int) -> int | None:
    """The step from the middle to the end that it stands for, where there is one; of the two the surer."""
    back = int(case.every.turned(np.array([first]))[0])
    surest = max((back, second), key=lambda step: case.every.single[step])
    return surest if case.every.single[surest] >= FUNCTIONAL else None


def _carrier(case: Case, first: int, second: int) -> int:
    """The step whose edges are written for other nodes: the one that is not `_through`."""
    return first if _through(case, first, second) == second else second


def _fair(case: Case, first: int, second: int) -> bool:
    """Whether the evidence is dated, and the split by time: then it came before."""
    if case.graph.split_rule.by != "time":
        return False
    steps = (first, second) if _through(case, first, second) is None else (_carrier(case, first, second),)
    return all(case.has_dates(case.every.relation(step)) for step in steps)


def _confidence(case: Case, first: int, second: int, target: int) -> float:
    """The share of the pairs that two steps make, over all known edges, that are edges of the target."""
    sources = case.every.sources(first)
    if len(sources) > SOURCES:
        sources = np.sort(np.random.default_rng([case.seed, 17]).choice(sources, SOURCES, replace=False))
    which, middle = case.every.follow(first, sources)
    met, ends = case.every.follow(second, middle)
    heads = sources[which[met]]
    keys = np.unique((heads * case.graph.num_nodes + ends)[heads != ends])
    if not len(keys):
        return 0.0
    return float(case.is_known(target, keys // case.graph.num_nodes, keys % case.graph.num_nodes).mean())


# -- what is said of them ------------------------------------------------------------------------------------


def _projections(case: Case, rules: list[_Rule]) -> list[Finding]:
    """One finding for each pair of steps, whatever the number of relations it gives away."""
    findings = []
    for body in dict.fromkeys((rule.first, rule.second) for rule in rules):
        own = [rule for rule in rules if (rule.first, rule.second) == body]
        carrier = _carrier(case, *body)
        through = body[0] if carrier == body[1] else body[1]
        relation, hop = case.every.relation(carrier), case.every.relation(through)
        undated = [] if case.has_dates(relation) else [relation]
        targets = [rule.target for rule in own]
        remedy = keep_together(case, list(dict.fromkeys([relation, *targets])), [hop], undated)
        sentence = f"{case.name(relation)}, through {case.name(hop)}, gives away {_told(case, own)}"
        findings.append(_finding(case, sentence, remedy, [relation, hop], own, [relation, *targets], [hop]))
    return findings


def _others(case: Case, rules: list[_Rule]) -> list[Finding]:
    findings = []
    for rule in rules:
        relations = [case.every.relation(step) for step in (rule.first, rule.second)]
        undated = [r for r in relations if not case.has_dates(r)]
        steps = f"{case.walked(rule.first)}, then {case.walked(rule.second)}"
        sentence = f"{steps} gives away {_told(case, [rule])}"
        group = list(dict.fromkeys([*relations, rule.target]))
        remedy = keep_together(case, group, [], undated) if undated and case.graph.split_rule.by == "time" else None
        names = list(dict.fromkeys(case.graph.relation_names[r] for r in relations))
        remedy = remedy or (
            f"if {' or '.join(map(repr, names))} was made from the relation given away, leave it out of [relations]; "
            "else it is honest evidence"
        )
        findings.append(_finding(case, sentence, remedy, relations, [rule], [], []))
    return findings


def _told(case: Case, rules: list[_Rule]) -> str:
    return "; ".join(
        f"{case.name(rule.target)} ({100 * rule.coverage:.1f} % of its {case.asked_name} edges follow from training "
        f"edges, {100 * rule.by_chance:.1f} % of non-edges as well connected; {100 * rule.confidence:.1f} % of "
        "the pairs that follow are edges)"
        for rule in rules
    )


def _finding(
    case: Case, sentence: str, remedy: str, body: list[int], rules: list[_Rule], group: list[int], through: list[int]
) -> Finding:
    names = case.graph.relation_names
    best = max(rules, key=lambda rule: rule.coverage - rule.by_chance)
    leaks = best.coverage - best.by_chance >= LEAK and (best.projection or best.confidence >= CONFIDENCE)
    return Finding(
        "derived",
        "leak" if leaks and best.projection else "warn",
        sentence,
        remedy,
        tuple(dict.fromkeys(names[r] for r in [*body, *(rule.target for rule in rules)])),
        count=best.entailed,
        share=best.coverage,
        examples=best.examples,
        group=tuple(dict.fromkeys(names[r] for r in group)),
        through=tuple(names[r] for r in through),
    )
