"""Whatever bytes are uploaded, the whole way to a run is open or ends in one sentence, and costs no memory of note.

A forged value in a checkpoint of characters is in test_checkpoints.py, any short bytes as a text in test_corpora.py.
"""

from __future__ import annotations

import copy
import json
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rnn import chats, corpora, masking
from rnn.checkpoint_file import Checkpoint, pack, unpack
from rnn.checkpoints import to_state
from rnn.config import TrainConfig
from rnn.errors import PlaygroundError
from rnn.shipped import open_shipped

# Every kind of task, as the app ships it; texts of tasks and the weights of all three cells are among them.
SHIPPED = ("parentheses", "digit", "digit-rows", "digit-name", "sentiment", "frames", "caption", "number-names",
           "fill-blank")  # fmt: skip
ROOM = 30_000_000  # bytes beside some copies of the file
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("overwrite", "delete", "insert", "repeat", "truncate")),
        st.floats(0, 1),
        st.binary(max_size=40),
    ),
    min_size=1,
    max_size=4,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
    | st.sampled_from((2**63, -(2**63), 2**64, 10**400, "F32", "U8", "BF16", "9" * 5_000)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def is_a_sentence(error: PlaygroundError) -> bool:
    """It can be shown as it is: a short line that ends as a sentence does."""
    message = str(error)
    return message.endswith((".", "?", "!")) and "Traceback" not in message and "\n" not in message and (
        len(message) < 600
    )  # fmt: skip


def accepted(load: Callable[[], Any], size: int) -> Any:
    """What `load` makes, or None where it refuses in a sentence; nothing else may happen."""
    tracemalloc.start()
    try:
        return load()
    except PlaygroundError as error:
        assert is_a_sentence(error), repr(str(error))
        return None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < ROOM + 8 * size


def changed(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    """Other bytes here and there; most places are in the header, where they mean something."""
    found = bytearray(data)
    for how, where, new in changes:
        header = min(len(found), 4_000)
        at = int(where * 2 * header) if where < 0.5 else int((where - 0.5) * 2 * len(found))
        match how:
            case "overwrite":
                found[at : at + len(new)] = new
            case "delete":
                del found[at : at + 1 + len(new)]
            case "insert":
                found[at:at] = new
            case "repeat":
                found[at:at] = found[at : at + 100]
            case "truncate":
                del found[at:]
    return bytes(found)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in nested JSON, as a path of keys; of a list, its first three."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def put(draw: st.DataObject, value: Any) -> Any:
    """The same JSON with something else in one to three places."""
    found = copy.deepcopy(value)
    for _ in range(draw.draw(st.integers(1, 3))):
        *path, last = draw.draw(st.sampled_from(list(places(found)) or [()]))[:8] or (None,)
        parent = found
        for key in path:
            parent = parent[key]
        if last is not None:
            parent[last] = draw.draw(JSON)
    return found


# Checkpoints


@cache
def small() -> bytes:
    """The smallest file that the app ships."""
    found = open_shipped("parentheses")
    return pack(found.arrays, found.metadata)


def opened(data: bytes) -> Checkpoint | None:
    """As an upload is: read, checked, and made into what can go on or answer."""

    def load() -> Checkpoint:
        found = unpack(data, "mine.safetensors")
        to_state(found)
        return found

    found: Checkpoint | None = accepted(load, len(data))
    return found


@settings(max_examples=300)
@given(changes=CHANGES)
def test_a_checkpoint_with_other_bytes_in_it_opens_unchanged_or_not_at_all(
    changes: list[tuple[str, float, bytes]],
) -> None:
    found = opened(changed(small(), changes))
    if found is not None:
        whole = unpack(small())
        assert found.metadata == whole.metadata
        assert {name: a.tobytes() for name, a in found.arrays.items()} == {
            n: a.tobytes() for n, a in whole.arrays.items()
        }


@settings(max_examples=200)
@given(draw=st.data())
def test_a_forged_header_is_refused_or_harmless(draw: st.DataObject) -> None:
    """Shapes, types and offsets of tensors, and what stands beside them; the checksum is of what they say."""
    (length,) = struct.unpack_from("<Q", small())
    header = json.dumps(put(draw, json.loads(small()[8 : 8 + length]))).encode()
    opened(struct.pack("<Q", draw.draw(st.sampled_from((len(header), 2**40, 2**63)))) + header + small()[8 + length :])
    opened(struct.pack("<Q", len(header)) + header + small()[8 + length :])


@settings(max_examples=200)
@given(name=st.sampled_from(SHIPPED), draw=st.data())
def test_forged_settings_of_any_task_are_refused_or_harmless(name: str, draw: st.DataObject) -> None:
    """With a checksum that is right."""
    found = open_shipped(name)
    opened(pack(found.arrays, put(draw, dict(found.metadata))))


# Texts and chats


def read(data: bytes, name: str) -> corpora.Text | None:
    """As the Train page reads a file of a visitor, to the numbers it shows before a start."""

    def load() -> corpora.Text:
        text = corpora.from_upload(data, name, 5_000_000)
        chat = chats.recognise(text.content)
        kept = masking.without_addresses(text) if chat is None else chats.cleaned(chat, text).text
        if chat is not None:
            chats.cleaned(chat, text).preview()
        found = corpora.preflight(kept, TrainConfig(max_vocabulary=4_000))
        assert len(found.vocabulary) <= 4_000
        return kept

    text: corpora.Text | None = accepted(load, 4 * len(data))
    assert text is None or len(set(text.content)) > 1
    return text


STAMPS = ("[31.12.23, 21:05:33] ", "31/12/2023, 21:05 - ", "12/31/23, 9:05 PM - ", "[2023-12-31 21:05:33] ", "\u200e[",
          "31.12.23, 21:05 - ")  # fmt: skip
SPEAKERS = ("Anna: ", "+49 151 2345678: ", "~ C: ", "a" * 3_000 + ": ", ": ", "")
SAID = st.one_of(
    st.text(max_size=40),
    st.sampled_from((
        "<Media omitted>", "mail@example.org", "+1 (555) 010-9999", "x" * 5_000, "\u200eimage omitted", "<" * 500,
        "31/12/2023, 21:05 - Ben: hello", "<script>alert(1)</script>", "a@" * 900, "1 " * 900, "\u202e\u2066\0",
    )),
)  # fmt: skip
CODECS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "latin-1")


@settings(max_examples=200)
@given(
    lines=st.lists(st.tuples(st.sampled_from(STAMPS), st.sampled_from(SPEAKERS), SAID), min_size=1, max_size=12),
    codec=st.sampled_from(CODECS), changes=CHANGES | st.just([]), name=st.text(max_size=300),
)  # fmt: skip
def test_a_mangled_chat_is_a_text_or_refused_in_a_sentence(
    lines: list[tuple[str, str, str]], codec: str, changes: list[tuple[str, float, bytes]], name: str
) -> None:
    data = changed("\n".join("".join(line) for line in lines).encode(codec, "ignore"), changes)
    text = read(data, name)
    if text is not None:
        assert "\n" not in text.name
        assert len(text.name) < 100


@settings(max_examples=150)
@given(data=st.binary(max_size=3_000), begins=st.sampled_from((b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"PK")))
def test_any_bytes_are_a_text_or_refused_in_a_sentence(data: bytes, begins: bytes) -> None:
    read(begins + data, "any")


def test_the_judge_of_sentences_judges() -> None:
    assert is_a_sentence(PlaygroundError("The file is empty."))
    for message in ("", "no", "Traceback (most recent call last).", "two\nlines.", "x" * 999 + "."):
        assert not is_a_sentence(PlaygroundError(message))
