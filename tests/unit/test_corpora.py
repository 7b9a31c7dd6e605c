"""Texts come in cleaned or are refused with a sentence; built-in ones are always the same; short ones still train."""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import re
import socket
import sys
import time
import urllib.error
import urllib.request
import urllib.response
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn import corpora
from rnn.config import TrainConfig
from rnn.corpora import Text, from_paste, from_upload, read_file
from rnn.errors import TextError
from rnn.vocabulary import UNKNOWN

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01"
PLAY = b"First Citizen:\nBefore we proceed any further, hear me speak.\n"
GERMAN = "Größe, Übermut – „schön“\n" * 3
CHINESE = "天地玄黄,宇宙洪荒。\n一日不见,如三秋兮。\n" * 8
RUSSIAN = "Все счастливые семьи похожи друг на друга.\n"
MULTILINGUAL = "👍🏽 👩🏿‍🚀 👨‍👩‍👧‍👦 天地玄黄 مرحبا بالعالم שלום עולם cafe\u0301\n"


# Pasted and uploaded text


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ("\ufeff", "is empty"),
        ("a", "single character"),
        ("\r\n", "single character"),
        ("aaaaaaaa", "only repeats 'a'"),
        ("\r\n\r\n\n", r"only repeats '\\n'"),
    ],
)
def test_texts_with_nothing_to_predict_are_refused(content: str, complaint: str) -> None:
    with pytest.raises(TextError, match=complaint):
        from_paste(content)
    with pytest.raises(TextError, match=complaint):
        from_upload(content.encode(), "notes.txt")


def test_white_space_of_two_kinds_is_a_text() -> None:
    assert from_paste(" \n ").content == " \n "


def test_plain_utf8_passes_unchanged_and_without_notes() -> None:
    assert from_upload(MULTILINGUAL.encode(), "many.txt") == Text("many.txt", MULTILINGUAL)


def test_every_script_survives_upload_encode_and_decode() -> None:
    text = from_upload(MULTILINGUAL.encode(), "many.txt")
    vocabulary = corpora.preflight(text, TrainConfig()).vocabulary
    assert vocabulary.decode(vocabulary.encode(text.content)) == MULTILINGUAL


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=2))
def test_pasted_and_uploaded_text_are_the_same(content: str) -> None:
    try:
        pasted = from_paste(content)
    except TextError:
        with pytest.raises(TextError):
            from_upload(content.encode(), "x")
    else:
        uploaded = from_upload(content.encode(), "x")
        assert pasted.content == uploaded.content == content.removeprefix("\ufeff")
        assert pasted.sha256 == uploaded.sha256


@given(st.binary(max_size=200))
def test_any_bytes_give_a_clean_text_or_a_text_error(data: bytes) -> None:
    try:
        content = from_upload(data, "any").content
    except TextError:
        return
    content.encode()
    assert len(set(content)) > 1
    assert not {"\0", "\r"} & set(content)


@given(st.text(st.characters(exclude_categories=())))
def test_any_pasted_string_gives_a_clean_text_or_a_text_error(content: str) -> None:
    try:
        from_paste(content).content.encode()
    except TextError:
        return


def test_line_ends_become_line_feeds() -> None:
    text = from_upload(b"one\r\ntwo\rthree\nfour\n\r", "dos.txt")
    assert text.content == "one\ntwo\nthree\nfour\n\n"
    assert text.notes == ("Line ends became single line feeds.",)


def test_a_few_nuls_are_removed_and_counted() -> None:
    text = from_upload(b"To be, or not to be\0" + b"that is the question. " * 20 + b"\0", "nul.txt")
    assert "\0" not in text.content
    assert text.notes == ("2 NUL characters removed.",)


def test_lone_surrogates_become_the_replacement_character() -> None:
    text = from_paste("a\ud800b \ud83d\ude00")
    assert text.content == f"a{UNKNOWN}b 😀"
    assert text.notes == (f"1 half character (lone surrogates) became {UNKNOWN}.",)


