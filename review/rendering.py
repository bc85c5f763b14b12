"""How the input and output of a run read as text."""

import json
from typing import Any


def render(value: Any) -> str:
    """Return JSON as a person reads it: text as it is, everything else indented with its keys kept."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=2)
