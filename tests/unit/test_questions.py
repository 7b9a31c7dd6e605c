"""Each answer against another way to it; and the progress that the browser keeps."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnn import hello
from rnn.config import ModelConfig
from rnn.errors import InputError, PlaygroundError
from rnn.lessons import FOLDER, lessons
from rnn.models import CharRNN
from rnn.progress import Progress
from rnn.questions import QUESTIONS, Screen, Solution, answer, entropy
from rnn.shipped import SHIPPED, open_shipped
from rnn.vocabulary import Vocabulary

TEXT = (
    "The file object has a method. It reads the next line and returns it as a string. If there is no line, the string "
    "is empty. The object is closed when the function returns."
)


def model_of(name: str) -> tuple[CharRNN, tuple[str, ...], dict[str, np.ndarray]]:
    checkpoint = open_shipped(name)
    weights, characters = checkpoint.weights("best"), checkpoint.vocabulary.characters
    model = CharRNN(checkpoint.model, len(characters), 0)
    model.load_state_dict({key: torch.from_numpy(np.array(value)) for key, value in weights.items()})
    return model.double(), characters, weights


def screen_of(name: str, text: str = TEXT, **more: object) -> Screen:
    checkpoint = open_shipped(name)
    return Screen(
        checkpoint.model, checkpoint.vocabulary.characters, text, lambda: checkpoint.weights("best"), shipped=name,
        **more,
    )  # fmt: skip


def losses_of(name: str, text: str) -> tuple[np.ndarray, np.ndarray]:
    """Every loss and the last logits by torch in float64."""
    model, characters, _ = model_of(name)
    indices = torch.tensor([characters.index(c) for c in text])[:, None]
    with torch.no_grad():
        logits, _ = model(indices)
    losses = torch.nn.functional.cross_entropy(logits[:-1, 0], indices[1:, 0], reduction="none")
    return losses.numpy(), logits[-1, 0].numpy()


def check_form(solution: Solution) -> None:
    assert solution.why.endswith(".")
    if solution.number is None:
        assert solution.right in solution.choices
        assert len(set(solution.choices)) == len(solution.choices) >= 2
        assert [solution.is_right(choice) for choice in solution.choices].count(True) == 1
    else:
        assert solution.choices == ()
        assert solution.is_right(solution.number)
        assert not solution.is_right(solution.number + 1)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_has_one_right_answer_among_several_for_every_cell(name: str, question: str) -> None:
    walk = hello.walk(hello.LECTURE_STATES, hello.LECTURE_LOGITS)
    check_form(answer(question, screen_of(name, walk=walk)))


def test_parameters_stay_when_T_doubles() -> None:
    config = ModelConfig(cell="gru", hidden_size=5, num_layers=2, embedding_size=3)
    found = answer("parameters when T doubles", Screen(config, tuple("abcd"), numbers={"T": 7}))
    assert found.right == str(sum(p.numel() for p in CharRNN(config, 4, 0).parameters()))


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_W_hh_is_as_large_as_that_of_torch(cell: str) -> None:
    config = ModelConfig(cell=cell, hidden_size=7)
    theirs = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell](4, 7).weight_hh_l0
    assert answer("numbers in W_hh", Screen(config, tuple("abcd"))).number == theirs.numel()


def test_an_LSTM_has_four_times_the_recurrent_parameters_as_torch_counts() -> None:
    config = ModelConfig(cell="gru", hidden_size=6, embedding_size=5)
    of = {kind: sum(p.numel() for p in kind(5, 6).parameters()) for kind in (torch.nn.RNN, torch.nn.LSTM)}
    found = answer("parameters when the RNN becomes an LSTM", Screen(config, tuple("abcd")))
    assert found.right == f"{of[torch.nn.LSTM] / of[torch.nn.RNN]:g} times as many"


def test_the_first_loss_of_hello_is_the_lectures() -> None:
    walk = hello.walk(hello.LECTURE_STATES, hello.LECTURE_LOGITS)
    found = answer("loss of the first letter of hello", Screen(ModelConfig(), tuple("helo"), walk=walk))
    powers = [math.exp(v) for v in (1.0, 2.2, -3.0, 4.1)]
    assert found.right == f"{-math.log(powers[1] / sum(powers)):.2f}" == "2.08"


def test_an_untrained_network_is_about_as_good_as_guessing() -> None:
    config, characters = ModelConfig(cell="lstm", hidden_size=16, embedding_size=8), tuple(sorted(set(TEXT)))
    model = CharRNN(config, len(characters), 3)
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    found = answer("loss of an untrained model", Screen(config, characters, TEXT, lambda: weights))
    indices = torch.from_numpy(Vocabulary.from_characters(characters).encode(TEXT).astype(np.int64))[:, None]
    with torch.no_grad():
        logits, _ = model(indices)
    loss = torch.nn.functional.cross_entropy(logits[:-1, 0], indices[1:, 0]).item()
    assert found.right == f"{loss:.2f} nats"
    assert loss == pytest.approx(math.log(len(characters)), abs=0.2)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_likeliest_character_and_the_entropies_are_torchs(name: str) -> None:
    screen = screen_of(name, "The interprete")
    _, logits = losses_of(name, screen.text)
    best = screen.characters[int(logits.argmax())]
    assert answer("likeliest next character", screen).right == f"“{best}”"
    hot = torch.distributions.Categorical(logits=torch.from_numpy(logits / 2)).entropy().item() / math.log(2)
    assert float(answer("entropy at temperature 2", screen).right.split()[0]) == pytest.approx(hot, abs=0.006)
    assert answer("entropy at temperature 0", screen).right == "0.00 bits"
    assert entropy(logits, 0.02) < entropy(logits, 1) < entropy(logits, 2)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_most_surprising_character_has_the_largest_loss(name: str) -> None:
    losses, _ = losses_of(name, TEXT)
    found = answer("most surprising character", screen_of(name, numbers={"T": 12, "start": 5}))
    worst = 4 + int(losses[4:16].argmax())
    assert found.right.startswith(f"“{TEXT[worst + 1].replace(' ', '␣')}” after")
    assert f"{losses[worst]:.2f} nats" in found.why


@pytest.mark.parametrize("name", SHIPPED)
def test_no_longer_reading_gains_more_than_a_hundredth_beyond_what_is_remembered(name: str) -> None:
    values = json.loads((FOLDER.parent / "memory.json").read_text("utf-8"))["curves"][name]
    pairs = list(zip(values["lengths"], values["losses"], strict=True))
    first = next(n for n, loss in pairs if loss - min(later for m, later in pairs if m >= n) < 0.01)
    assert answer("characters remembered", screen_of(name)).right == f"{first} characters"


def gradient_of(name: str, text: str, k: int) -> torch.Tensor:
    """The gradient of all losses by autograd, the state cut every k steps."""
    model, characters, _ = model_of(name)
    indices = torch.tensor([characters.index(c) for c in text])[:, None]
    state, loss = None, torch.zeros((), dtype=torch.float64)
    for begin in range(0, len(text) - 1, k):
        end = min(begin + k, len(text) - 1)
        logits, state = model(indices[begin:end], state)
        loss = loss + torch.nn.functional.cross_entropy(logits[:, 0], indices[begin + 1 : end + 1, 0], reduction="sum")
        state = [tuple(part.detach() for part in one) if isinstance(one, tuple) else one.detach() for one in state] if (
            isinstance(state, list)
        ) else tuple(one.detach() for one in state) if isinstance(state, tuple) else state.detach()  # fmt: skip
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


@pytest.mark.parametrize("name", ["rnn", "lstm"])
def test_the_shortest_chunk_near_the_full_gradient_is_autograds(name: str) -> None:
    text = TEXT[:61]  # sixty losses
    right = int(answer("shortest chunk near the full gradient", screen_of(name)).right.removeprefix("k = "))
    full = gradient_of(name, text, 60)
    cosine = [torch.cosine_similarity(gradient_of(name, text, k), full, dim=0).item() for k in range(1, right + 1)]
    assert cosine[-1] > 0.9
    assert max(cosine[:-1], default=0) <= 0.9


def test_the_lag_at_which_the_gradient_has_faded_is_autograds() -> None:
    """dL_t/dh_{t-lag} of every loss, by stepping the plain RNN by hand."""
    checkpoint = open_shipped("rnn")
    w = {name: torch.from_numpy(np.array(value)).double() for name, value in checkpoint.weights("best").items()}
    indices = [checkpoint.vocabulary.characters.index(c) for c in TEXT[:101]]
    h, states, losses = torch.zeros(checkpoint.model.hidden_size, dtype=torch.float64), [], []
    for now, following in pairwise(indices):
        sums = w["recurrent.weight_ih_l0"] @ w["embedding.weight"][now] + w["recurrent.bias_ih_l0"]
        h = torch.tanh(sums + w["recurrent.weight_hh_l0"] @ h + w["recurrent.bias_hh_l0"]).requires_grad_()
        states.append(h)
        logits = w["head.weight"] @ h + w["head.bias"]
        losses.append(torch.logsumexp(logits, 0) - logits[following])
    T = len(losses)
    norms = np.zeros((T, T))
    for t, loss in enumerate(losses):
        found = torch.autograd.grad(loss, states[: t + 1], retain_graph=True)
        norms[t, : t + 1] = [g.norm().item() for g in found]
    mean = np.array([np.diagonal(norms, -lag).mean() for lag in range(T - 5)])
    first = int(np.flatnonzero(mean / mean[0] < 0.01)[0])
    assert answer("lag at which the gradient has faded", screen_of("rnn")).right == f"{first} steps"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_cost_of_a_reset_is_that_of_reading_every_chunk_alone(name: str) -> None:
    k = 16
    losses, _ = losses_of(name, TEXT)
    chunks = len(losses) // k
    alone = np.mean([losses_of(name, TEXT[c * k : c * k + 2])[0][0] for c in range(1, chunks)])
    carried = np.mean([losses[c * k] for c in range(1, chunks)])
    found = answer("cost of a reset", screen_of(name, numbers={"k": k}))
    assert float(found.right.split()[0]) == pytest.approx(alone - carried, abs=0.006)


def test_a_loss_reaches_to_the_beginning_of_its_chunk() -> None:
    assert answer("farthest step in a chunk", screen_of("rnn", numbers={"k": 11})).number == 10


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_screen_without_what_is_asked_about_gets_a_sentence_or_an_answer(question: str) -> None:
    config = ModelConfig(cell="rnn", hidden_size=3)
    weights = {name: t.numpy() for name, t in CharRNN(config, 4, 0).state_dict().items()}
    for text in ("", "a"):
        try:
            check_form(answer(question, Screen(config, tuple("abcd"), text, lambda: weights)))
        except PlaygroundError as error:
            assert str(error).endswith(".")
    with pytest.raises(InputError):
        answer("none of them", Screen(config, tuple("abcd")))


# Progress


names = st.sampled_from(list(lessons()))
events = st.lists(st.tuples(names, st.integers(0, 30), st.none() | st.booleans()), max_size=20)


def made(events: list[tuple[str, int, bool | None]]) -> Progress:
    found = Progress()
    for name, number, is_right in events:
        lesson = lessons()[name]
        if is_right is None:
            found = found.with_step(name, 1 + number % len(lesson.steps))
        else:
            found = found.with_answer(name, lesson.questions[number % len(lesson.questions)], is_right)
    return found


@given(events)
def test_progress_goes_to_json_and_back(done: list[tuple[str, int, bool | None]]) -> None:
    assert Progress.from_json(made(done).to_json(), lessons()).to_json() == made(done).to_json()


@given(events, events)
def test_joined_progress_has_all_of_both_and_the_first_answers(
    one: list[tuple[str, int, bool | None]], other: list[tuple[str, int, bool | None]]
) -> None:
    assert made(one).joined(made(other)).to_json() == made([*one, *other]).to_json()


@given(st.text(max_size=50) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
       lambda c: st.lists(c, max_size=3) | st.dictionaries(st.sampled_from(["done", "answers", "tour", "2"]), c),
       max_leaves=12).map(json.dumps))  # fmt: skip
def test_whatever_a_browser_sends_is_progress_in_these_lessons(sent: str) -> None:
    found = Progress.from_json(sent, lessons())
    for lesson in lessons().values():
        assert found.done.get(lesson.name, frozenset()) <= set(range(1, len(lesson.steps) + 1))
        assert set(found.answers.get(lesson.name, {})) <= set(lesson.questions)


def test_only_the_first_answer_counts() -> None:
    lesson = lessons()["bptt"]
    number = lesson.questions[0]
    done = Progress().with_answer("bptt", number, False).with_answer("bptt", number, True)
    assert done.score(lesson) == (0, 1)
    assert done.done == {"bptt": {number}}
    assert not done.is_complete(lesson)


def test_deep_json_is_nothing() -> None:
    assert Progress.from_json("[" * 15_000, lessons()) == Progress()
    assert Progress.from_json(None, lessons()) == Progress()