@pytest.mark.parametrize("content", ["\0" * 50, "a\0\0\0" * 20, "\x7f\x1b" * 10 + "text"])
def test_control_characters_are_not_text(content: str) -> None:
    with pytest.raises(TextError, match="plain text"):
        from_paste(content)
    with pytest.raises(TextError, match="does not look like text"):
        from_upload(content.encode(), "core")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "PNG image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG image"),
        (b"GIF89a\x01\0\x01\0", "GIF image"),
        (b"RIFF\x24\x0a\0\0WAVEfmt ", "sound, image or video"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"PK\x03\x04\x14\0\x06\0word/document.xml", r"\.docx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "old Word"),
        (b"\x1f\x8b\x08\0\0\0", "gzip"),
        (b"SQLite format 3\0\x10\0", "SQLite"),
        (b"\x7fELF\x02\x01\x01\0", "program"),
    ],
)
def test_binary_files_named_txt_are_recognised(data: bytes, kind: str) -> None:
    with pytest.raises(TextError, match=rf'"notes\.txt" looks like .*{kind}.*, not text'):
        from_upload(data, "notes.txt")


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_not_text(seed: int) -> None:
    with pytest.raises(TextError, match="does not look like text"):
        from_upload(np.random.default_rng(seed).bytes(2000), "noise.txt")


@pytest.mark.parametrize("scale", [10, 100, 1000, 10_000])
@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<i4", "<f4", "<f8"])
def test_arrays_of_numbers_are_not_text(dtype: str, scale: int) -> None:
    with pytest.raises(TextError, match="does not look like text"):
        from_upload((scale * np.random.default_rng(0).standard_normal(2000)).astype(dtype).tobytes(), "x.txt")


def test_a_word_that_begins_like_a_signature_is_text() -> None:
    assert from_upload(b"RIFF is a format. PK is a player.", "x").content.startswith("RIFF")


@pytest.mark.parametrize("content", [GERMAN, CHINESE, RUSSIAN, MULTILINGUAL], ids=["de", "zh", "ru", "many"])
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-8"])
def test_a_byte_order_mark_names_the_encoding(codec: str, content: str) -> None:
    text = from_upload(f"\ufeff{content}".encode(codec), "marked.txt")
    assert text.content == content
    assert len(text.notes) == 1
    assert text.notes[0].endswith("as its byte order mark says.")


@pytest.mark.parametrize("content", [GERMAN, CHINESE, RUSSIAN, "ab"], ids=["de", "zh", "ru", "two letters"])
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_recognised(codec: str, content: str) -> None:
    text = from_upload(content.encode(codec), "unmarked.txt")
    assert text.content == content
    assert text.notes[0].startswith("Read as UTF-16, a guess")


def test_utf16_cut_in_the_middle_of_a_character_says_so() -> None:
    text = from_upload("\ufeffhello there".encode("utf-16-le") + b"x", "cut.txt")
    assert text.content == f"hello there{UNKNOWN}"
    assert f"1 broken character shown as {UNKNOWN}." in text.notes[0]


def test_windows_1252_is_the_last_guess() -> None:
    text = from_upload(GERMAN.encode("cp1252"), "alt.txt")
    assert text.content == GERMAN
    assert text.notes[0].startswith("Read as Windows-1252, a guess")


def test_bytes_that_windows_1252_does_not_define_are_counted() -> None:
    text = from_upload(b"na\xefve \x81 caf\xe9 \x9d", "alt.txt")
    assert text.content == f"naïve {UNKNOWN} café {UNKNOWN}"
    assert f"2 broken characters shown as {UNKNOWN}." in text.notes[0]


