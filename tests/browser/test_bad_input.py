"""Whatever is uploaded, linked to or done to the disk, the page answers in a sentence and works on."""

from __future__ import annotations

import io
import pickle
import random
import re
import uuid
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.playground import Server, settled
from tests.browser.visitor import (
    SMALL,
    beyond,
    button,
    chart_title,
    choose,
    delete_in_popover,
    main,
    open_page,
    run_in_url,
    says,
    start,
    status,
    step,
    stored,
    upload,
    visit,
    written,
)

NOISE = random.Random(0).randbytes(4_000)
NOBODY = str(uuid.UUID(int=random.Random(0).getrandbits(128), version=4))


def docx() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w:t>To be</w:t>")
    return file.getvalue()


NO_TEXTS = {
    "nothing.txt": (b"", "empty"),
    "picture.png": (b"\x89PNG\r\n\x1a\n" + NOISE, "looks like a PNG image"),
    "letter.docx": (docx(), "looks like a ZIP archive or a Word document"),
    "noise.txt": (NOISE, "does not look like text"),
    "aaaa.txt": (b"a" * 500, "only repeats 'a'"),
}


def test_a_file_that_is_no_text_gets_a_sentence_and_the_page_works_on(server: Server, page: Page) -> None:
    open_page(page, server, "Train", SMALL)
    choose(page, "Text", "Upload a .txt file")
    for name, (data, sentence) in NO_TEXTS.items():
        upload(page, "train_upload", name, data)
        says(page, sentence)
        expect(button(page, "Start training")).to_be_disabled()
    choose(page, "Text", "hello")
    expect(button(page, "Start training")).to_be_enabled()
    expect(main(page).get_by_text(NO_TEXTS["aaaa.txt"][1])).to_have_count(0)


