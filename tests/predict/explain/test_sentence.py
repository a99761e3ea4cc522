"""What the sentence says in each case, word for word."""

from __future__ import annotations

from dataclasses import replace

from relwise.predict.explain import AttributeEffect, Carrier, Explanation, Node, Paths
from relwise.predict.explain.sentence import sentence

PLANE, ORD, DEN, IAH, JET = (
    Node("N1", "N1"),
    Node("ORD", "Chicago"),
    Node("DEN", "Denver"),
    Node("IAH", "Houston"),
    Node("N2", "N2"),
)
BARE = Explanation("", PLANE, "visits", ORD, False, 0.93, 2.5)


def three(count: int, *through: Node) -> Paths:
    examples = tuple((PLANE, node, JET, ORD) for node in through)
    return Paths("visits > ~visits > visits", 3, count, 0.5, examples, 1.2)


def two(effect: float | None) -> Paths:
    return Paths("based_at > near", 2, 1, 0.9, ((PLANE, DEN, ORD),), effect)


def tie(effect: float, tail: Node = DEN) -> Carrier:
    return Carrier(PLANE, "visits", tail, 2, 0.4, effect, "head")


def test_likely_with_paths_and_ties() -> None:
    explained = replace(BARE, paths=(three(12, DEN, IAH, DEN),), carriers=(tie(0.82), tie(0.3, IAH), tie(0.2, ORD)))
    assert sentence(explained) == (
        "Likely (0.93): N1 visits Chicago (ORD), for 12 paths visits > ~visits > visits lead from N1 to Chicago, "
        "such as by way of Denver or Houston (+1.20). "
        "The network goes most by N1 visits Denver (+0.82) and N1 visits Houston (+0.30)."
    )


def test_one_path_is_one() -> None:
    assert sentence(replace(BARE, paths=(three(1, DEN),))) == (
        "Likely (0.93): N1 visits Chicago (ORD), for 1 path visits > ~visits > visits leads from N1 to Chicago, "
        "by way of Denver (+1.20)."
    )


def test_told_are_the_paths_that_raise_the_probability_not_the_weightiest() -> None:
    for effect in (0.4, 0.0, -3.0):
        explained = replace(BARE, paths=(two(effect), three(1, IAH)))
        assert "for 1 path visits > ~visits > visits leads from N1 to Chicago, by way of Houston (+1.20)." in sentence(
            explained
        )


def test_paths_that_add_nothing_are_no_reason() -> None:
    for effect in (0.0, 0.01, -3.0):
        assert sentence(replace(BARE, paths=(two(effect),))) == (
            "Likely (0.93): N1 visits Chicago (ORD), although no path from N1 to Chicago speaks for it."
        )
    unlikely = replace(BARE, probability=0.08, logit=-2.0)
    assert sentence(replace(unlikely, paths=(two(0.0),))) == (
        "Unlikely (0.08): N1 visits Chicago (ORD); no path from N1 to Chicago speaks for it."
    )
    assert sentence(replace(unlikely, paths=(two(0.0), two(-0.7)))) == (
        "Unlikely (0.08): N1 visits Chicago (ORD), for 1 path based_at > near leads from N1 to Chicago, "
        "by way of Denver (-0.70)."
    )


def test_where_no_evidence_is_weighed_paths_are_told_as_no_reason() -> None:
    assert sentence(replace(BARE, paths=(two(None),))) == (
        "Likely (0.93): N1 visits Chicago (ORD); 1 path based_at > near leads from N1 to Chicago, by way of Denver."
    )


def test_likely_without_paths_by_an_attribute_alone() -> None:
    explained = replace(BARE, attributes=(AttributeEffect("tail", "country", "USA", 0.7),))
    assert sentence(explained) == (
        "Likely (0.93): N1 visits Chicago (ORD), although no known path of up to three steps leads from N1 to Chicago. "
        "The network goes most by Chicago's country = USA (+0.70)."
    )


def test_without_anything() -> None:
    assert sentence(BARE) == (
        "Likely (0.93): N1 visits Chicago (ORD), although no known path of up to three steps leads from N1 to Chicago."
    )


def test_unlikely() -> None:
    unlikely = replace(BARE, probability=0.08, logit=-2.0)
    assert sentence(unlikely) == (
        "Unlikely (0.08): N1 visits Chicago (ORD); no known path of up to three steps leads from N1 to Chicago."
    )
    against = replace(
        unlikely, paths=(three(2, DEN, IAH),), against=(tie(-0.5), tie(-0.01)), carriers=(tie(0.9),),
        attributes=(AttributeEffect("head", "seats", "55", -0.6), AttributeEffect("head", "year", "1999", -0.5)),
    )  # fmt: skip
    assert sentence(against) == (
        "Unlikely (0.08): N1 visits Chicago (ORD), although 2 paths visits > ~visits > visits lead from N1 to Chicago, "
        "such as by way of Denver or Houston (+1.20). "
        "What speaks most against it is N1's seats = 55 (-0.60) and N1 visits Denver (-0.50)."
    )


def test_known_and_tied_otherwise() -> None:
    known = replace(BARE, known=True, paths=(Paths("~based_at", 1, 1, 1.0, ((PLANE, ORD),), 0.3),))
    assert sentence(known) == (
        "Known (0.93): N1 visits Chicago (ORD); apart from that edge itself, the two are tied already: "
        "Chicago based at N1 (+0.30)."
    )
    assert sentence(replace(known, paths=())) == (
        "Known (0.93): N1 visits Chicago (ORD); apart from that edge itself, no known path of up to three steps "
        "leads from N1 to Chicago."
    )


def test_the_network_against_the_whole() -> None:
    explained = replace(BARE, paths=(three(1, DEN),), logit=-2.0)
    assert sentence(explained).endswith(" By itself, the network says 0.12.")


def test_counts_that_are_capped() -> None:
    notes = ("paths of three steps: not through 9 neighbours with the most ties; there may be more than are counted",)
    assert "for at least 12 paths " in sentence(replace(BARE, paths=(three(12, DEN),), notes=notes))


def test_a_name_that_ends_with_a_full_stop() -> None:
    explained = replace(BARE, tail=Node("DL", "Delta Inc."))
    assert sentence(explained).endswith("leads from N1 to Delta Inc.")


def test_not_looked() -> None:
    assert "network" not in sentence(replace(BARE, carriers=(tie(0.8),)), looked=False)
