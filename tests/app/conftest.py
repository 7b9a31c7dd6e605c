"""Page tests run the pages in this process, so what one test has cached is not there for the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

ENTRYPOINT = Path(__file__).parents[2] / "streamlit_app.py"


@pytest.fixture(autouse=True)
def empty_caches() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def app() -> AppTest:
    """The app before its first run: `app.run()` is Home, `app.switch_page("pages/2_Train.py").run()` another page."""
    return AppTest.from_file(ENTRYPOINT, default_timeout=30)
