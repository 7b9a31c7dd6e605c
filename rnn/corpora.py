"""Texts to learn from: built in, pasted or uploaded; and how training cuts them up.

Whatever comes in leaves as a `Text`, cleaned and known to be trainable, or as a TextError that says why not.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import hashlib
import http.client
import math
import os
import random
import re
import sys
import sysconfig
import unicodedata
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from rnn.config import TrainConfig
from rnn.errors import TextError
from rnn.files import playground_home, write_whole
from rnn.vocabulary import UNKNOWN, Vocabulary

SHAKESPEARE_URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHAKESPEARE_BYTES = 1_115_394
SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
DOWNLOAD_TIMEOUT = 10  # seconds

MIN_VALIDATION = 50  # characters; a mean loss over fewer is mostly noise
RARE = 5  # a character that occurs less often than this is too rare to be learned

MAX_DEPTH = 9  # of nested parentheses: one digit
RECALL_KEYS = "abcdefgh"
RECALL_FILLER = "0123456789."

_MAX_JUNK = 0.01  # share of control, broken or unassigned characters in what still counts as text
_HINT = "save the file as UTF-8 if letters look wrong."
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r")) + b"\x7f"
_BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (b"\xff\xfe\0\0", "utf-32-le", "UTF-32"),
    (b"\0\0\xfe\xff", "utf-32-be", "UTF-32"),
    (b"\xff\xfe", "utf-16-le", "UTF-16"),
    (b"\xfe\xff", "utf-16-be", "UTF-16"),
    (b"\xef\xbb\xbf", "utf-8", "UTF-8"),
)
_SIGNATURES = (
    (rb"\x89PNG\r\n\x1a\n", "a PNG image"),
    (rb"\xff\xd8\xff", "a JPEG image"),
    (rb"GIF8[79]a", "a GIF image"),
    (rb"RIFF....(WAVE|WEBP|AVI )", "a sound, image or video file"),
    (rb"%PDF-", "a PDF document"),
    (rb"PK\x03\x04", "a ZIP archive or a Word document (.docx)"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Word, Excel or PowerPoint document"),
    (rb"\x1f\x8b\x08", "a gzip archive"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (rb"SQLite format 3\0", "a SQLite database"),
    (rb"\x7fELF", "a program"),
)

# Long-lived modules with much prose in them, about a megabyte together.
_SOURCE_FILES = (
    "argparse.py", "ast.py", "bisect.py", "calendar.py", "collections/__init__.py", "configparser.py", "contextlib.py",
    "csv.py", "dataclasses.py", "difflib.py", "enum.py", "fractions.py", "functools.py", "heapq.py", "json/decoder.py",
    "json/encoder.py", "logging/__init__.py", "random.py", "shutil.py", "statistics.py", "subprocess.py",
    "textwrap.py", "threading.py", "traceback.py",
)  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A text that can be trained on.

    Attributes:
        name: what it is called in lists and checkpoints; of a built-in text, its key in `CORPORA`.
        content: the characters; lines end with a line feed, no NUL, no surrogates, no byte order mark.
        notes: sentences about what was guessed or changed on the way in.
        builtin: whether `load(name)` gives it again.
        encoding: how its file was read ("UTF-8", "UTF-16", "Windows-1252"); "" where there was none.
    """

    name: str
    content: str = field(repr=False)
    notes: tuple[str, ...] = ()
    builtin: bool = False
    encoding: str = field(default="", compare=False)

    def __len__(self) -> int:
        return len(self.content)

    @cached_property
    def sha256(self) -> str:
        """Of the content in UTF-8, as 64 hexadecimal digits."""
        return hashlib.sha256(self.content.encode()).hexdigest()


# Pasted and uploaded text


def from_paste(content: str, max_bytes: int | None = None) -> Text:
    """A text that was typed or pasted.

    Raises:
        TextError: too large (counted in UTF-8), not text, or nothing to learn from.
    """
    _check_size(len(content.encode("utf-8", "surrogatepass")), max_bytes)
    if _is_binary(content):
        raise TextError("The pasted text is mostly control characters. Paste plain text.")
    return _clean("pasted text", content)


