"""The sample project holds what it promises, by its own labels."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import UNSET

from feedback_ingest import sample
from feedback_ingest.sample import labels
from feedback_ingest.sample.files import FOLDER, read_lines
from projects.vocabulary import KINDS
from sources.items import RawItem, RawPart

NOW = datetime(2031, 3, 12, 9, 30, tzinfo=UTC)
ITEMS = {source.key: sample.sample_items(source, NOW) for source in sample.sample_sources()}
TEXTS = labels.labelled_texts()
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
ADDRESS = re.compile(r"https?://[^\s/\"]+")


def all_items() -> list[RawItem]:
    return [item for items in ITEMS.values() for item in items]


def all_entries() -> list[RawItem | RawPart]:
    entries: list[RawItem | RawPart] = []
    for item in all_items():
        entries += [item, *(item.conversation_parts or [])]
    return entries


def moment(entry: RawItem | RawPart) -> datetime:
    assert isinstance(entry.created_at, datetime)
    return entry.created_at


def people_about(theme: str, *, newest: float = 0, oldest: float = 200) -> set[str]:
    return {text.person for text in TEXTS if theme in text.about and newest <= text.days_ago < oldest}


def test_about_four_hundred_items_come_from_six_sources() -> None:
    assert 380 <= len(all_items()) <= 420
    assert {key: len(items) > 20 for key, items in ITEMS.items()} == dict.fromkeys(
        ["support_tickets", "app_reviews", "calls", "nps", "community", "survey"], True
    )


def test_feedback_covers_120_days_up_to_now_with_two_quiet_days_a_week() -> None:
    ages = [(NOW - moment(entry)) / timedelta(days=1) for entry in all_entries()]
    assert 0 < min(ages) < 1
    assert 115 < max(ages) <= 120
    weeks = Counter(int(age // 7) for age in ages)
    assert all(weeks[week] >= 10 for week in range(17))
    weekdays = Counter(int(text.days_ago) % 7 for text in TEXTS)
    assert sum(sorted(weekdays.values())[:2]) < 0.2 * sum(weekdays.values())


def test_replies_come_after_what_they_reply_to() -> None:
    for item in all_items():
        moments = [moment(item), *(moment(part) for part in item.conversation_parts or [])]
        assert moments == sorted(moments), item.unique_id


def test_three_languages_are_spoken_mostly_english() -> None:
    languages = Counter(item.language for item in all_items())
    assert set(languages) == {"en", "de", "es"}
    assert 0.7 < languages["en"] / languages.total() < 0.8
    assert min(languages["de"], languages["es"]) >= 40


def test_ids_are_unique_over_all_sources() -> None:
    ids = [entry.unique_id for entry in all_entries()]
    assert len(ids) == len(set(ids))


def test_no_two_texts_are_the_same_unless_marked_as_a_copy() -> None:
    bodies = Counter(text.body.casefold() for text in TEXTS if not text.copy_of and not text.aside)
    assert [body for body, times in bodies.items() if times > 1] == []


def test_copies_name_an_original_that_says_the_same() -> None:
    by_id = {text.unique_id: text for text in TEXTS}
    copies = [text for text in TEXTS if text.copy_of]
    exact = [text for text in copies if text.copy_of and text.body == by_id[text.copy_of].body]
    assert len(exact) >= 2
    assert len(copies) - len(exact) >= 3
    assert all(text.copy_of and text.about == by_id[text.copy_of].about for text in copies)


def test_themes_cover_all_eight_kinds_and_every_size() -> None:
    themes = labels.sample_themes()
    assert 25 <= len(themes) <= 40
    assert {theme.kind for theme in themes} == set(KINDS)
    sizes = {theme.id: len(people_about(theme.id)) for theme in themes}
    assert min(sizes.values()) == 2
    assert max(sizes, key=lambda theme: sizes[theme]) == "calendar-duplicates"
    assert {theme for text in TEXTS for theme in text.about} == set(sizes)


def test_the_calendar_bug_is_rising() -> None:
    last_two_weeks = people_about("calendar-duplicates", oldest=14)
    two_weeks_before = people_about("calendar-duplicates", newest=14, oldest=28)
    assert len(last_two_weeks) >= 5 * len(two_weeks_before) > 0
    assert not people_about("calendar-duplicates", newest=58.5), "version 4.2 was not yet out"


def test_the_price_complaint_is_fading() -> None:
    assert len(people_about("price-increase", newest=60, oldest=105)) >= 25
    assert 0 < len(people_about("price-increase", oldest=60)) <= 3


def test_no_other_theme_of_ten_people_or_more_is_concentrated_in_two_weeks() -> None:
    for theme in labels.sample_themes():
        everyone = people_about(theme.id)
        if theme.trend == "steady" and len(everyone) >= 10:
            busiest = max(len(people_about(theme.id, newest=day, oldest=day + 14)) for day in range(106))
            assert busiest <= 0.6 * len(everyone), theme.id


def test_some_texts_speak_of_several_kinds() -> None:
    kinds = {theme.id: theme.kind for theme in labels.sample_themes()}
    mixed = [text for text in TEXTS if len({kinds[theme] for theme in text.about}) > 1]
    assert len(mixed) >= 20
    assert any({"loved_feature", "bug"} <= {kinds[theme] for theme in text.about} for text in mixed)


def test_about_thirty_texts_are_to_be_set_aside_and_say_nothing() -> None:
    aside = [text for text in TEXTS if text.aside]
    assert 25 <= len(aside) <= 45
    assert {text.aside for text in aside} == {"low_signal", "gibberish", "spam"}
    assert not any(text.about for text in aside)


def test_only_customers_give_evidence() -> None:
    staff = [text for text in TEXTS if text.person.endswith(sample.INTERNAL_DOMAINS)]
    assert len(staff) > 50
    assert not any(text.about for text in staff)


def test_some_texts_hold_personal_data_to_redact() -> None:
    bodies = " ".join(text.body for text in TEXTS)
    for value in ("4111 1111 1111 1111", "555-0142", "AT61 1904 3002 3457 3201"):
        assert value in bodies
    assert EMAIL.search(bodies)


def test_every_address_is_under_a_reserved_name() -> None:
    for path in FOLDER.glob("*.jsonl"):
        content = path.read_text(encoding="utf-8")
        for found in (*EMAIL.findall(content), *ADDRESS.findall(content)):
            assert found.endswith(".example"), found


def test_many_people_speak_in_several_sources_and_several_share_an_account() -> None:
    sources: dict[str, set[str]] = {}
    for text in TEXTS:
        sources.setdefault(text.person, set()).add(text.source)
    assert sum(len(places) > 1 for places in sources.values()) >= 40
    accounts = {
        (item.metadata["account"], item.email)
        for item in all_items()
        if isinstance(item.metadata, dict) and "account" in item.metadata
    }
    people_per_account = Counter(account for account, _ in accounts)
    assert sum(people > 1 for people in people_per_account.values()) >= 15


def test_some_people_are_known_by_e_mail_in_one_source_and_by_user_id_in_another() -> None:
    def ids(key: str) -> set[tuple[bool, bool]]:
        return {(item.email is not UNSET, item.user_id is not UNSET) for item in ITEMS[key]}

    assert {(True, False), (True, True)} <= ids("nps")
    assert (False, True) in ids("community")
    assert ids("app_reviews") == {(False, False)}


def test_most_texts_are_short_and_some_are_long() -> None:
    lengths = sorted(len(text.body.split()) for text in TEXTS if not text.aside)
    assert 8 <= lengths[len(lengths) // 2] <= 30
    assert lengths[-1] > 120


def test_calls_have_no_body_and_several_speakers() -> None:
    for call in ITEMS["calls"]:
        assert call.body is UNSET
        assert len({part.author for part in call.conversation_parts or []}) >= 2


def test_reviews_have_stars_and_nps_comments_a_score() -> None:
    assert {item.rating for item in ITEMS["app_reviews"]} == {1, 2, 3, 4, 5}
    scores = [item.metadata["nps_score"] for item in ITEMS["nps"] if item.metadata]
    assert len(scores) == len(ITEMS["nps"])
    assert set(scores) <= set(range(11))


def test_no_label_reaches_a_loaded_item() -> None:
    hidden = {"about", "aside", "copy_of", "days_ago"}
    stored = {key for source in sample.sample_sources() for line in read_lines(source.key) for key in line}
    assert hidden <= stored
    for entry in all_entries():
        assert not hidden & {*entry.__struct_fields__, *(entry.metadata or {})}


def test_the_same_moment_gives_the_same_items_and_a_later_one_shifts_them() -> None:
    source = sample.sample_sources()[0]
    assert sample.sample_items(source, NOW) == ITEMS[source.key]
    later = sample.sample_items(source, NOW + timedelta(days=3))
    shifts = {moment(b) - moment(a) for a, b in zip(ITEMS[source.key], later, strict=True)}
    assert shifts == {timedelta(days=3)}


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        sample.sample_items(sample.sample_sources()[0], NOW.replace(tzinfo=None))


def test_the_assistant_gets_every_verdict_and_improves_with_its_last_version() -> None:
    conversations = sample.assistant_conversations(NOW)
    assert len(conversations) == 40
    assert {talk.verdict for talk in conversations} == {"positive", "neutral", "negative", "none"}
    assert {talk.environment for talk in conversations} == {"production", "development"}
    customers = [talk for talk in conversations if talk.environment == "production"]
    negative = Counter(talk.agent_version for talk in customers if talk.verdict == "negative")
    assert negative[4] > 10
    assert negative[5] == 0


def test_the_assistant_answered_with_the_version_that_was_out_then() -> None:
    agents = {agent.id: agent for agent in sample.runnable_agents(NOW)}
    for talk in sample.assistant_conversations(NOW):
        versions = {version.number: version for version in agents[talk.agent].versions}
        assert versions[talk.agent_version].created_at < talk.created_at, talk.unique_id


def test_comments_on_the_assistant_come_from_people_who_also_write_elsewhere() -> None:
    unhappy = {talk.email for talk in sample.assistant_conversations(NOW) if talk.verdict == "negative"}
    assert len(unhappy & people_about("assistant-wrong-answers")) >= 6


def test_knowledge_holds_articles_and_one_open_incident() -> None:
    documents = sample.knowledge_documents(NOW)
    assert len(documents) == 12
    incidents = [document for document in documents if document.kind == "incident"]
    assert all(incident.severity and incident.started_at for incident in incidents)
    assert sum(incident.resolved_at is None for incident in incidents) == 1


def test_golden_examples_pass_their_own_checks_and_bad_answers_do_not() -> None:
    def passes(example: sample.GoldenExample, answer: str) -> bool:
        return all(words in answer for words in example.contains) and not any(
            words in answer for words in example.not_contains
        )

    examples = sample.golden_examples()
    assert len(examples) == 8
    assert {example.split for example in examples} == {"train", "eval"}
    for example in examples:
        assert passes(example, example.golden_response), example.query
        assert passes(example, example.original_response) == (example.source_type == "positive"), example.query


def test_two_agents_can_be_run_and_each_has_a_version_in_production() -> None:
    agents = sample.runnable_agents(NOW)
    assert len(agents) == 2
    for agent in agents:
        assert re.fullmatch(r"[a-z][a-z0-9-]+", agent.id)
        assert agent.input_schema["type"] == agent.output_schema["type"] == "object"
        assert [version.number for version in agent.versions if "production" in version.environments]
