"""Phone numbers and e-mail addresses go, each to a mask of its own; what is ordinary in a text stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.corpora import Text
from rnn.masking import Masks, is_phone, masked, without_addresses

PHONES = [
    "+49 151 2345678", "+4915123456789", "(+49) 151 2345678", "+49 (0)151 23456789", "+1 (555) 123-4567",
    "+86 138 1234 5678", "+30 210 1234560", "+49\u00a0151\u202f2345678", "0151 2345678", "0151\u20112345678",
    "0151/23456789", "015123456789", "0049 151 2345678", "(030) 1234-567", "030 / 123 45 67", "0800 330 1000",
    "010-1234-5678", "06 12 34 56 78", "06.12.34.56.78", "12 34 56 78", "612 345 678", "98765 43210", "555-1234",
    "555.123.4567", "1-800-555-1234", "٠١٥١ ٢٣٤٥٦٧٨",
]  # fmt: skip
ORDINARY = [
    "2,000,000", "+2,000,000", "2.000.000", "2 000 000", "12 500 000", "1,234.56", "1.234.567,89", "612 345 678 €",
    "$1 234 567", "€ 1 234 567", "1 234 567 kr", "2024-05-01", "2024-05-01 12:30", "2024-05-01T12:30:00.123456789",
    "31.12.2023, 21:05", "31.12.23", "12/31/2023", "31 12 2023", "01 05 2024", "12.05.-15.05.2024", "12-15.05.2024",
    "24/12/2023 18/12/2023", "2023-2024", "1914-1918", "1985 1990 2000", "0900-1730", "21.05-22.30", "5:30 6:30 7:30",
    "12:30", "10 20 30 40", "100 200 300", "1200-1500", "1 2 3 4 5 6 7 8", "6-4 6-3 7-5", "04 12 23 35 41 49",
    "3.1415926535", "0,0123456789", "52.520008 13.404954", "192.168.178.100", "10.0.19045.3803",
    "978-3-16-148410-0", "4111 1111 1111 1111", "550e8400-e29b-41d4-a716-446655440000", "1704067200", "#1234567",
    "https://example.org/2023-1234567", "logo@2x.png", "@anna", "anna@localhost", "12345",
]  # fmt: skip


@pytest.mark.parametrize("phone", PHONES)
def test_phone_numbers_of_many_countries_are_masked(phone: str) -> None:
    for before, after in (("", ""), ("Call ", ", please."), ("Tel.:", " 😀"), ("31.12.2023 ", " 12:30")):
        assert masked(before + phone + after) == (f"{before}[phone 1]{after}", 1, 0)


@pytest.mark.parametrize("content", ORDINARY)
def test_dates_times_prices_and_lists_are_no_phone_numbers(content: str) -> None:
    assert masked(content) == (content, 0, 0)
    assert masked(f"It was {content} then.") == (f"It was {content} then.", 0, 0)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("Write to anna@example.org.", "Write to [email 1]."),
        ("<a.b+c@web-mail.co.uk>", "<[email 1]>"),
        ("jürgen@münchen.example", "[email 1]"),
        ("Anna@Example.org anna@example.org ben@example.org", "[email 1] [email 1] [email 2]"),
        ("0151.2345678@example.org", "[email 1]"),
    ],
)
def test_email_addresses_are_masked(content: str, shown: str) -> None:
    assert masked(content).text == shown


def test_mentions_and_links_are_phone_numbers_without_a_plus() -> None:
    found = masked("@4915123456789 https://wa.me/4915123456789 ?phone=+4915123456789")
    assert found == ("@[phone 1] https://wa.me/[phone 1] ?phone=[phone 1]", 1, 0)


def test_one_number_has_one_mask_however_it_is_written() -> None:
    content = "0151 2345678 0160 9876543, +49 151 2345678, +49 (0)151/2345678"
    assert masked(content) == ("[phone 1] [phone 2], [phone 1], [phone 1]", 2, 0)


def test_masks_go_on_counting_from_text_to_text() -> None:
    masks = Masks()
    assert masks.apply("a@example.org") == "[email 1]"
    assert masks.apply("b@example.org a@example.org") == "[email 2] [email 1]"


@pytest.mark.parametrize(
    ("name", "expected"), [("+49 151 2345678", True), ("4915123456789", True), ("Anna", False), ("R2D2 1234567", False)]
)
def test_a_name_may_be_a_number(name: str, expected: bool) -> None:
    assert is_phone(name) == expected


def test_a_speech_can_be_masked_and_says_so() -> None:
    text = Text("speech", "Call 0151 2345678 or 555-1234, write to a@example.org\n", ("Read as UTF-8.",))
    found = without_addresses(text)
    assert (found.name, found.content) == ("speech", "Call [phone 1] or [phone 2], write to [email 1]\n")
    assert found.notes == ("Read as UTF-8.", "2 phone numbers and 1 e-mail address masked.")


def test_a_text_without_addresses_is_the_same_text() -> None:
    text = Text("hello", "hello", builtin=True)
    assert without_addresses(text) is text


@given(st.text(st.sampled_from("0123456789 +-./()@a,:\n")))
def test_masking_twice_changes_nothing_more(content: str) -> None:
    once = masked(content).text
    assert masked(once).text.count("[") == once.count("[")


@pytest.mark.parametrize(
    "unit",
    ["1 ", "+ ", "(", "+1", "1", "1.", "1-", "a@", "a.", "a", "@", "a@b ", "2024-01-01 ", "12:3", "0151 ", "1) ("],
)
def test_a_megabyte_of_anything_is_read_in_one_go(unit: str) -> None:
    """If a pattern went back and forth, this would not end."""
    content = unit * (1_000_000 // len(unit))
    assert len(masked(content).text) > 0
