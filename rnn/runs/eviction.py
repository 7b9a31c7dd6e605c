"""What a shared server keeps of its visitors' runs: how much, for how long, and what goes first. No torch.

Runs that rest (paused, finished, failed, interrupted) go: those that nobody has changed for longest come first. What
waits or trains never goes, and of a race all or nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from rnn.errors import StoreError
from rnn.files import folder_bytes
from rnn.runs import journal
from rnn.runs.store import Store

DAY = 86_400.0  # seconds
GRACE_SECONDS = 600.0  # a run that has changed since is not removed for its size: somebody may be looking at it


@dataclass(frozen=True)
class Quota:
    """What a server gives its visitors together; None means no limit, as on a laptop.

    Attributes:
        bytes_in_total: of all runs, on disk.
        bytes_per_owner: of one owner's; who has as many starts nothing before something is deleted.
        days: that a run is kept after its last change.
        waiting_in_total: runs and races in the queue.
        training_seconds: that the runs of one owner compute in a day.
    """

    bytes_in_total: int | None = None
    bytes_per_owner: int | None = None
    days: float | None = None
    waiting_in_total: int | None = None
    training_seconds: float | None = None


def evict(store: Store, quota: Quota, now: float | None = None) -> list[str]:
    """Removes runs that are too old, then those at rest for longest until what is left fits; the ids that went.

    Only where no run can start meanwhile: on the thread that starts them.

    Args:
        now: the time, in seconds since the epoch.
    """
    now = time.time() if now is None else now
    gone: list[str] = []
    resting = store.resting()
    if quota.days is not None:
        gone += _remove(store, [ids for changed, ids in resting if changed < now - quota.days * DAY], "age")
    if quota.bytes_in_total is not None:
        kept = bytes_in_files(store)
        for changed, ids in resting:
            if kept + store.database_bytes() <= quota.bytes_in_total or changed > now - GRACE_SECONDS:
                break
            if ids[0] not in gone:
                kept -= sum(bytes_in_files(store, run_id) for run_id in ids)
                gone += _remove(store, [ids], "room")
    return gone


def _remove(store: Store, entries: list[list[str]], why: str) -> list[str]:
    ids = [run_id for entry in entries for run_id in entry]
    if ids:
        store.delete(*ids)
        journal.noted(f"evicted {len(ids)} runs ({why})")
    return ids


def bytes_in_files(store: Store, run_id: str | None = None) -> int:
    """Of the files of one run, or of all runs."""
    return folder_bytes(store.folder(run_id) if run_id else store.home / "runs")


def bytes_of(store: Store, token: str) -> int:
    """What the runs of one owner take on disk: files, texts, and curves as far as they can be told."""
    return store.rows_bytes_of(token) + sum(bytes_in_files(store, run.id) for run in store.runs_of(token))


def require_bytes(store: Store, quota: Quota, token: str) -> None:
    """Raises StoreError where there is no room left for more of this owner's, or of anybody's."""
    if quota.bytes_per_owner is not None and (taken := bytes_of(store, token)) >= quota.bytes_per_owner:
        raise StoreError(
            f"Your runs take {taken / 1e6:,.0f} MB, and {quota.bytes_per_owner / 1e6:,.0f} MB are kept here for one "
            "visitor. Download what you want to keep, then delete some."
        )
    if quota.bytes_in_total is not None and bytes_in_files(store) + store.database_bytes() >= quota.bytes_in_total:
        raise StoreError("This server's room for runs is used up by runs that train now. Try again in ten minutes.")
