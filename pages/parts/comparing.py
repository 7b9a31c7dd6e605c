"""The same prime and seed, one thing different: temperature, sampling or not, the model, or only the seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from pages.parts import alive, keys, sampling, shell, writers
from pages.parts.keys import in_url
from pages.parts.writers import Writer
from rnn.config import SampleConfig
from rnn.diversity import GRAM, diversity
from rnn.drafts import Draft
from rnn.errors import PlaygroundError
from rnn.figures.characters import legible
from rnn.figures.draw import temperature_word
from rnn.loops import find_loop
from rnn.sampling import generate_many

TEMPERATURES = (0.2, 0.5, 1.0, 1.5)
SAMPLES, MOST_SAMPLES = 6, 16
LENGTH = 400  # characters of each text at most, so that several fit on a screen
MOST_RIVALS = 4


def show(choice: str, writer: Writer, settings: SampleConfig) -> None:
    """One of the comparisons.

    Raises:
        PlaygroundError: a model cannot write with these settings.
    """
    kind = st.segmented_control(
        "Compare",
        list(COMPARISONS),
        default=next(iter(COMPARISONS)),
        **in_url(keys.COMPARISON),
        required=True,
        help="What differs between the texts; prime and everything else are the same.",
    )
    kind = kind if kind in COMPARISONS else next(iter(COMPARISONS))
    if settings.length > LENGTH:
        st.caption(f"Each text ends after {LENGTH} characters here.")
    COMPARISONS[kind](choice, writer, replace(settings, length=min(settings.length, LENGTH)))


def _temperatures(choice: str, writer: Writer, settings: SampleConfig) -> None:
    st.caption(f"The same seed {settings.seed} at every temperature: the same random numbers fall on other characters.")
    texts = {
        f"T = {t}, {temperature_word(t)}": _written(writer, replace(settings, temperature=t)) for t in TEMPERATURES
    }
    _side_by_side({name: written.text for name, written in texts.items()}, settings.prime)
    _table(texts)


def _argmax(choice: str, writer: Writer, settings: SampleConfig) -> None:
    st.caption(
        f"{SAMPLES} seeds each, from {settings.seed} on. Always taking the likeliest character gives one and the same "
        "text, and it soon goes in circles; sampling gives another one every time."
    )
    best, drawn = replace(settings, temperature=0.0), settings
    if drawn.temperature == 0:
        drawn = replace(settings, temperature=0.8)
    texts = {
        "Always the likeliest (T = 0)": generate_many(writer.model, writer.vocabulary, SAMPLES, best),
        f"Sampled (T = {drawn.temperature:g})": generate_many(writer.model, writer.vocabulary, SAMPLES, drawn),
    }
    _side_by_side({f"{name}, seed {settings.seed}": found[0] for name, found in texts.items()}, settings.prime)
    rows = []
    for name, found in texts.items():
        counted = diversity(found)
        rows.append({
            "chosen": name, "texts": counted.texts, "different": counted.different, "in common": counted.shared,
            f"distinct {GRAM}-grams": counted.distinct, "end in a loop": sum(find_loop(t) is not None for t in found),
        })  # fmt: skip
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch",
        column_config={
            "different": st.column_config.NumberColumn(help="Texts that are no copy of another."),
            "in common": st.column_config.NumberColumn(help="Characters at the beginning that all of them share."),
            f"distinct {GRAM}-grams": st.column_config.NumberColumn(
                format="percent", help="Different runs of four characters, as a share of all of them."
            ),
        },
    )  # fmt: skip


def _models(choice: str, writer: Writer, settings: SampleConfig) -> None:
    labels = writers.choices(writers.linked_run())
    if choice == writers.FILE:
        labels[choice] = shell.plain(writer.about)
    rivals = [name for name in labels if name == choice or name in writers.COMPARABLE]
    chosen = st.multiselect(
        "Models", list(labels), rivals, format_func=labels.__getitem__, max_selections=MOST_RIVALS,
        **in_url(f"{keys.RIVALS}_{'own' if choice == writers.FILE else 'any'}"),
        help="All write after the same prime, with the same seed.",
    )  # fmt: skip
    texts, seen = {}, set()
    for name in [name for name in chosen if name in labels][:MOST_RIVALS]:
        try:
            rival = writers.held(name)
            prime = sampling.nearest(settings.prime, rival.vocabulary)
            texts[labels[name]] = _written(rival, replace(settings, prime=prime))
            seen.add(prime)
        except PlaygroundError as error:
            st.error(f"**{shell.plain(labels[name])}**: {shell.plain(error)}")
    if not texts:
        st.info("Choose models, and each writes a text.")
        return
    if seen != {settings.prime}:
        st.caption("Where a model does not know a character of the prime, it reads the nearest one that it knows.")
    _side_by_side({name: written.text for name, written in texts.items()}, settings.prime)
    _table(texts)


def _seeds(choice: str, writer: Writer, settings: SampleConfig) -> None:
    count = int(
        st.slider("Samples", 2, MOST_SAMPLES, SAMPLES, **in_url("sample_count"), help="One seed after the other.")
    )
    st.caption("The same seed writes the same text, whenever and wherever it is asked.")
    found = generate_many(writer.model, writer.vocabulary, max(2, min(count, MOST_SAMPLES)), settings)
    texts = {f"Seed {settings.seed + i}": text for i, text in enumerate(found)}
    _side_by_side(texts, settings.prime)
    counted = diversity(found)
    st.caption(
        f"{counted.different} of {counted.texts} texts are different; {counted.distinct:.0%} of their {GRAM}-grams are."
    )


COMPARISONS: dict[str, Callable[[str, Writer, SampleConfig], None]] = {
    "Temperatures": _temperatures, "Argmax or sampling": _argmax, "Models": _models, "Seeds": _seeds,
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A text, and how much it surprised the model that wrote it, bits per character."""

    text: str
    surprise: float


def _written(writer: Writer, settings: SampleConfig) -> Written:
    draft = Draft(writer.model, writer.vocabulary, settings)
    draft.write(0, settings.length)
    return Written(draft.text(0), float(np.mean(alive.bits(draft.probabilities(0)))))


def _side_by_side(texts: dict[str, str], prime: str) -> None:
    """Two in a row, one on a phone."""
    names = list(texts)
    for first in range(0, len(names), 2):
        for column, name in zip(st.columns(2), names[first : first + 2], strict=False):
            column.markdown(f"**{shell.plain(name)}**")
            column.code(legible(prime + texts[name]), language=None, wrap_lines=True)


def _table(texts: dict[str, Written]) -> None:
    rows = [
        {
            "writer": name,
            "surprise": written.surprise,
            "distinct": diversity([written.text]).distinct,
            "loops": find_loop(written.text) is not None,
        }
        for name, written in texts.items()
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch",
        column_config={
            "surprise": st.column_config.NumberColumn(
                "surprise (bits per character)", format="%.2f", help="By the writing model's own softmax, at T = 1."
            ),
            "distinct": st.column_config.NumberColumn(
                f"distinct {GRAM}-grams", format="percent", help="Different runs of four characters, of all of them."
            ),
            "loops": st.column_config.CheckboxColumn("ends in a loop"),
        },
    )  # fmt: skip
