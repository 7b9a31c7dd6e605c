"""A span of the text is chosen; where else in all that the network was trained on are the same units on?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from pages.parts import alive, reading, service, shell, units
from pages.parts.keys import in_url, put
from pages.parts.reading import Reading
from pages.parts.units import Chosen
from rnn.errors import PlaygroundError
from rnn.figures import along, theme
from rnn.figures.characters import visible
from rnn.figures.matching import span_lines, span_lines_alt, tally_bars, tally_bars_alt
from rnn.levels import MOST_BYTES, WARM_UP, Levels, Scan, ScanCache, full_of, most_characters, thresholds
from rnn.matching import MOST_SPAN, Match, Pattern, Span, is_on, next_characters, pattern_of, searching
from rnn.stepwise import Stepwise, in_slices

THRESHOLD, BOTH_SIGNS, ALONE = "unroll_match_threshold", "unroll_match_signs", "unroll_match_alone"  # widgets
SPAN, TEXT, LIST = "unroll_match_span", "unroll_match_text", "unroll_match_list"
FIRST, OF = "unroll_match_first", "unroll_match_of"  # the first of two clicks; the text that the span is of
FOUND = "unroll_match_found"  # the last search and what it found

ABOVE, EITHER = "at least the threshold", "also below minus it"
AROUND = 40  # characters before and after a match in the list
OWN_TEXT = 40  # characters: from here on a text that is part of the corpus is known to be the same place
TRIED, ENOUGH = 60, 3  # pieces of the text, and units, when the first span is chosen
TURN = 0.1  # seconds of a turn of the compute thread

HOW = (
    "The network reads its training text once, in parts side by side, each from "
    f"{WARM_UP} characters before its beginning, which is nearly as if it had read everything. What is kept of each "
    "state is one of 16 levels. A place is half to twice as long as the span, and at least half of the units are on "
    "throughout. The most similar come first: most of these units, then fewest others, then the nearest length."
)

_list = alive.component("matches", '<div class="matches boxed" role="list" tabindex="0"></div>')


@st.fragment
def show(read: Reading) -> None:
    """The view; what goes wrong is said in its place."""
    try:
        _show(read)
    except PlaygroundError as error:
        st.error(shell.plain(error))


def _show(read: Reading) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = units.choose_states(read.trace)
        full = full_of(chosen.values)
        threshold, both_signs, alone = _settings(chosen, full)
    span = _span(read, chosen)
    pattern = pattern_of(chosen.values, span, threshold, both_signs, alone)
    _text(read, chosen, span, pattern)
    _lines(read, chosen, span, pattern)
    if not pattern.units:
        less = " or let them be on before and after it" if alone else ""
        st.info(f"No unit is on at every character of this span. Lower the threshold{less}, or choose a shorter span.")
        return
    text, title, matches = _search(read, chosen, full, span, pattern)
    if not matches:
        st.info(
            f"No other place of {shell.plain(title)} has half of these units on for about as long. "
            "Choose a shorter span or another threshold."
        )
        return
    _matches(read, chosen, span, pattern, text, title, matches)


# What is searched for ---------------------------------------------------------------------------------------------


def _settings(chosen: Chosen, full: float) -> tuple[float, bool, bool]:
    """The threshold, whether both signs count, and whether units must be off around the span."""
    steps = thresholds(full)
    threshold = st.select_slider(
        "Threshold", steps, _usual(chosen, full), **in_url(f"{THRESHOLD}_{full:g}"), width=210,
        help=f"A unit is on where its {chosen.vector} is at least this.",
    )  # fmt: skip
    signs = st.selectbox(
        f"A unit is on where {chosen.vector} is", (ABOVE, EITHER), **in_url(BOTH_SIGNS), width=220,
        help="A state far below 0 can mean as much as one far above.",
    )  # fmt: skip
    alone = st.toggle(
        "Off around the span", **in_url(ALONE),
        help="Only units that are off just before the span and just after it: they are on for this span alone.",
    )  # fmt: skip
    return threshold if threshold in steps else _usual(chosen, full), signs == EITHER, bool(alone)


def _usual(chosen: Chosen, full: float) -> float:
    """The threshold at first. A few units hold most of a cell state, so its scale is long and the others are small."""
    return thresholds(full)[0 if chosen.vector == "c" else 1]


def _span(read: Reading, chosen: Chosen) -> Span:
    """What is searched for, from 0 and without its end; at first a word."""
    T, text = len(read.text), read.text
    key = f"{SPAN}_{T}"
    if st.session_state.get(OF) != text or key not in st.session_state:
        begin, end = _first_span(text, chosen)
        st.session_state[key], st.session_state[OF] = (begin + 1, end), text
        st.session_state.pop(FIRST, None)
    if T == 1:
        return 0, 1
    wanted = st.slider(
        "From which character to which", 1, T, **in_url(key),
        help="Or click in the text: first the beginning of the span, then its end.",
    )  # fmt: skip
    begin, end = sorted(max(1, min(int(place), T)) for place in wanted)
    if end - begin >= MOST_SPAN:
        st.caption(f"A span has at most {MOST_SPAN} characters: the first {MOST_SPAN} of yours are taken.")
    return begin - 1, min(end, begin - 1 + MOST_SPAN)


def _first_span(text: str, chosen: Chosen) -> Span:
    """Something in quotes, or a word, throughout which some units are on; else a character in the middle."""
    on = is_on(chosen.values, _usual(chosen, full_of(chosen.values)))
    pieces = [*re.finditer(r"""(["'])[^"'\n]{2,16}\1""", text), *re.finditer(r"\w{4,16}", text)][:TRIED]
    for piece in pieces:
        begin, end = piece.span()
        if begin > 0 and on[begin:end].all(axis=0).sum() >= ENOUGH:
            return begin, end
    return len(text) // 2, len(text) // 2 + 1


def _clicked(T: int) -> None:
    """The first click begins a span, the second one ends it."""
    picked = alive.picked(TEXT)
    if picked is None or not 0 <= picked < T:
        return
    first = st.session_state.pop(FIRST, None)
    if first is None:
        st.session_state[FIRST] = first = picked
    begin, end = sorted((min(int(first), T - 1), picked))
    put(f"{SPAN}_{T}", (begin + 1, end + 1))


def _text(read: Reading, chosen: Chosen, span: Span, pattern: Pattern) -> None:
    """The text, each character painted by how many of the units are on there."""
    on = is_on(chosen.values[:, pattern.units], pattern.threshold, pattern.both_signs).sum(axis=1)
    colour, ink = _colour(chosen), theme.ink(shell.is_dark())
    shades = [level / alive.LEVELS for level in range(alive.LEVELS + 1)]
    painted = [(theme.shade(colour, s), theme.text_on(colour, s, ink.background)) for s in shades]
    alive.coloured_text(
        "", read.text, alive.levels(on.tolist(), max(1, len(pattern.units))), [str(n) for n in on.tolist()],
        f" of {len(pattern.units)} units on", st.session_state.get(FIRST, span[0]), range(*span), TEXT,
        partial(_clicked, len(read.text)), f"{read.name} {chosen.title} {span} {pattern}",
        [("transparent", ink.foreground), *painted[1:]], (), 5,
    )  # fmt: skip
    if st.session_state.get(FIRST) is not None:
        st.caption("Now click the last character of the span.")
    else:
        st.caption(
            "Underlined: the span. The stronger the colour, the more of its units are on. Click where a new span is "
            "to begin, then where it is to end."
        )


def _lines(read: Reading, chosen: Chosen, span: Span, pattern: Pattern) -> None:
    around = max(8, (along.FEW - pattern.length) // 2)
    window = max(0, span[0] - around), min(len(read.text), span[1] + around)
    shown = (read.text, chosen.values, span, pattern.units, pattern.threshold, pattern.both_signs, chosen.title)
    shell.chart(
        span_lines(*shown, chosen.vector, window, shell.is_dark()), key="unroll_match_lines", alt=span_lines_alt(*shown)
    )


def _colour(chosen: Chosen) -> str:
    return theme.CELL_STATE if chosen.vector == "c" else theme.HIDDEN


# The search -------------------------------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def _scans() -> ScanCache:
    return ScanCache()


def _search(
    read: Reading, chosen: Chosen, full: float, span: Span, pattern: Pattern
) -> tuple[str, str, tuple[Match, ...]]:
    """The text that was searched, its name, and the matches: in the training text, or in the text itself."""
    why = ""
    try:
        text, title = reading.corpus(read.choice, read.network)
    except PlaygroundError as error:
        why = str(error)
    if read.network.model.bidirectional and chosen.layer:
        why = "Above its lowest layer, a network of two directions cannot read a long text in one pass."
    if not why:
        return text, title, _in_corpus(read, chosen, full, span, pattern, text)
    st.caption(shell.plain(f"{why} So the text above is searched itself."))
    levels = Levels.of(chosen.values, full)

    def work() -> Stepwise[tuple[Match, ...]]:
        return in_slices(searching(levels, pattern, span), TURN)

    return read.text, "the text above", service.scheduler().compute_in_turns(work)


def _in_corpus(
    read: Reading, chosen: Chosen, full: float, span: Span, pattern: Pattern, text: str
) -> tuple[Match, ...]:
    """The matches in the training text: of the last search if it was the same."""
    H = chosen.values.shape[1]
    known = text[: most_characters(H)]
    own = known.find(read.text) if len(read.text) >= OWN_TEXT else -1
    besides = (own + span[0], own + span[1]) if own >= 0 else None
    of = (read.network.name, chosen.layer, chosen.one.reverse, chosen.vector, full)
    if len(known) < len(text):
        st.caption(
            f"The first {len(known):,} of the {len(text):,} characters are searched: the states of all of them would "
            f"not fit into {MOST_BYTES // 2**20} MB."
        )
    kept = st.session_state.get(FOUND)
    if kept is None or kept[0] != (of, pattern, besides):

        def make() -> Scan:
            indices = read.vocabulary.encode(known, "replace")
            one = chosen.one
            return Scan(
                read.network.model, read.network.weights, indices, chosen.layer, one.reverse, chosen.vector, full
            )

        kept = (of, pattern, besides), _passed_and_searched(of, (H + 1) // 2 * len(known), make, pattern, besides)
        st.session_state[FOUND] = kept
    found: tuple[Match, ...] = kept[1]
    return found


def _passed_and_searched(of: Any, nbytes: int, make: Any, pattern: Pattern, besides: Span | None) -> tuple[Match, ...]:
    """Reads the long text where nobody has, and searches it; one visitor at a time, for memory is bounded."""
    scans, bar = _scans(), st.empty()
    while not scans.lock.acquire(timeout=0.5):
        bar.progress(0.0, "Another visitor's text is read first.")
    try:
        scan = scans.get(of, nbytes, make)

        def passed_and_searched() -> Stepwise[tuple[Match, ...]]:
            levels = yield from scan.turns()
            return (yield from searching(levels, pattern, besides))

        def progress() -> None:
            bar.progress(scan.share, "The network reads its training text, once.")

        found = service.scheduler().compute_in_turns(
            lambda: in_slices(passed_and_searched(), TURN), after_each=progress
        )
    finally:
        scans.lock.release()
    bar.empty()
    return found


# What was found ---------------------------------------------------------------------------------------------------


def _matches(
    read: Reading, chosen: Chosen, span: Span, pattern: Pattern, text: str, title: str, matches: tuple[Match, ...]
) -> None:
    left, right = st.columns([3, 2], gap="medium")
    k = len(pattern.units)
    every = sum(match.units == k for match in matches)
    with left:
        heading = f"The {len(matches)} most similar places" if len(matches) > 1 else "The only similar place"
        st.markdown(f"**{heading} in {shell.plain(title)}**", help=HOW)
        colour = _colour(chosen)
        data = {
            "id": f"{hash((read.network.name, title, matches))} {shell.is_dark()}",
            "label": f"{heading}, the most similar first", "colour": colour,
            "ink": theme.text_on(colour, 1.0, theme.ink(shell.is_dark()).background),
            "matches": [_row(text, match, k) for match in matches],
        }  # fmt: skip
        _list(key=LIST, data=data)
        st.caption(
            f"All {k} units are on at {every} of them. Each line: how many of the {k} are on throughout the coloured "
            "part + how many others are; underlined: what came next."
        )
    with right:
        tally = next_characters(text, matches)
        if not tally:
            st.info("The only match is at the end of the text: nothing came next.")
            return
        expected = _expected(read, span)
        shell.chart(
            tally_bars(tally, expected, shell.is_dark()), key="unroll_match_tally", alt=tally_bars_alt(tally, expected)
        )
        if expected is None:
            st.caption("This network fills blanks and expects no next character.")


def _expected(read: Reading, span: Span) -> Mapping[str, float] | None:
    if not read.predicts:
        return None
    return dict(zip(read.vocabulary.characters, read.trace.probabilities[span[1] - 1].tolist(), strict=True))


def _row(text: str, match: Match, units_of_pattern: int) -> dict[str, str]:
    begin, end = match.begin, match.end
    return {
        "units": f"{match.units}/{units_of_pattern}", "others": f" + {match.others}",
        "before": _one_line(text[max(0, begin - AROUND) : begin]), "span": _one_line(text[begin:end]),
        "next": _one_line(text[end : end + 1]), "after": _one_line(text[end + 1 : end + AROUND]),
        "said": f"Characters {begin + 1:,} to {end:,}: {match.units} of {units_of_pattern} units are on, and "
        f"{match.others} others.",
    }  # fmt: skip


def _one_line(text: str) -> str:
    return "".join(" " if c == " " else visible(c) for c in text)
