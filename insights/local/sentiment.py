"""Whether a statement speaks well or ill of what it is about."""

from collections.abc import Iterable, Set

from insights.analyst import Kind

_BY_KIND = {
    Kind.BUG: -1,
    Kind.COMPLAINT: -1,
    Kind.PAIN_POINT: -1,
    Kind.LOVED_FEATURE: 1,
    Kind.FEATURE_REQUEST: 0,
}
_ILL = frozenset({"disgust", "crash", "fail", "slow", "hard", "ads"})


def statement_sentiment(kind: Kind, cues: Set[str]) -> int:
    """Return -1, 0 or 1: most kinds say it themselves, for the others the words decide."""
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    ill = len(_ILL & cues)
    well = int("praise" in cues) + int("verdict" in cues and not ill)
    return (well > ill) - (well < ill)


def overall_sentiment(sentiments: Iterable[int], *, rating: float | None) -> int:
    """Return the sentiment of a document; the stars only decide between equals."""
    total = sum(sentiments)
    if total == 0 and rating is not None:
        total = (rating >= 4) - (rating <= 2)
    return (total > 0) - (total < 0)
