"""The names of what the URL, the session and widgets keep, so that no two pages use one for two things.

A widget that is given `**in_url(key)` keeps its value in the URL: the link reopens the page as it was (Streamlit
takes a value of the wrong type, or one that is not among the choices, out of the URL again). The value survives a
change of pages too. What the URL says is checked again wherever it is used.
"""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

# In the URL, on every page
RUN = "run"  # id of the current run; also in the session
LOOKED_AT = "sample_at"  # the character that is looked at
SHIPPED = "model"  # name of a shipped model, on the Sample page
DELETED = "deleted"  # there once after everything was deleted
LESSON, LESSON_STEP = "lesson", "step"  # a lesson's name, and the number of one of its steps
LOCK, HIDE, PRESENT = "lock", "hide", "present"  # what a teacher's link asks for, see classroom.py

# In the session only
RUN_IN_URL = "run_in_url"  # the id that the URL had when it was last looked at
OWNER = "owner_token"  # the visitor's secret
FORGETS = "owner_forgets"  # whether the browser is to forget all that the app keeps in it
TEACHER = "teacher_is_in"  # whether the right key was given
RENAMINGS = "run_renamings"  # how many there were
STARTED = "train_started"  # what was started last, as which run, and when
TASK_OF_RUN = "train_task_of_run"  # the run whose task was chosen last, because it came on show
DRAWN = "ask_drawn"  # the image that was drawn
FROZEN = "run_frozen"  # the curves of a chart that stands still
PIECE = "sample_piece"  # the text on show
STEPPED = "sample_stepped"  # the one that is written step by step
WRITERS = "sample_writers"  # the models that wrote them
STREAM = "sample_stream"  # whether the next text is to appear letter by letter
TEXT_FILE = "train_text_file"  # the text of an uploaded file
CHAT = "train_chat"  # what was made of a chat
MASKED = "train_masked"  # a text without phone numbers and addresses
CHECKPOINT_READ = "train_checkpoint_read"  # what is in an uploaded checkpoint
UPLOADED = "sample_uploaded"  # the model of an uploaded file
READ_UPLOADED = "read_uploaded"  # the network of a file that was uploaded to look inside
READ_SUGGESTED = "read_suggested"  # the text that is read where nothing was typed
READ_PASSAGE = "read_passage"  # which part of the training text is read
WANTED_FILE = "wanted_file"  # the figure that is to be saved, and as what
MADE_FILE = "made_file"  # what was made of it, until the browser gets it
HOME_SEED = "home_seed"  # which text is shown there
LEFT_OUT = "left_out"  # what on the page is not in its link
CLASS = "class_link"  # what the teacher's link asks for
LOCKABLE = "class_lockable"  # the names of all widgets that a link can lock
SHARE, SHARED = "share", "share_page"  # whether the link to the page is on show, and what the browser says of it
LESSON_AT = "lesson_at"  # the lesson and step whose settings the page was given
LESSON_LEFT = "lesson_left"  # those that a link led away from
LESSON_FOLDED = "lesson_folded"  # whether its text is hidden
PROGRESS = "lesson_progress"  # steps and questions that are done
SOLUTION = "lesson_solution"  # the answer to the question on show
ANSWERED = "lesson_answered"  # what was answered in this session, with the solutions

# Widgets in the URL
TASK, TEXT, PRESET = "train_task", "train_text", "train_preset"
RACE_KIND, RACE_MODE, RACE_OPPONENT = "race_kind", "race_mode", "race_against"
RACE_AXIS, RACE_UNIT = "race_x", "race_unit"
COMPARED_AXIS, COMPARED_UNIT = "compared_x", "compared_unit"
VIEW, UNIT, LOG_STEPS = "train_view", "loss_unit", "loss_log"
TASK_VIEW, DEMO_VIEW, ASKED = "task_view", "demo_view", "ask_{}"
PRIME, TEMPERATURE, LENGTH = "sample_prime", "sample_temperature", "sample_length"
TOP_K, TOP_P, SEED = "sample_top_k", "sample_top_p", "sample_seed"
STOP, UNKNOWN = "sample_stop", "sample_unknown"
SAMPLE_VIEW, PAINT, COMPARISON = "sample_view", "sample_paint", "sample_compare"

BLUEPRINT_STEPS, ARCH_VIEW = "arch_steps", "arch_view"
UNROLL_VIEW, LAYER, VECTOR, CHOSEN_UNIT = "unroll_view", "unroll_layer", "unroll_vector", "unroll_unit"
BPTT_VIEW = "bptt_view"

SETTINGS = "train_settings"  # what is folded up around them

# Widgets that are not: what they hold is large, private or momentary, or is in the URL as RUN or SHIPPED
MODEL = "sample_model"
PASTE, UPLOAD, CHECKPOINT = "train_paste", "train_upload", "train_checkpoint"
CHOSEN_RUN, NEW_NAME, FREEZE, RATE = "run_chosen", "run_name", "run_freeze", "run_rate"
COMPARED = "runs_compared"
CLEAN, MASK, CHARACTER_TABLE = "train_clean", "train_mask", "train_character_table"
FILE = "sample_file"
BLUEPRINT = "arch_network"
READ_MODEL, READ_FILE, READ_TEXT = "read_model", "read_file", "read_text"
PUT = "sample_put"  # what stands for unknown characters
TEACHER_KEY = "teacher_key"
GLOSSARY, GLOSSARY_SEARCH = "glossary", "glossary_search"
SCORED, SCORED_FROM, RIVALS = "sample_scored", "sample_scored_from", "sample_rivals"


def in_url(key: str, disabled: bool = False) -> dict[str, Any]:
    """The arguments of a widget whose value stands in the URL. The teacher's link may lock it."""
    return {"key": key, "bind": "query-params", "disabled": disabled or is_locked(key)}


def in_session(key: str) -> dict[str, Any]:
    """The arguments of a widget whose value its page puts into the URL by hand, or nowhere."""
    return {"key": key, "persist_state": "session", "disabled": is_locked(key)}


def is_locked(key: str) -> bool:
    """Whether the teacher's link locks this widget. It is disabled then: Streamlit takes no value for it from the
    browser, forged ones included, but that of the link."""
    st.session_state.setdefault(LOCKABLE, set()).add(name_of(key))
    asked = st.session_state.get(CLASS)
    return asked is not None and asked.locks(name_of(key))


def put(key: str, value: object) -> None:
    """Gives a widget another value, as a click elsewhere asks for; one that is locked keeps its own."""
    if not is_locked(key):
        st.session_state[key] = value


def name_of(key: str) -> str:
    """What a widget is called in a link and, after `st-key-`, in the browser."""
    return re.sub(r"[^\w-]", "-", key, flags=re.ASCII)


def of_preset(field: str, preset: str) -> str:
    """The key of a setting of the Train page. It carries the preset's name: each preset has values of its own."""
    return f"train_{field}_{preset}"
