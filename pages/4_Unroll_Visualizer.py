"""Unroll Visualizer: every time step side by side, with its real numbers."""

from pages.parts import shell

shell.page("Unroll Visualizer")
shell.coming(
    "This page will unroll a trained model over your text: input, hidden state, softmax and loss at every step, and "
    "the gradients flowing back.",
    "Sample",
)
