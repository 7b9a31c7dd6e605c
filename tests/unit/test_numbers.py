"""Number names: spelled as num2words spells them, split for ever, read back from what a person types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from rnn.data.numbers import LIMITS, SYMBOLS, Language, Preset, batch, numbers, pairs, parse, spell
from rnn.data.sequences import END
from rnn.errors import ConfigError, InputError

LANGUAGES: tuple[Language, ...] = ("en", "fr")
PRESETS: tuple[Preset, ...] = ("small", "large")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_follows_the_thousands_is_spelled_as_by_num2words(language: Language) -> None:
    """A name above 999 is made of two below, which do not depend on each other; here is every second one."""
    chosen = [*range(2_000), *range(2_000, LIMITS["small"], 7)]
    assert [n for n in chosen if spell(n, language) != num2words(n, lang=language)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_count_of_thousands_is_spelled_as_by_num2words(language: Language) -> None:
    """The same for every first one, with nothing, with "and" and with a comma after it in English."""
    large = [1_000 * thousands + rest for thousands in range(1_000) for rest in (0, 80, 100)]
    assert [n for n in large if spell(n, language) != num2words(n, lang=language)] == []


@given(st.integers(0, 999_999), st.sampled_from(LANGUAGES))
def test_any_number_is_spelled_as_by_num2words(number: int, language: Language) -> None:
    assert spell(number, language) == num2words(number, lang=language)


def test_the_symbols_are_the_characters_of_the_names() -> None:
    for language in LANGUAGES:
        used = {character for n in range(LIMITS["small"]) for character in spell(n, language)}
        assert set(SYMBOLS[language].names) == used


@pytest.mark.parametrize("preset", PRESETS)
def test_a_tenth_is_held_out_and_the_parts_share_nothing(preset: Preset) -> None:
    train, held_out = numbers("train", preset), numbers("validation", preset)
    assert sorted([*train.tolist(), *held_out.tolist()]) == list(range(LIMITS[preset]))
    assert 0.09 < len(held_out) / LIMITS[preset] < 0.11
    assert held_out.min() >= 100


def test_a_number_is_held_out_of_both_presets_or_of_none() -> None:
    large = numbers("validation", "large")
    assert large[large < LIMITS["small"]].tolist() == numbers("validation", "small").tolist()


def test_batches_are_training_numbers_and_follow_from_the_seed_and_the_step() -> None:
    chosen = batch("small", seed=2, step=3, count=500)
    assert set(chosen.tolist()) <= set(numbers("train", "small").tolist())
    assert chosen.tolist() == batch("small", seed=2, step=3, count=500).tolist()
    assert chosen.tolist() != batch("small", seed=2, step=4, count=500).tolist()


def test_pairs_are_the_names_in_both_languages() -> None:
    chosen = [0, 81, 9_999, 71]
    source, target, source_lengths, target_lengths = pairs(chosen)
    for row, n in enumerate(chosen):
        english, french = source[row, : source_lengths[row]], target[row, : target_lengths[row]]
        assert "".join(SYMBOLS["en"].decode(english.tolist())) == spell(n, "en")
        assert "".join(SYMBOLS["fr"].decode(french.tolist())) == spell(n, "fr")
        assert french[-1] == END
        assert END not in english
    assert spell(81, "fr") == "quatre-vingt-un"


@given(st.integers(0, 99_999))
def test_what_is_spelled_is_read_back(number: int) -> None:
    for typed in (
        str(number),
        f"{number:,}",
        f" 00{number}",
        spell(number, "en"),
        spell(number, "en").upper(),
        spell(number, "en").replace("-", " ").replace(",", "").replace(" and ", " "),
    ):
        assert parse(typed, "large") == number


def test_a_hundred_is_one_hundred() -> None:
    assert parse("A hundred and five", "small") == 105


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "x", "-5", "3.5", "1,23", "twenty twelve", "hundred", "and", "five thousand thousand", "one million",
     "vingt", "٣", "hundred " * 50, "one " * 5_000, "9" * 5_000],
)  # fmt: skip
def test_what_is_no_number_is_refused_in_one_sentence(typed: str) -> None:
    with pytest.raises(InputError, match="Type a whole number"):
        parse(typed, "large")


@pytest.mark.parametrize("typed", ["10000", "10,000", "ten thousand", "two hundred thousand", "1" + "0" * 90])
def test_a_number_beyond_the_preset_is_refused(typed: str) -> None:
    with pytest.raises(InputError, match="too large: give one from 0 to 9,999"):
        parse(typed, "small")


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="en and fr"):
        spell(3, "de")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="small and large"):
        numbers("train", "huge")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="0 to 999,999"):
        spell(1_000_000, "en")
