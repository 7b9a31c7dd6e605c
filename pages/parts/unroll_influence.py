"""Unroll Visualizer, influence: what a prediction depends on, and what a changed character or a silenced unit does."""

from __future__ import annotations

from pages.parts import influence_cells, influence_change, influence_look, influence_silence
from pages.parts.reading import Reading, show_part

QUESTION = "unroll_influence_question"
QUESTIONS = {
    "What it looks back to": influence_look.show,
    "Three cells": influence_cells.show,
    "Change a character": influence_change.show,
    "Silence a unit": influence_silence.show,
}


def show(reading: Reading) -> None:
    """One of four questions to the model about this text."""
    show_part("Question", QUESTIONS, QUESTION, reading)
