"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import glob
import os
import uuid
from contextlib import suppress
from pathlib import Path


def playground_home() -> Path:
    """The folder of runs and downloads: `$RNN_PLAYGROUND_HOME`, or `.playground` in the current folder."""
    return Path(os.environ.get("RNN_PLAYGROUND_HOME") or ".playground")


def write_whole(path: Path, data: bytes) -> None:
    """Writes under another name, fsyncs and renames: until then an older file of this name stays as it is.

    Raises:
        OSError: it cannot be written; nothing is left behind.
        ValueError: the name holds a NUL.
    """
    partial = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    try:
        with open(partial, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError, ValueError):
            partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself durable, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_partial(path: Path) -> None:
    """Removes what killed programs left of this file (of every file below it, if it is a folder)."""
    pattern = "**/.*.tmp" if path.is_dir() else f".{glob.escape(path.name)}.*.tmp"
    with suppress(OSError):
        for left in (path if path.is_dir() else path.parent).glob(pattern):
            left.unlink(missing_ok=True)


def folder_bytes(folder: Path) -> int:
    """The size of all files in a folder and below; what goes meanwhile counts as nothing."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += os.stat(os.path.join(path, name)).st_size
    return total
