"""What moves step by step on a page: back, play, step and a slider; playing moves it on by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.parts import address


@dataclass(frozen=True)
class Player:
    """One of them.

    Attributes:
        name: before the keys of its widgets.
        at: in the session: the place that is on show; in the URL while it stands.
        playing: in the session: when it last moved by itself; absent while it stands.
    """

    name: str
    at: str
    playing: str

    def run(self, moving: Callable[..., None], tick: float, *arguments: Any) -> None:
        """Draws the part that moves, and again every `tick` seconds while it plays.

        `moving` is called with the arguments and whether it was playing when the whole page was drawn, which is what
        `advance` wants to know.
        """
        is_playing = self.is_playing
        st.fragment(run_every=tick if is_playing else None)(moving)(*arguments, is_playing)

    @property
    def is_playing(self) -> bool:
        return self.playing in st.session_state

    def stop(self) -> None:
        st.session_state.pop(self.playing, None)

    def advance(self, first: int, last: int, tick: float, was_playing: bool, is_back: bool = False) -> None:
        """Moves on where it plays and it is time; at the end it stands still."""
        moved, now = st.session_state.get(self.playing), time.monotonic()
        if self.at not in st.session_state:
            st.session_state[self.at] = address.linked_number(self.at, first)
        at = int(st.session_state[self.at])
        if moved is not None and now - moved >= 0.8 * tick:
            at += -1 if is_back else 1
            st.session_state[self.playing] = now
            if at <= first if is_back else at >= last:
                self.stop()
        st.session_state[self.at] = max(first, min(at, last))
        if was_playing != self.is_playing:
            st.rerun()  # the whole page: whether this part runs by itself is decided there

    def place(
        self, first: int, last: int, slider: str, helps: tuple[str, str, str], is_back: bool = False,
        slider_help: str | None = None,
    ) -> int:  # fmt: skip
        """The buttons and the slider, and the place that is on show, `first` to `last`.

        Args:
            slider: its label.
            helps: what "Back", "Play" and "Step" do.
            is_back: whether it plays from the last place to the first.
        """
        if not self.is_playing:
            address.put_number(self.at, int(st.session_state[self.at]), first)
        is_still = first == last
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            st.button(
                "Back", key=f"{self.name}_back", icon=":material/skip_previous:", on_click=self._move,
                args=(-1, first, last), disabled=is_still, help=helps[0],
            )  # fmt: skip
            st.button(
                "Stop" if self.is_playing else "Play", key=f"{self.name}_play", type="primary", width=110,
                icon=":material/stop:" if self.is_playing else ":material/play_arrow:", on_click=self._play,
                args=(first, last, is_back), disabled=is_still, help=helps[1],
            )  # fmt: skip
            st.button(
                "Step", key=f"{self.name}_step", icon=":material/skip_next:", on_click=self._move,
                args=(1, first, last), disabled=is_still, help=helps[2],
            )  # fmt: skip
            if not is_still:
                st.slider(slider, first, last, key=self.at, width=420, help=slider_help)
        return max(first, min(int(st.session_state[self.at]), last))

    def _move(self, by: int, first: int, last: int) -> None:
        self.stop()
        st.session_state[self.at] = max(first, min(int(st.session_state.get(self.at, first)) + by, last))

    def _play(self, first: int, last: int, is_back: bool) -> None:
        """Begins to play, from the other end where there is nothing left to play; or stops."""
        if self.is_playing:
            self.stop()
            return
        begin, end = (last, first) if is_back else (first, last)
        if st.session_state.get(self.at, end) == end:
            st.session_state[self.at] = begin
        st.session_state[self.playing] = time.monotonic()
