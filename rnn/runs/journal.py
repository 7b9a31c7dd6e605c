"""The server's log: a line where a run starts, where it stops and why, and where something goes wrong. No torch.

A line names nobody and quotes nothing that a person typed or a model wrote: no names of runs and texts, and of an error
only its kind and its place in the code, because its message may quote what it met. An id opens its run, so only its
first characters stand there; those of the owner's key open nothing.
"""

from __future__ import annotations

import errno
import logging
import time
import traceback
from pathlib import Path

from rnn.runs.turns import Job

SHORT_ID, SHORT_OWNER = 8, 6  # characters
FRAMES = 3  # places in the code that are named of an error, the innermost first
HANDLER = "rnn-playground"
LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"

log = logging.getLogger(__name__)


def write_to_stderr() -> None:
    """Lets the lines of `rnn.runs` appear, once, where the program has not set up logging itself."""
    logger = logging.getLogger("rnn.runs")
    logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.set_name(HANDLER)
        handler.setFormatter(logging.Formatter(LINE))
        logger.addHandler(handler)


def started(job: Job) -> None:
    log.info("start %s", _of(job))


def stopped(job: Job, reason: str) -> None:
    """A run takes no more turns: finished, diverged, paused, stopped, reset, deleted, failed or interrupted."""
    log.info("stop %s seconds=%.1f reason=%s", _of(job), time.time() - job.began, reason)


def went_wrong(what: str, run_id: str, error: BaseException) -> None:
    """An error of a run, in words that are ours."""
    log.error("%s run=%s error=%s at=%s", what, short(run_id), named(error), place(error))


def noted(what: str) -> None:
    """What was done to all runs together."""
    log.info("%s", what)


def short(run_id: str) -> str:
    """As much of a run's id as may be seen."""
    return run_id[:SHORT_ID]


def named(error: BaseException) -> str:
    """The kinds of an error and of what caused it: `StoreError<OSError(ENOSPC)`."""
    code = errno.errorcode.get(error.errno or 0) if isinstance(error, OSError) else None
    own = type(error).__name__ + (f"({code})" if code else "")
    return own if error.__cause__ is None else f"{own}<{named(error.__cause__)}"


def place(error: BaseException) -> str:
    """Where it came up: `store.py:131<scheduler.py:700`."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return "<".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames)) or "unknown"


def _of(job: Job) -> str:
    config = job.state.config
    network = f"{config.cell}-{config.hidden_size}x{config.num_layers}"
    return (
        f"run={short(job.run_id)} owner={job.entry.owner[:SHORT_OWNER]} task={job.state.task.kind} model={network} "
        f"step={job.state.step}/{job.last_step}"
    )
