"""Names insights after what at least half of their evidence names."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from insights.analyst import Kind
from insights.local.brands import find_brands
from insights.local.language import detect_language
from insights.local.predicates import DEFAULT, Predicate, predicates_of
from insights.local.subjects import VAGUE, concept_label, concept_places, concepts_in, phrases_in
from insights.local.words import fold, spelling, words_of

MAX_LENGTH = 60
# A title that shares more of its words than this with another says the same.
_SAME_SHARE = 0.6
_NAMED_SHARE = 0.5
# A title claims it of every mention behind it.
_SAID_SHARE = 0.7
_CATCH_ALL = frozenset({"not_working", "reported", "repeated", "best"})
_CATCH_ALL_WEIGHT = 0.6
# Whoever reports another failure of the same thing says this as well.
_ANY_FAILURE = frozenset({"not_working"})
_PRECISE, _PHRASE, _WORD_ALONE, _VAGUE = 1.15, 1.1, 0.9, 0.7
# A phrase that one customer used is that customer's wording, not the name of a thing.
_FEWEST_NAMING = 2
# How far a verb stands before what it is done to.
_GOVERNED = 4
_TEXTS_READ = 200
_LANGUAGE_SAMPLE = 20
_SUBJECTS_TRIED = 3
_SINCE_UPDATE = {
    "en": "after update",
    "fr": "depuis la mise à jour",
    "de": "nach dem Update",
    "es": "tras la actualización",
}
_AND = {"en": "and", "fr": "et", "de": "und", "es": "y", "it": "e", "pt": "e", "nl": "en"}
_TOGETHER = {
    "en": ("About {names}.", "About {names}; often named with {others}."),
    "fr": ("À propos de {names}.", "À propos de {names} ; souvent cité avec {others}."),
    "de": ("Es geht um {names}.", "Es geht um {names}; oft zusammen mit {others} genannt."),
    "es": ("Sobre {names}.", "Sobre {names}; a menudo junto con {others}."),
}


@dataclass(frozen=True, slots=True)
class Title:
    """A name of at most 60 characters, and a sentence on what stands behind it."""

    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class _Subject:
    label: str
    concept: str | None
    support: float
    score: float


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The statements of one insight, read for naming."""

    texts: list[str]
    words: list[tuple[str, ...]]
    language: str
    surface: dict[str, str] = field(default_factory=dict)

    def share(self, present: Sequence[bool]) -> float:
        return sum(present) / len(self.texts)


def title_for(
    kind: Kind,
    statements: Sequence[str],
    *,
    features: Sequence[str | None] = (),
    avoid: Sequence[str] = (),
    language: str | None = None,
) -> Title:
    """Name an insight of `kind` from its statements, unlike the titles to `avoid`.

    `features` are what the analyst found the statements to be about, in their order. Raises ValueError
    when there is no statement.
    """
    if not statements:
        raise ValueError("an insight without a statement has no name")
    evidence = _read(statements[:_TEXTS_READ], language)
    # Mentions of a brand are worded as its name alone.
    named = features or (statements if kind is Kind.BRAND else ())
    subjects = _brand(named) if kind is Kind.BRAND else _subjects(evidence, named[:_TEXTS_READ])
    taken = [_key(title) for title in avoid]
    said = {tuple(words) for words in evidence.words}
    # Brands differ by their names alone: all else in their titles is the same.
    alike = frozenset[str].__eq__ if kind is Kind.BRAND else _alike
    chosen = ""
    for candidate in _candidates(kind, evidence, subjects):
        chosen = _fitted(candidate)
        if tuple(words_of(chosen)) not in said and not any(alike(_key(chosen), key) for key in taken):
            return Title(chosen, _summary(evidence, subjects, chosen))
    chosen = _numbered(chosen, avoid)
    return Title(chosen, _summary(evidence, subjects, chosen))


def _read(statements: Sequence[str], language: str | None) -> _Evidence:
    texts = list(statements)
    known = language or detect_language(" ".join(texts[:_LANGUAGE_SAMPLE]))
    spelled = {folded: word for text in reversed(texts) for folded, word in spelling(text).items()}
    return _Evidence(texts, [words_of(text) for text in texts], known, spelled)


def _subjects(evidence: _Evidence, features: Sequence[str | None]) -> list[_Subject]:
    """Return what the evidence names, the best name first; half of it names each, where anything is so common."""
    found = [*_named_features(evidence, features), *_named_concepts(evidence), *_named_phrases(evidence)]
    unique = {fold(subject.label): subject for subject in sorted(found, key=lambda subject: subject.score)}
    ranked = sorted(unique.values(), key=lambda subject: (-subject.score, subject.label))
    common = [subject for subject in ranked if subject.support >= _NAMED_SHARE]
    return common or _pairs(evidence, ranked)


