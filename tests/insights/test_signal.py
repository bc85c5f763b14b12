"""What says nothing is told apart from what says little."""

import pytest

from insights.analyst import SetAside
from insights.local.signal import no_signal


@pytest.mark.parametrize(
    "text",
    ["asdf qwer", "sdkfjh skdjfh", "aaaaaaaa", "hjkl", "gfdgdf", "xzqw vbnrt plok", "fsdfsd fdsfsd dfgdfg"],
)
def test_letters_that_are_no_words_are_gibberish(text: str) -> None:
    assert no_signal(text) is SetAside.GIBBERISH


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_nothing_at_all_is_empty(text: str) -> None:
    assert no_signal(text) is SetAside.EMPTY


@pytest.mark.parametrize("text", ["....", "👍👍", "10/10", "???", "12.5"])
def test_marks_and_numbers_alone_are_low_signal(text: str) -> None:
    assert no_signal(text) is SetAside.LOW_SIGNAL


@pytest.mark.parametrize(
    "text",
    [
        "login broken",
        "ok",
        "Rindfleischetikettierung",
        "Angstschweiß",
        "Wszystko działa dobrze",
        "我喜欢",
        "Не работает",
        "لا يعمل",
        "Bluetooth GPS SSO API",
        "pls fix thx",
        "Error 502 on /api/v1/items",
    ],
)
def test_words_of_any_language_may_say_something(text: str) -> None:
    assert no_signal(text) is None
