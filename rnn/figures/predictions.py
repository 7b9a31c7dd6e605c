"""What a model answers to images and videos that were kept from training, each under or over its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rnn.errors import ConfigError
from rnn.figures import theme
from rnn.figures.characters import legible
from rnn.figures.probabilities import plain, share
from rnn.records import Prediction

SIDE = 8  # pixels of an image
COLUMNS, MOST_IMAGES = 6, 12
MOST_VIDEOS, MOST_FRAMES = 4, 8
IMAGE_GAP, FRAME_GAP = 3, 2  # between two images, in their own pixels
EDGE = 0.75  # of such a pixel, from the middle of the outermost one to the end of the axis: room for a frame's stroke
IMAGE, FRAME = 84, 62  # pixels of the screen for an image or a frame, where the width allows it
TEXT = 40  # pixels of the two lines over an image, or under a frame
TOP = 60  # pixels of the title and the key under it
SMALL = 13  # pixels of the answers, and of the key under the title
LETTERS = 8  # of an answer at an image that are shown
CAPTION = 52  # letters of a caption that a phone has room for
LEVELS = 255  # of the brightness that is sent
WRONG = "<b>×</b> "

Image = NDArray[Any]
Dict = dict[str, Any]


@dataclass(frozen=True)
class Tile:
    """An image with what stands at it.

    Attributes:
        image: (8, 8), brightness 0 to 1.
        text: its answer, as HTML; "" for none.
        is_right: else it is framed.
        hover: what is said of it when it is pointed at.
    """

    image: Image
    text: str
    is_right: bool
    hover: str


@dataclass(frozen=True)
class Row:
    """Images side by side, and what stands below all of them; if that is wrong, all are framed."""

    tiles: Sequence[Tile]
    text: str = ""
    is_right: bool = True


# Images -----------------------------------------------------------------------------------------------------------


def prediction_images(predictions: Sequence[Prediction], dark: bool = False) -> go.Figure:
    """Up to 12 images in rows of 6, each under the model's answer; a wrong one has a cross, a frame and what it is.

    Args:
        predictions: of images (8, 8); more than 12 are not shown.
        dark: whether it stands on a dark background.

    Raises:
        ConfigError: the input of one of them is no image.
    """
    shown = _of_shape(predictions, 2, "an image (8, 8)")[:MOST_IMAGES]
    tiles = [Tile(np.asarray(p.inputs), _answer(p), p.is_right, _told(p)) for p in shown]
    rows = [Row(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)] or [Row([])]
    return _mosaic(rows, COLUMNS, IMAGE_GAP, IMAGE, True, _images_title(shown), _images_key(shown), dark)


def prediction_images_alt(predictions: Sequence[Prediction]) -> str:
    """The images in words: how many are right, and each wrong answer."""
    shown = predictions[:MOST_IMAGES]
    right = ", ".join(_said(p) for p in shown if p.is_right)
    wrong = ", ".join(f"{_said(p)} where it is {_word(p.expected)}" for p in shown if not p.is_right)
    parts = [_images_title(shown), *([f"Wrong: {wrong}"] if wrong else []), *([f"Right: {right}"] if right else [])]
    return ". ".join(parts) + "."


def _images_title(shown: Sequence[Prediction]) -> str:
    if not shown:
        return "No prediction yet"
    right = sum(p.is_right for p in shown)
    return f"{right} of {len(shown)} {_number_of('image', len(shown))} right"


def _images_key(shown: Sequence[Prediction]) -> str:
    if not shown:
        return ""
    has_probabilities = any(p.probabilities is not None for p in shown)
    return f"over each image the model's answer{' (its probability)' if has_probabilities else ''}"


def _answer(prediction: Prediction) -> str:
    """`8 (0.61)`, or over two lines with a cross and what it is."""
    said = escape(_said(prediction))
    return said if prediction.is_right else f"{WRONG}{said}<br>is <b>{escape(_word(prediction.expected))}</b>"


def _said(prediction: Prediction) -> str:
    word = _word(prediction.predicted)
    if prediction.probabilities is None or not len(prediction.probabilities):
        return word
    return f"{word} ({share(float(prediction.probabilities.max()))})"


def _told(prediction: Prediction) -> str:
    """When it is pointed at: the whole words."""
    expected = "" if prediction.is_right else f"<br>it is {escape(_line(prediction.expected))}"
    return f"predicted {escape(_line(prediction.predicted))}{expected}"


# Videos -----------------------------------------------------------------------------------------------------------


def prediction_videos(predictions: Sequence[Prediction], dark: bool = False) -> go.Figure:
    """Up to 4 videos, a row each, frames from left to right.

    Where the model labels every frame (its predictions have probabilities), the label stands under the frame, and a
    wrong one has a cross, a frame and what it is; a caption stands under its row.

    Args:
        predictions: of videos (T, 8, 8); more than 4 are not shown, nor what comes after their 8th frame.
        dark: whether it stands on a dark background.

    Raises:
        ConfigError: the input of one of them is no video, or its labels are not as many as its frames.
    """
    shown = _of_shape(predictions, 3, "a video (T, 8, 8)")[:MOST_VIDEOS]
    columns = max([MOST_FRAMES, *(min(len(p.inputs), MOST_FRAMES) for p in shown)])
    rows = [_labelled(p) if p.probabilities is not None else _captioned(p) for p in shown] or [Row([])]
    return _mosaic(rows, columns, FRAME_GAP, FRAME, False, _videos_title(shown), _videos_key(shown), dark)


def prediction_videos_alt(predictions: Sequence[Prediction]) -> str:
    """The videos in words: how many answers are right, and all of them."""
    shown = predictions[:MOST_VIDEOS]
    videos = []
    for number, p in enumerate(shown, 1):
        expected = "" if p.is_right else f", where it is {legible(p.expected)}"
        videos.append(f"Video {number}: {legible(p.predicted) or 'nothing'}{expected}")
    return ". ".join([_videos_title(shown), *videos]) + "."


def _labelled(prediction: Prediction) -> Row:
    tiles = []
    pairs = zip(_labels(prediction, prediction.predicted), _labels(prediction, prediction.expected), strict=True)
    for number, (image, (predicted, expected)) in enumerate(zip(prediction.inputs, pairs, strict=True), 1):
        is_right = predicted == expected
        said, truth = escape(_word(predicted)), escape(_word(expected))
        text = said if is_right else f"{WRONG}{said}<br>is <b>{truth}</b>"
        hover = f"frame {number}<br>predicted {said}" + ("" if is_right else f"<br>it is {truth}")
        tiles.append(Tile(np.asarray(image), text, is_right, hover))
    return Row(tiles[:MOST_FRAMES])


def _labels(prediction: Prediction, text: str) -> list[str]:
    labels = text.split()
    if len(labels) != len(prediction.inputs):
        raise ConfigError(
            f"A video of {len(prediction.inputs)} frames takes as many labels, not {len(labels)}: {legible(text)!r}."
        )
    return labels


def _captioned(prediction: Prediction) -> Row:
    said, truth = (escape(_line(text)) for text in (prediction.predicted, prediction.expected))
    text = said if prediction.is_right else f"{WRONG}{said}<br>is <b>{truth}</b>"
    tiles = [Tile(np.asarray(image), "", True, f"frame {number}") for number, image in enumerate(prediction.inputs, 1)]
    return Row(tiles[:MOST_FRAMES], text, prediction.is_right)


def _videos_title(shown: Sequence[Prediction]) -> str:
    if not shown:
        return "No prediction yet"
    if any(p.probabilities is None for p in shown):
        right = sum(p.is_right for p in shown)
        return f"{right} of {len(shown)} {_number_of('caption', len(shown))} right"
    matches = [a == b for p in shown for a, b in zip(_labels(p, p.predicted), _labels(p, p.expected), strict=True)]
    return f"{sum(matches)} of {len(matches)} {_number_of('frame', len(matches))} right"


def _videos_key(shown: Sequence[Prediction]) -> str:
    if not shown:
        return ""
    longest = max(len(p.inputs) for p in shown)
    if longest > MOST_FRAMES:
        return f"time from left to right, the first {MOST_FRAMES} of {longest} frames"
    answer = "caption under each video" if any(p.probabilities is None for p in shown) else "answer under each frame"
    return f"time from left to right, the {answer}"


# Pieces -----------------------------------------------------------------------------------------------------------


def _mosaic(
    rows: Sequence[Row], columns: int, gap: int, size: int, is_above: bool, title: str, key: str, dark: bool
) -> go.Figure:
    """Rows of images with their texts.

    Texts keep their size whatever the width, so every row has an axis of its own: on a phone the images shrink, and
    not the room between the rows.

    Args:
        columns: images that a row has room for.
        gap: between two images, in their own pixels.
        size: pixels of the screen for an image, where the width allows it.
        is_above: whether texts stand over the images; else under them.
        key: what is to be known to read the figure, under the title.
    """
    ink = theme.ink(dark)
    plot = len(rows) * size + (len(rows) - 1) * TEXT
    width = columns * (SIDE + gap) - gap
    layout: Dict = {"xaxis": {**_hidden(-EDGE, width - 1 + EDGE), "constraintoward": "left"}}
    traces, shapes, notes = [], [], []
    for number, row in enumerate(rows):
        name = "y" if number == 0 else f"y{number + 1}"
        upper = 1 - number * (size + TEXT) / plot
        layout[f"yaxis{name[1:]}"] = {
            **_hidden(SIDE - 1 + EDGE, -EDGE), "constraintoward": "top", "scaleanchor": "x", "anchor": "x",
            "domain": [max(0.0, upper - size / plot), upper],
        }  # fmt: skip
        lefts = [column * (SIDE + gap) for column in range(len(row.tiles))]
        traces += [_images(row, lefts, width, name, ink), _pointed_at(row, lefts, name, size)]
        shapes += [
            _frame(left, left + SIDE, name, tile.is_right, ink) for left, tile in zip(lefts, row.tiles, strict=True)
        ]
        if not row.is_right and lefts:
            shapes.append(_frame(0, lefts[-1] + SIDE, name, False, ink))
        notes += [
            _text(left + SIDE / 2 - 0.5, name, tile.text, is_above, "center")
            for left, tile in zip(lefts, row.tiles, strict=True)
            if tile.text
        ]
        if row.text:
            notes.append(_text(-0.5, name, row.text, False, "left"))
    words = f'{escape(title)}<br><span style="font-size:{SMALL}px">{escape(key)}</span>'
    return theme.figure(
        traces, words, "", "", dark, height=TOP + TEXT + plot + 8, **layout, shapes=shapes, annotations=notes,
        margin={"t": TOP + TEXT if is_above else TOP, "b": 8 if is_above else TEXT + 8},
        showlegend=False, dragmode=False, hovermode="closest",
    )  # fmt: skip


def _hidden(start: float, end: float) -> Dict:
    return {"range": [start, end], "visible": False, "fixedrange": True, "constrain": "domain", "automargin": False}


def _images(row: Row, lefts: Sequence[int], width: int, axis: str, ink: theme.Ink) -> Dict:
    """One heat map for all images of a row; between them is what has no brightness, the background."""
    canvas = np.zeros((SIDE, width), np.uint8)
    for left, tile in zip(lefts, row.tiles, strict=True):
        canvas[:, left : left + SIDE] = np.rint(LEVELS * np.clip(tile.image, 0, 1))
    return {
        "type": "heatmap", "z": canvas, "zmin": 0, "zmax": LEVELS, "xaxis": "x", "yaxis": axis, "showscale": False,
        "colorscale": [[0, theme.shade(ink.input, 0)], [1, theme.shade(ink.input, 1)]], "hoverinfo": "skip",
    }  # fmt: skip


def _pointed_at(row: Row, lefts: Sequence[int], axis: str, size: int) -> Dict:
    """Unseen points in the middle of the images, which say what is known when they are pointed at."""
    middle = (SIDE - 1) / 2
    return {
        "type": "scatter", "mode": "markers", "xaxis": "x", "yaxis": axis, "x": [left + middle for left in lefts],
        "y": [middle] * len(lefts), "marker": {"size": size / 2, "opacity": 0, "color": theme.INPUT},
        "customdata": [tile.hover for tile in row.tiles], "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip


def _frame(start: float, end: float, axis: str, is_right: bool, ink: theme.Ink) -> Dict:
    """Around pixels `start` to `end`: where a dark image ends, and, heavier, that its answer is wrong."""
    return {
        "type": "rect", "xref": "x", "yref": axis, "x0": start - 0.5, "x1": end - 0.5, "y0": -0.5,
        "y1": SIDE - 0.5,
        "line": {"color": ink.grid, "width": 1} if is_right else {"color": ink.foreground, "width": 2.5},
    }  # fmt: skip


def _text(x: float, axis: str, text: str, is_above: bool, anchor: str) -> Dict:
    return {
        "x": x, "xref": "x", "xanchor": anchor, "y": -0.5 if is_above else SIDE - 0.5, "yref": axis,
        "yanchor": "bottom" if is_above else "top", "yshift": 2 if is_above else -2, "showarrow": False, "text": text,
        "borderpad": 0, "align": anchor, "font": {"size": SMALL},
    }  # fmt: skip


def _of_shape(predictions: Sequence[Prediction], ndim: int, what: str) -> Sequence[Prediction]:
    for prediction in predictions:
        shape = np.shape(prediction.inputs) if not isinstance(prediction.inputs, str) else ()
        if len(shape) != ndim or shape[-2:] != (SIDE, SIDE):
            found = "a text" if isinstance(prediction.inputs, str) else f"an array of shape {shape}"
            raise ConfigError(f"The figure takes predictions whose input is {what}, not {found}.")
    return predictions


def _word(text: str) -> str:
    """An answer that stands at an image."""
    return plain(text, LETTERS) if text else "nothing"


def _line(text: str) -> str:
    """A caption in one line."""
    said = legible(text) or "nothing"
    return said if len(said) <= CAPTION else said[: CAPTION - 1] + "…"


def _number_of(thing: str, count: int) -> str:
    return thing if count == 1 else f"{thing}s"
