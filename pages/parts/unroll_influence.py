"""Unroll Visualizer, influence: what a prediction depends on, and what a changed character or a silenced unit does."""

from __future__ import annotations

import streamlit as st

from pages.parts import influence_cells, influence_change, influence_look, influence_silence
from pages.parts.reading import Reading, show_one

QUESTION = "unroll_influence_question"
QUESTIONS = {
    "What it looks back to": influence_look.show,
    "Three cells": influence_cells.show,
    "Change a character": influence_change.show,
    "Silence a unit": influence_silence.show,
}


def show(reading: Reading) -> None:
    """One of four questions to the model about this text."""
    _view(reading)


@st.fragment
def _view(reading: Reading) -> None:
    show_one("Question", QUESTIONS, QUESTION, reading)