def _brand(names: Sequence[str | None]) -> list[_Subject]:
    """Return the brand itself, whatever part of a product its name may hold."""
    counts = Counter(name for name in names if name)
    return [_Subject(name, None, count / len(names), 1.0) for name, count in counts.most_common(1)]


def _named_features(evidence: _Evidence, features: Sequence[str | None]) -> list[_Subject]:
    counts = Counter(feature for feature in features if feature)
    vague = {concept_label(concept, evidence.language) for concept in VAGUE}
    found = []
    for feature, count in counts.items():
        support = count / len(evidence.texts)
        weight = _VAGUE if feature in vague else 1.0
        concepts = concepts_in(feature, evidence.language)
        if not concepts and count < _FEWEST_NAMING:
            continue
        found.append(_Subject(feature, concepts[0] if concepts else None, support, support * weight))
    return found


def _named_concepts(evidence: _Evidence) -> list[_Subject]:
    counts = Counter(concept for text in evidence.texts for concept in concepts_in(text, evidence.language))
    found = []
    for concept, count in counts.items():
        support = count / len(evidence.texts)
        weight = _VAGUE if concept in VAGUE else _PRECISE
        found.append(_Subject(concept_label(concept, evidence.language), concept, support, support * weight))
    return found


def _named_phrases(evidence: _Evidence) -> list[_Subject]:
    counts: Counter[tuple[str, ...]] = Counter()
    for text in evidence.texts:
        counts.update({part for phrase in phrases_in(text, evidence.language) for part in _parts(phrase)})
    found = []
    for words, count in counts.items():
        if count < _FEWEST_NAMING:
            continue
        label = " ".join(evidence.surface.get(word, word) for word in words)
        if concepts_in(label, evidence.language):
            continue
        support = count / len(evidence.texts)
        weight = _PHRASE if len(words) > 1 else _WORD_ALONE
        found.append(_Subject(label[:1].upper() + label[1:], None, support, support * weight))
    return found


def _parts(phrase: str) -> Iterator[tuple[str, ...]]:
    words = tuple(phrase.split())
    for length in range(1, len(words) + 1):
        for start in range(len(words) - length + 1):
            yield words[start : start + length]


def _pairs(evidence: _Evidence, ranked: list[_Subject]) -> list[_Subject]:
    """Join the two most common names where only both together are named by half."""
    concepts = [subject for subject in ranked if subject.concept][:5]
    for first, second in ((a, b) for at, a in enumerate(concepts) for b in concepts[at + 1 :]):
        named = [
            bool({first.concept, second.concept} & set(concepts_in(text, evidence.language))) for text in evidence.texts
        ]
        if evidence.share(named) >= _NAMED_SHARE:
            label = f"{first.label} {_AND.get(evidence.language, '/')} {_inside(second.label, evidence.language)}"
            return [_Subject(label, None, evidence.share(named), evidence.share(named))]
    return []


def _candidates(kind: Kind, evidence: _Evidence, subjects: list[_Subject]) -> Iterator[str]:
    """Yield titles from the best to those which only serve where the better ones are taken."""
    predicates = _predicates_by_support(kind, evidence)
    strong = [predicate for predicate, support in predicates if support >= _NAMED_SHARE and predicate.alone]
    if not subjects:
        yield from (predicate.worded_alone(evidence.language) for predicate in strong)
    since, product = _since(kind, evidence), _product(kind, evidence)
    for subject in subjects[:_SUBJECTS_TRIED]:
        said = list(filter(None, (_title(predicate, subject, evidence) for predicate, _ in predicates)))
        for title in dict.fromkeys((said[0], said[-1])):
            names_update = "update" in concepts_in(title, evidence.language)
            qualifiers = dict.fromkeys(("" if names_update else since, "", product))
            yield from (f"{title} {qualifier}".strip() for qualifier in qualifiers)
        for other in subjects[:_SUBJECTS_TRIED]:
            if other is not subject:
                yield f"{said[0]} ({_inside(other.label, evidence.language)})"
    yield from (predicate.worded_alone(evidence.language) for predicate in strong)
    if not subjects:
        yield from (predicate.worded_alone(evidence.language) for predicate, _ in predicates if predicate.alone)


def _predicates_by_support(kind: Kind, evidence: _Evidence) -> list[tuple[Predicate, float]]:
    found = []
    for predicate in predicates_of(kind):
        support = evidence.share([predicate.is_said(words) for words in evidence.words])
        weight = _CATCH_ALL_WEIGHT if predicate.name in _CATCH_ALL else 1.0
        if predicate.name == DEFAULT:
            found.append((predicate, 0.0))
        elif support >= (_NAMED_SHARE if predicate.name in _ANY_FAILURE else _SAID_SHARE):
            found.append((predicate, support * weight))
    return sorted(found, key=lambda pair: -pair[1])