def from_upload(data: bytes, name: str, max_bytes: int | None = None) -> Text:
    """A text from the bytes of a file; its encoding is guessed, and `notes` say how it was read.

    Args:
        data: the whole file.
        name: the file's name, as it is shown.
        max_bytes: the largest size accepted; None accepts any.

    Raises:
        TextError: too large, not text, or nothing to learn from.
    """
    name = printable(name)
    _check_size(len(data), max_bytes)
    for signature, kind in _SIGNATURES:
        if re.match(signature, data, re.DOTALL):
            raise TextError(f'"{name}" looks like {kind}, not text. Save or export its words as a .txt file first.')
    for content, encoding, note in _readings(data):
        if not _is_binary(content):
            return dataclasses.replace(_clean(name, content, note), encoding=encoding)
    raise TextError(f'"{name}" does not look like text. Save it as plain text in UTF-8 first.')


def read_file(path: str | Path, max_bytes: int | None = None) -> Text:
    """A text from a file on this machine, read as `from_upload` does.

    Raises:
        TextError: cannot be read, too large, not text, or nothing to learn from.
    """
    path = Path(path)
    name = printable(path.name)
    try:
        if not path.is_file():  # a device or a pipe might never end
            raise TextError(f'There is no file named "{name}" at that place.')
        _check_size(path.stat().st_size, max_bytes)
        data = path.read_bytes()
    except OSError as error:
        raise TextError(f'"{name}" cannot be read: {error.strerror or error}.') from error
    return from_upload(data, name, max_bytes)


def printable(name: str) -> str:
    """A file's name as it can stand in a sentence: one short line."""
    return "".join(c for c in name if c.isprintable()).strip()[:80] or "untitled"


def _check_size(size: int, max_bytes: int | None) -> None:
    if max_bytes is not None and size > max_bytes:
        raise TextError(f"The text has {size:,} bytes; at most {max_bytes:,} are accepted here. Take a part of it.")


def _is_binary(content: str) -> bool:
    data = content.encode("utf-8", "surrogatepass")
    controls = len(data) - len(data.translate(None, _CONTROLS))
    return controls > _MAX_JUNK * len(content)


def _readings(data: bytes) -> Iterator[tuple[str, str, str]]:
    """What `data` says in each encoding it may have, the likeliest first; the encoding, and a sentence about the guess.

    Only a byte order mark and UTF-8 are certain. Windows-1252 gives some text for any bytes, but UTF-16 read that way
    is full of control characters, in every script: its turn comes when all before it looked binary.
    """
    for mark, codec, title in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            content = data[len(mark) :].decode(codec, "replace")
            yield content, title, f"Read as {title}, as its byte order mark says.{_broken(content)}"
            return
    try:
        yield data.decode("utf-8"), "UTF-8", ""
    except UnicodeDecodeError:
        yield from _read_damaged_utf8(data)
        content = data.decode("cp1252", "replace")
        yield content, "Windows-1252", f"Read as Windows-1252, a guess: {_HINT}{_broken(content)}"
    yield from _read_utf16(data)


def _read_damaged_utf8(data: bytes) -> Iterator[tuple[str, str, str]]:
    """One cut or stray byte should not turn every accent and emoji of a long text into Windows-1252 noise."""
    content = data.decode("utf-8", "replace")
    broken = content.count(UNKNOWN)
    intact = len(content) - len(content.encode("ascii", "ignore")) - broken
    if broken * 10 < intact:
        yield content, "UTF-8", f"Read as UTF-8.{_broken(content)}"


def _read_utf16(data: bytes) -> Iterator[tuple[str, str, str]]:
    """UTF-16 without a mark, in the byte order that gives more of the characters every script uses."""
    readings = (data.decode("utf-16-le", "replace"), data.decode("utf-16-be", "replace"))
    content = max(readings, key=_count_familiar)
    if _is_assigned(content):
        yield content, "UTF-16", f"Read as UTF-16, a guess: {_HINT}{_broken(content)}"


def _count_familiar(content: str) -> int:
    """ASCII, and the marks that take its place in Chinese and Japanese."""
    return len(content.encode("ascii", "ignore")) + sum(map(content.count, "、。,\u3000"))


