"""Ratings as people write them: 4, 4,5, 4/5, 80 %, four stars."""

import re

RATING = re.compile(
    r"([+-]?\d{1,6}(?:[.,]\d{1,6})?)\s?"
    r"(?:%|(?:/|of|von|sur|de|out of)\s?\d{1,4}|[^\W\d_]{1,12}|[★⭐]\ufe0f?)?"
)
STARS = re.compile(r"([★⭐]\ufe0f?){1,10}[☆✩]{0,10}")


def parse_rating(text: str) -> float | None:
    """Return the number a rating begins with, on whatever scale it is, or None."""
    text = text.strip()[:40]
    if match := RATING.fullmatch(text):
        return float(match[1].replace(",", "."))
    if STARS.fullmatch(text):
        return float(text.count("★") + text.count("⭐"))
    return None
