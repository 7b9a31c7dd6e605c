"""Truncated BPTT: how far back the gradient flows, and where it is cut."""

from pages.parts import shell

shell.page("Truncated BPTT")
shell.coming(
    "This page will show the chunks of truncated backpropagation through time: the state that crosses their borders, "
    "the gradient that stops there, and what that costs.",
    "Train",
)
