"""`python -m assets.memory`: measures anew how long the models that come with the playground remember.

Takes a minute or two. The same weights and text give the same file, but for rounding.
"""

from __future__ import annotations

import sys

from rnn import corpora
from rnn.errors import PlaygroundError
from rnn.files import write_whole
from rnn.records import MemoryCurve
from rnn.remembering import (
    SHIPPED_FILE,
    Counted,
    ShippedCurves,
    counted,
    curve_of,
    held_out,
    lengths_in,
    places_in,
    windowed_losses,
)
from rnn.shipped import SHIPPED, TEXT, open_shipped
from rnn.stepwise import to_the_end


def main() -> int:
    """Writes `assets/memory.json` and returns the exit code."""
    try:
        write_whole(SHIPPED_FILE, measured().to_json().encode())
    except (PlaygroundError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def measured() -> ShippedCurves:
    """The curve of every model that writes text, on the validation part of what it was trained on.

    Raises:
        PlaygroundError: a model or the text is missing.
    """
    curves: dict[str, MemoryCurve] = {}
    part = held_out(corpora.load(TEXT).content, next(iter(SHIPPED.values())).train.validation_fraction)
    numbers: Counted | None = None
    for name in SHIPPED:
        checkpoint = open_shipped(name)
        model, vocabulary = checkpoint.sampler(), checkpoint.vocabulary
        indices, places = vocabulary.encode(part.content), places_in(len(part.content))
        if numbers is None:
            numbers = counted(vocabulary.encode(part.training), indices, places, len(vocabulary))
        lengths = lengths_in(len(indices))
        curves[name] = curve_of({n: to_the_end(windowed_losses(model, indices, places, n)) for n in lengths})
        memory = curves[name].memory
        print(f"{name}: {curves[name].losses[-1]:.3f} nats, remembers {memory or 'more than was read'}", flush=True)
    assert numbers is not None  # there is a model
    return ShippedCurves(TEXT, part.sha256, numbers, curves)


if __name__ == "__main__":
    sys.exit(main())
