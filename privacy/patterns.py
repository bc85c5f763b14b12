"""Finds what identifies a person or opens a door in a text, in time linear in its length.

Every pattern repeats possessively or a bounded number of times, so that matching cannot run away.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple


class Finding(NamedTuple):
    """A stretch `start:end` of a text, and what kind of thing it is."""

    start: int
    end: int
    kind: str


# Letters, digits and signs of the full-width block match as their plain forms, character for character.
_PLAIN = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3002: 0x2E, 0xFF61: 0x2E}
_GAP = r"[ .\-/\u00a0\u2010-\u2015\u202f]"

# What stands right behind something found may be hidden by it, and is found in a further pass.
_PASSES = 8

_LOCAL_PART = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]++")
_DOMAIN = re.compile(r"[\w-]++(?:\.[\w-]++)++")
_SPELLED_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}+\s{0,2}[(\[{]\s?(?:at|arroba|@)\s?[)\]}]\s{0,2}"
    r"[\w-]{1,63}+(?:\s{0,2}(?:\.|[(\[{]\s?(?:dot|punkt|point|punto|\.)\s?[)\]}])\s{0,2}[\w-]{1,63}+){1,5}",
    re.IGNORECASE,
)
_URL_LOGIN = re.compile(r"(?<=://)[^\s/?#@]++@")
_URL_VALUE = re.compile(r"(?<=[?&#;])([\w.-]{1,64}+)=(?!\[(?:[a-z]++-\d|\0))([^\s&#;]++)")
_SECRET_NAME = re.compile(r"token|key|secret|passw|pwd|sig|auth|session|code|credential|otp", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?<!\w)(?:(?:pass(?:word|wort|code|phrase)?|passwd|pwd|mot\sde\spasse|contrase[ñn]a|api[_ -]?key"
    r"|secret(?:[_ -]?key)?|access[_ -]?token|token|pin)\s{0,3}[:=]\s{0,3}(?!\[(?:[a-z]++-\d|\0))([^\s,;]{4,}+)"
    r"|(?:bearer|basic|api-key)\s{1,3}([\w.~+/=-]{12,}+))",
    re.IGNORECASE,
)
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]{0,40}KEY-----[A-Za-z0-9+/=\s]*+(?:-----END [A-Z ]{0,40}KEY-----)?")
_TOKEN = re.compile(r"(?<![\w+-])[\w+=.-]{16,}+")
_KNOWN_TOKEN = re.compile(
    r"(?:sk|pk|rk)[-_][\w-]{14,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}"
    r"|A[KS]IA[A-Z0-9]{12,}|AIza[\w-]{20,}|ya29\.[\w.-]{16,}|ags_\w{32,}|esp_\w{32,}|whsec_[\w+=-]{16,}"
    r"|SG\.[\w-]{10,}\.[\w-]{10,}|npm_\w{20,}|pypi-[\w-]{16,}|hf_\w{20,}|eyJ[\w-]{8,}\.[\w-]{4,}\.?[\w.-]*"
)
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
_CARD = re.compile(
    rf"[1-6](?<!\d\d)(?=((?:\d{{3}}{_GAP}\d{{4}}{_GAP}\d{{4}}{_GAP}\d{{1,7}}|\d{{3}}{_GAP}\d{{6}}{_GAP}\d{{4,5}}"
    rf"|\d{{12,18}})(?!\d)))"
)
_LONG_NUMBER = re.compile(rf"(?<!\d)\d(?:{_GAP}?\d){{19,}}+")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9])")
_IBAN_LENGTHS = {
    country: int(length)
    for length, countries in (
        pair.split(":")
        for pair in (
            "15:NO 16:BE 18:DK,FK,FI,FO,GL,NL,SD 19:MK,SI 20:AT,BA,EE,KZ,LT,LU,MN,XK 21:CH,HR,LI,LV "
            "22:BG,BH,CR,DE,GB,GE,IE,ME,RS,VA 23:AE,GI,IL,IQ,OM,SO,TL 24:AD,CZ,ES,MD,PK,RO,SA,SE,SK,TN,VG "
            "25:LY,PT,ST 26:IS,TR 27:BI,DJ,FR,GR,IT,MC,MR,SM 28:AL,AZ,BY,CY,DO,GT,HN,HU,LB,NI,PL,SV "
            "29:BR,EG,PS,QA,UA 30:JO,KW,MU 31:MT,SC 32:LC 33:RU"
        ).split()
    )
    for country in countries.split(",")
}
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)(?!\w)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:.]{3,}+")
_NO_DIGIT = re.compile(r"\D+")
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
_PHONE = re.compile(
    rf"(?<![\w+.])(?:"
    rf"\+\s?\(?\d(?:(?:{_GAP}|[()]){{0,3}}\d){{6,14}}"
    rf"|00{_GAP}?[1-9](?:(?:{_GAP}|[()]){{0,3}}\d){{7,13}}"
    rf"|\(?0[1-9]\d{{0,4}}\)?(?:(?:{_GAP}){{0,2}}\d){{7,10}}"
    rf"|(?:1{_GAP})?\(?[2-9]\d{{2}}\)?{_GAP}{{0,2}}\d{{3}}{_GAP}\d{{4}}"
    rf"|[2-9]\d{{9}}"
    rf")(?!\d)"
)


def find(text: str) -> list[Finding]:
    """Return what must not leave, in order; stretches that overlap are joined under the first kind's name."""
    plain = text.translate(_PLAIN)
    found: list[Finding] = []
    for _ in range(_PASSES):
        more = _found_in(plain)
        if not more:
            break
        found += more
        plain = _blanked(plain, joined(more))
    return joined(found)


