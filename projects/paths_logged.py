"""Paths as they are logged: without the long random segments that give access, but for ids."""

import logging
import re

SECRET_SEGMENT = re.compile(r"[\w.~:-]{20,}")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def shown_path(path: str) -> str:
    """Return a path with keys and tokens left out."""
    segments = path.split("/")
    return "/".join("…" if SECRET_SEGMENT.fullmatch(each) and not ID.fullmatch(each) else each for each in segments)


class PathFilter(logging.Filter):
    """Lets every record through, and leaves keys and tokens out of the paths that Django names in its own."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return true."""
        if record.name.startswith("django.") and isinstance(record.args, tuple):
            record.args = tuple(shown_path(each) if isinstance(each, str) else each for each in record.args)
        return True
