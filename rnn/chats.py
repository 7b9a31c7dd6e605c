"""Chats: a WhatsApp text export recognised, and made into a text to learn from.

A message of an export begins with a stamp, in the order, separators and words of its sender's language:

    31/12/2023, 21:05 - Anna: text          (Android)
    [31.12.23, 21:05:33] Anna: text         (iPhone)

and goes on until the next stamp. Lines without a speaker are WhatsApp's own; so is what begins with a hidden U+200E.
No other kind of text should be taken for one: `recognise` wants stamps from the top on, and people who speak again.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from rnn.corpora import Text, check_trainable, count_of
from rnn.errors import TextError
from rnn.masking import Masks, addresses_note, is_phone

TOP_LINES = 30  # within which an export has its first stamp
MIN_MESSAGES = 2
LONGEST_NAME = 80  # characters
LOG_SHARE = 0.1  # of messages that speak of errors and warnings, from which a file is a log

_MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"  # of direction; invisible
_WITHOUT_MARKS = {ord(mark): None for mark in _MARKS}
_DATE = r"(?P<date>\d{1,2}[./\-] ?\d{1,2}[./\-] ?\d{2,4}|\d{4}[./\-] ?\d{1,2}[./\-] ?\d{1,2})"
_TIME = r"\d{1,2}[:.]\d{2}(?P<seconds>[:.]\d{2})?"
_WORDS = r"[^\d:;<>\[\]\-]"  # between date and time and after it: ", ", " à ", " AM", " р. m."
_STAMP = re.compile(
    rf"(?:(?P<bracket>\[)?{_DATE}(?P<between>{_WORDS}{{1,14}}){_TIME}{_WORDS}{{0,10}}"
    rf"|{_TIME.replace('seconds', 'first')}, {_DATE.replace('date', 'last')}{_WORDS}{{0,4}})"
    r"(?(bracket)\] ?|[-–] )"
)
_LOG = re.compile(r"\b(?:DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|TRACE)\b", re.IGNORECASE)
_PROCESS = re.compile(r"[\w./\-]+\[\d+\]$")
_QUOTE = re.compile('["“”„«»]')
_TIME_OF_DAY = re.compile(r"\d{1,2}[:.]\d\d")

# What WhatsApp writes in a message's place, in the languages most exports are in; others it marks with U+200E or <...>.
_OMITTED = (
    r"(?:image|video|audio|sticker|gif|document|contact card|bild|dokument|kontaktkarte|imagen|documento|vídeo|vidéo"
    r"|áudio|imagem|figurinha|tarjeta de contacto|immagine|afbeelding|contactkaart|fiche contact|message vocal"
    r"|video note) (?:omitted|weggelassen|ausgelassen|omitid[oa]|absente?|omise?|ocultad[oa]|omess[oa]|non inclus[oa]"
    r"|weggelaten)\.?"
)
_GONE = (
    r"(?:this message was deleted|you deleted this message|diese nachricht wurde gelöscht|du hast diese nachricht "
    r"gelöscht|se eliminó este mensaje|eliminaste este mensaje|ce message a été supprimé|vous avez supprimé ce message"
    r"|mensagem apagada|questo messaggio è stato eliminato|dit bericht is verwijderd|null|missed (?:voice|video) call"
    r"|waiting for this message.{0,80})\.?"
)
_ATTACHED = (
    r"(?:IMG|VID|PTT|AUD|STK|DOC|PHOTO|VIDEO|AUDIO)-\d{8}-WA\d+\.\w{2,5}(?: \(.{1,40}\))?"
    r"|.{1,200} \((?:file attached|datei angehängt|archivo adjunto|fichier joint|arquivo anexado|file allegato"
    r"|bestand bijgevoegd|файл добавлен)\)"
)
_PLACE = r"[\w ]{0,20}:? ?https://maps\.(?:google|apple)\.com/\?q=\S*"
_ENCRYPTED = r".{0,80}(?:end-to-end encrypted|ende-zu-ende-verschlüsselt|cifrados de extremo a extremo).*"
_NOT_SAID = re.compile("|".join((_OMITTED, _GONE, _ATTACHED, _PLACE, _ENCRYPTED)), re.IGNORECASE)
_OMITTED_FILE = re.compile(_OMITTED, re.IGNORECASE)
_EDITED = re.compile(r"edited|bearbeitet|modifi|editó|editad|editou|modificat|bewerkt|изменен", re.IGNORECASE)


class Message(NamedTuple):
    """One message, as it was written; `text` may have several lines, and none where only media were sent."""

    speaker: str
    text: str


@dataclass(frozen=True)
class Chat:
    """A recognised export.

    Attributes:
        messages: those that have words, in order.
        dropped: lines that are WhatsApp's own: notices, and the places of photos and files.
    """

    messages: tuple[Message, ...]
    dropped: int

    @property
    def speakers(self) -> tuple[str, ...]:
        """Who speaks, in order of appearance."""
        return tuple(dict.fromkeys(message.speaker for message in self.messages))


@dataclass(frozen=True)
class Cleaned:
    """A chat as a text to train on, and what was done to it, for a preview before anything is kept.

    Attributes:
        text: "Anna: text", one message after the other; no stamps, no notices, addresses masked. Its notes say so.
        messages, speakers: how many.
        phones, emails: how many different ones were masked.
        dropped: lines left out.
    """

    text: Text
    messages: int
    speakers: int
    phones: int
    emails: int
    dropped: int

    def preview(self, lines: int = 12) -> str:
        """The first lines of the text."""
        return "\n".join(islice(self.text.content.split("\n", lines), lines))


def recognise(content: str) -> Chat | None:
    """The chat that `content` is an export of, or None where it is any other text."""
    lines = content.replace("\r\n", "\n").split("\n")
    is_marked = "\u200e" in content
    top = islice((line for line in lines if line.strip()), TOP_LINES)
    if not any(_stamped(line, is_marked) is not None for line in top):
        return None
    entries = list(_entries(lines, is_marked))
    said = [(speaker, text) for speaker, text in entries if speaker]
    if not _is_conversation(said) or 4 * len(said) < len(entries) or _is_log(said):
        return None
    return _without_notices(entries)


def cleaned(chat: Chat, text: Text) -> Cleaned:
    """The chat without stamps, notices and addresses.

    Args:
        chat: what `recognise` made of the content.
        text: the text that was given; its name and notes are kept.

    Raises:
        TextError: no words are left.
    """
    masks = Masks()
    if not chat.messages:
        raise TextError("This chat has no words once its notices and media are left out. Export another one.")
    content = masks.apply("\n".join(f"{_shown(speaker, masks)}: {said}" for speaker, said in chat.messages)) + "\n"
    check_trainable(content)
    found = Cleaned(
        text=dataclasses.replace(text, content=content, builtin=False),
        messages=len(chat.messages),
        speakers=len(chat.speakers),
        phones=len(masks.phones),
        emails=len(masks.emails),
        dropped=chat.dropped,
    )
    return dataclasses.replace(found, text=dataclasses.replace(found.text, notes=(*text.notes, *_notes(found))))


def _notes(found: Cleaned) -> Iterator[str]:
    yield (
        f"Read as a WhatsApp chat: {count_of(found.messages, 'message')} of {count_of(found.speakers, 'speaker')}, "
        f"without dates and times; {count_of(found.dropped, 'line')} of notices and media left out."
    )
    if found.phones or found.emails:
        yield addresses_note(found.phones, found.emails)


def _shown(speaker: str, masks: Masks) -> str:
    return masks.phone(speaker) if is_phone(speaker) else speaker


# From lines to messages


def _stamped(line: str, is_marked: bool) -> str | None:
    """What follows a line's stamp, or None where it has none."""
    if len(line) < 10 or not (line[0].isdecimal() or line[0] in _MARKS or line[0] == "["):
        return None
    head = line[:80].translate(_WITHOUT_MARKS)  # marks stand around the numbers of some languages
    stamp = _STAMP.match(head)
    if stamp is None or (_is_of_log(stamp) and not is_marked):
        return None
    return line[stamp.end() if line.startswith(head) else _length_with_marks(line, stamp.end()) :]


