"""Settings: one list of fields for keywords, TOML and `--set`, and one clear error for each mistake in them."""

from __future__ import annotations

import math
from typing import get_type_hints

import pytest

from relwise.errors import InputError
from relwise.predictor import RelationshipPredictor
from relwise.settings import ModelSettings, SamplerSettings, Settings, SettingsKeywords, TrainingSettings


def _refused(**values: object) -> InputError:
    with pytest.raises(InputError) as caught:
        Settings.of(values)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return caught.value


def test_the_keywords_are_the_fields_with_their_types() -> None:
    fields = {name: field.annotation for name, field in Settings.model_fields.items()}
    assert get_type_hints(SettingsKeywords) == fields
    assert list(SettingsKeywords.__annotations__) == [
        name for part in (ModelSettings, SamplerSettings, TrainingSettings) for name in part.model_fields
    ]
    assert not SettingsKeywords.__required_keys__


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    assert "seed" not in Settings.model_fields


def test_the_defaults_are_valid_and_survive_the_round_trip() -> None:
    settings = Settings.of({})
    assert Settings.of(settings.model_dump()) == settings
    assert RelationshipPredictor(**settings.model_dump()).settings == settings


@pytest.mark.parametrize(
    ("given", "key", "value"),
    [
        ("64", "dim", 64),
        ("0.05", "learning_rate", 0.05),
        ("1e-3", "learning_rate", 0.001),
        ("-0.2", "mu", -0.2),
        ("true", "node_embedding", True),
        ("0", "node_embedding", False),
        ("asa", "sampler", "asa"),
        ("exponential", "mu_decay", "exponential"),
        ("none", "bases", None),
        ("None", "bases", None),
        ("7", "bases", 7),
        ("mrr", "select", "mrr"),
    ],
)
def test_strings_of_the_command_line_are_converted(given: str, key: str, value: object) -> None:
    found = getattr(Settings.of({key: given}), key)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("key", "meant"),
    [("samplr", "sampler"), ("lerning_rate", "learning_rate"), ("DIM", "dim"), ("evalevery", "eval_every")],
)
def test_an_unknown_key_names_the_nearest(key: str, meant: str) -> None:
    error = _refused(**{key: 1})
    assert repr(key) in error.what
    assert repr(meant) in str(error.remedy)


def test_an_unknown_key_like_no_other_is_told_all_keys() -> None:
    remedy = str(_refused(zzz=1).remedy)
    assert all(key in remedy for key in Settings.model_fields)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dim", "many"),
        ("dim", ""),
        ("dim", 0),
        ("dim", 8.5),
        ("dim", None),
        ("dim", "none"),
        ("heads", -1),
        ("bases", 0),
        ("dropout", 1),
        ("dropout", -0.1),
        ("pool", 0),
        ("shared_pool", 0),
        ("mu", 2),
        ("mu", math.nan),
        ("mu", "nan"),
        ("mu_decay", "steep"),
        ("warmup", -1),
        ("steps", 0),
        ("learning_rate", 0),
        ("learning_rate", "nan"),
        ("learning_rate", math.inf),
        ("learning_rate", "inf"),
        ("weight_decay", "Infinity"),
        ("weight_decay", -1),
        ("share", 0),
        ("share", 1),
        ("select", "f1"),
        ("node_embedding", "perhaps"),
        ("embedding_dropout", 1),
        ("embedding_dropout", -0.1),
        ("text", "bert"),
        ("patience", 0),
    ],
)
def test_a_bad_value_names_the_key_and_what_it_is(key: str, value: object) -> None:
    error = _refused(**{key: value})
    assert error.what.startswith(f"{key} = {value!r}")
    assert str(error.remedy) == f"{key} is {Settings.model_fields[key].description}"


@pytest.mark.parametrize("name", ["bernoulli", "adversarial", "hard", "ASA"])
def test_a_sampler_that_is_not_there_yet_is_told_what_there_is(name: str) -> None:
    error = _refused(sampler=name)
    assert name in error.what
    assert all(word in str(error) for word in ("random", "hardest", "nscaching", "kbgan", "asa"))


def test_a_text_model_goes_with_what_takes_one() -> None:
    assert Settings.of({"text": "model2vec", "text_model": "a/folder"}).text_model == "a/folder"
    error = _refused(text_model="a/folder")
    assert str(error).startswith("text_model = a/folder has no use with text = tfidf; set text=model2vec")


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().dim = 3  # type: ignore[misc]


def test_the_bases_are_as_many_as_said_else_by_the_relations() -> None:
    assert [Settings.of({}).num_bases(n) for n in (1, 10, 11, 400)] == [None, None, 10, 10]
    assert [Settings.of({"bases": 3}).num_bases(n) for n in (1, 400)] == [3, 3]


def test_large_pools_are_shared_unless_said_otherwise() -> None:
    assert [Settings.of({"pool": pool}).edges_per_pool() for pool in (1, 10, 49, 50, 500)] == [1, 1, 1, 32, 32]
    assert [Settings.of({"pool": pool, "shared_pool": 7}).edges_per_pool() for pool in (10, 100)] == [7, 7]
    assert Settings.of({"pool": 100, "shared_pool": 1}).edges_per_pool() == 1