def _title(predicate: Predicate, subject: _Subject, evidence: _Evidence) -> str | None:
    """Word one predicate on one subject, or return None where they do not go together."""
    language = evidence.language
    if subject.concept in predicate.absorbs:
        return predicate.worded_alone(language)
    if predicate.only and subject.concept not in predicate.only:
        return None
    wording = predicate.wording.get(language) or predicate.wording.get("en")
    if not wording or (predicate.verbs and language != "en"):
        return None
    label = _opening(subject.label) if wording.startswith("{s}") else _inside(subject.label, language)
    if not predicate.verbs:
        return wording.format(s=label)
    verb = _common_verb(predicate, subject, evidence)
    return wording.format(s=label, verb=verb) if verb else None


def _common_verb(predicate: Predicate, subject: _Subject, evidence: _Evidence) -> str | None:
    """Return the verb that most evidence has before the subject: "delete" of "let me delete old photos"."""
    counts = Counter(verb for words in evidence.words for verb in _governing(predicate, subject, words, evidence))
    common = [(count, verb) for verb, count in counts.items() if count >= _SAID_SHARE * len(evidence.texts)]
    return max(common)[1] if common else None


def _governing(predicate: Predicate, subject: _Subject, words: Sequence[str], evidence: _Evidence) -> set[str]:
    label = set(words_of(subject.label))
    places = [first for first, _, concept in concept_places(words, evidence.language) if concept == subject.concept]
    places += [place for place, word in enumerate(words) if word in label]
    # "Ability to share sharing" would come of a subject that is the verb's own noun.
    return {
        words[verb]
        for place in places
        for verb in range(max(0, place - _GOVERNED), place)
        if words[verb] in predicate.verbs and not fold(subject.label).startswith(words[verb][:4])
    }


def _since(kind: Kind, evidence: _Evidence) -> str:
    """Return since when something fails, where most say that it is since an update."""
    updated = [("update" in concepts_in(text, evidence.language)) for text in evidence.texts]
    return (
        _SINCE_UPDATE.get(evidence.language, "") if kind is Kind.BUG and evidence.share(updated) >= _SAID_SHARE else ""
    )


def _product(kind: Kind, evidence: _Evidence) -> str:
    """Return the product of another company that most name, which tells equal titles apart."""
    if kind is Kind.BRAND:
        return ""
    brands = Counter(brand.name for text in evidence.texts for brand in find_brands(text, language=evidence.language))
    return next(
        (f"({name})" for name, count in brands.most_common(1) if count >= _SAID_SHARE * len(evidence.texts)), ""
    )


def _opening(label: str) -> str:
    """Return a label as it begins a title: "eBay" and the like stay as they are."""
    return label if any(letter.isupper() for letter in label) else label[:1].upper() + label[1:]


def _inside(label: str, language: str) -> str:
    """Return a label as it stands within a title: German nouns and names in capitals keep them."""
    if language == "de" or label[1:2].isupper() or any(letter.isupper() for letter in label[1:]):
        return label
    return label[:1].lower() + label[1:]


def _fitted(title: str) -> str:
    if len(title) <= MAX_LENGTH:
        return title
    return title[: MAX_LENGTH - 1].rsplit(" ", 1)[0].rstrip(" ,:;(") + "…"


def _key(title: str) -> frozenset[str]:
    return frozenset(words_of(title))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) > _SAME_SHARE * len(one | other)


def _numbered(title: str, avoid: Sequence[str]) -> str:
    """Return a title with the first number that is free: for insights that nothing else tells apart."""
    taken = set(avoid)
    number = 2
    while (numbered := f"{title[: MAX_LENGTH - 5]} ({number})") in taken:
        number += 1
    return numbered


def _summary(evidence: _Evidence, subjects: list[_Subject], title: str) -> str:
    """Say what the evidence is about, without figures, which would be out of date at the next mention."""
    only, with_others = _TOGETHER.get(evidence.language, _TOGETHER["en"])
    labels = [_inside(subject.label, evidence.language) for subject in subjects[:1]]
    counts = Counter(concept for text in evidence.texts for concept in concepts_in(text, evidence.language))
    others = [_inside(concept_label(name, evidence.language), evidence.language) for name, _ in counts.most_common(4)]
    others = [label for label in others if label not in labels][:3]
    names = labels[0] if labels else _inside(title, evidence.language)
    if not others:
        return only.format(names=names)
    return with_others.format(names=names, others=", ".join(others))