def no_checkpoints(good: bytes) -> dict[str, tuple[bytes, str]]:
    flipped = bytearray(good)
    flipped[-100] ^= 1
    return {
        "model.pt": (pickle.dumps({"weights": [1.0]}), "is a pickle file, which can run code"),
        "half.safetensors": (good[: len(good) // 2], "cut short"),
        "flipped.safetensors": (bytes(flipped), "is damaged"),
        "notes.txt": (b"To be, or not to be", "is not a checkpoint of RNN Playground"),
    }


@pytest.mark.parametrize("path", ["Train", "Sample"])
def test_a_file_that_is_no_checkpoint_gets_a_sentence_and_the_page_works_on(
    server: Server, page: Page, finished_run: str, path: str
) -> None:
    good = (server.home / "runs" / finished_run / "checkpoint.safetensors").read_bytes()
    open_page(page, server, path, SMALL)
    if path == "Train":
        page.get_by_text("Go on from a checkpoint file", exact=True).click()
    else:
        choose(page, "Model", "A checkpoint file of mine")
    for name, (data, sentence) in no_checkpoints(good).items():
        upload(page, "train_checkpoint" if path == "Train" else "sample_file", name, data)
        says(
            page, re.compile(f"^{re.escape(name)} {re.escape(sentence)}|^{re.escape(name)} is .*{re.escape(sentence)}")
        )
    if path == "Train":
        choose(page, "Text", "Nested parentheses")
        expect(button(page, "Start training")).to_be_enabled()
    else:
        upload(page, "sample_file", "whole.safetensors", good)
        expect(written(page)).to_have_text(re.compile("[helo]{10}"))
        expect(main(page).get_by_test_id("stAlert")).to_have_count(0)


@pytest.mark.parametrize("path", ["Train", "Sample"])
def test_a_link_to_no_run_says_so(server: Server, page: Page, path: str) -> None:
    for run in (NOBODY, "' OR 1=1 --", "../../etc/passwd", "x" * 5_000):
        visit(page, server, path, {"run": run})
        says(page, "There is no run with this id here.")


# Label, name in the URL, default, and what cannot be: out of range, no number, another type, not finite.
TRAIN_NUMBERS = [
    ("Hidden size", "train_hidden_size_default", "192", ("99999", "nan", "abc", "inf")),
    ("Layers", "train_num_layers_default", "1", ("0", "nan", "one", "-inf")),
    ("Steps", "train_steps_default", "500", ("1e99", "", "many", "1e400")),
    ("BPTT steps", "train_bptt_steps_default", "48", ("99999", "nan", "abc", "9" * 400)),
    ("Batch size", "train_batch_size_default", "32", ("-1", "NaN", "1,5", "Infinity")),
    ("Learning rate", "train_learning_rate_default", "0.008", ("-1", "nan", "abc", "inf")),
    ("Seed", "train_seed_default", "0", ("-1", "nan", "x", "1e400")),
]
SAMPLE_NUMBERS = [
    ("Length", "sample_length", "400", ("1e9", "nan", "long", "inf")),
    ("Seed", "sample_seed", "0", ("-1", "nan", "abc", "9" * 400)),
    ("Top k", "sample_top_k", "", ("0", "nan", "all", "1e400")),
    ("Top p", "sample_top_p", "", ("7", "nan", "abc", "-inf")),
]
NO_TEMPERATURES = ("-5", "nan", "abc", "inf")
NO_CHOICES = {
    "train_text": "nowhere", "train_preset": "nothing", "train_cell_default": "quantum", "loss_unit": "furlongs",
    "loss_log": "perhaps", "train_view": "backwards", "train_optimizer_default": "magic", "race_kind": "horses",
}  # fmt: skip


@pytest.mark.parametrize("which", range(4), ids=["range", "number", "type", "finite"])
def test_settings_in_a_link_that_cannot_be_are_the_defaults_on_train(
    server: Server, page: Page, finished_run: str, which: int
) -> None:
    settings = {name: bad[which] for _, name, _, bad in TRAIN_NUMBERS}
    open_page(page, server, "Train", {**settings, **NO_CHOICES, "run": finished_run})
    page.get_by_text("Settings", exact=True).click()
    for label, _, default, _ in TRAIN_NUMBERS:
        expect(page.get_by_label(label, exact=True)).to_have_value(default)
    for label, default in (("Text", "Python language reference"), ("Model", "Recommended"), ("Cell", "LSTM")):
        expect(main(page).get_by_role("combobox", name=label, exact=True)).to_have_value(default)
    expect(main(page).get_by_role("combobox", name="Unit of the loss", exact=True)).to_have_value("nats")
    expect(main(page).get_by_role("radio", name="Loss", exact=True)).to_be_checked()
    expect(chart_title(page)).to_have_text(re.compile("at step"))
    expect(button(page, "Start training")).to_be_enabled()


@pytest.mark.parametrize("which", range(4), ids=["range", "number", "type", "finite"])
def test_settings_in_a_link_that_cannot_be_are_the_defaults_on_sample(
    server: Server, page: Page, finished_run: str, which: int
) -> None:
    settings = {name: bad[which] for _, name, _, bad in SAMPLE_NUMBERS}
    temperature = {"sample_temperature": NO_TEMPERATURES[which]}
    visit(page, server, "Sample", {**settings, **temperature, "run": finished_run})
    for label, _, default, _ in SAMPLE_NUMBERS:
        expect(page.get_by_label(label, exact=True)).to_have_value(default)
    expect(main(page).get_by_role("slider", name="Temperature")).to_have_value("0.8")
    expect(written(page)).to_have_text(re.compile("[helo]{10}"))


def test_a_link_to_no_model_opens_another_one(server: Server, page: Page, finished_run: str) -> None:
    visit(page, server, "Sample", {"model": "nobody"})
    expect(main(page).get_by_role("combobox", name="Model", exact=True)).to_have_value(re.compile(r"\S"))


def test_a_run_deleted_in_another_tab_is_missed_in_a_sentence(server: Server, page: Page) -> None:
    run_id = start(page, server)
    other = open_page(page.context.new_page(), server, "Train", {"run": run_id})
    button(other, "Manage").click()
    delete_in_popover(other)
    says(page, "There is no run with this id here. It may have been deleted")
    settled(page)
    assert run_in_url(page) != run_id
    expect(button(page, "Start training")).to_be_enabled()


def test_a_disk_that_cannot_be_written_costs_a_warning_and_nothing_else(tmp_path: Path, page: Page) -> None:
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux changes the limits of a running process")
    with Server(tmp_path) as server:
        run_id = start(page, server)
        assert server.process
        pid = server.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, limits[1]))
        says(page, re.compile("Training goes on in memory. The disk is full"))
        button(page, "Start training").click()
        says(page, re.compile("^The disk is full or cannot be written"))
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert run_in_url(page) == run_id
        before = step(page)

        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        beyond(page, before)
        expect(main(page).get_by_text("Training goes on in memory")).to_have_count(0)
        assert stored(server, run_id).step > before
        expect(status(page)).to_contain_text("running")
