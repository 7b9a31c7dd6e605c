"""The colours that mean something are told apart by people who see fewer of them, too."""

from __future__ import annotations

from itertools import combinations

import pytest

from rnn.figures import theme
from tests.unit.colours import APART, VISIONS, distance

MEANINGS = (theme.INPUT, theme.HIDDEN, theme.OUTPUT, theme.CELL_STATE, theme.GRADIENT, theme.VALIDATION)


@pytest.mark.parametrize("vision", VISIONS)
def test_every_two_colours_with_a_meaning_are_told_apart(vision: str) -> None:
    for one, other in combinations(MEANINGS, 2):
        assert distance(one, other, vision) >= APART, (one, other)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("ink", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_every_colour_stands_out_from_the_page(ink: theme.Ink, vision: str) -> None:
    for colour in (*MEANINGS, ink.foreground, ink.muted):
        assert distance(colour, ink.background, vision) >= 2 * APART, colour


def test_distances_are_those_of_known_colours() -> None:
    """Of black and white by definition; of sRGB's red and green as colour science has them."""
    assert distance("#000000", "#FFFFFF", "usual") == pytest.approx(100, abs=0.1)
    assert distance("#FF0000", "#00FF00", "usual") == pytest.approx(170.6, abs=0.3)
    assert distance("rgba(0, 0, 0, 0.5)", "#808080", "usual", "#FFFFFF") == pytest.approx(0, abs=0.5)


def test_red_and_green_of_one_lightness_are_one_colour_to_those_who_lack_a_cone() -> None:
    red, green = "#B35A5A", "#7A7A3C"
    assert distance(red, green, "usual") > 2 * distance(red, green, "deuteranopia")
    grey = "#777777"
    for vision in VISIONS:  # what has no hue looks the same to everybody
        assert distance(grey, "#FFFFFF", vision) == pytest.approx(distance(grey, "#FFFFFF", "usual"), abs=1)