def find_known(text: str, known: tuple[str, ...]) -> list[Finding]:
    """Return where words of `known` people stand: in full in any case, a part of a name where capitalised."""
    pattern = _known_pattern(known)
    if pattern is None:
        return []
    return [Finding(match.start(), match.end(), "name") for match in pattern.finditer(text)]


def joined(findings: list[Finding]) -> list[Finding]:
    """Return findings in order of place, those that overlap made one of the kind that was listed first."""
    merged: list[tuple[Finding, int]] = []
    for rank, finding in sorted(enumerate(findings), key=lambda one: (one[1].start, -one[1].end)):
        if not merged or finding.start >= merged[-1][0].end:
            merged.append((finding, rank))
            continue
        last, last_rank = merged[-1]
        kind = last.kind if last_rank <= rank else finding.kind
        merged[-1] = Finding(last.start, max(last.end, finding.end), kind), min(last_rank, rank)
    return [finding for finding, _ in merged]


def _found_in(plain: str) -> list[Finding]:
    return [
        finding
        for needed, detectors in _DETECTORS
        if needed.search(plain)
        for detector in detectors
        for finding in detector(plain)
    ]


def _blanked(plain: str, findings: list[Finding]) -> str:
    """Put a fence of the same length in place of what was found, as a placeholder will be."""
    pieces: list[str] = []
    done = 0
    for start, end, _ in findings:
        pieces += plain[done:start], "[" + "\0" * (end - start - 2) + "]" if end - start > 1 else "]"
        done = end
    return "".join([*pieces, plain[done:]])


def _known_pattern(known: tuple[str, ...]) -> re.Pattern[str] | None:
    values = {value.strip() for value in known if len(value.strip()) >= 2}
    if not values:
        return None
    parts = {word for value in values for word in re.findall(r"[^\W\d_]{3,}", value) if " " in value}
    exact = {form for word in parts for form in (word.capitalize(), word.upper())}
    choices = [f"(?i:{re.escape(value)})" for value in _longest_first(values)]
    choices += [re.escape(word) for word in _longest_first(exact)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(choices)})(?!\w)")


def _longest_first(words: set[str]) -> list[str]:
    return sorted(words, key=lambda word: (-len(word), word))


def _whole(pattern: re.Pattern[str], kind: str) -> Callable[[str], Iterator[Finding]]:
    def detector(text: str) -> Iterator[Finding]:
        return (Finding(match.start(), match.end(), kind) for match in pattern.finditer(text))

    return detector


