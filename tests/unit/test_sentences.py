"""Opinions: the words alone hardly tell the label, and no validation sentence is trained on."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from rnn.data.sentences import (
    BAD,
    GOOD,
    PADDING,
    TOPICS,
    UNKNOWN,
    UNKNOWN_INDEX,
    _counts,
    arrays,
    bag_of_words_baseline,
    batch,
    logistic_regression,
    parse,
    part_arrays,
    sentence,
    sentences,
    vocabulary,
)
from rnn.errors import ConfigError, InputError

POSITIVE = {word for topic in TOPICS for word in topic.good} | set(GOOD)
NEGATIVE = {word for topic in TOPICS for word in topic.bad} | set(BAD)
DENIALS = {"not", "never", "hardly", "nobody", "few", "neither"}


def everything() -> list[tuple[str, int]]:
    return [(s.text, s.label) for part in ("train", "validation") for s in sentences(part)]  # type: ignore[arg-type]


def test_there_are_thousands_of_short_sentences_and_each_has_one_label() -> None:
    labels = dict(everything())
    assert len(everything()) == len(labels) > 5_000
    lengths = [len(text.split()) for text in labels]
    assert (min(lengths), max(lengths)) == (3, 13)
    assert 0.49 < np.mean(list(labels.values())) < 0.51


def test_no_validation_sentence_is_trained_on() -> None:
    train, validation = sentences("train"), sentences("validation")
    assert not {s.text for s in train} & {s.text for s in validation}
    assert 0.08 < len(validation) / (len(train) + len(validation)) < 0.12
    assert 0.45 < np.mean([s.label for s in validation]) < 0.55


def test_a_word_hardly_tells_the_label() -> None:
    labels = defaultdict(list)
    for text, label in everything():
        for word in set(text.split()):
            labels[word].append(label)
    frequent = {word: np.mean(found) for word, found in labels.items() if len(found) >= 200}
    assert len(frequent) > 80
    assert {word: share for word, share in frequent.items() if abs(share - 0.5) > 0.12} == {}
    assert np.mean([abs(share - 0.5) for share in frequent.values()]) < 0.03


def test_the_logistic_regression_is_scikit_learns() -> None:
    train = part_arrays("train")
    counts = _counts(train)
    theirs = LogisticRegression(max_iter=500, tol=1e-6).fit(counts, train.labels)
    ours = logistic_regression(counts, train.labels)
    np.testing.assert_allclose(ours[:-1], theirs.coef_[0], atol=2e-3)
    np.testing.assert_allclose(ours[-1], theirs.intercept_[0], atol=2e-3)


def test_a_bag_of_words_is_nearly_worthless() -> None:
    assert 0.4 < bag_of_words_baseline() < 0.65


def test_the_label_of_one_clause_is_its_adjective_turned_round_by_a_denial() -> None:
    """An independent reading of every sentence with one adjective: count the denials."""
    read = 0
    for text, label in everything():
        words = text.split()
        found = [word in POSITIVE for word in words if word in POSITIVE | NEGATIVE]
        if len(found) == 1:
            denied = "anything but" in text or "hardly anybody" in text or bool(DENIALS & set(words))
            assert label == (found[0] is not denied), text
            read += 1
    assert read > 2_000


def test_the_clause_that_decides_gives_the_label() -> None:
    """An independent reading of contrasts: what comes after "but", and what "although" does not introduce."""
    read = 0
    for text, label in everything():
        decides = None
        if " but " in text.replace("anything but", "anything") and " was not " not in text and " is not " not in text:
            decides = text.replace("anything but", "never").split(" but ")[1]
        elif text.startswith("although "):
            decides = text.replace("anything but", "never").split(" the ")[2]
        elif " although " in text:
            decides = text.replace("anything but", "never").split(" although ")[0]
        if decides is not None:
            words = decides.split()
            assert label == (bool(POSITIVE & set(words)) is not bool(DENIALS & set(words))), text
            read += 1
    assert read > 2_000


def test_no_topic_favours_a_label_or_uses_a_word_both_ways() -> None:
    assert not POSITIVE & NEGATIVE
    assert all(len(t.good) == len(t.bad) and len(set(t.nouns)) == len(t.nouns) for t in TOPICS)
    assert len(GOOD) == len(BAD)


def test_sentences_follow_from_the_generator() -> None:
    drawn = [sentence(np.random.default_rng([3, i])) for i in range(50)]
    assert drawn == [sentence(np.random.default_rng([3, i])) for i in range(50)]
    assert len(set(drawn)) > 45


def test_the_vocabulary_begins_with_padding_and_the_unknown_word_and_holds_every_sentence() -> None:
    words = vocabulary()
    assert words[0] == PADDING
    assert words[UNKNOWN_INDEX] == UNKNOWN
    assert len(set(words)) == len(words) < 200
    assert UNKNOWN_INDEX not in part_arrays("validation").indices


def test_arrays_hold_the_words_and_the_labels() -> None:
    chosen = sentences("validation")[:30]
    values, lengths, labels = arrays(chosen)
    read = [tuple(vocabulary()[i] for i in row[:n]) for row, n in zip(values.tolist(), lengths.tolist(), strict=True)]
    assert read == [s.words for s in chosen]
    assert labels.tolist() == [s.label for s in chosen]


def test_a_pass_of_batches_is_the_training_part() -> None:
    size = len(sentences("train"))
    words = vocabulary()
    read = []
    for step in range(-(-size // 500)):
        values, lengths, _ = batch(7, step, 500)
        rows = zip(values.tolist(), lengths.tolist(), strict=True)
        read += [" ".join(words[i] for i in row[:length]) for row, length in rows]
    assert sorted(read[:size]) == sorted(s.text for s in sentences("train"))


def test_only_nouns_are_hidden_and_the_training_part_stays_as_it_was() -> None:
    plain, hidden = batch(1, 2, 500), batch(1, 2, 500, unknown_nouns=0.5)
    changed = plain.indices != hidden.indices
    nouns = {noun for topic in TOPICS for noun in topic.nouns}
    assert {vocabulary()[i] for i in plain.indices[changed]} == nouns
    assert set(hidden.indices[changed].tolist()) == {UNKNOWN_INDEX}
    np.testing.assert_array_equal(plain.indices, batch(1, 2, 500).indices)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("The plot was DULL, but the ending was wonderful!", "the plot was dull but the ending was wonderful"),
        ("It wasn't good...", "it was not good"),
        ("I don\N{RIGHT SINGLE QUOTATION MARK}t think it was bad", "i do not think it was bad"),
        ("not good; bad", "not good bad"),
    ],
)
def test_typed_sentences_become_words(typed: str, words: str) -> None:
    parsed = parse(typed, vocabulary())
    assert " ".join(parsed.words) == words
    assert [vocabulary()[i] for i in parsed.indices] == words.split()
    assert parsed.unknown == ()


def test_unknown_words_are_listed_once_and_read_as_the_unknown_word() -> None:
    parsed = parse("The zebra was a good zebra, honestly. <unk>", vocabulary())
    assert parsed.unknown == ("zebra", "honestly", "unk")
    assert [i for i, word in enumerate(parsed.words) if parsed.indices[i] == UNKNOWN_INDEX] == [1, 5, 6, 7]


@pytest.mark.parametrize(
    ("typed", "message"),
    [("", "no words"), (" ?! ", "no words"), ("zebra quagga", r"none of these words \(zebra, quagga\)"),
     ("good " * 61, "61 words: use at most 60"), (" ".join(f"x{i}" for i in range(20)), "x7 and more")],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_sentence(typed: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(typed, vocabulary())


def test_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="train and validation"):
        sentences("test")  # type: ignore[arg-type]