def _length_with_marks(line: str, length: int) -> int:
    """Where the first `length` characters that are no marks end."""
    for position, character in enumerate(line):
        length -= character not in _MARKS
        if length == 0:
            return position + 1
    return len(line)


def _is_of_log(stamp: re.Match[str]) -> bool:
    """[2023-12-31 21:05:33] stands before many a line that no person wrote."""
    date = stamp["date"] or ""
    return "-" in date[4:5] and stamp["seconds"] is not None and not stamp["between"].strip()


def _entries(lines: Iterable[str], is_marked: bool) -> Iterator[tuple[str, str]]:
    """(speaker, text) of each message, in whole lines; the speaker is "" where WhatsApp speaks, or before the first."""
    speaker, parts = "", list[str]()
    for line in lines:
        rest = _stamped(line, is_marked)
        if rest is None:
            parts.append(line)
            continue
        if any(parts) or speaker:
            yield speaker, "\n".join(parts)
        speaker, said = _parted(rest)
        parts = [said]
    yield speaker, "\n".join(parts)


def _parted(rest: str) -> tuple[str, str]:
    """Speaker and text of what follows a stamp; the speaker is "" where there is none."""
    end = rest.find(": ", 0, LONGEST_NAME)
    if end < 0 and rest.endswith(":"):
        end = len(rest) - 1
    name = rest[: max(0, end)].translate(_WITHOUT_MARKS).removeprefix("~").strip()
    if not name or len(name) > LONGEST_NAME or _is_notice(name):
        return "", rest
    return name, rest[end + 2 :]


