"""Phone numbers and e-mail addresses in a text, put out of sight before a model can learn them by heart.

The same number gets the same mask wherever it stands, so that a text stays readable: [phone 1], [email 1]. What is
ordinary in a message is left alone: dates, times, prices, years, decimals, lists of numbers. It takes linear time.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, pairwise, takewhile
from typing import NamedTuple

from rnn.corpora import Text, count_of

MIN_DIGITS, MAX_DIGITS = 7, 15  # of a phone number (E.164 has at most 15)
SAME_DIGITS = 9  # at the end: 0151 2345678 and +49 151 2345678 are one number
CURRENCY = "€$£¥₹₽₺₩¢"
CURRENCY_WORDS = ("eur", "usd", "gbp", "chf", "kr", "zł", "zl", "dollar", "euro", "rs", "rub", "%")
FILES = ("png", "jpg", "jpeg", "gif", "webp", "svg")  # logo@2x.png

_SPACE = "[ \u00a0\u202f]"
_HYPHEN = "[-\u2010\u2011\u2013/]"

# Possessive quantifiers (++, *+) never go back, and no match can begin in the middle of a word that was tried before.
_EMAIL = re.compile(r"(?<![\w.%+\-])[\w.%+\-]++@(?P<domain>[\w\-]++(?:\.[\w\-]++)++)")


def _date(separator: str) -> str:
    """A pattern for 31.12.2023 and 2023-12-31; `separator` names its group."""
    short = rf"\d{{1,2}}(?P<{separator}>[./\-])\d{{1,2}}(?P={separator})(?:\d{{4}}|\d{{2}})"
    return rf"(?:{short}|\d{{4}}-\d\d-\d\d|\d{{4}}/\d\d/\d\d)(?![./\-]?\d)"


_GAP = rf"(?:{_SPACE}?\({_SPACE}?|\){_SPACE}?{_HYPHEN}?{_SPACE}?|{_SPACE}?{_HYPHEN}{_SPACE}?|\.|{_SPACE}{{1,2}})"
_NO_DATE = rf"(?:(?<!{_SPACE})|(?!{_date('inner')}))"
_NUMBER = re.compile(
    r"(?:(?<=@)|(?<=wa\.me/)|(?<=phone=))(?P<bare>\+?\d{7,15}+)(?!\w)"
    rf"|(?<![\w\-/=#&?%+])(?<!\d,)(?:{_date('outer')}"
    rf"|(?P<number>(?P<plus>\(?\+)?\(?\d++(?!:\d)(?:{_GAP}{_NO_DATE}\d++(?!:\d))*+))"
)
_DIGITS = re.compile(r"\d+")
_ONLY_NUMBER = re.compile(r"[\d\s+()./\u2010\u2011\-]+")


class Masked(NamedTuple):
    """A text without addresses, and how many different phone numbers and e-mail addresses it had."""

    text: str
    phones: int
    emails: int


def masked(content: str) -> Masked:
    """`content` with every phone number and e-mail address replaced by a numbered mask."""
    masks = Masks()
    return Masked(masks.apply(content), len(masks.phones), len(masks.emails))


def without_addresses(text: Text) -> Text:
    """The same text with its phone numbers and e-mail addresses masked, and a note that says how many there were."""
    found = masked(text.content)
    if found.text == text.content:
        return text
    return dataclasses.replace(
        text, content=found.text, notes=(*text.notes, addresses_note(found.phones, found.emails)), builtin=False
    )


def addresses_note(phones: int, emails: int) -> str:
    """`2 phone numbers and 1 e-mail address masked.`"""
    return f"{count_of(phones, 'phone number')} and {count_of(emails, 'e-mail address', 'es')} masked."


@dataclass
class Masks:
    """The masks given so far, by the digits of a number and the address in lower case."""

    phones: dict[str, str] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)

    def apply(self, content: str) -> str:
        """`content` with its addresses masked."""
        if "@" in content:
            content = _EMAIL.sub(self._email, content)
        return _NUMBER.sub(self._numbers, content)

    def phone(self, number: str) -> str:
        """The mask of a phone number."""
        digits = "".join(_DIGITS.findall(number))
        if not digits.isascii():
            digits = "".join(str(unicodedata.decimal(c)) for c in digits)
        return self.phones.setdefault(digits[-SAME_DIGITS:], f"[phone {len(self.phones) + 1}]")

    def _email(self, found: re.Match[str]) -> str:
        last = found["domain"].rpartition(".")[2].lower()
        if last.isdigit() or last in FILES:
            return found[0]
        return self.emails.setdefault(found[0].lower(), f"[email {len(self.emails) + 1}]")

    def _numbers(self, found: re.Match[str]) -> str:
        if found["bare"]:
            return self.phone(found["bare"])
        run = found["number"]
        if run is None or len(run) < MIN_DIGITS or _is_glued(found):
            return found[0]
        shown, end = [], 0
        phones = _known_phones if len(run) <= 3 * MAX_DIGITS else _phones
        for start, stop in phones(run, bool(found["plus"])):
            shown += [run[end:start], self.phone(run[start:stop])]
            end = stop
        return "".join(shown) + run[end:]


def is_phone(name: str) -> bool:
    """Whether a name is nothing but a phone number."""
    is_number = _ONLY_NUMBER.fullmatch(name) is not None
    return is_number and MIN_DIGITS <= sum(c.isdecimal() for c in name) <= MAX_DIGITS


def _is_glued(found: re.Match[str]) -> bool:
    """Whether the digits are part of a word or the amount of something, by what stands around them."""
    content, start, end = found.string, found.start(), found.end()
    before, after = content[max(0, start - 2) : start].rstrip(), content[end : end + 8].lstrip(" \u00a0\u202f").lower()
    if before[-1:] and before[-1] in CURRENCY:
        return True
    if content[end : end + 1].isalnum() or content[end : end + 1] == "_" or re.match(r",\d", content[end : end + 2]):
        return True
    return after[:1] in tuple(CURRENCY) or re.match(r"\w+|%|", after)[0] in CURRENCY_WORDS  # type: ignore[index]


@lru_cache(maxsize=1024)
def _known_phones(run: str, has_plus: bool) -> tuple[tuple[int, int], ...]:
    """`_phones`, remembered: the numbers of those who speak stand in every line."""
    return tuple(_phones(run, has_plus))


def _phones(run: str, has_plus: bool) -> Iterator[tuple[int, int]]:
    """Start and end of each phone number in a run of digits and the gaps between them."""
    groups = [(m.start(), m.end()) for m in _DIGITS.finditer(run)]
    first = 0
    for last in range(1, len(groups) + 1):
        if last == len(groups) or _begins_anew(run, groups, first, last):
            part = groups[first:last]
            if (kept := _longest(run, part, has_plus and first == 0)) is not None:
                begin = part[0][0]
                while begin > 0 and run[begin - 1] in "(+" and (first == 0 or begin > groups[first - 1][1]):
                    begin -= 1
                yield begin, kept
            first = last


def _begins_anew(run: str, groups: list[tuple[int, int]], first: int, last: int) -> bool:
    """Whether a second number follows: 0151 2345678 0160 9876543."""
    start, end = groups[last]
    return run[start] == "0" and end - start >= 3 and groups[last - 1][1] - groups[first][0] >= MIN_DIGITS + 1


def _longest(run: str, groups: list[tuple[int, int]], has_plus: bool) -> int | None:
    """Where the phone number ends that these groups of digits are, or None if they are something else."""
    if has_plus:  # whatever number of the sentence follows is none of its digits
        sizes = accumulate(end - start for start, end in groups)
        groups = groups[: sum(1 for _ in takewhile(MAX_DIGITS.__ge__, sizes))]
    parts = [run[start:end] for start, end in groups]
    gaps = [run[a[1] : b[0]] for a, b in pairwise(groups)]
    return groups[-1][1] if parts and _is_phone(parts, gaps, has_plus) else None


def _is_phone(parts: list[str], gaps: list[str], has_plus: bool) -> bool:
    sizes = [len(part) for part in parts]
    if not MIN_DIGITS <= sum(sizes) <= MAX_DIGITS or _is_amount(parts, gaps):
        return False
    if has_plus:
        return True
    if _is_list(parts) or _is_date(parts):
        return False
    has_zero = parts[0][0] == "0"  # of a national number; 00 of an international one
    if len(parts) == 1:
        return has_zero and parts[0][:3] != "000" and sizes[0] >= 10
    if "." in gaps:
        return set(gaps) == {"."} and len(parts) > 2 and ((has_zero and sizes[0] > 1) or sizes == [3, 3, 4])
    if any("/" in gap for gap in gaps):
        return has_zero
    if has_zero:
        return len(parts) <= 6 and sizes[0] > 1 and (set(sizes) != {2} or len(sizes) == 5)
    if set(sizes) == {2}:
        return len(sizes) == 4
    return len(parts) <= 5 and min(sizes[1:]) > 1 and (sizes[0] > 1 or sizes in ([1, 3, 3, 4], [1, 3, 4]))


def _is_amount(parts: list[str], gaps: list[str]) -> bool:
    """2.000.000, 2 000 000, 3.14159265"""
    if gaps == ["."] and (parts[0][0] != "0" or len(parts[0]) == 1):
        return True
    is_grouped = bool(gaps) and len(parts[0]) <= 3 and all(len(part) == 3 for part in parts[1:])
    return is_grouped and (set(gaps) == {"."} or parts[-1] == "000")


def _is_list(parts: list[str]) -> bool:
    """10 20 30 40, 2023-2024, 0900-1730: round numbers, years and times of day."""
    if len(parts) == 1:
        return False
    if parts[0][0] != "0" and all(part[-1] == "0" for part in parts):
        return True
    return all(len(part) == 4 and _is_year_or_time(int(part)) for part in parts)


def _is_year_or_time(number: int) -> bool:
    return 1000 <= number <= 2100 or (number < 2400 and number % 100 < 60)


def _is_date(parts: list[str]) -> bool:
    """31 12 2023, 2023 12 31"""
    if [len(part) for part in parts] not in ([2, 2, 4], [4, 2, 2]):
        return False
    return all(1 <= int(part) <= 31 for part in parts if len(part) == 2)
