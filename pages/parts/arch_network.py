"""Architecture, the network: its blocks in time and depth, and each block's shape, equation and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts import shell
from pages.parts.blueprint import SHAPES, Blueprint
from pages.parts.keys import in_url, put
from rnn.catalogue import TASKS
from rnn.figures import blocks
from rnn.figures.characters import visible
from rnn.figures.network import COLOURS, network, network_alt, values_of
from rnn.inspection import Inspection, inspect_steps
from rnn.topology import CANNOT_WRITE, WRITERS, Block, SequenceShape, Step, Topology, steps_of, topology
from rnn.unknown import resolve
from rnn.vocabulary import Vocabulary

SHAPE, DRAWN, TEXT, BLOCK = "arch_shape", "arch_drawn", "arch_text", "arch_block"
DIAGRAM = "arch_diagram"
UNROLLED, FOLDED = "Unrolled", "Folded"
EXAMPLE = "hello"
LONGEST = 200  # characters of the line that is read; only the first ones are drawn
SHOWN = blocks.WRITTEN  # characters of an output's table

EXAMPLES = {
    SequenceShape.ONE_TO_ONE: "an image of a digit, and which digit it is",
    SequenceShape.ONE_TO_MANY: "an image of a digit, and its name, spelled letter by letter",
    SequenceShape.MANY_TO_ONE: "a sentence, word by word, and whether it is positive",
    SequenceShape.MANY_TO_MANY: "a text, and at every character the next one",
    SequenceShape.DELAYED: "an English number read to its end, then the French one written",
}
TASK_OF = {
    SequenceShape.ONE_TO_ONE: "digit", SequenceShape.ONE_TO_MANY: "digit-name", SequenceShape.MANY_TO_ONE: "sentiment",
    SequenceShape.MANY_TO_MANY: "next-character", SequenceShape.DELAYED: "number-names",
}  # fmt: skip


def show(chosen: Blueprint, T: int) -> None:
    """The controls, the diagram, and the block that is chosen in it."""
    shape = _shape()
    is_folded, typed = _how_and_what(_example(chosen, _given(steps_of(shape, T))))
    if chosen.model.bidirectional:
        _about_both_directions(shape)
        if shape in WRITERS:
            return
    read, steps = _read(typed, chosen, shape, T)
    drawn = topology(chosen.model, len(chosen.characters), shape, len(steps), is_folded)
    seen = None if is_folded or read is None else _inspected(chosen, steps, read)
    values = None if seen is None else values_of(drawn, seen, chosen.characters)
    figure = network(drawn, values, shell.is_dark())
    shell.chart(figure, key=DIAGRAM, alt=network_alt(drawn, values), on_select=_take_click)
    _detail(chosen, drawn, seen)


def _shape() -> SequenceShape:
    picked = st.segmented_control(
        "Sequence shape", list(SHAPES), default="Many to many", required=True, **in_url(SHAPE),
        help="How many inputs the network reads, and which of its outputs count.",
    )  # fmt: skip
    shape = SHAPES.get(str(picked), SequenceShape.MANY_TO_MANY)
    both = " Here one network plays both parts; a trained encoder and decoder have weights of their own."
    note = both if shape is SequenceShape.DELAYED else ""
    st.caption(f"For example: {EXAMPLES[shape]}. Train it as “{TASKS[TASK_OF[shape]].title}”.{note}")
    return shape


def _how_and_what(example: str) -> tuple[bool, str]:
    """Whether it is folded, and the text that it reads."""
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    how = left.segmented_control(
        "Drawn", [UNROLLED, FOLDED], default=UNROLLED, required=True, **in_url(DRAWN),
        help="Folded, time is a loop. Unrolled, each time step has a column.",
    )  # fmt: skip
    typed = right.text_input(
        "Text to read", max_chars=LONGEST, **in_url(TEXT, how == FOLDED), placeholder=example,
        help="One character per step; its first ones are drawn.",
    )  # fmt: skip
    return how == FOLDED, str(typed)[:LONGEST] or example


def _example(chosen: Blueprint, length: int) -> str:
    """What is read as long as nothing is typed."""
    known = [c for c in EXAMPLE if c in chosen.characters]
    letters = EXAMPLE if len(known) == len(EXAMPLE) else [c for c in chosen.characters if c.isprintable()][:5]
    return ("".join(letters) * length)[:length]


def _about_both_directions(shape: SequenceShape) -> None:
    trained = f"It is trained on the Train page, as “{TASKS['fill-blank'].title}”."
    st.info(f"{CANNOT_WRITE} {trained}", icon=":material/swap_horiz:")
    if shape in WRITERS:
        st.write(f"{shape.value.capitalize()} means writing. Choose another shape, or one direction.")


def _read(
    typed: str, chosen: Blueprint, shape: SequenceShape, T: int
) -> tuple[tuple[int, ...] | None, tuple[Step, ...]]:
    """The characters that the steps are given, as indices, and the steps: no more than the text is long."""
    vocabulary = Vocabulary(chosen.characters, (1,) * len(chosen.characters))
    resolved = resolve(typed, vocabulary, "nearest")
    if resolved.changes:
        _say_changes(resolved.changes[:3], len(resolved.changes))
    if not resolved.text:
        st.caption("There is nothing to read, so the blocks have no numbers. Type characters that the network knows.")
        return None, steps_of(shape, T)
    lengths = [n for n in range(1, T + 1) if _given(steps_of(shape, n)) <= len(resolved.text)]
    steps = steps_of(shape, max(lengths, default=1))
    if max(lengths, default=1) < T:
        st.caption(f"The text has {len(resolved.text)} characters, so fewer than {T} steps are drawn.")
    return tuple(vocabulary.encode(resolved.text[: _given(steps)]).tolist()), steps


def _given(steps: tuple[Step, ...]) -> int:
    return sum(step.reads == "given" for step in steps)


def _say_changes(changes: Any, count: int) -> None:
    said = [
        f"“{visible(c.character[0])}” is read as “{''.join(map(visible, c.put))}”" if c.put
        else f"“{visible(c.character[0])}” is left out"
        for c in changes
    ]  # fmt: skip
    more = f", and {count - len(said)} more" if count > len(said) else ""
    st.caption(shell.plain(f"The network does not know every character here: {', '.join(said)}{more}."))


def _inspected(chosen: Blueprint, steps: tuple[Step, ...], read: tuple[int, ...]) -> Inspection:
    return _inspection(chosen.name, steps, read, chosen)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs={Step: str})
def _inspection(name: str, steps: tuple[Step, ...], read: tuple[int, ...], _chosen: Blueprint) -> Inspection:
    return inspect_steps(_chosen.model, _chosen.weights, steps, read)


# The chosen block -------------------------------------------------------------------------------------------------


def _take_click() -> None:
    points = st.session_state[DIAGRAM]["selection"]["points"]
    found = [point["customdata"][0] for point in points if point.get("customdata")]
    if found and found[0]:
        put(BLOCK, found[0])


def _detail(chosen: Blueprint, drawn: Topology, seen: Inspection | None) -> None:
    """The block's name and shape, its equation, and its numbers."""
    by_key = {block.key: block for block in reversed(drawn.blocks)}  # the first choice is the last answer
    first = next(iter(by_key))
    if st.session_state.get(BLOCK, first) not in by_key:
        st.session_state[BLOCK] = first
    key = st.selectbox(
        "Block", list(by_key), format_func=lambda k: blocks.name(drawn, by_key[k]), **in_url(BLOCK),
        help="Click a block in the drawing, or choose one here.",
    )  # fmt: skip
    block = by_key.get(str(key), by_key[first])
    purpose = blocks.purpose(drawn, block)
    st.markdown(f"**{blocks.name(drawn, block)}**, {block.size:,} numbers: {purpose}.")
    for equation in blocks.latex(drawn, block):
        st.latex(equation)
    if seen is None:
        return
    rows, labels, title, axis = _numbers(chosen, drawn, block, seen)
    figure = blocks.table(rows, labels, title, axis, COLOURS[block.kind], shell.is_dark())
    shell.chart(figure, key="arch_block_table", alt=blocks.table_alt(rows, title))


