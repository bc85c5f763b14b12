"""Names of insights: short, about what the evidence is about, nobody's own sentence, and no two alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.analyst import Kind
from insights.local.titles import MAX_LENGTH, title_for
from insights.local.words import words_of

SYNC = [
    "Sync with my watch fails after the update",
    "It no longer syncs since the last update",
    "watch sync broken after update",
]


def test_a_bug_is_named_after_what_fails_how_and_since_when() -> None:
    assert title_for(Kind.BUG, SYNC).title == "Sync not working after update"


@pytest.mark.parametrize(
    ("kind", "statements", "expected"),
    [
        (Kind.FEATURE_REQUEST, ["Please add dark mode", "a dark theme would be nice"], "Dark mode requested"),
        (
            Kind.FEATURE_REQUEST,
            ["I wish I could delete photos", "let us delete several pictures at once"],
            "Ability to delete photos",
        ),
        (Kind.BUG, ["it crashes", "keeps crashing here", "the app crashed"], "App crashing"),
        (Kind.BUG, ["please fix it", "so many glitches", "still has some odd issues"], "Bugs to be fixed"),
        (Kind.BUG, ["the new update is buggy", "problems since this update"], "Problems with app update"),
        (Kind.TAKEAWAY, ["I cannot recommend it", "would not recommend this to anybody"], "Overall verdict"),
        (Kind.COMPLAINT, ["way too expensive", "costs too much"], "Price considered too high"),
        (Kind.PAIN_POINT, ["very slow to load", "so slow"], "App feels slow"),
        (Kind.BRAND, ["Slack", "Slack"], "Slack named by customers"),
        (Kind.BRAND, ["Google Calendar"], "Google Calendar named by customers"),
        (
            Kind.TAKEAWAY,
            ["Uninstalled because of ads", "deleting this app, the ads are awful"],
            "Uninstalling over ads",
        ),
        (Kind.LOVED_FEATURE, ["love the widget", "the widget is great"], "Widget praised"),
    ],
)
def test_a_name_says_what_it_is_about_and_what_is_said(kind: Kind, statements: list[str], expected: str) -> None:
    assert title_for(kind, statements).title == expected


@pytest.mark.parametrize(
    ("kind", "statements", "expected"),
    [
        (Kind.FEATURE_REQUEST, ["Il manque un mode sombre", "J'aimerais un mode nuit"], "Mode sombre"),
        (Kind.BUG, ["Der Login geht nicht mehr", "Anmeldung funktioniert nicht"], "Anmeldung"),
        (Kind.BUG, ["No cargan las fotos", "las fotos no cargan"], "Fotos"),
        (Kind.BUG, ["L'altimètre est faux", "mon altimètre affiche faux depuis hier"], "Altimètre"),
    ],
)
def test_other_languages_are_named_in_their_own_words(kind: Kind, statements: list[str], expected: str) -> None:
    assert expected in title_for(kind, statements).title


def test_the_name_is_named_by_at_least_half_of_the_evidence() -> None:
    statements = ["the barometer is off", "my barometer shows nonsense", "barometer stuck", "the strap broke"]
    assert "barometer" in title_for(Kind.BUG, statements).title.lower()


def test_a_name_says_nothing_that_a_third_of_the_evidence_does_not_say() -> None:
    statements = ["the search is easy", "searching is easy", "I love the search"]
    assert title_for(Kind.LOVED_FEATURE, statements).title == "Search praised"


def test_what_one_customer_calls_a_thing_is_not_its_name() -> None:
    assert "gizmo" not in title_for(Kind.FEATURE_REQUEST, ["Please add a gizmo"], features=["gizmo"]).title
    several = ["Please add a gizmo", "I want the gizmo back"]
    assert title_for(Kind.FEATURE_REQUEST, several, features=["gizmo", "gizmo"]).title == "Gizmo requested"


def test_titles_to_avoid_are_avoided_and_so_is_what_reads_like_them() -> None:
    taken: list[str] = []
    for _ in range(4):
        taken.append(title_for(Kind.BUG, SYNC, avoid=taken).title)
    assert len(set(taken)) == 4


def test_brands_that_share_a_word_keep_their_names() -> None:
    taken = title_for(Kind.BRAND, ["Google Calendar"]).title
    assert title_for(Kind.BRAND, ["Google", "Google"], avoid=[taken]).title == "Google named by customers"
    assert title_for(Kind.BRAND, ["Google Calendar"], avoid=[taken]).title == "Google Calendar named by customers (2)"


def test_a_customers_sentence_is_never_the_name() -> None:
    assert title_for(Kind.BUG, ["Sync not working"]).title != "Sync not working"


def test_the_summary_names_what_is_said_beside_it_and_no_figures() -> None:
    summary = title_for(Kind.BUG, SYNC).summary
    assert "sync" in summary
    assert "watch" in summary
    assert not any(character.isdigit() for character in summary)


def test_an_insight_without_a_statement_has_no_name() -> None:
    with pytest.raises(ValueError, match="without a statement"):
        title_for(Kind.BUG, [])


@given(st.sampled_from(Kind), st.lists(st.text(min_size=1, max_size=120), min_size=1, max_size=4))
def test_whatever_the_evidence_a_name_is_short_and_says_more_than_its_kind(kind: Kind, statements: list[str]) -> None:
    named = title_for(kind, statements)
    assert 0 < len(named.title) <= MAX_LENGTH
    assert words_of(named.title) != words_of(kind.value.replace("_", " "))
    assert named == title_for(kind, statements)
