import numpy as np
import pytest
import torch

from relwise.data.graph import Attribute, NodeType
from relwise.nn.attributes import RecurrentTextEncoder, TextChoice, TypeEncoder
from tests.nn.attributes.cases import column, reloaded, same_bits

N, DIM = 20, 16


def attributes(n=N, seed=0):
    rng = np.random.default_rng(seed)
    names = np.array([f"Air {i % 7}" if i % 5 else None for i in range(n)], dtype=object)
    return (
        Attribute("year", "numeric", np.where(rng.random(n) < 0.2, np.nan, rng.normal(2000, 9, n))),
        Attribute("a.model", "categorical", rng.choice(np.array(["A320", "B737", None], dtype=object), n)),
        Attribute("built", "timestamp", rng.integers(0, 2**50, n).astype("datetime64[us]")),
        Attribute("position", "place", rng.uniform(-80, 80, (n, 2))),
        Attribute("training", "text", names),  # a name that nn.Module has for itself
        Attribute("embedding", "vector", rng.normal(size=(n, 3)).astype(np.float32)),
        Attribute("paid", "boolean", rng.choice([0.0, 1.0, np.nan], n)),
        Attribute(
            "uses", "multi_categorical", column(*([("sea", "air"), ("air",), None, ()][i % 4] for i in range(n)))
        ),
    )


def node_type(n=N, of=None, seed=0):
    chosen = attributes(n, seed) if of is None else tuple(a for a in attributes(n, seed) if a.name in of)
    return NodeType("plane", [f"N{i}" for i in range(n)], attributes=chosen)


@pytest.mark.parametrize("of", [None, ("year",), ("a.model", "training")])
@pytest.mark.parametrize("learnt", [None, True])
def test_shape_and_round_trip(of, learnt):
    planes = node_type(of=of)
    encoder = TypeEncoder.fit(planes, DIM, learnt=learnt)
    h = encoder(encoder.prepare(planes))
    assert h.shape == (N, DIM)
    twin = reloaded(encoder)
    assert twin.config() == encoder.config()
    assert same_bits(twin(twin.prepare(planes)).detach(), h.detach())
    h.square().sum().backward()
    # What new nodes share is asked for by none of these.
    assert {name for name, p in encoder.named_parameters() if p.grad is None} <= {"learnt.unknown"}


def test_a_type_without_attributes_is_learnt():
    words = node_type(of=())
    encoder = TypeEncoder.fit(words, DIM, std=0.5)
    h = encoder(encoder.prepare(words))
    assert torch.equal(h, encoder.learnt.weight)
    assert h.std().item() == pytest.approx(0.5, rel=0.2)
    assert torch.equal(reloaded(encoder)(encoder.prepare(words)), h)


def test_texts_are_read_as_chosen():
    planes = node_type(of=("year", "training"))
    encoder = TypeEncoder.fit(planes, DIM, text=TextChoice("rnn"))
    assert isinstance(encoder.encoders[1], RecurrentTextEncoder)
    prepared = encoder.prepare(planes)
    assert same_bits(reloaded(encoder)(prepared).detach(), encoder(prepared).detach())
    rows = torch.tensor([7, 0, 7])
    torch.testing.assert_close(encoder(prepared, rows), encoder(prepared)[rows])


def test_a_type_with_nothing_at_all_is_refused():
    with pytest.raises(ValueError, match="needs an attribute"):
        TypeEncoder.fit(node_type(of=()), DIM, learnt=False)


def test_new_nodes_are_encoded_and_change_no_other():
    encoder = TypeEncoder.fit(node_type(), DIM)
    fitted, more = node_type(), node_type(N + 5)
    grown = NodeType(
        "plane",
        more.ids,
        attributes=tuple(
            Attribute(a.name, a.modality, np.concatenate([a.values, b.values[N:]]))
            for a, b in zip(fitted.attributes, more.attributes, strict=True)
        ),
    )
    old, new = encoder.prepare(fitted), encoder.prepare(grown)
    assert all(same_bits(new[name][:N], old[name]) for name in old)
    assert encoder(new).shape == (N + 5, DIM)


def test_missing_values_change_no_other_row():
    planes = node_type()
    encoder = TypeEncoder.fit(planes, DIM)
    blank = {"f": np.nan, "O": None, "M": np.datetime64("NaT")}
    changed = []
    for attribute in planes.attributes:
        values = attribute.values.copy()
        values[3] = blank[values.dtype.kind]
        changed.append(Attribute(attribute.name, attribute.modality, values))
    before = encoder(encoder.prepare(planes))
    after = encoder(encoder.prepare(NodeType("plane", planes.ids, attributes=tuple(changed))))
    others = [i for i in range(N) if i != 3]
    assert torch.equal(before[others], after[others])
    assert not torch.equal(before[3], after[3])


def test_rows():
    planes = node_type()
    encoder = TypeEncoder.fit(planes, DIM, learnt=True)
    prepared, rows = encoder.prepare(planes), torch.tensor([7, 0, 7])
    torch.testing.assert_close(encoder(prepared, rows), encoder(prepared)[rows])


def test_width_of_the_attributes():
    def widths(**options):
        return [e.out_dim for e in TypeEncoder.fit(options.pop("nodes", node_type()), 16, **options).encoders]

    assert widths() == [4] * 8  # at least a quarter each
    assert widths(nodes=node_type(of=("year", "position"))) == [8, 8]
    assert widths(nodes=node_type(of=("year",))) == [16]
    assert widths(attribute_dim=3) == [3] * 8


def test_attributes_are_known_by_name():
    encoder = TypeEncoder.fit(node_type(of=("year", "position")), DIM)
    given = node_type()
    shuffled = NodeType("plane", given.ids, attributes=given.attributes[::-1])
    assert torch.equal(encoder(encoder.prepare(given)), encoder(encoder.prepare(shuffled)))
    with pytest.raises(ValueError, match="'plane' has no numeric attribute 'year'"):
        encoder.prepare(node_type(of=("position",)))


@pytest.mark.parametrize("n", [0, 1])
def test_tiny_types(n):
    tiny = node_type(n)
    encoder = TypeEncoder.fit(tiny, DIM)
    assert encoder(encoder.prepare(tiny)).shape == (n, DIM)
    assert torch.isfinite(reloaded(encoder)(encoder.prepare(node_type()))).all()
