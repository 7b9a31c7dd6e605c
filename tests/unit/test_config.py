"""Settings: nothing out of bounds gets in, whatever it came from, and JSON gives back what went in."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.config import (
    CELLS,
    KINDS,
    PRESETS,
    VARIANTS,
    ModelConfig,
    SampleConfig,
    TaskConfig,
    TrainConfig,
    bounds_for,
    help_for,
)
from rnn.errors import ConfigError, PlaygroundError

SETTINGS = (ModelConfig, TrainConfig, SampleConfig)
FIELDS = [pytest.param(cls, f, id=f"{cls.__name__}.{f.name}") for cls in SETTINGS for f in dataclasses.fields(cls)]
HUGE = 10**5000  # has more digits than Python prints


def kind_of(field: dataclasses.Field[Any]) -> str:
    return str(field.type).removesuffix(" | None")


def is_optional(field: dataclasses.Field[Any]) -> bool:
    return str(field.type).endswith("| None")


def wrong_values(field: dataclasses.Field[Any]) -> list[Any]:
    wrong: list[Any] = [[], {}, (1,), b"1", object()]
    wrong += [] if is_optional(field) else [None]
    wrong += {
        "int": [True, False, 2.0, "2", math.nan, HUGE, -HUGE],
        "float": [True, False, "2", math.nan, math.inf, -math.inf, 1j, HUGE, -HUGE],
        "bool": [0, 1, "true"],
        "str": [0, 1.5, True],
    }[kind_of(field)]
    return wrong + (["", "no such choice"] if field.metadata["choices"] else [])


@pytest.mark.parametrize(("cls", "field"), FIELDS)
def test_wrong_type_is_refused_by_name(cls: Any, field: dataclasses.Field[Any]) -> None:
    for value in wrong_values(field):
        with pytest.raises(ConfigError, match=field.name) as refusal:
            cls(**{field.name: value})
        assert len(str(refusal.value)) < 250


@pytest.mark.parametrize(("cls", "field"), FIELDS)
def test_bounds_are_accepted_and_what_is_beyond_refused(cls: Any, field: dataclasses.Field[Any]) -> None:
    bounds = field.metadata
    beyond = {"low": -1, "high": 1, "above": 0, "below": 0}
    for limit, outward in beyond.items():
        if bounds[limit] is None:
            continue
        edge = bounds[limit]
        if limit in ("low", "high"):
            assert getattr(cls(**{field.name: edge}), field.name) == edge
        outside = edge + outward if kind_of(field) == "int" or not outward else math.nextafter(edge, outward * math.inf)
        with pytest.raises(ConfigError, match=field.name):
            cls(**{field.name: outside})


@pytest.mark.parametrize(("cls", "field"), FIELDS)
def test_every_setting_has_one_line_of_help(cls: Any, field: dataclasses.Field[Any]) -> None:
    line = help_for(cls, field.name)
    assert line.endswith(".")
    assert "\n" not in line


def test_bounds_are_none_where_open_or_excluded() -> None:
    assert bounds_for(ModelConfig, "num_layers") == (1, 4)
    assert bounds_for(ModelConfig, "dropout") == (0, None)
    assert bounds_for(TrainConfig, "learning_rate") == (None, 100)


@pytest.mark.parametrize("cls", SETTINGS)
def test_unknown_setting_is_refused_by_name(cls: Any) -> None:
    with pytest.raises(ConfigError, match="hiden_size"):
        cls.from_json({"hiden_size": 3})


@pytest.mark.parametrize("cls", SETTINGS)
@pytest.mark.parametrize("values", [None, 3, "cell", [], [["cell", "gru"]]])
def test_settings_that_are_no_mapping_are_refused(cls: Any, values: Any) -> None:
    with pytest.raises(ConfigError, match="named settings"):
        cls.from_json(values)


@pytest.mark.parametrize("cls", SETTINGS)
def test_settings_left_out_take_their_defaults(cls: Any) -> None:
    assert cls.from_json({}) == cls()


@pytest.mark.parametrize("cls", SETTINGS)
def test_settings_cannot_be_changed(cls: Any) -> None:
    settings, first = cls(), dataclasses.fields(cls)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(settings, first, None)


def test_a_refusal_is_a_value_error_that_can_be_shown() -> None:
    with pytest.raises(ValueError, match="hidden_size must be at least 1, not 0") as refusal:
        ModelConfig(hidden_size=0)
    assert isinstance(refusal.value, PlaygroundError)


def valid(field: dataclasses.Field[Any]) -> st.SearchStrategy[Any]:
    """All values that the field's metadata says are good."""
    bounds = field.metadata
    if bounds["choices"]:
        values: st.SearchStrategy[Any] = st.sampled_from(bounds["choices"])
    elif kind_of(field) == "int":
        values = st.integers(bounds["low"], bounds["high"])
    elif kind_of(field) == "float":
        low, high = (
            bounds[a] if bounds[a] is not None else bounds[b] for a, b in (("low", "above"), ("high", "below"))
        )
        excluded = {"exclude_min": bounds["above"] is not None, "exclude_max": bounds["below"] is not None}
        values = st.floats(low, high, **excluded)
    else:
        values = st.booleans() if kind_of(field) == "bool" else st.text()
    return st.none() | values if is_optional(field) else values


