"""The equations of a cell in LaTeX, with its real sizes, in the colours of the figures.

They are those that `rnn.cells` computes: the reset gate of the GRU is applied after the matrix product, as in torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnn.config import ModelConfig
from rnn.figures import theme

PHI = {"tanh": r"\tanh", "relu": r"\operatorname{ReLU}", "sigmoid": r"\sigma"}


@dataclass(frozen=True)
class Equations:
    """One step of a cell, in LaTeX, one formula per line.

    Attributes:
        separate: with W_xh and W_hh apart.
        concatenated: with one matrix W for [h; x; 1], or [h; x] where there is no bias.
        sizes: where each symbol of the separate form lives.
        concatenated_sizes: the same of the concatenated one.
    """

    separate: tuple[str, ...]
    concatenated: tuple[str, ...]
    sizes: tuple[str, ...]
    concatenated_sizes: tuple[str, ...]


def equations(model: ModelConfig, input_size: int, dark: bool = False) -> Equations:
    """The equations of one layer of a model.

    Args:
        model: its cell, non-linearity, hidden size and whether it has biases.
        input_size: I, the length of what the layer reads.
        dark: whether they stand on a dark background.
    """
    return {"rnn": _rnn, "gru": _gru, "lstm": _lstm}[model.cell](_Symbols(model, input_size, dark))


class _Symbols:
    """The symbols in their colours."""

    def __init__(self, model: ModelConfig, input_size: int, dark: bool) -> None:
        self.H, self.I, self.gates = model.hidden_size, input_size, model.gates
        self.has_bias, self.nonlinearity = model.bias, model.nonlinearity
        self.ink = theme.ink(dark)
        self.x, self.h, self.h_before = self.of_input("x_t"), self.of_hidden("h_t"), self.of_hidden("h_{t-1}")
        self.c, self.c_before = self.of_cell("c_t"), self.of_cell("c_{t-1}")

    def of_input(self, formula: str) -> str:
        return _coloured(self.ink.input, formula)

    def of_hidden(self, formula: str) -> str:
        return _coloured(self.ink.hidden, formula)

    def of_cell(self, formula: str) -> str:
        return _coloured(self.ink.cell_state, formula)

    def W_x(self, gate: str) -> str:
        return self.of_input(f"W_{{x{gate}}}")

    def W_h(self, gate: str) -> str:
        return self.of_hidden(f"W_{{h{gate}}}")

    def bias(self, name: str) -> str:
        """What is added for it: nothing where there are no biases."""
        return f" + {name}" if self.has_bias else ""

    def sums(self, gate: str) -> str:
        """W_h h + W_x x + b of one gate."""
        return rf"{self.W_h(gate)}\,{self.h_before} + {self.W_x(gate)}\,{self.x}{self.bias(f'b_{gate}')}"

    def joined(self) -> str:
        """[h; x; 1], one below the other."""
        one = r" \\ 1" if self.has_bias else ""
        return rf"\begin{{bmatrix}} {self.h_before} \\ {self.x}{one} \end{{bmatrix}}"

    def wide(self, rows: int, blocks: str = "") -> tuple[str, str]:
        """What the one matrix W is made of, and where it lives."""
        bias = r"\;\; b" if self.has_bias else ""
        columns = self.H + self.I + self.has_bias
        parts = rf"\left[\, {self.of_hidden('W_{hh}')} \;\; {self.of_input('W_{xh}')} {bias} \,\right]{blocks}"
        return rf"W = {parts}", rf"W \in \mathbb{{R}}^{{{rows} \times {columns}}}"

    def sizes(self, gates: str) -> tuple[str, ...]:
        """Where the symbols live; the matrices of several gates have the same size."""
        hidden = ", ".join(self.W_h(gate) for gate in gates)
        read = ", ".join(self.W_x(gate) for gate in gates)
        rows = [
            rf"{read} \in \mathbb{{R}}^{{{self.H} \times {self.I}}}",
            rf"{hidden} \in \mathbb{{R}}^{{{self.H} \times {self.H}}}",
            rf"{self.x} \in \mathbb{{R}}^{{{self.I}}}",
        ]
        vectors = ", ".join(
            [self.h, *([self.c] if self.gates == 4 else []), *(f"b_{g}" for g in gates if self.has_bias)]
        )
        return *rows, rf"{vectors} \in \mathbb{{R}}^{{{self.H}}}"


def _coloured(colour: str, formula: str) -> str:
    return rf"\textcolor{{{colour}}}{{{formula}}}"


def _rnn(s: _Symbols) -> Equations:
    phi = PHI[s.nonlinearity]
    of_sums = rf"{s.h} = {phi}(a_t)"
    wide, where = s.wide(s.H)
    return Equations(
        (of_sums, rf"a_t = {s.sums('h')}"), (of_sums, rf"a_t = W {s.joined()}", wide), s.sizes("h"), (where,)
    )


def _gru(s: _Symbols) -> Equations:
    mixed = rf"{s.h} = (1 - z) \odot {s.of_hidden('n')} + z \odot {s.h_before}"
    read = rf"{s.W_x('n')}\,{s.x}{s.bias('b_{xn}')}"
    kept = rf"{s.W_h('n')}\,{s.h_before}{s.bias('b_{hn}')}"
    of_h = f"({kept})" if s.has_bias else kept
    candidate = rf"{s.of_hidden('n')} = \tanh({read} + r \odot {of_h})"
    wide, where = s.wide(2 * s.H, r"_{r,z}")
    sizes = list(s.sizes("rzn"))
    if s.has_bias:
        sizes[-1] = sizes[-1].replace("b_n", "b_{xn}, b_{hn}")
    return Equations(
        (rf"r = \sigma({s.sums('r')})", rf"z = \sigma({s.sums('z')})", candidate, mixed),
        (rf"\begin{{bmatrix}} r \\ z \end{{bmatrix}} = \sigma\!\left(W {s.joined()}\right)", wide, candidate, mixed),
        tuple(sizes), (where,),
    )  # fmt: skip


def _lstm(s: _Symbols) -> Equations:
    g = s.of_cell("g")
    ends = (
        rf"{s.c} = f \odot {s.c_before} + i \odot {g}",
        rf"{s.h} = o \odot \tanh({s.c})",
    )
    wide, where = s.wide(4 * s.H)
    stacked = rf"\begin{{bmatrix}} a_i \\ a_f \\ a_g \\ a_o \end{{bmatrix}} = W {s.joined()}"
    squashed = (r"i, f, o = \sigma(a_i),\, \sigma(a_f),\, \sigma(a_o)", rf"{g} = \tanh(a_g)")
    return Equations(
        (
            rf"i = \sigma({s.sums('i')})", rf"f = \sigma({s.sums('f')})", rf"{g} = \tanh({s.sums('g')})",
            rf"o = \sigma({s.sums('o')})", *ends,
        ),
        (stacked, wide, *squashed, *ends), s.sizes("ifgo"), (where,),
    )  # fmt: skip
