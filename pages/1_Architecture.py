"""Architecture: the network drawn, in equations and in numbers."""

from pages.parts import shell

shell.page("Architecture")
shell.coming(
    "This page will draw the network you choose, with its equations, the shape and number of its parameters, and the "
    "live values inside a trained cell.",
    "Train",
)