def _is_assigned(content: str) -> bool:
    """Whether these are characters of some script: any bytes have a UTF-16 reading, but numbers or noise hit gaps."""
    sample = content[:10_000]
    gaps = sum(c == UNKNOWN or unicodedata.category(c) in ("Cn", "Co") for c in sample)
    return gaps <= _MAX_JUNK * len(sample)


def _broken(content: str) -> str:
    count = content.count(UNKNOWN)
    return f" {count_of(count, 'broken character')} shown as {UNKNOWN}." if count else ""


def count_of(count: int, noun: str, ending: str = "s") -> str:
    """`1 step`, `2,000 steps`."""
    return f"{count:,} {noun}" + ("" if count == 1 else ending)


def _clean(name: str, content: str, *notes: str) -> Text:
    """The `Text` of this content, with a note about everything that had to be changed.

    Raises:
        TextError: fewer than two different characters.
    """
    changes = [note for note in notes if note]
    content = content.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    whole = _without_surrogates(content)
    if lost := whole.count(UNKNOWN) - content.count(UNKNOWN):
        changes.append(f"{count_of(lost, 'half character')} (lone surrogates) became {UNKNOWN}.")
    if nuls := whole.count("\0"):
        changes.append(f"{count_of(nuls, 'NUL character')} removed.")
    if "\r" in whole:
        changes.append("Line ends became single line feeds.")
    whole = whole.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    check_trainable(whole)
    return Text(name, whole, tuple(changes))


def _without_surrogates(content: str) -> str:
    """Joins split surrogate pairs; a lone half becomes `UNKNOWN`."""
    try:
        content.encode()
    except UnicodeEncodeError:
        return content.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return content


def check_trainable(content: str) -> None:
    """Raises TextError where there is nothing to learn."""
    if not content:
        raise TextError("The text is empty. Give it at least two different characters.")
    if len(content) == 1:
        raise TextError("The text is a single character, so there is no next one to predict. Give it at least two.")
    if not content.strip(content[0]):
        raise TextError(f"The text only repeats {content[0]!r}, so there is nothing to learn. Add other characters.")


# From a text to batches


