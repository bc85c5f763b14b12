"""Makes JSON from outside fit for PostgreSQL, which stores neither NUL nor halves of characters."""

from typing import Any


def storable(value: Any) -> Any:
    """Return the same JSON without what cannot be stored in a text."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [storable(each) for each in value]
    if isinstance(value, dict):
        return {storable(name): storable(each) for name, each in value.items()}
    return value
