"""Ids for feedback that arrives without one, the same each time the same content arrives."""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

DIGEST_BYTES = 16


class ContentIds:
    """Gives every piece of content in one upload an id made from nothing but the content.

    Content that is truly repeated is numbered by occurrence, so that equal rows stay separate rows, and an
    upload of the same file finds each of them again.
    """

    def __init__(self) -> None:
        self._seen: Counter[int] = Counter()

    def next_id(self, fields: Iterable[str]) -> str:
        """Return the id of the next content that consists of these fields, in this order."""
        digest = blake2b(digest_size=DIGEST_BYTES)
        for field in fields:
            encoded = field.encode("utf-8", "replace")
            digest.update(b"%d:" % len(encoded) + encoded)
        # Eight bytes are enough to count by and cost a third of the memory of the text.
        key = int.from_bytes(digest.digest()[:8])
        self._seen[key] += 1
        occurrence = self._seen[key]
        return digest.hexdigest() if occurrence == 1 else f"{digest.hexdigest()}-{occurrence}"


def clean_text(text: str) -> str:
    """Take out what no database stores: NUL characters, and halves of surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
