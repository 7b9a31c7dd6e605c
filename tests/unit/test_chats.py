"""A chat export is known by its stamps, in any language's order; nothing else is taken for one; no address is left."""

from __future__ import annotations

import inspect
import pydoc_data.topics
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn import corpora
from rnn.chats import Message, cleaned, recognise
from rnn.corpora import Text, from_paste, from_upload
from rnn.errors import TextError

ANDROID = """31/12/2023, 21:00 - Messages and calls are end-to-end encrypted. Only people in this chat can read them.
31/12/2023, 21:01 - Anna created group "Rome: the trip"
31/12/2023, 21:05 - Anna: Shall we meet at 12:30?
I have the tickets.

They were 2,000,000 lire.
31/12/2023, 21:06 - Ben: <Media omitted>
31/12/2023, 21:06 - +49 151 2345678: My address: clara@example.org
01/01/2024, 00:01 - Ben: IMG-20240101-WA0001.jpg (file attached)
The fireworks
01/01/2024, 00:02 - Anna: This message was deleted
01/01/2024, 00:03 - Ben: Call Clara, 0151 2345678 👍🏽
01/01/2024, 00:04 - Anna: location: https://maps.google.com/?q=52.5,13.4
01/01/2024, 00:05 - Missed voice call
01/01/2024, 00:06 - Anna: See you on 2024-05-01 <This message was edited>
"""
CLEAN = """Anna: Shall we meet at 12:30?
I have the tickets.

They were 2,000,000 lire.
[phone 1]: My address: [email 1]
Ben: The fireworks
Ben: Call Clara, [phone 1] 👍🏽
Anna: See you on 2024-05-01
"""
IPHONE = (
    "[31.12.23, 21:05:30] Rome: \u200eMessages and calls are end-to-end encrypted.\r\n"
    "[31.12.23, 21:05:33] Anna: Hello\r\n"
    "\u200e[31.12.23, 21:05:40] Anna: \u200eimage omitted\r\n"
    "[31.12.23, 21:06:00] \u202a+49 151 2345678\u202c: Hello, @\u2068Anna\u2069\r\n"
    "\u200e[31.12.23, 21:06:10] Anna: Our dog \u200e<attached: 00000012-PHOTO-2023-12-31.jpg>\r\n"
    "[31.12.23, 21:06:20] ~\u202fClara: Report.pdf • \u200e4 pages \u200edocument omitted\r\n"
    "[31.12.23, 21:06:30] ~\u202fClara: read it\r\n"
)

STAMPS = [
    "31/12/2023, 21:05 - ",
    "31/12/2023 21:05 - ",
    "31.12.23, 21:05 - ",
    "31.12.2023, 21.05 - ",
    "12/31/23, 9:05 PM - ",
    "12/31/23, 9:05\u202fPM - ",
    "12/31/23, 9:05 pm - ",
    "31/12/23, 9:05\u00a0p.\u00a0m. - ",
    "2023-12-31, 9:05 p.m. - ",
    "2023-12-31 21:05 - ",
    "2023/12/31 21:05 - ",
    "2023/12/31 下午9:05 - ",
    "2023. 12. 31. 오후 9:05 - ",
    "31. 12. 2023 21:05 - ",
    "31.12.2023 г., 21:05 ч. - ",
    "31/12/2023 à 21:05 - ",
    "31/12/2023 a las 21:05 - ",
    "21:05, 31/12/2023 - ",
    "31\u200f/12\u200f/2023, 9:05 م - ",
    "٣١/١٢/٢٠٢٣، ٢١:٠٥ - ",
    "[31.12.23, 21:05:33] ",
    "[31/12/23, 21:05:33] ",
    "[31/12/2023 21:05:33] ",
    "[12/31/23, 9:05:33\u202fPM] ",
    "[2023-12-31, 21:05:33] ",
    "[31-12-2023 21:05:33] ",
    "\u200e[31.12.23, 21:05:33] ",
    "\ufeff[31.12.23, 21:05:33] ",
]


def words(content: str) -> str:
    """What a chat is as a text to train on."""
    chat = recognise(content)
    assert chat is not None
    return cleaned(chat, Text("chat.txt", content)).text.content


# Recognised


@pytest.mark.parametrize("stamp", STAMPS)
def test_every_language_has_its_own_stamp(stamp: str) -> None:
    chat = recognise(f"{stamp}Anna: one: 1\n{stamp}Ben: two\n\nlines\n{stamp}You left\n{stamp}Anna: 3")
    assert chat is not None
    assert chat.messages == (Message("Anna", "one: 1"), Message("Ben", "two\n\nlines"), Message("Anna", "3"))
    assert chat.speakers == ("Anna", "Ben")
    assert chat.dropped == 1


