"""What is taken out of a text before it leaves, and the way back to the exact words."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from privacy.patterns import find, find_known
from privacy.redact import Placeholders, redact

FOUND = [
    ("write to john.doe+news@ex-ample.co.uk.", "write to [email-1]."),
    ("ｊｏｈｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "[email-1]"),
    ("jörg@müller.de schrieb", "[email-1] schrieb"),
    ("john (at) example (dot) com", "[email-1]"),
    ("jo\u200bhn@ex\ufe0fample.com", "[email-1]"),
    ("call +49 (0)171 1234567 now", "call [phone-1] now"),
    ("call +1-415-555-2671", "call [phone-1]"),
    ("0049 30 901820", "[phone-1]"),
    ("(555) 234-5678 or 555.234.5678", "[phone-1] or [phone-1]"),
    ("06 12 34 56 78", "[phone-1]"),
    ("٠٥٠ ١٢٣ ٤٥٦٧ و +٩٦٦ ٥٠ ١٢٣ ٤٥٦٧", "٠٥٠ ١٢٣ ٤٥٦٧ و [phone-1]"),
    ("card 4111 1111 1111 1111", "card [card-1]"),
    ("card 4111-1111-1111-1111!", "card [card-1]!"),
    ("Amex 378282246310005", "Amex [card-1]"),
    ("Amex 3782 822463 10005", "Amex [card-1]"),
    ("order 12 4111 1111 1111 1111", "order 12 [card-1]"),
    ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [iban-1] please"),
    ("GB82WEST12345698765432", "[iban-1]"),
    ("from 192.168.10.1,", "from [ip-1],"),
    ("from 2001:db8:85a3::8a2e:370:7334.", "from [ip-1]."),
    ("https://bob:hunter2@example.com/x", "https://[secret-1]/x"),
    ("https://example.com/?page=2&access_token=abc.def", "https://example.com/?page=2&access_token=[secret-1]"),
    ("my key sk-proj-abcdefgh12345678 leaked", "my key [secret-1] leaked"),
    ("AKIAIOSFODNN7EXAMPLE", "[secret-1]"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP", "[secret-1]"),
    ("ags_" + "a1" * 16 + "_abc123", "[secret-1]"),
    ("digest 9e107d9d372bb6826bd81d3542a419d6", "digest [secret-1]"),
    ("Password: hunter2!", "Password: [secret-1]"),
    ("Authorization: Bearer abcdef123456", "Authorization: Bearer [secret-1]"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "[secret-1]"),
    ("SSN 123-45-6789", "SSN [id-1]"),
    ("DNI 12345678Z", "DNI [id-1]"),
    ("NIE X1234567L", "NIE [id-1]"),
    ("NIR 1 85 05 78 006 084 91", "NIR [id-1]"),
    ("codice RSSMRA85T10A562S", "codice [id-1]"),
    ("CPF 111.444.777-35", "CPF [id-1]"),
    ("PESEL 44051401359", "PESEL [id-1]"),
    ("Steuer-ID 86 095 742 719", "Steuer-ID [id-1]"),
    ("personnummer 811218-9876", "personnummer [id-1]"),
    ("NINO AB 12 34 56 C", "NINO [id-1]"),
    ("number 12345678901234567890123", "number [number-1]"),
]
LEFT = [
    "Version 10.0.19045.3803 crashes at 10:30:45 on 2024-01-15 10:30",
    "01.02.2024 and 31/12/2024 and 2024-12-31T23:59:59",
    "I paid 1,299.00 EUR for 3 seats, order 4711-0815, ticket #123456",
    "card 4111 1111 1111 1112 is not a card",
    "GB82WEST12345698765431 is no IBAN, 999.1.1.1 no address",
    "internationalization_of_everything and Donaudampfschifffahrtsgesellschaft",
    "std::vector and a::b, @mention, user@host, C:\\temp",
    "My password is not accepted; the API key page is slow",
    "The year 1984, 100 000 rows, 50 % faster, iPhone 15 Pro Max 256GB",
]


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_what_identifies_or_opens_is_replaced(text: str, expected: str) -> None:
    assert redact(text).text == expected


@pytest.mark.parametrize("text", LEFT)
def test_what_only_looks_similar_is_left(text: str) -> None:
    assert redact(text).text == text


def test_known_names_are_replaced_in_full_and_in_their_parts() -> None:
    redaction = redact("Jane van Dyke here. JANE again; dyke walls, Mrs Dyke, jane van dyke.", known=["Jane van Dyke"])
    assert redaction.text == "[name-1] here. [name-2] again; dyke walls, Mrs [name-3], [name-1]."
    assert redaction.counts == {"name": 4}


def test_one_value_has_one_name_across_texts_that_share_them() -> None:
    names = Placeholders()
    first = redact("a@b.org and c@d.org", placeholders=names)
    second = redact("C@D.ORG then a@b.org", placeholders=names)
    assert first.text == "[email-1] and [email-2]"
    assert second.text == "[email-2] then [email-1]"


def test_what_nobody_sees_is_dropped_and_offsets_still_lead_back() -> None:
    text = "Nice\U000e0049\U000e0067 app\u200b! ❤\ufe0f mail a\u200b@b.org now\u2060"
    redaction = redact(text)
    assert redaction.text == "Nice app! ❤ mail [email-1] now"
    for word, original in [("Nice", "Nice"), ("app!", "app\u200b!"), ("now", "now"), ("❤", "❤")]:
        start = redaction.text.index(word)
        begin, end = redaction.original(start, start + len(word))
        assert text[begin:end] == original
    start = redaction.text.index("[email-1]")
    begin, end = redaction.original(start, start + 3)
    assert text[begin:end] == "a\u200b@b.org"


PIECES = st.sampled_from(
    [text for text, _ in FOUND]
    + LEFT
    + [
        "[email-1]",
        "[secret-1]",
        "token=",
        "?key=",
        "@",
        "+",
        "(",
        "\u200b",
        "\U000e0041",
        " ",
        "\n",
        "a.b",
        "0",
        "DE89 ",
    ]
)
TEXTS = st.one_of(
    st.lists(PIECES, max_size=6).map("".join),
    st.text(st.sampled_from("ab1 0.@:+-()[]/?=&#\u200b٣e"), max_size=40),
    st.text(max_size=60),
)


@given(TEXTS)
@settings(max_examples=400, deadline=None)
@example("password: [secret-1]")
@example("a@b.co@c.de")
def test_nothing_that_is_found_survives(text: str) -> None:
    redacted = redact(text, known=["Jane Doe"]).text
    assert [redacted[found.start : found.end] for found in find(redacted)] == []
    assert find_known(redacted, ("Jane Doe",)) == []
    assert redact(redacted, known=["Jane Doe"]).text == redacted


@given(TEXTS, st.data())
@settings(max_examples=400, deadline=None)
def test_offsets_lead_back_to_the_same_words(text: str, data: st.DataObject) -> None:
    redaction = redact(text)
    size = len(redaction.text)
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    begin, stop = redaction.original(start, end)
    assert 0 <= begin <= stop <= len(text)
    again = redact(text[begin:stop], placeholders=Placeholders()).text
    if not any(edit.words for edit in redaction.edits):
        assert again == redaction.text[start:end]
    outside = [edit for edit in redaction.edits if edit.words and not (begin <= edit.start and edit.end <= stop)]
    assert all(edit.end <= begin or stop <= edit.start for edit in outside)


@given(st.lists(PIECES, max_size=5))
@settings(max_examples=100, deadline=None)
def test_the_whole_text_can_be_put_together_again(pieces: list[str]) -> None:
    text = "".join(pieces)
    redaction = redact(text)
    rebuilt: list[str] = []
    place = 0
    for edit in redaction.edits:
        rebuilt += redaction.text[place : edit.place], text[edit.start : edit.end]
        place = edit.place + len(edit.words)
    assert "".join([*rebuilt, redaction.text[place:]]) == text


HOSTILE = [
    "a", "@", "a@", "a@b.", "a.", "1", "1 ", "1111 ", "1.", "1-", "+1", "+", "(", "(0", "://", "://a", "?a=", "?key=",
    "?" + "token" * 10, "f:", "::", "0f", "DE89", "DE89 ", "-----BEGIN KEY-----", "password:", "pass ", "bearer  ",
    "Ab1", "Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1 ", "a (at) ", "a (at) b.", "\u200ba", " ", "00", "0 ", "555-123-4567 ",
    "123-45-678", "4111 1111 1111 1111 ", "4444 ", "a@b.co ", "1234567890123 ", "[email-1]", "Jane Doe ",
]  # fmt: skip


@pytest.mark.parametrize("bait", HOSTILE)
def test_time_grows_with_the_length_and_no_faster(bait: str) -> None:
    def seconds(length: int) -> float:
        text = (bait * (length // len(bait) + 1))[:length]
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            redact(text, known=["Jane Doe"])
            best = min(best, time.process_time() - started)
        return best

    assert seconds(100_000) < 2
    assert seconds(50_000) < 2.5 * seconds(25_000) + 0.01
