"""Reads the tables of words that lie beside this module."""

import tomllib
from importlib.resources import files
from typing import Any


def read_table(name: str) -> dict[str, Any]:
    """Return the table `name`.toml."""
    return tomllib.loads((files(__package__) / f"{name}.toml").read_text("utf-8"))
