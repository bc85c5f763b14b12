"""Evidence: whether the words that a mention points at are still there."""

import hashlib

from insights.models import Mention


def quote_hash(text: str, start: int, end: int) -> bytes:
    """Return the SHA-256 of the words that a mention points at."""
    return hashlib.sha256(text[start:end].encode()).digest()


def quote_of(mention: Mention) -> str:
    """Return the exact words of a mention, or nothing where they cannot be verified."""
    body = (mention.part.body if mention.part else mention.item.body) or ""
    if quote_hash(body, mention.start, mention.end) != bytes(mention.quote_hash):
        return ""
    return body[mention.start : mention.end]
