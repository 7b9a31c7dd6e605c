"""What holds for every test: its own runs, the same examples each time, nothing from the person's own set-up."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# A deadline would measure the computer; random examples would make a red build come and go.
settings.register_profile("playground", deadline=None, derandomize=True, database=None)
settings.load_profile("playground")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs and downloads of a test go into its own folder, and no text of this computer is picked up."""
    home = tmp_path / "playground"
    monkeypatch.setenv("RNN_PLAYGROUND_HOME", str(home))
    monkeypatch.delenv("RNN_PLAYGROUND_SHAKESPEARE", raising=False)
    monkeypatch.delenv("RNN_PLAYGROUND_PUBLIC", raising=False)
    return home
