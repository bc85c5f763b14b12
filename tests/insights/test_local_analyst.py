"""The embedded analyst: what it finds, that every span is exact, and that gibberish gives nothing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights.analyst import Analysis, Document, Kind, Passage, SetAside
from insights.local.analyst import LocalAnalyst
from insights.local.encoder import Encoder


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> LocalAnalyst:
    return LocalAnalyst(Encoder(Path(tmp_path_factory.mktemp("models"))))


def analysed(analyst: LocalAnalyst, text: str, **known: object) -> Analysis:
    return analyst.analyse([Document((Passage(text),), **known)])[0]  # type: ignore[arg-type]


def kinds(analysis: Analysis) -> set[Kind]:
    return {statement.kind for statement in analysis.statements}


def test_a_review_that_praises_one_thing_and_reports_a_bug_in_another_says_both(
    analyst: LocalAnalyst,
) -> None:
    text = "I love the dark mode but the sync crashes every time."
    found = {statement.kind: statement for statement in analysed(analyst, text).statements}
    praise, bug = found[Kind.LOVED_FEATURE], found[Kind.BUG]
    assert text[praise.start : praise.end] == "I love the dark mode"
    assert text[bug.start : bug.end] == "but the sync crashes every time."
    assert (praise.feature, praise.sentiment) == ("Dark mode", 1)
    assert (bug.feature, bug.sentiment, bug.text) == ("Sync", -1, "the sync crashes every time")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Please add a calendar view.", Kind.FEATURE_REQUEST),
        ("The app crashes when I open the camera.", Kind.BUG),
        ("Customer service never answers my mails.", Kind.COMPLAINT),
        ("The settings menu is confusing and hard to find.", Kind.PAIN_POINT),
        ("I love the offline maps, they work great.", Kind.LOVED_FEATURE),
        ("We switched to you because of the price and will stay.", Kind.TAKEAWAY),
        ("We already use Slack for all our alerts.", Kind.BRAND),
        ("login broken", Kind.BUG),
        ("The dashboard takes 45 seconds to open.", Kind.PAIN_POINT),
        ("Card processing fees are high compared to our last tool.", Kind.COMPLAINT),
        ("The route optimizer saves us an hour of driving a day.", Kind.LOVED_FEATURE),
        ("Love the bulk editor.", Kind.LOVED_FEATURE),
        ("+1 for dark mode.", Kind.FEATURE_REQUEST),
        ("If I could change one thing: quarterly jobs that schedule themselves.", Kind.FEATURE_REQUEST),
        ("Rechnung mit einem Tipp direkt beim Kunden. Besser geht es nicht.", Kind.LOVED_FEATURE),
        ("We need better reporting for executives.", Kind.FEATURE_REQUEST),
        ("The console is slow as treacle with 40 technicians on the board.", Kind.PAIN_POINT),
        ("Der Support antwortet erst nach einer Woche, wenn überhaupt.", Kind.COMPLAINT),
        ("Ein dunkles Design fehlt leider, nachts im Auto blendet die App extrem.", Kind.FEATURE_REQUEST),
        ("We'd like role-based permissions.", Kind.FEATURE_REQUEST),
        ("Can you support bulk editing?", Kind.FEATURE_REQUEST),
        ("How does that compare to the competition on pricing?", Kind.FEATURE_MENTIONED),
        ("L'application plante sans arrêt.", Kind.BUG),
        ("J'aimerais pouvoir exporter mes activités.", Kind.FEATURE_REQUEST),
        ("Die App stürzt beim Öffnen immer ab.", Kind.BUG),
        ("Bitte einen Dunkelmodus einbauen.", Kind.FEATURE_REQUEST),
        ("Viel zu teuer und viel zu viel Werbung.", Kind.COMPLAINT),
        ("La aplicación no abre desde ayer.", Kind.BUG),
        ("Me encanta el calendario, es muy útil.", Kind.LOVED_FEATURE),
        ("L'app si blocca sempre.", Kind.BUG),
        ("Por favor adicionem um modo escuro.", Kind.FEATURE_REQUEST),
        ("Ik kan niet meer inloggen.", Kind.BUG),
    ],
)
def test_each_kind_is_found_in_the_languages_it_is_said_in(analyst: LocalAnalyst, text: str, kind: Kind) -> None:
    assert kind in kinds(analysed(analyst, text))


@pytest.mark.parametrize("text", ["asdf qwer", "sdkfjh skdjfh", "zxcv zxcv zxcv"])
def test_gibberish_gives_nothing(analyst: LocalAnalyst, text: str) -> None:
    found = analysed(analyst, text)
    assert (found.set_aside, found.statements) == (SetAside.GIBBERISH, ())


@pytest.mark.parametrize(
    "text", ["Great app!!!", "I love it", "good", "....", "Super appli !", "Sehr gut", "Muy buena app", "Thanks!"]
)
def test_praise_of_nothing_in_particular_is_set_aside(analyst: LocalAnalyst, text: str) -> None:
    found = analysed(analyst, text)
    assert (found.set_aside, found.statements) == (SetAside.LOW_SIGNAL, ())


@pytest.mark.parametrize(
    "text",
    [
        "No lag!",
        "I haven't had any trouble with logins.",
        "It never crashes on my tablet.",
        "Doesn't drain the battery at all.",
        "Keine Probleme mit der Synchronisierung.",
        "I have never had a single billing problem.",
        "Never any buffering or freezing.",
        "I no longer lose my recipes.",
        "The reports are not too expensive.",
    ],
)
def test_what_is_said_to_be_no_problem_is_none(analyst: LocalAnalyst, text: str) -> None:
    assert not kinds(analysed(analyst, text)) & {Kind.BUG, Kind.COMPLAINT, Kind.PAIN_POINT}


@pytest.mark.parametrize(
    "text",
    [
        "The search crashes every time.",
        "Please add a filter for the search.",
        "I love the search.",
        "The search is confusing and slow.",
    ],
)
def test_whoever_says_something_of_a_feature_does_not_just_mention_it(analyst: LocalAnalyst, text: str) -> None:
    assert Kind.FEATURE_MENTIONED not in kinds(analysed(analyst, text))


def test_a_plea_that_names_nothing_is_quoted_with_what_it_is_about(analyst: LocalAnalyst) -> None:
    text = "The map view is gone since Monday. Please bring it back!"
    request = next(s for s in analysed(analyst, text).statements if s.kind is Kind.FEATURE_REQUEST)
    assert text[request.start : request.end] == text
    assert request.feature == "Maps"


def test_what_a_product_runs_on_is_no_brand_unless_somebody_moves_to_it(analyst: LocalAnalyst) -> None:
    assert Kind.BRAND not in kinds(analysed(analyst, "The export crashes on my iPad."))
    assert Kind.BRAND in kinds(analysed(analyst, "I switched to Android because of the crashes."))


def test_the_product_itself_is_no_brand(analyst: LocalAnalyst) -> None:
    text = "We switched from Trello to Asana and will stay."
    assert kinds(analysed(analyst, text, own_names=("Asana", "Trello"))) == {Kind.TAKEAWAY}


def test_an_apple_pie_is_no_brand(analyst: LocalAnalyst) -> None:
    assert Kind.BRAND not in kinds(analysed(analyst, "The recipe for apple pie crashes the app."))


def test_statements_of_several_passages_point_into_their_own(analyst: LocalAnalyst) -> None:
    passages = (Passage("Hello, I have a question.", 0), Passage("The export fails with an error.", 3))
    (analysis,) = analyst.analyse([Document(passages)])
    assert {statement.passage for statement in analysis.statements} == {3}


def test_stars_only_decide_between_equals(analyst: LocalAnalyst) -> None:
    assert analysed(analyst, "ok", rating=5.0).sentiment == 1
    assert analysed(analyst, "The app crashes all the time.", rating=5.0).sentiment == -1


def test_what_is_read_is_read_alike_alone_and_among_others(analyst: LocalAnalyst, tmp_path: Path) -> None:
    texts = ["The sync fails.", "Please add a widget.", "I love the maps but login fails.", "Great!"]
    documents = [Document((Passage(text),)) for text in texts]
    together = analyst.analyse(documents)
    alone = [LocalAnalyst(Encoder(tmp_path)).analyse([document])[0] for document in documents]
    assert together == alone
    for one, other in zip(together, alone, strict=True):
        for left, right in zip(one.statements, other.statements, strict=True):
            assert left.vector is not None
            assert right.vector is not None
            assert left.vector.tobytes() == right.vector.tobytes()
            assert np.isclose(np.linalg.norm(left.vector), 1, atol=1e-4)


WORDS = st.sampled_from(
    "the sync fails I love maps but please add a widget crashes Slack 😡 é 中文 . ! ? \n , support is slow".split(" ")
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=120))
def test_every_span_is_a_piece_of_its_passage_and_every_confidence_a_share(analyst: LocalAnalyst, text: str) -> None:
    found = analysed(analyst, text)
    assert (found.set_aside is None) == bool(found.statements)
    for statement in found.statements:
        quote = text[statement.start : statement.end]
        assert quote
        assert quote == quote.strip()
        assert statement.text
        assert 0 <= statement.confidence <= 1
        assert statement.sentiment in (-1, 0, 1)


def test_who_asks_where_a_feature_is_has_named_it(analyst: LocalAnalyst) -> None:
    (statement,) = analysed(analyst, "Where did the search bar go?").statements
    assert (statement.kind, statement.feature) == (Kind.FEATURE_MENTIONED, "Search")


def test_the_stars_decide_where_the_words_leave_it_open(analyst: LocalAnalyst) -> None:
    text = "I walk ten kilometres and it shows six"
    assert kinds(analysed(analyst, text, rating=1.0)) == {Kind.BUG}
    assert kinds(analysed(analyst, text, rating=5.0)) == set()


def test_a_trouble_that_is_beyond_doubt_is_heard_in_words_unlike_known_reviews(analyst: LocalAnalyst) -> None:
    (statement,) = analysed(analyst, "Images not visible after an update").statements
    assert (statement.kind, statement.feature) == (Kind.BUG, "Photos")
