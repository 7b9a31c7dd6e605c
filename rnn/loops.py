"""Whether a generated text ends in a loop, and what to do about it.

A text ends in a loop if its end is one piece over and over: at least `MIN_REPEATS` whole times, and `MIN_CHARACTERS` in
all. Of several such ends (the piece may itself hold a smaller loop) the longest counts. Rulers, indentation and rows of
dots repeat by intent, so a piece without a letter or digit has to fill `MIN_RULER` characters. A repeat differs in no
character: a counter that goes on counting is no loop.

The piece is found from the periods of the text read backwards, by the failure function of Knuth, Morris and Pratt
(1977, "Fast pattern matching in strings"): q characters whose longest border is f have the period q - f.
"""

from __future__ import annotations

from dataclasses import dataclass

MIN_REPEATS = 3  # whole ones; prose says things twice
MIN_CHARACTERS = 24  # in all; "ha ha ha ha" is no loop yet
MIN_RULER = 128  # characters in all, of a piece without a letter or digit: longer than a line is
LOOKED_AT = 8192  # characters at the end of the text; a piece of up to a third of them is found

COLD = 0.5  # a temperature below this makes the likeliest character nearly certain
WARMER = 0.8  # the usual temperature
NARROW_K, WIDER_K = 5, 40
NARROW_P, WIDER_P = 0.5, 0.9


@dataclass(frozen=True)
class Loop:
    """The piece that a text ends in, over and over.

    Attributes:
        start: the position in the text from which on it repeats.
        piece: what repeats, as it stands at `start`.
        characters: how much of the text it fills, up to the text's end; the last repeat may be cut off.
    """

    start: int
    piece: str
    characters: int

    @property
    def period(self) -> int:
        """The characters of the piece."""
        return len(self.piece)

    @property
    def repeats(self) -> int:
        """How often the whole piece stands there."""
        return self.characters // self.period


def find_loop(text: str) -> Loop | None:
    """The loop that the text ends in, by the rule of this module, or None. Time is linear in the text."""
    end = text[-LOOKED_AT:]
    for length, border in reversed(list(enumerate(_borders(end[::-1]), start=1))):
        period = length - border
        if length < MIN_CHARACTERS:
            break
        if length < MIN_REPEATS * period:
            continue
        is_ruler = not any(map(str.isalnum, text[-period:]))
        if length < MIN_RULER and is_ruler:
            continue
        start = len(text) - length
        while start > 0 and text[start - 1] == text[start - 1 + period]:  # it may have begun before what was looked at
            start -= 1
        return Loop(start, text[start : start + period], len(text) - start)
    return None


def _borders(text: str) -> list[int]:
    """For each prefix of the text, the length of the longest shorter one that it also ends in."""
    borders, border = [0] * len(text), 0
    for i in range(1, len(text)):
        while border and text[i] != text[border]:
            border = borders[border - 1]
        border += text[i] == text[border]
        borders[i] = border
    return borders


def advice(loop: Loop, temperature: float, top_k: int | None = None, top_p: float | None = None) -> str:
    """What happened and what to do, in one sentence.

    Args:
        loop: what `find_loop` found.
        temperature, top_k, top_p: what the text was drawn with, as in `rnn.sampling.filter_logits`.
    """
    changes = []
    if temperature < COLD:
        changes.append(f"raise the temperature from {temperature:g} to about {WARMER:g}")
    if top_k is not None and top_k <= NARROW_K:
        changes.append(f"raise top-k from {top_k} to about {WIDER_K}")
    if top_p is not None and top_p <= NARROW_P:
        changes.append(f"raise top-p from {top_p:g} to about {WIDER_P:g}")
    what = "character" if loop.period == 1 else f"{loop.period:,} characters"
    happened = f"The text ends in {loop.repeats:,} repeats of the same {what}: "
    if changes:
        return f"{happened}{' and '.join(changes)}, so that less likely characters are drawn too."
    return f"{happened}the settings leave other characters a chance, so train for longer or choose a larger model."
