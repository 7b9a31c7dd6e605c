"""Planes, kinds and neighbours, each against a form that can be checked by eye or by numpy's own."""

from __future__ import annotations

import numpy as np
import pytest

from rnn.config import ModelConfig
from rnn.errors import InputError
from rnn.models import CharRNN
from rnn.projection import character_vectors, kind_of, like_neighbours, plane


@pytest.mark.parametrize("shape", [(40, 7), (5, 12), (3, 2), (2, 5), (7, 7)])
def test_the_plane_is_that_of_the_singular_vectors_of_the_centred_vectors(shape: tuple[int, int]) -> None:
    vectors = np.random.default_rng(0).normal(size=shape) * np.arange(1, shape[1] + 1)
    found, centred = plane(vectors), vectors - vectors.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(found.points) == pytest.approx(np.abs(left[:, :2] * singular[:2]), rel=1e-4, abs=1e-4)
    assert found.shares == pytest.approx((singular**2 / (singular**2).sum())[:2])
    assert found.dimensions == shape[1]


def test_points_on_a_plane_in_space_keep_their_distances() -> None:
    flat = np.random.default_rng(1).normal(size=(20, 2))
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))
    found = plane(flat @ turn[:2] + 5)
    assert found.shares.sum() == pytest.approx(1)
    distances = [np.linalg.norm(a[:, None] - a, axis=2) for a in (flat, found.points)]
    assert distances[1] == pytest.approx(distances[0], abs=1e-4)


def test_one_unit_gives_a_line_and_equal_or_lonely_vectors_a_sentence() -> None:
    line = plane(np.array([[1.0], [2.0], [4.0]]))
    assert (line.points[:, 1] == 0).all()
    assert line.shares.tolist() == [1.0, 0.0]
    for vectors in (np.ones((3, 4)), np.ones((1, 4)), np.full((3, 4), np.nan)):
        with pytest.raises(InputError):
            plane(vectors)


def test_states_as_large_as_relu_lets_them_grow_have_a_plane() -> None:
    vectors = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32) * np.float32(1e30)
    assert np.isfinite(plane(vectors).points).all()
    assert plane(vectors).shares.sum() <= 1 + 1e-9


@pytest.mark.parametrize(
    ("characters", "kind"),
    [
        ("aeiouéü", "vowel"), ("bcyzßñж", "consonant"), ("AZÉЖ", "upper case"), ("09²", "digit"),
        (".,()+$", "punctuation"), (" \n\t\u00a0\x00", "white space"), ("語א", "other"),
    ],
)  # fmt: skip
def test_every_character_has_its_kind(characters: str, kind: str) -> None:
    assert {kind_of(c) for c in characters} == {kind}


def test_neighbours_of_their_kind_are_counted_and_chance_is_what_shuffling_gives() -> None:
    vectors = np.array([[0.0], [1.0], [10.0], [11.0], [20.0], [31.0]])
    kinds = ["a", "a", "b", "b", "b", "a"]
    nearest = [1, 0, 3, 2, 3, 4]
    same, chance = like_neighbours(vectors, kinds)
    assert same == sum(kinds[i] == kinds[j] for i, j in enumerate(nearest))
    rng = np.random.default_rng(0)
    shuffled = [like_neighbours(vectors, rng.permutation(kinds).tolist())[0] for _ in range(4_000)]
    assert chance == pytest.approx(np.mean(shuffled), abs=0.1)


@pytest.mark.parametrize(("embedding", "name", "size"), [(4, "E", 4), (0, "W_xh", 4 * 3)])
def test_a_characters_vector_is_what_it_brings_to_the_lowest_layer(embedding: int, name: str, size: int) -> None:
    config = ModelConfig(cell="lstm", hidden_size=3, embedding_size=embedding)
    weights = {name: t.numpy() for name, t in CharRNN(config, 5, seed=0).state_dict().items()}
    found, vectors = character_vectors(config, weights)
    assert (found, vectors.shape) == (name, (5, size))
    one_hot = np.eye(5)[2]
    full = one_hot @ weights["embedding.weight"] if embedding else weights["recurrent.weight_ih_l0"] @ one_hot
    assert vectors[2] == pytest.approx(full)
