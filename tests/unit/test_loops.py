"""A loop is found where a text ends in one, with its piece and its beginning, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn import corpora
from rnn.loops import LOOKED_AT, MIN_CHARACTERS, MIN_REPEATS, MIN_RULER, Loop, advice, find_loop

PROSE = "It was the best of times, it was the worst of times. "
CODE = "def f(x):\n    if x:\n        return None\n    return x\n\n\n"
TEXTS = st.one_of(
    st.text("ab.", max_size=160), st.builds(str.__mul__, st.text("ab. ", max_size=20), st.integers(1, 20))
)
THE = Loop(0, "the ", 48)


def plain(text: str) -> Loop | None:
    """The rule as it is stated: of all periods, the one that reaches back furthest, and of these the shortest."""
    best: Loop | None = None
    for period in range(1, len(text) // MIN_REPEATS + 1):
        start = len(text) - period
        while start > 0 and text[start - 1] == text[start - 1 + period]:
            start -= 1
        piece, length = text[start : start + period], len(text) - start
        least = MIN_CHARACTERS if any(c.isalnum() for c in piece) else MIN_RULER
        if length >= max(MIN_REPEATS * period, least) and (best is None or length > best.characters):
            best = Loop(start, piece, length)
    return best


@given(TEXTS, st.text("ab.", max_size=30))
def test_the_loop_is_the_one_that_trying_every_period_finds(end: str, before: str) -> None:
    assert find_loop(before + end) == plain(before + end)


@pytest.mark.parametrize("piece", ["the ", "and the king of the ", "        return None\n", PROSE, "ß→😀 x"])
@pytest.mark.parametrize("cut", [0, 1, 3])
def test_a_periodic_end_is_found_whole(piece: str, cut: int) -> None:
    repeated = piece * 12
    text = f"Once#{repeated[: len(repeated) - cut]}"
    loop = find_loop(text)
    assert loop == Loop(5, piece, 12 * len(piece) - cut)
    assert (loop.period, loop.repeats) == (len(piece), 12 if cut == 0 else 11)


def test_a_loop_that_is_over_is_none() -> None:
    assert find_loop("the " * 12 + "end of the matter.") is None


def test_a_piece_with_a_loop_inside_is_the_piece() -> None:
    piece = "ha " * 10 + "said the fool. "
    assert find_loop(piece * 5) == Loop(0, piece, 5 * len(piece))


def test_a_loop_may_have_begun_long_ago() -> None:
    assert find_loop("x" + "the " * LOOKED_AT) == Loop(1, "the ", 4 * LOOKED_AT)


@pytest.mark.parametrize("ruler", ["=", " ", "-", "\n", ". ", "* ", "-=", "\t\n"])
def test_a_ruler_is_no_loop_until_it_is_longer_than_a_line(ruler: str) -> None:
    text = "A title\n"
    assert find_loop(text + ruler * (100 // len(ruler))) is None
    loop = find_loop(text + "#" + ruler * (MIN_RULER // len(ruler)))
    assert loop == Loop(len(text) + 1, ruler, MIN_RULER)


@pytest.mark.parametrize("text", ["", "a", "abc" * 7, "the cat. the cat. ", PROSE * 2, CODE * 2, "ha ha ha ha ha!"])
def test_a_short_text_and_what_is_said_twice_are_no_loops(text: str) -> None:
    assert find_loop(text) is None


def test_a_counter_is_no_loop() -> None:
    assert find_loop("".join(f"item {n}, " for n in range(100, 200))) is None


@pytest.mark.parametrize("name", ["python_reference", "python_source"])
def test_text_that_people_wrote_has_no_loops(name: str) -> None:
    content = getattr(corpora, name)().content
    ends = range(500, min(len(content), 400_000), 997)
    assert [content[end - 40 : end] for end in ends if find_loop(content[end - 500 : end])] == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"temperature": 0.2}, "raise the temperature from 0.2 to about 0.8, so that"),
        ({"temperature": 0}, "raise the temperature from 0 to about 0.8"),
        ({"temperature": 1.0, "top_k": 1}, "raise top-k from 1 to about 40, so that"),
        ({"temperature": 0.8, "top_p": 0.3}, "raise top-p from 0.3 to about 0.9, so that"),
        ({"temperature": 0.1, "top_k": 2}, "temperature from 0.1 to about 0.8 and raise top-k from 2 to about 40"),
        ({"temperature": 0.8, "top_k": 40, "top_p": 0.9}, "train for longer or choose a larger model"),
        ({"temperature": 1.0}, "train for longer or choose a larger model"),
    ],
)  # fmt: skip
def test_the_advice_names_what_keeps_the_text_in_the_loop(settings: dict[str, float], words: str) -> None:
    sentence = advice(THE, **settings)  # type: ignore[arg-type]
    assert sentence.startswith("The text ends in 12 repeats of the same 4 characters: ")
    assert words in sentence
    assert sentence.endswith(".")
    assert ("train" in sentence) != ("raise" in sentence)


def test_one_character_is_named_in_the_singular() -> None:
    assert "40 repeats of the same character:" in advice(Loop(0, "a", 40), 1.0)