def test_one_bad_byte_does_not_turn_utf8_into_windows_1252() -> None:
    text = from_upload((GERMAN * 3).encode() + b"\xf0\x9f\x98", "cut.txt")
    assert text.content == GERMAN * 3 + UNKNOWN
    assert text.notes == (f"Read as UTF-8. 1 broken character shown as {UNKNOWN}.",)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (GERMAN.encode(), "UTF-8"),
        (GERMAN.encode("utf-8-sig"), "UTF-8"),
        ((GERMAN * 3).encode() + b"\xf0\x9f\x98", "UTF-8"),
        (GERMAN.encode("utf-16"), "UTF-16"),
        (GERMAN.encode("utf-16-be"), "UTF-16"),
        (GERMAN.encode("utf-32"), "UTF-32"),
        (GERMAN.encode("cp1252"), "Windows-1252"),
        ("Größe, Übermut: schön\n".encode("latin-1"), "Windows-1252"),  # which has the letters of Latin-1
    ],
)
def test_how_a_file_was_read_is_known_before_training(data: bytes, encoding: str) -> None:
    text = from_upload(data, "alt.txt")
    assert text.encoding == corpora.preflight(text, TrainConfig()).encoding == encoding
    assert "Größe" in text.content


def test_pasted_and_built_in_texts_had_no_encoding() -> None:
    assert from_paste("ab").encoding == corpora.load("hello").encoding == ""


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_alone_is_an_empty_text(data: bytes) -> None:
    with pytest.raises(TextError, match="is empty"):
        from_upload(data, "mark.txt")


def test_a_file_of_nuls_is_not_text() -> None:
    with pytest.raises(TextError, match="does not look like text"):
        from_upload(b"\0" * 1000, "zeros.txt")


def test_size_over_the_cap_states_size_and_cap() -> None:
    with pytest.raises(TextError, match=r"has 1,200 bytes; at most 1,000 are accepted"):
        from_upload(b"ab" * 600, "x", 1000)
    with pytest.raises(TextError, match=r"has 1,200 bytes; at most 1,000 are accepted"):
        from_paste("ab" * 600, 1000)
    assert len(from_upload(b"ab" * 500, "x", 1000)) == 1000


def test_pasted_text_is_measured_in_utf8() -> None:
    with pytest.raises(TextError, match="has 6 bytes"):
        from_paste("äöü", 5)


@pytest.mark.parametrize(
    ("name", "shown"), [("  a\nb\0c.txt ", "abc.txt"), ("", "untitled"), ("\udcff", "untitled"), ("x" * 300, "x" * 80)]
)
def test_names_are_one_short_printable_line(name: str, shown: str) -> None:
    assert from_upload(b"text", name).name == shown


