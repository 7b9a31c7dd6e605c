"""A person's own input is answered as the test part is, what cannot be read is refused, and a review hides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from num2words import num2words
from torch import nn

from rnn import corpora
from rnn.catalogue import TASKS
from rnn.checkpoint_file import pack, unpack
from rnn.checkpoints import opened, to_bytes
from rnn.config import KINDS, ModelConfig, TaskConfig, TrainConfig
from rnn.corpora import Text
from rnn.data import digits, sentences
from rnn.data.sequences import END
from rnn.errors import CheckpointError, ConfigError, InputError, TextError, TrainingError
from rnn.networks import SequenceClassifier, Writer
from rnn.records import Answer, Prediction
from rnn.tasks import asking
from rnn.tasks.asking import CHUNK, LIKELIEST, SHOWN, after_each_step, ask, review, reviewing
from rnn.tasks.examples import Classification, ExamplesTask, Writing
from rnn.tasks.making import make
from rnn.training import TrainState, train

TEXT = Text("letters", "the cat sat on the mat and the dog, too; the rat ran to the log_ it ate. " * 30)
LEARNED = [*(TaskConfig(kind) for kind in KINDS[1:]), TaskConfig("frames", "sum"), TaskConfig("fill-blank", "left")]
IMAGE = np.arange(64).reshape(8, 8) % 17 / 16
GIVEN: dict[str, Any] = {
    "digit": IMAGE.tolist(),
    "digit-rows": IMAGE.tolist(),
    "digit-name": IMAGE.tolist(),
    "sentiment": "The plot was dull, but the zorp was clever!",
    "frames": "3 1 4",
    "caption": "314",
    "number-names": "three hundred and forty-two",
    "fill-blank": "the c□t",
}
EVERY_TASK = pytest.mark.parametrize("learned", LEARNED, ids=lambda c: f"{c.kind}-{c.variant}".rstrip("-"))
# Sums are not taken in the same order in a batch and alone.
CLOSE = {"rtol": 0, "atol": 1e-6}


def small(learned: TaskConfig, **settings: Any) -> ModelConfig:
    is_both = learned.kind == "fill-blank" and not learned.variant
    return ModelConfig(**{"cell": "gru", "hidden_size": 6, "dropout": 0.3, "bidirectional": is_both} | settings)


def text_of(learned: TaskConfig) -> Text | None:
    return TEXT if TASKS[learned.kind].needs_text else None


@cache
def trained(learned: TaskConfig, steps: int = 12) -> TrainState:
    config = TrainConfig(batch_size=7, steps=steps, warmup_steps=1, evaluate_every=6, evaluation_chars=9,
                         learning_rate=0.02, precision="float32", device="cpu")  # fmt: skip
    state = TrainState.create(text_of(learned), small(learned), config, learned)
    for _ in train(state):
        pass
    return state


@cache
def untrained(learned: TaskConfig) -> tuple[ExamplesTask, nn.Module]:
    task = make(learned, text_of(learned))
    assert isinstance(task, ExamplesTask)
    return task, task.model(small(learned), seed=3)


def pairs(learned: TaskConfig) -> list[tuple[ExamplesTask, nn.Module]]:
    """The task with a model of every age."""
    state = trained(learned)
    assert isinstance(state.task, ExamplesTask)
    return [untrained(learned), (state.task, state.model)]


def check_same(one: Answer, other: Answer) -> None:
    np.testing.assert_equal(astuple(one), astuple(other))


def ask_about(kind: str, given: Any, variant: str = "", **settings: Any) -> Answer:
    return ask(*untrained(TaskConfig(kind, variant)), given, **settings)


# Answers


@EVERY_TASK
def test_every_task_answers_a_person(learned: TaskConfig) -> None:
    for task, model in pairs(learned):
        model.train()
        answer = ask(task, model, GIVEN[learned.kind])
        again = ask(task, model, GIVEN[learned.kind])
        assert model.training  # as it was
        check_same(again, answer)  # and without dropout meanwhile
        for chances in (answer.probabilities, answer.steps):
            if chances is not None:
                assert chances.shape[-1] == len(answer.classes)
                whole = chances.sum(-1)
                assert (whole <= 1 + 1e-5).all()
                assert learned.kind == "fill-blank" or np.allclose(whole, 1, atol=1e-5)
        if answer.probabilities is not None:
            assert answer.predicted == answer.classes[int(answer.probabilities.argmax())]


@EVERY_TASK
def test_an_answer_alone_is_the_answer_in_a_batch(learned: TaskConfig) -> None:
    for task, model in pairs(learned):
        test = task.held_out("test")[np.arange(0, 40, 5)]
        for together in task.predict(model, test):
            answer = ask_again(task, model, together)
            if isinstance(task, Writing):  # one that never ends is cut sooner or later
                assert together.predicted.startswith(answer.predicted)
                continue
            assert answer.predicted == together.predicted
            assert together.probabilities is not None
            ours = answer.steps if learned.kind == "frames" else answer.probabilities
            assert ours is not None
            theirs = together.probabilities
            if learned.kind == "fill-blank":
                assert isinstance(task, Classification)
                theirs = theirs[[task.classes.index(c) for c in answer.classes]]
            np.testing.assert_allclose(ours, theirs, **CLOSE)


def ask_again(task: ExamplesTask, model: nn.Module, together: Prediction) -> Answer:
    """Asks for an example of the test part as a person would."""
    with pytest.MonkeyPatch.context() as patched:  # of a video, these very images
        if task.kind in ("frames", "caption"):
            images = together.inputs
            assert isinstance(images, np.ndarray)
            patched.setattr(asking, "_images_of", lambda shown, seed: images[np.newaxis])
            return ask(task, model, "0" * len(images))
        return ask(task, model, together.inputs)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("kind", ["sentiment", "digit-rows"])
def test_the_steps_are_those_of_separate_passes(kind: str, cell: str, bidirectional: bool) -> None:
    learned = TaskConfig(kind)
    task = make(learned)
    model = task.model(small(learned, cell=cell, num_layers=2, bidirectional=bidirectional), seed=1).eval()
    answer = ask(task, model, GIVEN[kind])
    assert isinstance(model, SequenceClassifier)
    assert answer.steps is not None
    rows = torch.tensor(IMAGE, dtype=torch.float32).unsqueeze(1)
    words = torch.tensor(parsed(GIVEN["sentiment"])).unsqueeze(1)
    whole = words if kind == "sentiment" else rows
    assert len(answer.steps) == len(whole) == 8 + (kind == "sentiment")
    for t, ours in enumerate(answer.steps, 1):
        with torch.no_grad():
            [alone] = model(whole[:t]).softmax(-1).numpy()
        np.testing.assert_allclose(ours, alone, **CLOSE)
    np.testing.assert_allclose(answer.steps[-1], answer.probabilities, **CLOSE)


def parsed(sentence: str) -> np.ndarray[Any, Any]:
    return sentences.parse(sentence, sentences.vocabulary()).indices


def test_the_steps_carry_no_gradient_to_where_the_sequence_has_not_come() -> None:
    learned = TaskConfig("digit-rows")
    model = make(learned).model(small(learned, bidirectional=True), seed=1).eval()
    assert isinstance(model, SequenceClassifier)
    x = torch.rand(5, 1, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    [gradient] = torch.autograd.grad(after_each_step(model, x)[2].sum(), x)
    assert gradient[:3].abs().amin(-1).min() > 0
    assert not gradient[3:].any()


@pytest.mark.parametrize("kind", ["digit-name", "number-names", "caption"])
def test_each_symbol_is_the_likeliest_of_its_step(kind: str) -> None:
    for task, model in pairs(TaskConfig(kind)):
        answer = ask(task, model, GIVEN[kind])
        assert isinstance(task, Writing)
        assert answer.steps is not None
        likeliest = [answer.classes[i] for i in answer.steps.argmax(-1)]
        assert task.between.join(likeliest[:-1]) == answer.predicted
        assert answer.classes == (*task.symbols.names, "END")


@pytest.mark.parametrize("kind", ["digit-name", "caption"])
def test_what_ends_at_once_is_empty(kind: str) -> None:
    task, model = untrained(TaskConfig(kind))
    model = task.model(small(task.config), seed=0)
    assert isinstance(model, Writer)
    with torch.no_grad():
        model.decoder.head.bias[END] = 100.0
    answer = ask(task, model, GIVEN[kind])
    assert answer.predicted == ""
    assert answer.steps is not None
    assert answer.steps.shape == (1, len(answer.classes))
    assert answer.steps[0, -1] > 0.99


def test_images_have_several_forms() -> None:
    first = ask_about("digit", IMAGE.tolist())
    for same in (IMAGE, IMAGE.ravel(), IMAGE.ravel().tolist(), tuple(IMAGE.ravel()), IMAGE * 16, (IMAGE * 16).ravel()):
        check_same(ask_about("digit", same), first)
    np.testing.assert_array_equal(first.inputs, IMAGE.astype(np.float32))
    assert (first.expected, first.is_right, first.steps) == (None, None, None)
    assert first.classes == tuple("0123456789")


def test_unknown_words_are_told() -> None:
    answer = ask_about("sentiment", "The plot was dull, but the ZORP was clever!")
    assert answer.inputs == "the plot was dull but the zorp was clever"
    assert answer.unknown == ("zorp",)
    assert "does not know zorp" in answer.note
    np.testing.assert_array_equal(answer.steps, ask_about("sentiment", answer.inputs).steps)
    np.testing.assert_array_equal(answer.steps, ask_about("sentiment", answer.inputs.replace("zorp", "blarg")).steps)
    assert ask_about("sentiment", "the plot was dull").note == ""


@pytest.mark.parametrize(("variant", "expected"), [("", "3 3 4 4 9"), ("sum", "3 4 8 9 8")])
def test_frames_show_the_digits_that_were_typed(variant: str, expected: str) -> None:
    answer = ask_about("frames", "3 1 4 1 9", variant, seed=5)
    assert answer.expected == expected
    assert answer.is_right == (answer.predicted == expected)
    assert len(answer.predicted.split()) == 5
    assert labels_of(answer.inputs) == [3, 1, 4, 1, 9]
    for typed in ("31419", "3,1,4, 1 9", " 3\n1\t4 1 9 "):
        check_same(ask_about("frames", typed, variant, seed=5), answer)
    assert not np.array_equal(ask_about("frames", "31419", variant, seed=6).inputs, answer.inputs)


def labels_of(images: Any) -> list[int]:
    """What the images of the test part show, by looking for them in it."""
    test = digits.part("test")
    return [int(test.labels[(test.images == image).all((1, 2)).argmax()]) for image in images]


def test_a_video_may_be_longer_than_those_learned_from() -> None:
    assert len(ask_about("frames", "9").inputs) == 1
    long = ask_about("frames", "012345678901")
    assert long.expected == "0 1 2 3 4 5 6 7 8 9 9 9"
    assert "8 frames; this one has 12" in long.note
    assert ask_about("frames", "01234567").note == ""


def test_captions_name_the_digits_that_were_typed() -> None:
    for typed in ("3 1 4", "98765432"):
        answer = ask_about("caption", typed)
        plain = [int(d) for d in typed if d != " "]
        assert answer.expected == " ".join(digits.NAMES[d] for d in plain)
        assert labels_of(answer.inputs) == plain


@pytest.mark.parametrize("number", [0, 7, 71, 80, 342, 1_000, 9_999])
def test_a_number_is_known_in_both_languages(number: int) -> None:
    answer = ask_about("number-names", str(number))
    assert answer.inputs == num2words(number, lang="en")
    assert answer.expected == num2words(number, lang="fr")
    assert answer.is_right is (answer.predicted == answer.expected)
    check_same(ask_about("number-names", num2words(number, lang="en").upper()), answer)


def test_numbers_that_are_kept_from_training_are_told() -> None:
    task, model = untrained(TaskConfig("number-names"))
    kept = ask(task, model, task.predict(model, task.held_out("test")[:1])[0].inputs)
    assert kept.note == "The network has never seen this number."
    assert ask(task, model, "12").note == "The network has trained on this number."


def test_the_large_numbers_are_those_of_the_large_variant() -> None:
    learned = TaskConfig("number-names", "large")
    assert ask(*untrained(learned), "99,999").expected == num2words(99_999, lang="fr")


def test_a_blank_has_five_likeliest_characters() -> None:
    for learned in (TaskConfig("fill-blank"), TaskConfig("fill-blank", "left")):
        for task, model in pairs(learned):
            answer = ask(task, model, "the c_t sat")
            assert answer.inputs == "the c□t sat"
            assert answer.probabilities is not None
            assert len(answer.classes) == len(answer.probabilities) == LIKELIEST
            assert (np.diff(answer.probabilities) <= 0).all()
            assert answer.predicted == answer.classes[0]
            assert (answer.expected, answer.is_right, answer.steps, answer.note) == (None, None, None, "")
            everything = task.predict(model, task.held_out("test")[:1])[0].probabilities
            assert everything is not None
            assert len(everything) > LIKELIEST


def test_a_text_may_have_any_length_and_its_blank_any_place() -> None:
    for typed in ("_", "_t", "t_", "_" + "t" * 199, "t" * 199 + "_"):
        assert ask_about("fill-blank", typed).inputs == typed.replace("_", "□")


def test_the_left_side_is_all_that_the_left_variant_reads() -> None:
    left, both = (
        {v: ask_about("fill-blank", v, variant) for v in ("the c_t", "the c_ dog")} for variant in ("left", "")
    )
    one, other = (answer.probabilities for answer in left.values())
    np.testing.assert_allclose(one, other, **CLOSE)
    one, other = (answer.probabilities for answer in both.values())
    assert not np.allclose(one, other)


def test_beside_a_box_an_underscore_is_a_character() -> None:
    assert ask_about("fill-blank", "the log_ i□ ate").inputs == "the log_ i□ ate"


def test_characters_that_look_alike_are_read_and_told() -> None:
    answer = ask_about("fill-blank", "Thé c_t")
    assert answer.inputs == "the c□t"
    assert "'T' as 't', 'é' as 'e'" in answer.note


# Refusals


WRONG: list[tuple[str, Any, str]] = [
    *(
        (kind, given, message)
        for kind in ("digit", "digit-rows", "digit-name")
        for given, message in (
            (np.zeros((28, 28)), "8 x 8 pixels, not 28 x 28"),
            (np.ones(63), "not 63"),
            (np.ones((64, 64)), "not 64 x 64"),
            (np.full((8, 8), np.nan), "not finite"),
            (np.where(IMAGE > 0.5, np.inf, IMAGE), "not finite"),
            (IMAGE - 1, "is 0 to 1"),
            (IMAGE * 255, "scale them"),
            ([["x"] * 8] * 8, "not a number"),
            (np.array(3), "not a single number"),
            ([np.ones(64)] * 64, "not 64 x 64"),
            ([[1, [2]]] * 64, "not a number"),
            (np.full((8, 8), 1j), "not a number"),
            ([[0.5] * 8] * 7 + [[0.5]], "not a number"),
            ([10**400] * 64, "not a number"),
            (None, "8 x 8"),
            ("three", "not a number"),
            ({}, "not a number"),
            ([], "not 0"),
            (np.zeros((8, 8)), "image is empty"),
            (np.zeros(64), "image is empty"),
            (np.full((8, 8), 7.0), "image is empty"),
        )
    ),
    *(
        ("sentiment", given, message)
        for given, message in (
            ("", "no words"),
            (" \n ", "no words"),
            ("?!", "no words"),
            ("zorp blarg", "none of these words (zorp, blarg)"),
            ("the " * 61, "61 words"),
            ("the " * 25_000, "at most 1,000 characters"),
            (3, "Type a sentence"),
            (None, "Type a sentence"),
        )
    ),
    *(
        (kind, given, message)
        for kind, most in (("frames", "1 to 12"), ("caption", "3 to 8"))
        for given, message in (
            ("", f"{most} digits here, one in each frame, not 0"),
            (" ", "not 0"),
            ("1" * 99, f"{most} digits here, one in each frame, not 99"),
            ("3 a 4", "only 0 to 9"),
            ("3.14", "only 0 to 9"),
            ("-314", "only 0 to 9"),
            ("٣١٤", "only 0 to 9"),
            ("three one four", "only 0 to 9"),
            ("1" * 100_000, "at most 1,000 characters"),
            (314, "Type digits"),
            ([3, 1, 4], "Type digits"),
        )
    ),
    ("caption", "3 1", "3 to 8 digits here, one in each frame, not 2"),
    ("caption", "3 1 4 1 5 9 2 6 5", "not 9"),
    ("frames", "3141592653589", "not 13"),
    *(
        ("number-names", given, message)
        for given, message in (
            ("10000", "from 0 to 9,999"),
            ("10" * 50, "from 0 to 9,999"),
            ("9" * 1_001, "at most 1,000 characters"),
            ("-3", "whole number"),
            ("3.5", "whole number"),
            ("", "whole number"),
            ("quatre-vingts", "whole number"),
            (342, "Type a number"),
        )
    ),
    *(
        ("fill-blank", given, message)
        for given, message in (
            ("the cat", "this one has none"),
            ("", "this one has none"),
            ("the __t", "this one has 2"),
            ("the □□t", "this one has 2"),
            ("_" * 200, "this one has 200"),
            ("t" * 200 + "_", "at most 200 characters: this has 201"),
            ("t" * 100_000, "at most 200 characters: this has 100,000"),
            ("the 猫_ and 犬", "never read '猫', '犬'"),
            ("the \ud800_", r"never read '\ud800'"),
            ("".join(map(chr, range(0x4E00, 0x4E20))) + "_", "and more"),
            (b"the c_t", "Type a text with one blank"),
        )
    ),
]


@pytest.mark.parametrize(("kind", "given", "message"), WRONG)
def test_what_cannot_be_read_is_refused_in_a_sentence(kind: str, given: Any, message: str) -> None:
    with pytest.raises(InputError) as refused:
        ask_about(kind, given)
    assert message in str(refused.value)
    assert str(refused.value).endswith(".")
    assert len(str(refused.value)) < 250


TYPED = st.one_of(st.text(max_size=40), st.text("0123456789 ,", max_size=14), st.text("the cat_□éT\r\n", max_size=20))


@pytest.mark.parametrize("kind", ["sentiment", "frames", "caption", "number-names", "fill-blank"])
@given(typed=TYPED)
@settings(max_examples=40)
def test_whatever_is_typed_is_answered_or_refused(kind: str, typed: str) -> None:
    try:
        assert ask_about(kind, typed).classes
    except InputError as refused:
        assert str(refused).endswith(".")


PIXEL = st.one_of(st.floats(), st.integers(), st.floats(0, 1), st.none(), st.text(max_size=2))


@given(pixels=st.one_of(st.lists(PIXEL, min_size=62, max_size=66), st.lists(st.lists(PIXEL, max_size=9), max_size=9)))
@settings(max_examples=40)
def test_whatever_is_drawn_is_answered_or_refused(pixels: list[Any]) -> None:
    try:
        assert ask_about("digit", pixels).predicted in "0123456789"
    except InputError as refused:
        assert str(refused).endswith(".")


def test_a_model_that_writes_is_not_asked() -> None:
    task = make(TaskConfig(), TEXT)
    model = task.model(small(TaskConfig()), seed=0)
    asked: list[Callable[[], Any]] = [lambda: ask(task, model, "the"), lambda: review(task, model)]
    for each in asked:
        with pytest.raises(ConfigError, match="predicts the next character"):
            each()


# Reviews


@EVERY_TASK
def test_a_review_is_a_plain_loop_over_the_test_part(learned: TaskConfig) -> None:
    for task, model in pairs(learned):
        model.train()
        found = review(task, model, most=10**6)
        assert model.training
        test = task.held_out("test")
        stride = 1 if isinstance(task, Classification) else 40  # writing takes longer
        right: list[bool] = []
        lengths: list[int] = []
        for row in range(len(test))[::stride]:
            [each] = task.predict(model, test[row : row + 1])
            if learned.kind == "frames":
                pair = zip(each.predicted.split(), each.expected.split(), strict=True)
                right += [a == b for a, b in pair]
                lengths += range(1, 9)
            else:
                right.append(each.is_right)
                lengths.append(length_of(learned.kind, each))
        assert found.examples == len(test)
        assert found.lengths[::stride].tolist() == lengths
        assert found.right[::stride].tolist() == right
        assert found.accuracy == pytest.approx(task.test(model).scores["accuracy"])


def length_of(kind: str, example: Prediction) -> int:
    if kind in ("digit", "digit-name"):
        return 1
    return len(example.inputs.split()) if kind == "sentiment" else len(example.inputs)  # type: ignore[union-attr]


@EVERY_TASK
def test_a_review_shows_what_is_wrong_before_what_is_right(learned: TaskConfig) -> None:
    for task, model in pairs(learned):
        found = review(task, model, most=60)
        assert found.examples == 60
        assert len(found.shown) == SHOWN
        assert [each.is_right for each in found.shown] == sorted(each.is_right for each in found.shown)
        wrong = found.examples - int(found.right.reshape(60, -1).all(-1).sum())
        assert sum(not each.is_right for each in found.shown) == min(SHOWN, wrong)


def test_a_perfect_model_has_only_right_ones_to_show() -> None:
    task, _ = untrained(TaskConfig("digit"))
    model = Sage()
    with torch.no_grad():
        found = review(task, model)
    assert found.accuracy == 1
    assert all(each.is_right for each in found.shown)
    assert found.expected is not None
    assert found.predicted is not None
    assert found.expected.tolist() == found.predicted.tolist() == digits.part("test").labels.tolist()


class Sage(nn.Module):
    """Knows every image of the test part by heart."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.images = torch.tensor(digits.part("test").images.reshape(-1, 64))
        self.labels = torch.tensor(digits.part("test").labels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        nearest = torch.cdist(x, self.images).argmin(-1)
        return self.scale * nn.functional.one_hot(self.labels[nearest], 10).float()


def test_a_confusion_matrix_counts_every_answer() -> None:
    for kind, answers in (("digit", 50), ("sentiment", 50), ("frames", 400), ("fill-blank", 50)):
        found = review(*pairs(TaskConfig(kind))[1], most=50)
        assert found.expected is not None
        assert found.predicted is not None
        size = len(found.classes)
        confusion = np.zeros((size, size), int)
        np.add.at(confusion, (found.expected, found.predicted), 1)
        assert confusion.sum() == answers == len(found.right)
        assert np.trace(confusion) == found.right.sum()


@pytest.mark.parametrize("kind", ["digit-name", "number-names", "caption"])
def test_what_is_written_has_no_classes(kind: str) -> None:
    found = review(*untrained(TaskConfig(kind)), most=5)
    assert (found.classes, found.expected, found.predicted) == ((), None, None)


def test_a_review_looks_evenly_over_the_part() -> None:
    task, model = untrained(TaskConfig("number-names"))
    everything, some = task.held_out("test"), review(task, model, most=11)
    assert everything.input_lengths is not None
    rows = np.linspace(0, len(everything) - 1, 11).round().astype(int)
    assert some.lengths.tolist() == everything.input_lengths[rows].tolist()
    assert rows[0] == 0
    assert rows[-1] == len(everything) - 1


def test_others_have_turns_during_a_review() -> None:
    turns = list(reviewing(*untrained(TaskConfig("digit")), most=3 * CHUNK + 1))
    assert len(turns) == 1 + 4


@pytest.mark.parametrize("most", [0, -1])
def test_a_review_of_nothing_is_refused(most: int) -> None:
    with pytest.raises(ConfigError, match="1 example or more"):
        review(*untrained(TaskConfig("digit")), most=most)


# Files


@EVERY_TASK
def test_a_file_of_weights_answers_as_the_run_does(learned: TaskConfig) -> None:
    state = trained(learned)
    task, model = opened(unpack(to_bytes(state, weights_only=True)))
    assert not model.training
    check_same(ask(task, model, GIVEN[learned.kind]), ask(state.task, state.model, GIVEN[learned.kind]))
    if text_of(learned) is None:
        assert review(task, model, 20).right.tolist() == review(state.task, state.model, 20).right.tolist()


def test_the_best_weights_are_opened_where_there_are_some() -> None:
    data = unpack(to_bytes(trained(TaskConfig("digit"))))
    assert data.metadata["best"]
    halves = {name: array / 2 if name.startswith("best/") else array for name, array in data.arrays.items()}
    metadata = {name: value for name, value in data.metadata.items() if name != "format"}
    _, model = opened(unpack(pack(halves, metadata)))
    for name, tensor in model.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), data.arrays[f"best/{name}"] / 2)