def _checked(pattern: re.Pattern[str], kind: str, holds: Callable[[str], bool]) -> Callable[[str], Iterator[Finding]]:
    """Detect what the pattern's first group (or the whole of it) matches where `holds` agrees."""
    group = 1 if pattern.groups else 0

    def detector(text: str) -> Iterator[Finding]:
        for match in pattern.finditer(text):
            if holds(match[group]):
                yield Finding(match.start(group), match.end(group), kind)

    return detector


def _emails(text: str) -> Iterator[Finding]:
    floor = 0
    for at in re.finditer("@", text):
        local = _LOCAL_PART.match(text[floor : at.start()][::-1])
        domain = _DOMAIN.match(text, at.end())
        floor = at.end()
        if local and domain:
            floor = domain.end()
            yield Finding(at.start() - local.end(), floor, "email")


def _url_values(text: str) -> Iterator[Finding]:
    for match in _URL_VALUE.finditer(text):
        if _SECRET_NAME.search(match[1]):
            yield Finding(match.start(2), match.end(2), "secret")


def _assigned(text: str) -> Iterator[Finding]:
    for match in _ASSIGNED.finditer(text):
        yield Finding(*match.span(match.lastindex or 0), "secret")


def _ibans(text: str) -> Iterator[Finding]:
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2].upper())
        if length is None:
            continue
        whole = re.compile(rf"(?:[ -]?[A-Za-z0-9]){{{length - 4}}}(?![A-Za-z0-9])").match(text, match.end())
        if whole and _is_iban(text[match.start() : whole.end()]):
            yield Finding(match.start(), whole.end(), "iban")


def _is_iban(text: str) -> bool:
    compact = re.sub(r"[ -]", "", text).upper()
    if not compact.isascii():
        return False
    return int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1


def _digits(text: str) -> list[int]:
    return list(map(int, _NO_DIGIT.sub("", text)))


def _luhn(digits: list[int]) -> bool:
    doubled = sum(_DOUBLED[digit] for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + doubled) % 10 == 0


# The digits of a number's double, added up.
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def _cards(text: str) -> Iterator[Finding]:
    done = 0
    # A longer run of digits is taken out as a whole, whatever it holds.
    for match in _CARD.finditer(_LONG_NUMBER.sub(lambda run: " " * len(run[0]), text)):
        if match.start() < done:
            continue
        digits = _digits(match[0] + match[1])
        if 13 <= len(digits) <= 19 and _luhn(digits):
            done = match.end(1)
            yield Finding(match.start(), done, "card")


def _is_token(text: str) -> bool:
    """Tell a key from a long word: a known beginning, or letters and digits mixed as in no word."""
    if _KNOWN_TOKEN.match(text) or _HEX.fullmatch(text.rstrip(".")):
        return not text.isdigit()
    if len(text) < 24 or "." in text.rstrip(".") or not any(sign.isupper() for sign in text):
        return False
    digits = sum(sign.isdigit() for sign in text)
    turns = sum(one.isdigit() != other.isdigit() for one, other in pairwise(text))
    return digits >= 3 and turns >= 5 and any(sign.islower() for sign in text)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _ipv6(text: str) -> Iterator[Finding]:
    for match in _IPV6.finditer(text):
        written = match[0].rstrip(".")
        if written.count(":") < 2 or len(written) > 46:
            continue
        for candidate in (written, written.removesuffix(":")):
            if _is_ip(candidate) and (any(sign.isdigit() for sign in candidate) or len(candidate) > 6):
                yield Finding(match.start(), match.start() + len(candidate), "ip")
                break


def _is_phone(text: str) -> bool:
    return not _DATE.match(text) and len(_digits(text)) <= 15


def _is_dni(text: str) -> bool:
    number = text.upper().replace("-", "").replace(" ", "")
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number[:-1].translate(_NIE_FIRST)) % 23] == number[-1]


_NIE_FIRST = str.maketrans("XYZ", "012")