def test_files_are_read_like_uploads(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_bytes("Über allen Gipfeln\r\n".encode("cp1252"))
    assert read_file(path) == from_upload(path.read_bytes(), "poem.txt")
    with pytest.raises(TextError, match="at most 5 "):
        read_file(str(path), max_bytes=5)


def test_files_that_cannot_be_read_give_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing.txt", Path("nul\0.txt")):
        with pytest.raises(TextError, match="There is no file"):
            read_file(path)
    with pytest.raises(TextError, match="cannot be read"):
        read_file(tmp_path / ("long" * 100))


def test_sha256_is_that_of_the_content_in_utf8() -> None:
    assert from_paste("Grüße").sha256 == hashlib.sha256("Grüße".encode()).hexdigest()


@pytest.mark.parametrize("content", ["ab" * 2_500_000, "The quick brown fox. " * 500_000], ids=["5 MB line", "10 MB"])
def test_large_texts_are_checked_within_seconds(content: str) -> None:
    began = time.perf_counter()
    text = from_upload(content.encode(), "large.txt")
    report = corpora.preflight(text, TrainConfig())
    assert time.perf_counter() - began < 2
    assert report.characters == len(content)
    assert report.vocabulary.encode(text.content).nbytes == len(content)


# From a text to batches


@given(st.integers(0, 500), st.floats(0, 0.5))
def test_split_cuts_the_end_off_without_copying(length: int, fraction: float) -> None:
    encoded = np.arange(length, dtype=np.uint16)
    training, validation = corpora.split(encoded, fraction)
    assert np.concatenate([training, validation]).tolist() == encoded.tolist()
    assert abs(len(validation) - fraction * length) <= 0.5
    assert training.base is encoded
    assert validation.base is encoded


def test_split_without_validation_keeps_everything() -> None:
    training, validation = corpora.split(np.arange(7, dtype=np.uint8), 0.0)
    assert (len(training), len(validation)) == (7, 0)


@given(st.integers(1, 12), st.integers(0, 100))
def test_streams_are_contiguous_and_shifted_by_one(batch_size: int, extra: int) -> None:
    encoded = np.arange(batch_size + 1 + extra, dtype=np.uint8)
    inputs, targets = corpora.streams(encoded, batch_size)
    n = (len(encoded) - 1) // batch_size
    assert inputs.shape == targets.shape == (batch_size, n)
    assert inputs.flatten().tolist() == list(range(batch_size * n))
    assert targets.flatten().tolist() == list(range(1, batch_size * n + 1))
    assert np.shares_memory(inputs, encoded)
    assert np.shares_memory(targets, encoded)


@pytest.mark.parametrize(("length", "batch_size"), [(0, 1), (1, 1), (4, 4)])
def test_streams_refuse_a_text_that_is_too_short(length: int, batch_size: int) -> None:
    with pytest.raises(TextError, match="at least"):
        corpora.streams(np.zeros(length, np.uint8), batch_size)


def _sizes(config: TrainConfig) -> tuple[int, int, float]:
    return config.batch_size, config.bptt_steps, config.validation_fraction


@pytest.mark.parametrize(
    ("characters", "sizes"),
    [(2, (1, 1, 0.0)), (5, (1, 4, 0.0)), (200, (4, 48, 0.0)), (500, (9, 48, 0.1)), (2000, (32, 48, 0.1))],
)
def test_settings_shrink_until_the_text_is_long_enough(characters: int, sizes: tuple[int, int, float]) -> None:
    config, notes = corpora.fit(TrainConfig(), characters)
    assert _sizes(config) == sizes
    assert len(notes) == sum(now != before for now, before in zip(sizes, (32, 48, 0.1), strict=True))


def test_every_shrunk_setting_says_from_what_to_what_and_why() -> None:
    _, notes = corpora.fit(TrainConfig(), 5)
    assert notes == (
        "No part is kept for validation: 10% of 5 characters is 0, and a loss over fewer than 50 says little.",
        "The batch size went from 32 to 1: the training part has 4 predictions, and each stream should have 48.",
        "The chunk length went from 48 to 4: the training part is no longer.",
    )


def test_a_long_text_leaves_the_settings_alone() -> None:
    config = TrainConfig()
    assert corpora.fit(config, 100_000) == (config, ())


def test_no_validation_asked_for_needs_no_sentence() -> None:
    assert corpora.fit(TrainConfig(validation_fraction=0.0), 1600)[1] == ()


def test_full_truncation_keeps_its_unused_chunk_length() -> None:
    config, _ = corpora.fit(TrainConfig(truncation="full"), 20)
    assert _sizes(config) == (1, 48, 0.0)


@given(st.integers(2, 3000), st.integers(1, 100), st.integers(1, 300), st.floats(0, 0.5))
def test_every_stream_has_a_whole_chunk_after_fitting(n: int, batch_size: int, steps: int, fraction: float) -> None:
    asked = TrainConfig(batch_size=batch_size, bptt_steps=steps, validation_fraction=fraction)
    config, _ = corpora.fit(asked, n)
    training, validation = corpora.split(np.zeros(n, np.uint8), config.validation_fraction)
    assert config.batch_size * config.bptt_steps + 1 <= len(training)
    assert len(validation) == 0 or len(validation) >= corpora.MIN_VALIDATION
    assert corpora.fit(config, n) == (config, ())


@pytest.mark.parametrize("characters", [0, 1])
def test_fewer_than_two_characters_cannot_be_fitted(characters: int) -> None:
    with pytest.raises(TextError, match="fewer than two"):
        corpora.fit(TrainConfig(), characters)


def test_preflight_of_200_characters_says_what_training_will_be_like() -> None:
    text = from_upload(b"abcd\r\n" * 40, "short.txt")
    report = corpora.preflight(text, TrainConfig())
    assert (report.characters, report.training_characters, report.validation_characters) == (200, 200, 0)
    assert report.vocabulary.characters == ("\n", "a", "b", "c", "d")
    assert report.chunks_per_epoch == 2  # 4 streams of 49, in chunks of 48 and 1
    assert report.config == corpora.fit(TrainConfig(), 200)[0]
    assert report.notes == ("Line ends became single line feeds.", *corpora.fit(TrainConfig(), 200)[1])


def test_preflight_counts_the_chunks_of_one_pass() -> None:
    config = TrainConfig(batch_size=10, bptt_steps=30, validation_fraction=0.1)
    text = from_paste("abcdefghij" * 1000)
    assert corpora.preflight(text, config).chunks_per_epoch == 30  # 899 predictions per stream
    full = TrainConfig(batch_size=10, truncation="full")
    assert corpora.preflight(text, full).chunks_per_epoch == 1


def test_preflight_says_how_often_the_text_is_read() -> None:
    config = TrainConfig(batch_size=10, bptt_steps=30, validation_fraction=0.1, steps=45)
    report = corpora.preflight(from_paste("abcdefghij" * 1000), config)
    assert (report.training_characters, report.validation_characters) == (9000, 1000)
    assert report.epochs == 1.5


def test_preflight_lists_rare_characters_rarest_first() -> None:
    report = corpora.preflight(from_paste("a" * 99 + "z" * 5 + "yyyy" + "x" + "ww"), TrainConfig())
    assert report.rare == (("x", 1), ("w", 2), ("y", 4))


def test_preflight_shows_what_a_vocabulary_cap_hides() -> None:
    report = corpora.preflight(from_paste("a" * 60 + "b" * 30 + "c" * 6 + "de" * 2), TrainConfig(max_vocabulary=3))
    assert report.vocabulary.characters == ("a", "b", UNKNOWN)
    assert report.vocabulary.unknown_index == 2
    expected = f"The vocabulary is capped at 3: 3 rare characters, 10.00% of the text, shown as {UNKNOWN}."
    assert report.notes[-1] == expected
    assert ("d", 2) in report.rare


def test_preflight_takes_the_unknown_symbol_of_a_text_for_no_cap() -> None:
    report = corpora.preflight(from_paste(f"ab{UNKNOWN}" * 600), TrainConfig())
    assert report.vocabulary.characters[-1] == UNKNOWN
    assert report.notes == ()


# Built-in texts

OFFLINE = [name for name in corpora.CORPORA if name != "shakespeare"]


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No text is remembered from another test, and no connection can be made."""
    monkeypatch.setenv("RNN_PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RNN_PLAYGROUND_SHAKESPEARE", raising=False)
    monkeypatch.setattr(socket.socket, "connect", _refuse)
    corpora.load.cache_clear()
    yield
    corpora.load.cache_clear()


def _refuse(*_: object) -> None:
    raise AssertionError("a test tried to connect")


def test_built_in_texts_are_named() -> None:
    assert list(corpora.CORPORA) == [
        "python-reference",
        "python-source",
        "character-names",
        "nested-parentheses",
        "hello",
        "delayed-recall",
        "shakespeare",
    ]
    assert all(name == corpus.name for name, corpus in corpora.CORPORA.items())


@pytest.mark.parametrize("name", OFFLINE)
def test_built_in_texts_are_deterministic_clean_and_offline(name: str) -> None:
    assert corpora.is_available_offline(name)
    text = corpora.load(name)
    assert (text.name, text.builtin, text.notes) == (name, True, ())
    assert from_paste(text.content) == Text("pasted text", text.content)
    corpora.load.cache_clear()
    assert corpora.load(name).sha256 == text.sha256


def test_load_remembers_a_text() -> None:
    assert corpora.load("character-names") is corpora.load("character-names")


def test_unknown_name_lists_the_known_ones() -> None:
    for ask in (corpora.load, corpora.is_available_offline):
        with pytest.raises(TextError, match=r'named "hell"; there are python-reference, .*hello'):
            ask("hell")


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("python-reference", 400_000, 800_000),
        ("python-source", 900_000, 1_400_000),
        ("nested-parentheses", 100_000, 100_000),
        ("hello", 5, 5),
        ("delayed-recall", 99_900, 100_000),
    ],
)
def test_built_in_texts_have_their_size(name: str, low: int, high: int) -> None:
    assert low <= len(corpora.load(name)) <= high


def test_hello_is_exactly_hello() -> None:
    assert corpora.load("hello").content == "hello"


def test_missing_language_reference_falls_back_to_docstrings_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data", None)
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    text = corpora.load("python-reference")
    assert text.name == "python-reference"
    assert text.notes == (
        "Python's language reference is not installed here; these are its standard library's docstrings.",
    )
    assert len(text) > 100_000


def test_missing_library_sources_are_a_text_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(TextError, match="not installed here"):
        corpora.load("python-source")


def test_unreadable_library_sources_are_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ast.py").write_text("import this\n")
    (tmp_path / "csv.py").write_bytes(b"\xff\xfe")
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    assert corpora.load("python-source").content == "import this\n"


def test_character_names_are_30000_spelled_lines() -> None:
    lines = corpora.load("character-names").content.splitlines()
    assert len(lines) == 30_000
    assert len(set(lines)) == 30_000
    assert "Latin small letter a with grave" in lines
    assert not any(re.search("-[0-9a-f]{4,}$|^Hangul syllable", line) for line in lines)
    assert lines != sorted(lines)


def test_digits_among_parentheses_are_the_depth_and_rare() -> None:
    content = corpora.nested_parentheses(20_000, seed=1)
    depth, seen = 0, set()
    for character in content:
        depth += {"(": 1, ")": -1}.get(character, 0)
        assert 0 <= depth <= 9
        if character.isdigit():
            assert int(character) == depth
            seen.add(depth)
    assert seen == set(range(10))
    assert 0.03 < sum(map(str.isdigit, content)) / len(content) < 0.07


@pytest.mark.parametrize("lag", [0, 1, 16, 300])
def test_delayed_recall_repeats_the_key_after_the_lag(lag: int) -> None:
    content = corpora.delayed_recall(lag, 5000, seed=2)
    assert len(content) <= 5000
    lines = content.splitlines()
    assert {line[0] for line in lines} <= set(corpora.RECALL_KEYS)
    for line in lines:
        assert re.fullmatch(rf"([a-h])[0-9.]{{{lag}}}\?\1", line)


def test_delayed_recall_has_at_least_one_question_and_follows_its_seed() -> None:
    assert len(corpora.delayed_recall(50, 1, 0)) == 54
    assert corpora.delayed_recall(5, 500, 0) == corpora.delayed_recall(5, 500, 0)
    assert corpora.delayed_recall(5, 500, 0) != corpora.delayed_recall(5, 500, 1)


# Tiny Shakespeare, without ever leaving this machine


def _expect(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(corpora, "SHAKESPEARE_BYTES", len(data))
    monkeypatch.setattr(corpora, "SHAKESPEARE_SHA256", hashlib.sha256(data).hexdigest())


class Server:
    """Stands in for the other end of every HTTPS connection; remembers what it was asked for."""

    def __init__(self, answer: bytes | Exception, status: int = 200, location: str = "") -> None:
        self.answer, self.status, self.location = answer, status, location
        self.asked: list[tuple[str, float | None]] = []

    def open(self, _: object, request: urllib.request.Request) -> urllib.response.addinfourl:
        self.asked.append((request.full_url, request.timeout))
        if isinstance(self.answer, Exception):
            raise self.answer
        headers = Message()
        if self.location:
            headers["Location"] = self.location
        response = urllib.response.addinfourl(io.BytesIO(self.answer), headers, request.full_url, self.status)
        response.msg = "status"  # type: ignore[attr-defined]
        return response


def _serve(monkeypatch: pytest.MonkeyPatch, server: Server) -> Server:
    monkeypatch.setattr(
        urllib.request.HTTPSHandler, "https_open", lambda handler, request: server.open(handler, request)
    )
    return server


def test_shakespeare_is_downloaded_once_checked_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _expect(monkeypatch, PLAY)
    server = _serve(monkeypatch, Server(PLAY))
    assert not corpora.is_available_offline("shakespeare")
    text = corpora.load("shakespeare")
    assert text == Text("shakespeare", PLAY.decode(), builtin=True)
    assert text.sha256 == corpora.SHAKESPEARE_SHA256
    assert server.asked == [(corpora.SHAKESPEARE_URL, 10)]
    assert corpora.is_available_offline("shakespeare")
    corpora.load.cache_clear()
    assert corpora.load("shakespeare") == text
    assert len(server.asked) == 1
    assert [path.read_bytes() for path in (tmp_path / "home" / "texts").iterdir()] == [PLAY]


@pytest.mark.parametrize(
    ("answer", "status", "complaint"),
    [
        (urllib.error.URLError(socket.gaierror(-2, "Name or service not known")), 0, "no connection"),
        (ConnectionResetError(104, "Connection reset by peer"), 0, "no connection"),
        (http.client.RemoteDisconnected("closed"), 0, "no connection"),
        (http.client.BadStatusLine("?"), 0, "no connection"),
        (TimeoutError("The read operation timed out"), 0, "no answer within 10 s"),
        (urllib.error.URLError(TimeoutError("timed out")), 0, "no answer within 10 s"),
        (b"gone", 404, "the server answered 404"),
        (PLAY[:-1], 200, f"has {len(PLAY) - 1} bytes instead of {len(PLAY)}"),
        (PLAY + b"and more", 200, f"has more than {len(PLAY)} bytes"),
        (PLAY.swapcase(), 200, "SHA-256 differs"),
    ],
)
def test_a_failed_download_says_what_to_do_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: bytes | Exception, status: int, complaint: str
) -> None:
    _expect(monkeypatch, PLAY)
    _serve(monkeypatch, Server(answer, status))
    with pytest.raises(TextError, match=complaint) as failed:
        corpora.load("shakespeare")
    assert str(failed.value).endswith("choose another text, or set RNN_PLAYGROUND_SHAKESPEARE to a local copy.")
    assert not (tmp_path / "home").exists()
    _serve(monkeypatch, Server(PLAY))
    assert corpora.load("shakespeare").content == PLAY.decode()


def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    server = _serve(monkeypatch, Server(b"", 302, "https://example.org/other.txt"))
    with pytest.raises(TextError, match="the server answered 302"):
        corpora.load("shakespeare")
    assert [address for address, _ in server.asked] == [corpora.SHAKESPEARE_URL]


def test_a_damaged_kept_copy_is_downloaded_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _expect(monkeypatch, PLAY)
    _serve(monkeypatch, Server(PLAY))
    corpora.load("shakespeare")
    (kept,) = (tmp_path / "home" / "texts").iterdir()
    kept.write_bytes(PLAY[:10])
    corpora.load.cache_clear()
    assert not corpora.is_available_offline("shakespeare")
    assert corpora.load("shakespeare").content == PLAY.decode()
    assert kept.read_bytes() == PLAY


def test_a_home_that_cannot_be_written_does_not_stop_the_download(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    _expect(monkeypatch, PLAY)
    _serve(monkeypatch, Server(PLAY))
    assert corpora.load("shakespeare").content == PLAY.decode()


def test_a_named_local_copy_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "copy.txt"
    copy.write_bytes(PLAY)
    monkeypatch.setenv("RNN_PLAYGROUND_SHAKESPEARE", str(copy))
    _expect(monkeypatch, PLAY)
    assert corpora.is_available_offline("shakespeare")
    assert corpora.load("shakespeare").content == PLAY.decode()


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (PLAY[1:], "instead of"),
        (PLAY + b"!", "more than"),
        (PLAY.upper(), "SHA-256 differs"),
        (b"", "has 0 bytes"),
        (None, "cannot be read"),
    ],
)
def test_a_named_local_copy_is_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: bytes | None, complaint: str
) -> None:
    copy = tmp_path / "copy.txt"
    if data is not None:
        copy.write_bytes(data)
    monkeypatch.setenv("RNN_PLAYGROUND_SHAKESPEARE", str(copy))
    _expect(monkeypatch, PLAY)
    assert not corpora.is_available_offline("shakespeare")
    with pytest.raises(TextError, match=complaint) as refused:
        corpora.load("shakespeare")
    assert str(tmp_path) not in str(refused.value)