def _is_notice(name: str) -> bool:
    """Whether this is no name but the beginning of a notice: Anna changed the subject to "Rome: the trip"."""
    has_open_quote = len(_QUOTE.findall(name)) % 2 == 1
    return has_open_quote or _TIME_OF_DAY.match(name) is not None


# What is a chat, and what in it is not said by anybody


def _is_conversation(said: list[tuple[str, str]]) -> bool:
    """Whether people speak, and some of them again."""
    return len(said) >= MIN_MESSAGES and len({speaker for speaker, _ in said}) <= 1 + len(said) // 2


def _is_log(said: list[tuple[str, str]]) -> bool:
    """Whether programs speak."""
    loud = sum(bool(_LOG.search(speaker) or _PROCESS.match(speaker) or _LOG.match(text)) for speaker, text in said)
    return loud > LOG_SHARE * len(said)


def _without_notices(entries: list[tuple[str, str]]) -> Chat:
    messages, dropped = [], 0
    for speaker, text in entries:
        lines = text.rstrip("\n").split("\n")
        words = [_words(line) for line in lines] if speaker else []
        kept = [line for line in words if line is not None]
        if any(kept):
            messages.append(Message(speaker, "\n".join(kept).strip("\n")))
            dropped += len(lines) - len(kept)
        else:
            dropped += len(lines)
    return Chat(tuple(messages), dropped)


def _words(line: str) -> str | None:
    """What a person wrote in a line of a message; None where the line is WhatsApp's."""
    start = line.lstrip(" ")
    if start.startswith("\u200e"):
        return None
    line = _without_ending(line).translate(_WITHOUT_MARKS).rstrip()
    whole = line.strip()
    return None if _is_placeholder(whole) or _NOT_SAID.fullmatch(whole) else line


def _without_ending(line: str) -> str:
    """The line without "<This message was edited>" and "<attached: ...>" at its end."""
    whole = line.rstrip(" " + _MARKS)
    if whole.endswith(">"):
        begin = whole.rfind("<")
        inner, is_own = whole[begin + 1 : -1], whole[begin - 1 : begin] == "\u200e"
        if begin > 0 and len(inner) <= 120 and (is_own or _EDITED.search(inner)):
            return whole[:begin]
    begin = whole.rfind("\u200e")
    if begin > 0 and _OMITTED_FILE.fullmatch(whole[begin + 1 :]):  # "Report.pdf • 4 pages document omitted"
        return "" if "•" in whole else whole[:begin]
    return line


def _is_placeholder(line: str) -> bool:
    """<Media omitted>, in any language: words in pointed brackets, and nothing else."""
    inner = line[1:-1]
    is_bracketed = 4 <= len(inner) <= 60 and line[0] == "<" and line[-1] == ">" and not set("<>/=") & set(inner)
    return is_bracketed and (" " in inner or not inner.isascii())