@pytest.mark.parametrize("cls", SETTINGS)
@given(data=st.data())
def test_json_gives_back_the_same_settings(cls: Any, data: st.DataObject) -> None:
    settings = cls(**{f.name: data.draw(valid(f)) for f in dataclasses.fields(cls)})
    assert cls.from_json(json.loads(json.dumps(settings.to_json()))) == settings


# What is learned


@pytest.mark.parametrize(("field", "kind"), [
    ("variant", "frames"), ("decoder_cell", "caption"), ("decoder_hidden_size", "caption"), ("length", "frames"),
    ("decoder_num_layers", "number-names"), ("teacher_forcing", "digit-name"), ("reverse_input", "caption"),
    ("kind", "frames"),
])  # fmt: skip
def test_a_setting_of_a_task_is_checked_as_any_other(field: str, kind: str) -> None:
    found = next(f for f in dataclasses.fields(TaskConfig) if f.name == field)
    assert help_for(TaskConfig, field).endswith(".")
    for value in wrong_values(found):
        with pytest.raises(ConfigError, match=field):
            TaskConfig(**{"kind": kind} | {field: value})
    for edge, beyond in ((found.metadata["low"], -1), (found.metadata["high"], 1)):
        if edge is not None:
            assert getattr(TaskConfig(**{"kind": kind, field: edge}), field) == edge
            with pytest.raises(ConfigError, match=field):
                TaskConfig(**{"kind": kind, field: edge + beyond})


@pytest.mark.parametrize("kind", KINDS)
def test_a_variant_is_one_of_its_kind(kind: str) -> None:
    everything = {variant for own in VARIANTS.values() for variant in own}
    assert "" in VARIANTS[kind]
    for variant in everything:
        if variant in VARIANTS[kind]:
            assert TaskConfig.from_json(TaskConfig(kind, variant).to_json()) == TaskConfig(kind, variant)
        else:
            with pytest.raises(ConfigError, match=f"^variant must be one of .* for {kind}, not"):
                TaskConfig(kind, variant)


@pytest.mark.parametrize(
    "settings",
    [{"decoder_cell": "gru"}, {"reverse_input": True}, {"teacher_forcing": 0.5}, {"length": 5}],
    ids=lambda settings: next(iter(settings)),
)
def test_a_setting_that_has_no_meaning_for_the_task_is_refused(settings: dict[str, Any]) -> None:
    (name,) = settings
    with pytest.raises(ConfigError, match=f"^{name} is a setting of .*, not of digit-rows."):
        TaskConfig("digit-rows", **settings)


def test_a_decoder_is_the_encoder_but_for_what_is_set() -> None:
    encoder = ModelConfig(cell="gru", hidden_size=7, num_layers=2, embedding_size=3, bidirectional=True)
    assert TaskConfig("caption").decoder(encoder) == dataclasses.replace(encoder, bidirectional=False)
    own = TaskConfig("caption", decoder_cell="lstm", decoder_hidden_size=9, decoder_num_layers=1).decoder(encoder)
    assert (own.cell, own.hidden_size, own.num_layers, own.embedding_size) == ("lstm", 9, 1, 3)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize("cls", SETTINGS)
