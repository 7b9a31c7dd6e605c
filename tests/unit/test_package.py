"""What `pip install .` brings elsewhere: the engine with its types and the shipped models, and nothing of the app."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import venv
from importlib.util import find_spec
from pathlib import Path
from shutil import copy, copytree, ignore_patterns
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
# A person's own script. Its last line is wrong, so that a package without types would be noticed.
SCRIPT = """
import numpy as np
from numpy.typing import NDArray

import rnn
from rnn.figures.loss import loss_curves
from rnn.shipped import open_shipped
from rnn.trace import trace

config = rnn.ModelConfig(cell="gru", hidden_size=5)
state = rnn.TrainState.create("to be or not to be " * 9, config, rnn.TrainConfig(batch_size=2, bptt_steps=4, steps=3))
losses: list[float] = [metrics.loss for metrics in rnn.train(state)]
text: str = "".join(s.char for s in rnn.generate(state.model, state.vocabulary, prime="to", length=9, seed=0))
shipped = open_shipped("lstm")
seen = trace(shipped.model, shipped.weights(), shipped.vocabulary, "hello")
states: NDArray[np.float32] = seen.layers[0][0].h
print(states.shape, len(text), len(losses), loss_curves(state.history).layout.title is not None)
"""
WRONG = "wrong: str = state.history[0].loss\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    if find_spec("setuptools") is None:
        pytest.skip("setuptools, which builds the package, is not installed")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for folder in ("rnn", "assets", "pages", "tests/app"):
        copytree(ROOT / folder, source / folder, ignore=ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE", "streamlit_app.py"):
        copy(ROOT / file, source)
    built = subprocess.run([sys.executable, "-c", BUILD, str(out)], cwd=source, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (path,) = out.glob("*.whl")
    return ZipFile(path)


@pytest.fixture(scope="module")
def elsewhere(wheel: ZipFile, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A venv with the package, and a script in a folder of its own; the libraries are those of the tests."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    wheel.extractall(packages)
    (packages / "libraries.pth").write_text(sysconfig.get_paths()["purelib"])
    script = folder / "script.py"
    script.write_text(SCRIPT + WRONG)
    return folder / "venv" / "bin" / "python", script


def test_every_module_and_shipped_model_is_in_it_and_nothing_of_the_app(wheel: ZipFile) -> None:
    files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    engine = {path.relative_to(ROOT).as_posix() for path in (ROOT / "rnn").rglob("*.py")}
    models = {
        f"rnn/{path.relative_to(ROOT).as_posix()}"
        for kind in ("*.safetensors", "*.json", "**/*.toml")
        for path in (ROOT / "assets").glob(kind)
    }
    makers = {f"rnn/assets/{path.name}" for path in (ROOT / "assets").glob("*.py")}
    assert files == engine | models | makers | {"rnn/py.typed"}


def test_it_needs_no_streamlit(wheel: ZipFile) -> None:
    (metadata,) = (wheel.read(name).decode() for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    needed = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, re.MULTILINE)
    assert "torch" in needed
    assert "streamlit" not in needed


def test_a_script_elsewhere_trains_samples_and_opens_a_shipped_model(elsewhere: tuple[Path, Path]) -> None:
    python, script = elsewhere
    done = subprocess.run([python, script], cwd=script.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(5, 192) 9 3 True\n"


def test_mypy_knows_the_packages_types(elsewhere: tuple[Path, Path]) -> None:
    python, script = elsewhere
    settings = script.with_name("mypy.ini")
    settings.write_text(
        "[mypy]\nstrict = True\n[mypy-torch.*,plotly.*]\nfollow_imports = skip\n"
    )  # half a minute of them
    command = [sys.executable, "-m", "mypy", "--config-file", settings, "--python-executable", python, script]
    done = subprocess.run(command, cwd=script.parent, capture_output=True, text=True)
    last = len((SCRIPT + WRONG).splitlines())
    assert done.stdout.splitlines()[0].startswith(f"script.py:{last}: error: Incompatible types in assignment")
    assert "Found 1 error in 1 file" in done.stdout, done.stdout + done.stderr