def _numbers(
    chosen: Blueprint, drawn: Topology, block: Block, seen: Inspection
) -> tuple[dict[str, NDArray[np.float64]], list[str], str, str]:
    """Rows, names of the columns, title and axis of the block's table."""
    t, name = block.column, blocks.name(drawn, block)
    characters = [visible(c) for c in chosen.characters]
    if block.kind == "input":
        index = int(seen.indices[t])
        title = f"{name} is “{characters[index]}”, one-hot" if index >= 0 else f"{name} is the zero vector"
        return {"x": _one_hot(index, block.size)}, characters, title, "character"
    if block.kind == "output":
        order = np.argsort(-seen.probabilities[t], kind="stable")[:SHOWN]
        title = f"After step {t + 1} “{characters[order[0]]}” is likeliest"
        rows = {"y": seen.logits[t][order], "softmax": seen.probabilities[t][order]}
        return rows, [characters[i] for i in order], title, "character, the likeliest first"
    units = [str(i + 1) for i in range(block.size)]
    if block.kind == "embedding":
        return {"e": seen.layers[0][0].x[t]}, units, f"{name}, looked up in E", "dimension"
    if block.kind == "joined":
        above = block.layer + 1
        both = seen.outputs[t] if above == len(seen.layers) else seen.layers[above][0].x[t]
        return {"h": both}, units, f"{name}: forward, then backward", "unit"
    one = seen.layers[block.layer][int(block.reverse)]
    rows = {gate: values[t] for gate, values in one.gates.items()}
    if one.c is not None:
        rows["c"] = one.c[t]
    h = one.h[t]
    return rows | {"h": h}, units, f"{name} goes from {blocks.number(h.min())} to {blocks.number(h.max())}", "unit"


def _one_hot(index: int, size: int) -> NDArray[np.float64]:
    x = np.zeros(size)
    if index >= 0:
        x[index] = 1.0
    return x