def _is_nir(text: str) -> bool:
    number = re.sub(r"\s", "", text).upper()
    for department, digits in (("2A", "19"), ("2B", "18")):
        if number[5:7] == department:
            number = number[:5] + digits + number[7:]
    return number.isdecimal() and 97 - int(number[:13]) % 97 == int(number[13:])


def _is_cpf(text: str) -> bool:
    digits = _digits(text)
    if len(set(digits)) == 1:
        return False
    return all(
        sum(digit * (size + 1 - place) for place, digit in enumerate(digits[:size])) * 10 % 11 % 10 == digits[size]
        for size in (9, 10)
    )


def _is_pesel(text: str) -> bool:
    digits = _digits(text)
    month = digits[2] * 10 + digits[3]
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    total = sum(digit * weight for digit, weight in zip(digits, weights, strict=True))
    return 1 <= month % 20 <= 12 and digits[4] < 4 and total % 10 == 0


def _is_german_tax_id(text: str) -> bool:
    digits = _digits(text)
    product = 10
    for digit in digits[:10]:
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return digits[0] != 0 and len(set(digits[:10])) < 10 and (11 - product) % 10 == digits[10]


def _is_swedish(text: str) -> bool:
    digits = _digits(text)[-10:]
    return 1 <= digits[2] * 10 + digits[3] <= 12 and _luhn(digits)


def _is_codice_fiscale(text: str) -> bool:
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    values = [int(sign) if sign.isdecimal() else ord(sign) - ord("A") for sign in text.upper()]
    total = sum(odd[value] for value in values[:15:2]) + sum(values[1:15:2])
    return total % 26 == values[15]


def _ids() -> Iterator[Callable[[str], Iterator[Finding]]]:
    """Yield a detector for each national number that has a check digit, or a form that nothing else has."""
    for pattern, holds in (
        (r"(?<!\w)(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?!\w)", None),
        (r"(?<!\w)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)", None),
        (r"(?<!\w)(?:\d{8}|[XYZxyz][- ]?\d{7})[- ]?[A-Za-z](?!\w)", _is_dni),
        (r"(?<!\w)[12]\s?\d{2}\s?\d{2}\s?(?:\d{2}|2[ABab])\s?\d{3}\s?\d{3}\s?\d{2}(?!\w)", _is_nir),
        (r"(?<!\w)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)", _is_cpf),
        (r"(?<!\w)\d{11}(?!\w)", _is_pesel),
        (r"(?<!\w)\d{2} ?\d{3} ?\d{3} ?\d{3}(?!\w)", _is_german_tax_id),
        (r"(?<!\w)(?:19|20)?\d{6}[-+]\d{4}(?!\w)", _is_swedish),
        (r"(?<!\w)[A-Za-z]{6}\d{2}[A-EHLMPR-Ta-ehlmpr-t]\d{2}[A-Za-z]\d{3}[A-Za-z](?!\w)", _is_codice_fiscale),
    ):
        compiled = re.compile(pattern)
        yield _checked(compiled, "id", holds) if holds else _whole(compiled, "id")


Detector = Callable[[str], Iterator[Finding]]

# What a text must contain for the detectors behind it, which in this order name a stretch that several find.
_DETECTORS: tuple[tuple[re.Pattern[str], tuple[Detector, ...]], ...] = (
    (re.compile("://|-----"), (_whole(_KEY_BLOCK, "secret"), _whole(_URL_LOGIN, "secret"))),
    (re.compile("@"), (_emails,)),
    (re.compile(r"[(\[{]"), (_whole(_SPELLED_EMAIL, "email"),)),
    (re.compile("="), (_url_values,)),
    (re.compile(""), (_assigned, _checked(_TOKEN, "secret", _is_token))),
    (re.compile("::|:[0-9A-Fa-f]"), (_ipv6,)),
    (
        re.compile(r"\d"),
        (
            _ibans,
            _cards,
            *_ids(),
            _checked(_IPV4, "ip", _is_ip),
            _checked(_PHONE, "phone", _is_phone),
            _whole(_LONG_NUMBER, "number"),
        ),
    ),
)
