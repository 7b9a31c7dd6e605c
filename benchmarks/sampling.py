"""Sampling: one character at a time against a torch.nn step loop, and 64 texts at once against one after another."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from benchmarks.measure import compare
from benchmarks.step import REFERENCES, Reference, V
from rnn.config import ModelConfig, SampleConfig
from rnn.models import CharRNN
from rnn.sampling import NumpyModel, generate, generate_many
from rnn.vocabulary import Vocabulary

LENGTH, MANY, MANY_LENGTH = 200, 64, 50


def run() -> None:
    vocabulary = Vocabulary.from_characters(chr(200 + i) for i in range(V))
    print("One text, one-hot input, characters per second: generate() against a torch.nn loop")
    for cell in REFERENCES:
        for hidden_size in (128, 256, 512):
            for layers in (1, 2):
                model = CharRNN(ModelConfig(cell=cell, hidden_size=hidden_size, num_layers=layers), V)
                result = compare(*one_text(model, vocabulary, Reference(cell, V, hidden_size, layers)))
                print(f"  {cell:4} H {hidden_size:3}  {layers} layer{'s' * (layers > 1):1} {result}", flush=True)
    print(f"{MANY} texts, characters per second: generate_many() against generate() {MANY} times")
    for cell in REFERENCES:
        for hidden_size in (128, 512):
            model = CharRNN(ModelConfig(cell=cell, hidden_size=hidden_size), V)
            print(f"  {cell:4} H {hidden_size:3} {compare(*many_texts(model, vocabulary))}", flush=True)


def one_text(model: CharRNN, vocabulary: Vocabulary, reference: Reference) -> tuple[Callable[[], int], ...]:
    """Two functions that draw a text and return its characters."""
    numpy_model = NumpyModel.of(model)

    def ours() -> int:
        return sum(1 for _ in generate(numpy_model, vocabulary, length=LENGTH))

    def theirs() -> int:
        index, state = torch.zeros(1, 1, dtype=torch.int64), None
        with torch.no_grad():
            for _ in range(LENGTH):
                logits, state = reference(index, state)
                index = torch.multinomial(F.softmax(logits[0] / 0.8, dim=-1), 1)
        return LENGTH

    return ours, theirs


def many_texts(model: CharRNN, vocabulary: Vocabulary) -> tuple[Callable[[], int], ...]:
    """Two functions that draw the same texts and return their characters."""
    numpy_model = NumpyModel.of(model)
    settings = SampleConfig(length=MANY_LENGTH)

    def at_once() -> int:
        return sum(map(len, generate_many(numpy_model, vocabulary, MANY, settings)))

    def one_by_one() -> int:
        texts = (generate(numpy_model, vocabulary, length=MANY_LENGTH, seed=seed) for seed in range(MANY))
        return sum(1 for text in texts for _ in text)

    return at_once, one_by_one