def test_an_android_export_becomes_what_was_said() -> None:
    text = from_upload(ANDROID.encode(), "WhatsApp Chat.txt")
    chat = recognise(text.content)
    assert chat is not None
    found = cleaned(chat, text)
    assert found.text.content == CLEAN
    assert found.text.name == "WhatsApp Chat.txt"
    assert (found.messages, found.speakers, found.phones, found.emails) == (5, 3, 1, 1)
    assert found.dropped == 7
    assert found.text.notes == (
        "Read as a WhatsApp chat: 5 messages of 3 speakers, without dates and times; 7 lines of notices and media left "
        "out.",
        "1 phone number and 1 e-mail address masked.",
    )
    assert found.preview(2) == "Anna: Shall we meet at 12:30?\nI have the tickets."
    assert corpora.preflight(found.text, corpora.TrainConfig()).notes[:2] == found.text.notes


def test_an_iphone_export_becomes_what_was_said() -> None:
    expected = "Anna: Hello\n[phone 1]: Hello, @Anna\nAnna: Our dog\nClara: read it\n"
    assert words(IPHONE) == words(from_upload(IPHONE.encode("utf-16"), "_chat.txt").content) == expected


def test_notes_of_the_file_stay() -> None:
    text = from_upload(IPHONE.encode(), "_chat.txt")
    chat = recognise(text.content)
    assert chat is not None
    assert cleaned(chat, text).text.notes[0] == text.notes[0] == "Line ends became single line feeds."


@pytest.mark.parametrize(
    "placeholder",
    [
        "<Media omitted>", "<Medien ausgeschlossen>", "<Multimedia omitido>", "<Médias omis>", "<Без медиафайлов>",
        "<省略多媒体文件>", "image omitted", "Bild weggelassen", "imagen omitida", "GIF omitted", "audio omis", "null",
        "",
        "Du hast diese Nachricht gelöscht.", "\u200eSomething of WhatsApp's in a language nobody knows",
        "PTT-20231231-WA0003.opus (Datei angehängt)", "Anna Schmidt.vcf (file attached)",
    ],
)  # fmt: skip
def test_what_stands_for_media_is_left_out(placeholder: str) -> None:
    stamp = "31/12/2023, 21:05 - "
    assert words(f"{stamp}Anna: a\n{stamp}Ben: {placeholder}\n{stamp}Ben: b\n") == "Anna: a\nBen: b\n"


@pytest.mark.parametrize(
    "said", ["<3", "<grin>", "I <b>love</b> it", "try main.py (new version)", "a < b > c", "video", "null and void"]
)
def test_what_only_looks_like_media_stays(said: str) -> None:
    stamp = "31/12/2023, 21:05 - "
    assert words(f"{stamp}Anna: {said}\n{stamp}Ben: b\n") == f"Anna: {said}\nBen: b\n"


def test_a_number_is_the_same_mask_as_speaker_and_in_a_message() -> None:
    stamp = "31/12/2023, 21:05 - "
    content = f"{stamp}+49 151 2345678: a\n{stamp}+33 6 12 34 56 78: b\n{stamp}Anna: 0151/2345678\n{stamp}Anna: c\n"
    assert words(content) == "[phone 1]: a\n[phone 2]: b\nAnna: [phone 1]\nAnna: c\n"


def test_a_name_with_quotes_and_one_of_emoji_are_names() -> None:
    stamp = "31/12/2023, 21:05 - "
    assert words(f'{stamp}Ann "Nan" B.: a\n{stamp}🌸: b\n') == 'Ann "Nan" B.: a\n🌸: b\n'


def test_a_chat_of_media_alone_says_that_nothing_is_left() -> None:
    chat = recognise("31/12/2023, 21:05 - Anna: <Media omitted>\n31/12/2023, 21:05 - Ben: <Media omitted>\n")
    assert chat is not None
    with pytest.raises(TextError, match="no words"):
        cleaned(chat, Text("chat", "ab"))


# Not recognised