@given(data=st.data())
def test_any_json_value_makes_settings_or_a_refusal_that_names_the_field(cls: Any, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([f.name for f in dataclasses.fields(cls)]))
    value = data.draw(JSON)
    try:
        settings = cls.from_json({name: value})
    except ConfigError as refusal:
        assert name in str(refusal)
    else:
        assert getattr(settings, name) == value


@pytest.mark.parametrize(("cell", "count"), [("rnn", 66_369), ("gru", 182_337), ("lstm", 240_321)])
def test_two_layers_of_128_on_65_characters_have_the_known_number_of_parameters(cell: str, count: int) -> None:
    assert ModelConfig(cell=cell, hidden_size=128, num_layers=2).parameter_count(65) == count


MODELS = st.builds(
    ModelConfig,
    cell=st.sampled_from(CELLS),
    hidden_size=st.integers(*bounds_for(ModelConfig, "hidden_size")),
    num_layers=st.integers(1, 4),
    embedding_size=st.sampled_from([0, 7]),
    bias=st.booleans(),
    bidirectional=st.booleans(),
)


def count_of(model: ModelConfig, hidden_size: int, vocabulary_size: int) -> int:
    return dataclasses.replace(model, hidden_size=hidden_size).parameter_count(vocabulary_size)


@given(model=MODELS, vocabulary_size=st.integers(1, 300))
def test_a_model_sized_for_its_own_count_is_itself(model: ModelConfig, vocabulary_size: int) -> None:
    other = dataclasses.replace(model, hidden_size=3)
    assert other.sized_for(model.parameter_count(vocabulary_size), vocabulary_size) == model


@given(model=MODELS, vocabulary_size=st.integers(1, 300), data=st.data())
def test_no_hidden_size_comes_closer_than_the_one_sized_for(
    model: ModelConfig, vocabulary_size: int, data: st.DataObject
) -> None:
    low, high = 1, 2048
    wanted = data.draw(st.integers(count_of(model, low, vocabulary_size), count_of(model, high, vocabulary_size)))
    sized = model.sized_for(wanted, vocabulary_size)
    neighbours = range(max(low, sized.hidden_size - 1), min(high, sized.hidden_size + 1) + 1)
    distances = {size: abs(count_of(model, size, vocabulary_size) - wanted) for size in neighbours}
    assert distances[sized.hidden_size] == min(distances.values())
    assert dataclasses.replace(sized, hidden_size=model.hidden_size) == model


def test_of_two_hidden_sizes_as_close_the_smaller_one_is_taken() -> None:
    model = ModelConfig(cell="lstm")
    between, odd = divmod(count_of(model, 10, 66) + count_of(model, 11, 66), 2)
    assert not odd
    assert [model.sized_for(between + more, 66).hidden_size for more in (-1, 0, 1)] == [10, 10, 11]


@pytest.mark.parametrize("parameters", [-1, 0, 401, 17_459_266, pytest.param(HUGE, id="huge")])
def test_a_count_that_no_hidden_size_has_is_refused_with_those_there_are(parameters: int) -> None:
    with pytest.raises(
        ConfigError, match=r"lstm can have 402 parameters .* to 17,459,265 \(hidden_size 2048\)"
    ) as refusal:
        ModelConfig().sized_for(parameters, 65)
    assert len(str(refusal.value)) < 250
    assert ModelConfig().sized_for(402, 65).hidden_size == 1
    assert ModelConfig().sized_for(17_459_265, 65).hidden_size == 2048


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_what_it_is_and_goes_through_json(name: str) -> None:
    preset = PRESETS[name]
    assert preset.title
    assert preset.description.endswith(".")
    assert ModelConfig.from_json(preset.model.to_json()) == preset.model
    assert TrainConfig.from_json(preset.train.to_json()) == preset.train


def test_there_is_a_default_preset() -> None:
    assert "default" in PRESETS
