"""The equations of one unit at one step in LaTeX, with its numbers filled in, in the colours of the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rnn.figures import theme
from rnn.figures.equations import PHI

if TYPE_CHECKING:
    from rnn.unit_step import Sum, UnitStep

DIGITS = 4  # after the point, in sums; what they are squashed to has one fewer, so that it follows from them


def unit_equations(step: UnitStep, layer: int = 0, reverse: bool = False, dark: bool = False) -> tuple[str, ...]:
    """One formula per line: first in letters, then in numbers that add up as they are written.

    Args:
        step: the unit's sums and values.
        layer: from 0; above the lowest one, what is read is the h of the layer below.
        reverse: whether time runs from the end, so that the step before is t + 1.
        dark: whether they stand on a dark background.
    """
    return {"rnn": _rnn, "gru": _gru, "lstm": _lstm}[step.model.cell](step, _Symbols(step, layer, reverse, dark))


def adding_up(terms: Sequence[float], digits: int = DIGITS) -> tuple[list[float], float]:
    """The terms and their sum rounded so that the rounded terms have the rounded sum.

    What is left over goes to the terms that rounding has moved furthest the other way.
    """
    unit = 10.0**-digits
    total = round(sum(terms) / unit)
    rounded = [round(term / unit) for term in terms]
    left = total - sum(rounded)
    direction = 1 if left > 0 else -1
    by_error = sorted(range(len(terms)), key=lambda i: direction * (rounded[i] * unit - terms[i]))
    for i in by_error[: abs(left)]:
        rounded[i] += direction
    return [round(r * unit, digits) for r in rounded], round(total * unit, digits)


def written(value: float, digits: int = DIGITS) -> str:
    """A number with so many digits after the point, in LaTeX; what rounds to 0 has no sign."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def summed(terms: Sequence[tuple[str, float]], digits: int = DIGITS) -> str:
    """Numbers with their signs between them; each has a colour, or "" for none."""
    parts = list[str]()
    for place, (colour, value) in enumerate(terms):
        text = written(value, digits)
        sign, size = ("-", text[1:]) if text.startswith("-") else ("+" if place else "", text)
        parts.append(f"{sign} {_coloured(colour, size)}" if place else _coloured(colour, sign + size))
    return " ".join(parts)


def _coloured(colour: str, formula: str) -> str:
    return rf"\textcolor{{{colour}}}{{{formula}}}" if colour else formula


class _Symbols:
    """The letters in their colours."""

    def __init__(self, step: UnitStep, layer: int, reverse: bool, dark: bool) -> None:
        t, self.unit = step.t + 1, step.unit + 1
        self.ink, self.has_bias = theme.ink(dark), step.model.bias
        before = f"{t + 1}" if reverse else f"{t - 1}"
        self.h, self.h_before = self.of_hidden(f"h_{{{t}}}"), self.of_hidden(f"h_{{{before}}}")
        self.c, self.c_before = (_coloured(self.ink.cell_state, f"c_{{{at}}}") for at in (t, before))
        read = f"x_{{{t}}}" if layer == 0 else f"h^{{({layer})}}_{{{t}}}"
        self.x = _coloured(self.ink.input if layer == 0 else self.ink.hidden, read)
        self.row = f"[{self.unit}]"

    def of_hidden(self, formula: str) -> str:
        return _coloured(self.ink.hidden, formula)

    def letters(self, gate: str) -> str:
        """The sum of one gate, or with "" of the RNN's h, in letters."""
        W_hh, W_xh = (f"W_{{{letter}{gate or 'h'}}}{self.row}" for letter in "hx")
        bias = f" + b_{{{gate or 'h'}}}{self.row}" if self.has_bias else ""
        return rf"{self.of_hidden(W_hh)} {self.h_before} + {_coloured(self.ink.input, W_xh)} {self.x}{bias}"

    def numbers(self, of: Sum, squash: str) -> str:
        """The same in numbers, squashed: first the terms, then their sum."""
        terms, total = adding_up([of.recurrent, of.read, *([of.bias] if self.has_bias else [])])
        colours = (self.ink.hidden, self.ink.input, "")
        parts = summed(list(zip(colours, terms, strict=False)))
        return rf"{squash}({parts}) = {squash}({written(total)})"


def _line(name: str, letters: str, numbers: str, value: float) -> str:
    return rf"{name} = {letters} = {numbers} = \mathbf{{{written(value, DIGITS - 1)}}}"


def _rnn(step: UnitStep, s: _Symbols) -> tuple[str, ...]:
    phi = PHI[step.model.nonlinearity]
    return (_line(s.h + s.row, f"{phi}({s.letters('')})", s.numbers(step.sums["h"], phi), step.h),)


def _gates(step: UnitStep, s: _Symbols, names: Mapping[str, str]) -> list[str]:
    """A line for each gate that is squashed from a plain sum, with what it is squashed by."""
    return [
        _line(
            _coloured(s.ink.cell_state, name) if name == "g" else name, f"{squash}({s.letters(name)})",
            s.numbers(step.sums[name], squash), step.values[name],
        )
        for name, squash in names.items()
    ]  # fmt: skip


def _gru(step: UnitStep, s: _Symbols) -> tuple[str, ...]:
    of, r, z, n = step.sums["n"], *(step.values[name] for name in "rzn")
    W_hn, W_xn = (f"W_{{{letter}n}}{s.row}" for letter in "hx")
    b_hn, b_xn = (f" + b_{{hn}}{s.row}", f" + b_{{xn}}{s.row}") if s.has_bias else ("", "")
    kept = rf"{s.of_hidden(W_hn)} {s.h_before}{b_hn}"
    letters = rf"\tanh({_coloured(s.ink.input, W_xn)} {s.x}{b_xn} + r \, ({kept}))"
    (read, scaled), total = adding_up([of.read + of.b_xh, r * (of.recurrent + of.b_hh)])
    numbers = rf"\tanh({summed([(s.ink.input, read), (s.ink.hidden, scaled)])}) = \tanh({written(total)})"
    mixed = rf"(1 - z)\, {s.of_hidden('n')} + z \, {s.h_before}{s.row}"
    (new, old), _ = adding_up([(1 - z) * n, z * step.h_before], DIGITS - 1)
    return (
        *_gates(step, s, dict.fromkeys("rz", r"\sigma")), _line(s.of_hidden("n"), letters, numbers, n),
        _line(s.h + s.row, mixed, summed([(s.ink.hidden, new), (s.ink.hidden, old)], DIGITS - 1), step.h),
    )  # fmt: skip


def _lstm(step: UnitStep, s: _Symbols) -> tuple[str, ...]:
    assert step.c is not None  # an LSTM's
    assert step.c_before is not None
    g, colour = _coloured(s.ink.cell_state, "g"), s.ink.cell_state
    values = step.values
    (kept, put), _ = adding_up([values["f"] * step.c_before, values["i"] * values["g"]], DIGITS - 1)
    c = rf"{s.c}{s.row}"
    h = rf"{written(values['o'], DIGITS - 1)} \cdot \tanh({written(step.c)})"
    return (
        *_gates(step, s, {"i": r"\sigma", "f": r"\sigma", "g": r"\tanh", "o": r"\sigma"}),
        _line(c, rf"f \, {s.c_before}{s.row} + i \, {g}", summed([(colour, kept), (colour, put)], DIGITS - 1), step.c),
        _line(s.h + s.row, rf"o \, \tanh({c})", h, step.h),
    )  # fmt: skip