def split(encoded: NDArray[Any], fraction: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """The training part and, at the end, the validation part; views, the second one may be empty."""
    cut = len(encoded) - validation_length(len(encoded), fraction)
    return encoded[:cut], encoded[cut:]


def validation_length(characters: int, fraction: float) -> int:
    """Characters of the validation part of a text of so many."""
    return round(characters * fraction)


def streams(encoded: NDArray[Any], batch_size: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Inputs and targets, both (B, n), for reading B places of the text side by side; views of `encoded`.

    Stream b + 1 begins where stream b ends, and each target is the character after its input. Up to B - 1 characters
    at the end are left out.

    Raises:
        TextError: fewer than B + 1 characters.
    """
    length = (len(encoded) - 1) // batch_size
    if length < 1:
        raise TextError(
            f"{count_of(batch_size, 'stream')} of the text need at least {count_of(batch_size + 1, 'character')}, and "
            f"it has {len(encoded):,}. Lower the batch size or take a longer text."
        )
    end = batch_size * length
    return encoded[:end].reshape(batch_size, length), encoded[1 : end + 1].reshape(batch_size, length)


def fit(config: TrainConfig, characters: int) -> tuple[TrainConfig, tuple[str, ...]]:
    """`config` shrunk until a text this short can be trained on, and a sentence for each setting that changed.

    The validation part goes first, then the batch shrinks, then the chunk, until every stream has a whole chunk.
    Fitting a fitted config changes nothing.

    Raises:
        TextError: fewer than two characters.
    """
    if characters < 2:
        raise TextError("A text of fewer than two characters has no next one to predict.")
    notes = []
    for shrink in (_fit_validation, _fit_batch_size, _fit_bptt_steps):
        fitted, reason = shrink(config, characters)
        if fitted != config:
            notes.append(reason)
        config = fitted
    return config, tuple(notes)


def _fit_validation(config: TrainConfig, characters: int) -> tuple[TrainConfig, str]:
    fraction = config.validation_fraction
    kept = validation_length(characters, fraction)
    reason = (
        f"No part is kept for validation: {100 * fraction:.3g}% of {characters:,} characters is {kept}, "
        f"and a loss over fewer than {MIN_VALIDATION} says little."
    )
    return dataclasses.replace(config, validation_fraction=fraction if kept >= MIN_VALIDATION else 0.0), reason


def _fit_batch_size(config: TrainConfig, characters: int) -> tuple[TrainConfig, str]:
    predictions = _predictions(config, characters)
    batch_size = max(1, min(config.batch_size, predictions // config.bptt_steps))
    reason = (
        f"The batch size went from {config.batch_size:,} to {batch_size:,}: the training part has "
        f"{count_of(predictions, 'prediction')}, and each stream should have {config.bptt_steps:,}."
    )
    return dataclasses.replace(config, batch_size=batch_size), reason


def _fit_bptt_steps(config: TrainConfig, characters: int) -> tuple[TrainConfig, str]:
    if config.truncation == "full":  # the chunk is the whole stream, however long
        return config, ""
    bptt_steps = min(config.bptt_steps, _predictions(config, characters) // config.batch_size)
    reason = f"The chunk length went from {config.bptt_steps:,} to {bptt_steps:,}: the training part is no longer."
    return dataclasses.replace(config, bptt_steps=bptt_steps), reason


def _predictions(config: TrainConfig, characters: int) -> int:
    """Characters of the training part that have one before them."""
    return characters - validation_length(characters, config.validation_fraction) - 1


@dataclass(frozen=True)
class Preflight:
    """What is known about a training before it starts.

    Attributes:
        characters: length of the text.
        training_characters, validation_characters: lengths of its two parts.
        vocabulary: as the model will have it, with counts over the whole text.
        rare: the characters that occur fewer than `RARE` times and how often, the rarest first.
        chunks_per_epoch: optimizer steps in one pass over the training part.
        config: the settings, shrunk where the text is short.
        notes: sentences about all that was guessed, changed or shrunk.
        encoding: how the text's file was read, or "".
    """

    characters: int
    training_characters: int
    validation_characters: int
    vocabulary: Vocabulary
    rare: tuple[tuple[str, int], ...]
    chunks_per_epoch: int
    config: TrainConfig
    notes: tuple[str, ...]
    encoding: str = ""

    @property
    def epochs(self) -> float:
        """How often the training part is read in all, if no other stop comes before the last step."""
        return self.config.steps / self.chunks_per_epoch


def preflight(text: Text, config: TrainConfig) -> Preflight:
    """Looks at what training on `text` would be like.

    Raises:
        TextError: the text has fewer than two characters.
    """
    config, shrunk = fit(config, len(text))
    everything = Vocabulary.from_text(text.content)
    cap = config.max_vocabulary
    vocabulary = everything if cap is None else Vocabulary.from_text(text.content, cap)
    counts = zip(everything.characters, everything.counts, strict=True)
    validation = validation_length(len(text), config.validation_fraction)
    training = len(text) - validation
    return Preflight(
        characters=len(text),
        training_characters=training,
        validation_characters=validation,
        vocabulary=vocabulary,
        rare=tuple(sorted((pair for pair in counts if pair[1] < RARE), key=lambda pair: pair[1])),
        chunks_per_epoch=_chunks(config, training),
        config=config,
        notes=(*text.notes, *shrunk, *_cap_notes(text.content, vocabulary)),
        encoding=text.encoding,
    )


def _chunks(config: TrainConfig, characters: int) -> int:
    length = (characters - 1) // config.batch_size
    return 1 if config.truncation == "full" else math.ceil(length / config.bptt_steps)


def _cap_notes(content: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    if vocabulary.characters[-1] != UNKNOWN:
        return ()
    hidden = set(content).difference(vocabulary.characters)
    if not hidden:  # UNKNOWN is a character of the text itself
        return ()
    return (
        f"The vocabulary is capped at {len(vocabulary):,}: {count_of(len(hidden), 'rare character')}, "
        f"{vocabulary.counts[-1] / len(content):.2%} of the text, shown as {UNKNOWN}.",
    )


# Built-in texts


@dataclass(frozen=True)
class Corpus:
    """A text that comes with the playground.

    Attributes:
        name: its key on the command line and in checkpoints.
        title: its name in lists.
        description: one line about what it is good for.
        read: makes the text; `load` calls it and remembers the result.
    """

    name: str
    title: str
    description: str
    read: Callable[[], Text]


@lru_cache(maxsize=4)
def load(name: str) -> Text:
    """The built-in text of this name.

    Raises:
        TextError: there is none, or it cannot be had on this machine.
    """
    return _corpus(name).read()


def is_available_offline(name: str) -> bool:
    """Whether `load(name)` needs no download.

    Raises:
        TextError: there is no such text.
    """
    if _corpus(name).read is not shakespeare:
        return True
    try:
        return (_named_copy() or _cached_copy()) is not None
    except TextError:
        return False


def _corpus(name: str) -> Corpus:
    if name not in CORPORA:
        raise TextError(f'There is no built-in text named "{printable(name)}"; there are {", ".join(CORPORA)}.')
    return CORPORA[name]


def python_reference() -> Text:
    """What `help()` prints about Python's language; the standard library's docstrings where that is not installed."""
    try:
        from pydoc_data.topics import topics
    except ImportError:
        note = "Python's language reference is not installed here; these are its standard library's docstrings."
        return Text("python-reference", "\n\n".join(_docstrings()), (note,), builtin=True)
    return Text("python-reference", "\n\n".join(topics[key] for key in sorted(topics)), builtin=True)


def python_source() -> Text:
    """Source code of the standard library."""
    return Text("python-source", "\n".join(_sources()), builtin=True)


def _sources() -> list[str]:
    """The standard library's `_SOURCE_FILES`, those of them that this Python has."""
    library = Path(sysconfig.get_path("stdlib"))
    found = []
    for name in _SOURCE_FILES:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found.append((library / name).read_text("utf-8"))
    if not found:
        raise TextError("The source code of Python's standard library is not installed here. Choose another text.")
    return found


def _docstrings() -> Iterator[str]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for source in _sources():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, documented) and (docstring := ast.get_docstring(node)):
                yield docstring


def character_names() -> Text:
    """30,000 names of Unicode characters, one per line, in random order.

    In code point order the end of the text, kept for validation, would be in other words than its beginning. Names
    that are only a number or a Hangul syllable are left out: there are over 100,000 of them and nothing to spell.
    """
    numbered = re.compile(r"-[0-9A-F]{3,}$|^HANGUL SYLLABLE ")
    names = [unicodedata.name(chr(code_point), "") for code_point in range(sys.maxunicode + 1)]
    spelled = [name.capitalize() for name in names if name and not numbered.search(name)]
    rng = random.Random(0)
    spelled.sort(key=lambda _: rng.random())
    return Text("character-names", "\n".join(spelled[:30_000]) + "\n", builtin=True)


def nested_parentheses(characters: int = 100_000, seed: int = 0) -> str:
    """Brackets whose depth walks at random between 0 and 9 and, once in 20 characters, a digit: the depth there.

    Which digit comes can only be known by counting. It is rare on purpose: were it frequent, the last one and the few
    brackets since would give the next one away, and no counter would have to be learned.
    """
    rng = random.Random(seed)
    depth, drawn = 0, []
    for _ in range(characters):
        if rng.random() < 0.05:
            drawn.append(str(depth))
        elif depth == 0 or (depth < MAX_DEPTH and rng.random() < 0.5):
            drawn.append("(")
            depth += 1
        else:
            drawn.append(")")
            depth -= 1
    return "".join(drawn)


def delayed_recall(lag: int = 16, characters: int = 100_000, seed: int = 0) -> str:
    """Questions, one per line: a key, `lag` random filler characters, a question mark, the key again.

    Only the key is predictable from what came before, and only by remembering it for `lag` + 1 characters.

    Args:
        lag: filler characters between key and question, 0 or more.
        characters: about how long the text is: the whole lines that fit into it, at least one.
        seed: same seed, same text.
    """
    rng = random.Random(seed)
    lines = []
    for _ in range(max(1, characters // (lag + 4))):
        key = _draw(rng, RECALL_KEYS)
        filler = "".join(_draw(rng, RECALL_FILLER) for _ in range(lag))
        lines.append(f"{key}{filler}?{key}\n")
    return "".join(lines)


def _draw(rng: random.Random, symbols: str) -> str:
    # Of all of random's methods, only random() is promised to be the same in every version of Python.
    return symbols[int(rng.random() * len(symbols))]


def shakespeare() -> Text:
    """Tiny Shakespeare: a copy named by RNN_PLAYGROUND_SHAKESPEARE, else the one kept here, else one download.

    Raises:
        TextError: the named copy is another text, or the download failed.
    """
    data = _named_copy() or _cached_copy() or _download()
    return Text("shakespeare", data.decode(), builtin=True)


def _named_copy() -> bytes | None:
    """The file that RNN_PLAYGROUND_SHAKESPEARE names, None where it names none."""
    path = os.environ.get("RNN_PLAYGROUND_SHAKESPEARE")
    if not path:
        return None
    try:
        data = _read_copy(Path(path))
    except OSError as error:
        raise TextError("The file named by RNN_PLAYGROUND_SHAKESPEARE cannot be read: correct its path.") from error
    if difference := _difference(data):
        raise TextError(f"The file named by RNN_PLAYGROUND_SHAKESPEARE is not tiny Shakespeare: it {difference}.")
    return data


def _cached_copy() -> bytes | None:
    """The copy kept by an earlier download, None where there is none or it is damaged."""
    try:
        data = _read_copy(_cache())
    except OSError:
        return None
    return None if _difference(data) else data


def _cache() -> Path:
    return playground_home() / "texts" / "tinyshakespeare.txt"


def _read_copy(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SHAKESPEARE_BYTES + 1)


def _difference(data: bytes) -> str:
    """How `data` differs from tiny Shakespeare, "" if it does not."""
    if len(data) > SHAKESPEARE_BYTES:
        return f"has more than {SHAKESPEARE_BYTES:,} bytes"
    if len(data) < SHAKESPEARE_BYTES:
        return f"has {len(data):,} bytes instead of {SHAKESPEARE_BYTES:,}"
    if hashlib.sha256(data).hexdigest() != SHAKESPEARE_SHA256:
        return "has other contents (its SHA-256 differs)"
    return ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Only the address in this file is ever fetched, none that a server names."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _download() -> bytes:
    instead = "choose another text, or set RNN_PLAYGROUND_SHAKESPEARE to a local copy"
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(SHAKESPEARE_URL, timeout=DOWNLOAD_TIMEOUT) as response:
            data: bytes = response.read(SHAKESPEARE_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise TextError(f"Tiny Shakespeare could not be downloaded ({_reason(error)}): {instead}.") from error
    if difference := _difference(data):
        raise TextError(f"What was downloaded is not tiny Shakespeare, it {difference}: {instead}.")
    _keep(data)
    return data


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return f"no answer within {DOWNLOAD_TIMEOUT} s" if isinstance(cause, TimeoutError) else "no connection"


def _keep(data: bytes) -> None:
    """Writes the cached copy whole or not at all; where nothing can be written, the next start downloads again."""
    target = _cache()
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, data)


_PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"

CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "python-reference", "Python language reference",
            f"English prose with examples: the manual inside {_PYTHON}.", python_reference,
        ),
        Corpus(
            "python-source", "Python source code",
            f"Brackets, indentation and docstrings: modules of {_PYTHON}'s standard library.", python_source,
        ),
        Corpus(
            "character-names", "Unicode character names",
            "30,000 short lines: new ones are easy to judge by eye.", character_names,
        ),
        Corpus(
            "nested-parentheses", "Nested parentheses",
            "Generated: a digit now and then tells the depth, so the network has to count.",
            lambda: Text("nested-parentheses", nested_parentheses(), builtin=True),
        ),
        Corpus(
            "hello", "hello", "Five letters: small enough to follow every number.",
            lambda: Text("hello", "hello", builtin=True),
        ),
        Corpus(
            "delayed-recall", "Delayed recall",
            "Generated: a letter is shown once and asked for after 16 random characters.",
            lambda: Text("delayed-recall", delayed_recall(), builtin=True),
        ),
        Corpus(
            "shakespeare", "Tiny Shakespeare",
            "A megabyte of his plays, the usual benchmark; downloaded once.", shakespeare,
        ),
    )
}  # fmt: skip