LOOKALIKES = {
    "a book": "It was the best of times, it was the worst of times: so they said.\n" * 40,
    "a play": "ROMEO: But, soft! what light through yonder window breaks?\nJULIET: Ay me!\nROMEO: She speaks.\n" * 20,
    "a log": "2023-12-31 21:05:33,123 - root - INFO - started: 1\n2023-12-31 21:05:34,1 - root - INFO - done: 2\n" * 9,
    "a bracketed log": "[2023-12-31 21:05:33] nginx: started\n[2023-12-31 21:05:34] nginx: done\n" * 9,
    "another log": "[31/12/2023 21:05:33] ERROR: it broke\n[31/12/2023 21:05:34] INFO: it works\n" * 9,
    "a loud log": "31/12/2023, 21:05 - app: WARNING low disk\n31/12/2023, 21:06 - app: ok\n" * 9,
    "a system log": "[31/12/2023 21:05:33] sshd[812]: accepted\n[31/12/2023 21:05:34] cron[9]: run\n" * 9,
    "an access log": '127.0.0.1 - - [31/Dec/2023:21:05:33 +0000] "GET / HTTP/1.1" 200\n' * 9,
    "subtitles": "1\n00:01:02,000 --> 00:01:04,000\nAnna: Hello.\n\n2\n00:01:05,000 --> 00:01:06,000\nBen: Hi.\n" * 9,
    "CSV": "date,time,name,text\n31/12/2023,21:05,Anna,Hello: you\n31/12/2023,21:06,Ben,Hi: me\n" * 9,
    "a timetable": "31.12.2023, 14:00 - 15:30: Meeting\n31.12.2023, 16:00 - 17:30: Meeting\n" * 9,
    "source code": inspect.getsource(re),
    "documentation": "\n".join(pydoc_data.topics.topics.values()),
    "a diary": "31.12.2023\nAnna: she came at 21:05 - and left.\n" * 9,
    "a diary of many": "".join(f"31.12.2023, 21:05 - Entry {i}: something\n" for i in range(20)),
    "one message": "31/12/2023, 21:05 - Anna: text\n",
    "a chat quoted at the end of a book": "A line of prose.\n" * 40 + ANDROID,
    "notices alone": "31/12/2023, 21:05 - You left\n" * 9,
    "nothing": "",
}


@pytest.mark.parametrize("content", LOOKALIKES.values(), ids=LOOKALIKES.keys())
def test_other_texts_are_no_chats(content: str) -> None:
    assert recognise(content) is None


@pytest.mark.parametrize("name", [name for name in corpora.CORPORA if name != "shakespeare"])
def test_no_built_in_text_is_a_chat(name: str) -> None:
    assert recognise(corpora.load(name).content) is None


@given(st.text())
def test_any_text_is_a_chat_or_not(content: str) -> None:
    chat = recognise(content)
    assert chat is None or chat.messages or chat.dropped


@given(st.lists(st.tuples(st.sampled_from(["Anna", "Ben", "~ C", "+49 151 2345678"]), st.text(max_size=30))))
def test_any_messages_make_a_text_or_a_text_error(said: list[tuple[str, str]]) -> None:
    chat = recognise("".join(f"[31.12.23, 21:05:33] {speaker}: {text}\n" for speaker, text in said))
    if chat is None:
        return
    try:
        content = cleaned(chat, from_paste("ab")).text.content
    except TextError:
        return
    assert "2345678" not in content or any("2345678" in text for _, text in said)


# Lines that would take for ever if a pattern went back and forth: the suite would not end

ADVERSARIAL = {
    "a long line": ("a" * 5_000_000, False),
    "stamps cut short": ("31/12/2023, 21:05\n" * 280_000, False),
    "brackets": ("[" * 5_000_000, False),
    "half stamps in one line": ("31/12/2023, 21:05 - " * 250_000, False),
    "a name without end": ("31/12/2023, 21:05 - " + "a" * 5_000_000, False),
    "pointed brackets": (("31/12/2023, 21:05 - Anna: " + "<" * 970 + ">\n") * 5_000, True),
    "a message without end": ("31/12/2023, 21:05 - Anna: a\n31/12/2023, 21:05 - Anna: " + "a (" * 1_700_000, True),
    "marks": ("\u200e" * 1_700_000, False),
    "digits": ("1" * 5_000_000, False),
    "short lines": ("1\n" * 2_500_000, False),
    "messages": ("31/12/2023, 21:05 - Anna: No.\n[31.12.23, 21:06:00] +49 151 2345678: a@b.de!\n" * 65_000, True),
}


@pytest.mark.parametrize(("content", "is_chat"), ADVERSARIAL.values(), ids=ADVERSARIAL.keys())
def test_five_megabytes_of_anything_are_read_in_one_go(content: str, is_chat: bool) -> None:
    chat = recognise(content)
    assert (chat is not None) == is_chat
    if chat is not None:
        found = cleaned(chat, Text("chat", content))
        assert found.text.content.count("Anna: ") + found.text.content.count("[phone 1]: ") == found.messages
