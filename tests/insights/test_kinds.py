"""The parts that tell kinds: cues, brands, language, subjects, and the weights as they are shipped."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from insights.local.brands import find_brands
from insights.local.features import SIZE, features_of
from insights.local.kinds import CLAUSE_HEADS, PROBLEM, WINDOW_HEADS, kind_model, open_gate
from insights.local.language import detect_language
from insights.local.subjects import subject_of
from insights.local.words import DENIAL, Lexicon, find_cues, words_of

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "insights/local/weights"
OWN = ROOT / "benchmarks/own_sentences"


def own_rows() -> Iterator[dict[str, object]]:
    with (OWN / "test_brand_takeaway.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def names(text: str, language: str = "en") -> list[str]:
    return [brand.name for brand in find_brands(text, language=language)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We moved from Slack to Microsoft Teams.", ["Slack", "Microsoft Teams"]),
        ("hubspot import stopped", ["HubSpot"]),
        ("Apple approved the update.", ["Apple"]),
        ("Compared to Brightloom it is slow.", ["Brightloom"]),
        ("I left Northwind Mail for this.", ["Northwind Mail"]),
    ],
)
def test_companies_are_found_with_their_own_spelling(text: str, expected: list[str]) -> None:
    assert [name.lower() for name in names(text)] == [name.lower() for name in expected]


@pytest.mark.parametrize(
    "text",
    [
        "I baked an apple pie.",
        "My boys slack off.",
        "The amazon rainforest film will not play.",
        "Pinch to zoom is jerky.",
        "Both of our teams share one calendar.",
        "Our target audience is over sixty.",
        "I compared it with the one in London.",
    ],
)
def test_words_that_only_sound_like_companies_are_left_alone(text: str) -> None:
    assert names(text) == []


def test_brands_in_the_own_test_sentences_are_told_from_their_hard_negatives() -> None:
    rows = list(own_rows())
    wrong = [
        row["text"]
        for row in rows
        if bool(names(str(row["text"]), str(row["lang"]))) != ("brand" in cast(list[str], row["labels"]))
    ]
    assert len(rows) > 200
    assert len(wrong) <= len(rows) * 0.03, wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The application crashes", "en"),
        ("login broken", "en"),
        ("ne marche plus", "fr"),
        ("Die Uhr synchronisiert nicht", "de"),
        ("La búsqueda es muy lenta", "es"),
        ("L'app non si apre", "it"),
        ("Não consigo entrar na minha conta", "pt"),
        ("Ik kan niet meer inloggen", "nl"),
    ],
)
def test_short_texts_are_read_in_their_language(text: str, expected: str) -> None:
    assert detect_language(text) == expected


def test_the_expected_language_decides_what_the_text_leaves_open() -> None:
    assert detect_language("Excellent!", expected="fr") == "fr"
    assert detect_language("The search is slow and the list is empty.", expected="fr") == "en"
    assert detect_language("12345", expected="de") == "de"
    assert detect_language("12345") == "und"


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("I love the dark theme", "en", "Dark mode"),
        ("Il manque un mode nuit", "fr", "Mode sombre"),
        ("Der Login geht nicht", "de", "Anmeldung"),
        ("No cargan las fotos", "es", "Fotos"),
        ("A barometer would be useful", "en", "barometer"),
        ("the white labels are printed wrong", "en", "white labels"),
        ("I love it", "en", None),
        ("It works on my Note 4", "en", None),
        ("it blanks the whole thing", "en", None),
        ("it was intended", "en", None),
        ("using it every morning", "en", None),
        ("Mussten elf Anträge neu schreiben", "de", "Anträge"),
    ],
)
def test_the_part_of_the_product_is_named_in_the_language_of_the_text(
    text: str, language: str, expected: str | None
) -> None:
    subject = subject_of(text, language=language)
    assert (subject.label if subject else None) == expected


def test_cues_are_found_whatever_the_accents_apostrophes_and_capitals() -> None:
    assert "fail" in find_cues(words_of("IT DOESN’T WORK"))
    assert "wish" in find_cues(words_of("J’aimerais une montre"))
    assert "imperative" in find_cues(words_of("Add a list"))
    assert "imperative" not in find_cues(words_of("They add a list"))


@pytest.mark.parametrize("text", ["never so many problems", "does not sync, errors", "no sound", "it has a bug"])
def test_a_trouble_is_denied_by_what_negates_it_alone(text: str) -> None:
    assert DENIAL not in find_cues(words_of(text))


def test_a_phrase_with_an_open_ending_matches_every_ending() -> None:
    lexicon = Lexicon([("crash*", "crash"), ("not receiv*", "lost"), ("log in", "login")])
    assert lexicon.find(words_of("It crashed, I was not receiving mail and could not log in")) == [
        (1, 2, "crash"),
        (4, 6, "lost"),
        (10, 12, "login"),
    ]


def test_the_same_text_has_the_same_features_and_every_place_fits_the_weights() -> None:
    for text in ("", "!", "a", "The sync fails", "我喜欢", "x" * 10_000):
        features = features_of(text)
        assert np.array_equal(features.places, features_of(text).places)
        assert ((features.places >= 0) & (features.places < SIZE)).all()
        assert np.isfinite(features.values).all()


def test_the_weights_are_small_and_name_their_data_and_its_licences() -> None:
    manifest = json.loads((WEIGHTS / "kinds.json").read_text("utf-8"))
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 3_000_000
    assert "semeval19_suggestions" not in manifest["data"]
    allowed = ("MIT", "CC-BY-3.0", "CC-BY-4.0", "Apache-2.0")
    assert all(entry["licence"].startswith(allowed) for entry in manifest["data"].values())
    assert kind_model().window_thresholds.shape == (len(WINDOW_HEADS),)
    assert kind_model().clause_thresholds.shape == (len(CLAUSE_HEADS),)


def test_a_window_that_is_not_irrelevant_holds_at_least_the_likelier_of_problem_and_request() -> None:
    scores = np.array([[-3, -1, -2, 0], [2, 1, -2, 0], [2, 1, 3, 0], [1, -1, -1, 0]], np.float32)
    held = open_gate(scores, np.zeros(4, np.float32))
    assert held.tolist() == [
        [False, True, False],
        [True, True, False],
        [False, False, True],
        [True, False, False],
    ]


def test_no_rating_adds_nothing_and_more_stars_tell_less_of_a_problem() -> None:
    model = kind_model()
    problem = WINDOW_HEADS.index(PROBLEM)
    assert not model.by_rating(None).any()
    assert model.by_rating(1.0)[problem] > model.by_rating(4.0)[problem] > model.by_rating(5.0)[problem]
    assert np.array_equal(model.by_rating(0.0), model.by_rating(1.0))
    assert np.array_equal(model.by_rating(10.0), model.by_rating(5.0))
