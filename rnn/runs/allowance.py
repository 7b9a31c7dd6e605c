"""How long each owner's runs may compute in a day. No torch, no store."""

from __future__ import annotations

import time
from collections import defaultdict

HOUR, HOURS = 3_600.0, 24


class Allowance:
    """Counts the turns of each owner over the last 24 hours, in whole hours; a restart of the server forgets them.

    Args:
        seconds: that an owner has; None: any number.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._used: defaultdict[int, dict[str, float]] = defaultdict(dict)  # hour -> owner -> seconds

    def count(self, owner: str, seconds: float, now: float | None = None) -> None:
        """Counts a turn that an owner has had; `now` in seconds since the epoch."""
        hour = self._hour(now)
        if hour not in self._used:
            for past in [past for past in self._used if past <= hour - HOURS]:
                del self._used[past]
        turns = self._used[hour]
        turns[owner] = turns.get(owner, 0.0) + seconds

    def is_used_up(self, owner: str, now: float | None = None) -> bool:
        """Whether this owner has had as much as there is."""
        if self.seconds is None:
            return False
        hour = self._hour(now)
        return sum(turns.get(owner, 0.0) for past, turns in self._used.items() if past > hour - HOURS) >= self.seconds

    def change_owner(self, old: str, new: str) -> None:
        """Gives what one owner has used to another."""
        for turns in self._used.values():
            turns[new] = turns.get(new, 0.0) + turns.pop(old, 0.0)

    def sentence(self) -> str:
        """Why a run of theirs rests."""
        hours = (self.seconds or 0) / HOUR
        return (
            f"Your runs have computed for {hours:g} hours within a day, which is what one visitor has here. "
            "Go on tomorrow, or download the run and go on with it on your own computer."
        )

    @staticmethod
    def _hour(now: float | None) -> int:
        return int((time.time() if now is None else now) // HOUR)
