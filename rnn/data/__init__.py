"""The data of the sequence tasks: real or exactly defined, and pure functions of a seed and a step."""