def test_a_blank_is_filled_without_the_text_but_not_tested() -> None:
    state = trained(TaskConfig("fill-blank"))
    checkpoint = unpack(to_bytes(state, weights_only=True))
    task, model = opened(checkpoint)
    assert ask(task, model, "the c_t").predicted
    with pytest.raises(TrainingError, match="'letters' that the model was trained on is not here"):
        review(task, model)
    task, model = opened(checkpoint, TEXT)
    assert review(task, model, 30).right.tolist() == review(state.task, state.model, 30).right.tolist()
    with pytest.raises(CheckpointError, match="not the text"):
        opened(checkpoint, replace(TEXT, content=TEXT.content + "!"))


def test_a_built_in_text_is_at_hand_for_weights_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = TaskConfig("fill-blank")
    builtin = corpora.load("nested-parentheses")
    monkeypatch.setattr(corpora, "load", {"nested-parentheses": builtin}.__getitem__)
    config = TrainConfig(batch_size=2, steps=1, precision="float32", device="cpu")
    state = TrainState.create(builtin, small(learned), config, learned)
    task, model = opened(unpack(to_bytes(state, weights_only=True)))
    assert review(task, model, 40).examples == 40


def test_a_model_that_writes_is_opened_as_well() -> None:
    config = TrainConfig(batch_size=2, bptt_steps=5, steps=1, precision="float32", device="cpu")
    state = TrainState.create(TEXT, small(TaskConfig()), config)
    task, model = opened(unpack(to_bytes(state, weights_only=True)))
    characters = torch.arange(7).unsqueeze(1)
    assert task.kind == "next-character"
    torch.testing.assert_close(model(characters)[0], state.model.eval()(characters)[0], rtol=0, atol=0)


def test_too_short_a_text_has_no_test() -> None:
    learned = TaskConfig("fill-blank")
    task = make(learned, Text("short", "the cat sat"))
    with pytest.raises(TextError):
        review(task, task.model(small(learned), 0))
