"""Sampling one character at a time: the numpy step against a torch.nn step loop."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from benchmarks.measure import compare
from benchmarks.step import REFERENCES, Reference, V
from rnn.config import ModelConfig
from rnn.models import CharRNN
from rnn.sampling import generate
from rnn.vocabulary import Vocabulary

LENGTH = 200


def run() -> None:
    print("Sampling at batch 1, one layer, one-hot input, characters per second: generate() against a torch.nn loop")
    vocabulary = Vocabulary.from_characters(chr(200 + i) for i in range(V))
    for cell in REFERENCES:
        for hidden_size in (128, 256, 512):
            model = CharRNN(ModelConfig(cell=cell, hidden_size=hidden_size), V)
            reference = Reference(cell, V, hidden_size)

            def ours(model: CharRNN = model) -> int:
                return sum(1 for _ in generate(model, vocabulary, length=LENGTH))

            def theirs(reference: Reference = reference) -> int:
                index, state = torch.zeros(1, 1, dtype=torch.int64), None
                with torch.no_grad():
                    for _ in range(LENGTH):
                        logits, state = reference(index, state)
                        index = torch.multinomial(F.softmax(logits[0] / 0.8, dim=-1), 1)
                return LENGTH

            print(f"  {cell:4} H {hidden_size:3} {compare(ours, theirs)}", flush=True)
