"""Search: customers' own passages, in the words of the question or in others, and nothing of other projects."""

from typing import Any

import pytest
from django.test import Client

from feedback_ingest.models import FeedbackItem
from feedback_ingest.services import ingest_items
from insights.local.encoder import EncoderUnavailable
from insights.local.relevance import Sentence, relevance, stem
from insights.pipeline import analyse_project
from insights.search import Found, _vector, search_feedback
from projects.models import Project
from sources.items import RawItem, RawPart
from sources.models import Source
from tests.factories import Member, make_insight, make_item, make_mention, make_project, make_source

SAID = {
    "collage": "I made a collage of my holiday photos in a minute. The weather was fine.",
    "slow": "Support is friendly. The pages take forever to come up on my tablet, every single morning.",
    "filters": "The photo filters are lovely!",
    "price": "Too expensive for what it is, I cancelled my subscription.",
    "french": "Les filtres photo sont superbes, merci beaucoup pour cette application.",
}


@pytest.fixture
def source(project: Project) -> Source:
    source = make_source(project, name="Reviews")
    feed(source, *(RawItem(unique_id=name, body=body) for name, body in SAID.items()))
    return source


def feed(source: Source, *items: RawItem) -> None:
    """Take items in and analyse them."""
    ingest_items(source, items)
    analyse_project(source.project)


def ask(project: Project, question: str, **narrowed: Any) -> list[Found]:
    return search_feedback(project, FeedbackItem.objects.filter(project=project, **narrowed), question)


def names(found: list[Found]) -> list[str]:
    return [each.passage.item.unique_id for each in found]


def test_the_best_answer_comes_first_with_its_exact_sentence(source: Source) -> None:
    found = ask(source.project, "photo collages")
    assert names(found)[0] == "collage"
    assert found[0].passage.quote == "I made a collage of my holiday photos in a minute."
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_what_is_said_in_other_words_is_found_by_its_meaning(source: Source) -> None:
    found = ask(source.project, "slow loading")
    assert names(found)[0] == "slow"
    assert found[0].passage.quote == "The pages take forever to come up on my tablet, every single morning."


def test_other_forms_of_a_word_and_other_languages_are_found_by_words(source: Source) -> None:
    assert "filters" in names(ask(source.project, "filter"))
    assert names(ask(source.project, "superbe filtre"))[0] == "french"


def test_nothing_is_found_where_nobody_spoke_of_it(source: Source) -> None:
    assert ask(source.project, "zeppelin mooring") == []
    assert ask(source.project, "?!") == []


def test_without_an_encoder_words_alone_decide(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> Any:
        raise EncoderUnavailable("the model is not there")

    monkeypatch.setattr("insights.local.encoder.Encoder.encode", missing)
    _vector.cache_clear()
    assert names(ask(source.project, "photo filters"))[0] == "filters"
    assert ask(source.project, "loading") == []
    _vector.cache_clear()


def test_words_of_staff_are_no_answers(project: Project) -> None:
    source = make_source(project)
    project.agent_authors = ["Support*"]
    project.save()
    parts = [
        RawPart(unique_id="1", body="My invoice shows the wrong tax.", author="Jane", user_id="jane"),
        RawPart(unique_id="2", body="Clear the cache of the browser, please.", author="Support Tim"),
    ]
    feed(source, RawItem(unique_id="thread", conversation_parts=parts))
    assert [each.passage.quote for each in ask(project, "tax on invoices")] == ["My invoice shows the wrong tax."]
    assert ask(project, "browser cache") == []


def test_what_is_found_names_the_insights_that_it_is_evidence_for(project: Project) -> None:
    item = make_item(make_source(project), body="Nice. The map does not load in the car.")
    insight = make_insight(project, title="Map does not load")
    make_mention(insight, item, start=6, end=39)
    found = ask(project, "map in the car")
    assert found[0].passage.quote == "The map does not load in the car."
    assert found[0].insights == [insight]


def test_a_long_transcript_is_searched_for_the_words_beyond_its_beginning(project: Project) -> None:
    body = "We spoke about the weather.\n" * 80 + "Then the invoice came up."
    make_item(make_source(project), body=body)
    assert [each.passage.quote for each in ask(project, "invoices")] == ["Then the invoice came up."]


def test_the_api_answers_in_the_shape_of_lists(source: Source, owner: Member, client: Client) -> None:
    answer = client.get("/api/v1/search/", {"q": "photo filters", "limit": "2"}, headers=owner.headers).json()
    assert answer["next"] is None
    assert answer["total"] == len(answer["results"]) == 2
    best = answer["results"][0]
    item = FeedbackItem.objects.get(pk=best["item"])
    assert (item.body or "")[best["start"] : best["end"]] == best["quote"] == "The photo filters are lovely!"
    assert best["source"] == str(source.pk)


def test_the_api_narrows_to_sources_and_refuses_what_is_no_question(
    source: Source, owner: Member, client: Client
) -> None:
    other = make_source(source.project)
    kept = make_item(other, body="Photo filters in the other source.")
    answer = client.get("/api/v1/search/", {"q": "photo filters", "source": str(other.pk)}, headers=owner.headers)
    assert [row["item"] for row in answer.json()["results"]] == [kept.pk]
    for question in ("", "x" * 201):
        refused = client.get("/api/v1/search/", {"q": question}, headers=owner.headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_question")


def test_other_projects_are_not_searched(source: Source, owner: Member, client: Client) -> None:
    foreign = make_source(make_project())
    make_item(foreign, body="Photo filters of somebody else.")
    answer = client.get("/api/v1/search/", {"q": "photo filters"}, headers=owner.headers)
    assert "somebody else" not in answer.content.decode()


def test_the_page_shows_passages_and_what_could_be_asked_instead(source: Source, owner: Member) -> None:
    client = Client()
    client.force_login(owner.user)
    url = f"/p/{source.project.slug}/search/"
    assert "The photo filters are lovely!" in client.get(url, {"q": "photo filters"}).content.decode()
    assert "Nobody said anything about" in client.get(url, {"q": "zeppelin mooring"}).content.decode()
    assert "too long" in client.get(url, {"q": "x" * 300}).content.decode()


@pytest.mark.parametrize(
    ("word", "root"),
    [
        ("filters", "filter"),
        ("crashing", "crash"),
        ("stopped", "stop"),
        ("calls", "call"),
        ("is", "is"),
        ("bus", "bus"),
    ],
)
def test_forms_of_a_word_share_a_stem(word: str, root: str) -> None:
    assert stem(word) == root


def test_words_and_meaning_weigh_the_same() -> None:
    texts = [[Sentence("maps", 0.0)], [Sentence("charts", 0.9)], [Sentence("maps", 0.9)], [Sentence("tax", 0.1)]]
    scores = [found.score if found else None for found in relevance("map", texts)]
    assert scores == [0.5, 0.5, 1.0, None]
