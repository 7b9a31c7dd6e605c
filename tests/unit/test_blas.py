"""numpy multiplies on one thread in a server, unless the environment says otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy  # noqa: F401 - its OpenBLAS must be there to be limited
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from rnn.blas import DECIDED, leave_the_cores


def openblas_threads() -> set[int]:
    return {pool["num_threads"] for pool in ThreadpoolController().select(internal_api="openblas").info()}


@pytest.fixture(autouse=True)
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in DECIDED:
        monkeypatch.delenv(name, raising=False)
    with threadpool_limits(limits=2, user_api="blas"):
        if openblas_threads() != {2}:
            pytest.skip("This numpy has no OpenBLAS with threads.")
        yield


def test_products_have_one_thread_from_then_on() -> None:
    leave_the_cores()
    assert openblas_threads() == {1}


@pytest.mark.parametrize("name", DECIDED)
def test_the_environment_has_the_last_word(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "2")
    leave_the_cores()
    assert openblas_threads() == {2}
