"""Typed readers for the environment, the only place settings come from."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import overload

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


class SettingError(RuntimeError):
    """An environment variable is missing or cannot be read as its type."""


class Environment:
    """Read settings by name; `NAME_FILE` names a file that holds the value of `NAME`."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self.variables = os.environ if variables is None else variables

    def _raw(self, name: str) -> str | None:
        if path := self.variables.get(f"{name}_FILE"):
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingError(f"{name}_FILE: cannot read {path}: {error.strerror}") from error
        value = self.variables.get(name)
        return value.strip() if value is not None and value.strip() else None

    @overload
    def text(self, name: str) -> str | None: ...
    @overload
    def text(self, name: str, default: str) -> str: ...
    def text(self, name: str, default: str | None = None) -> str | None:
        """Return the value, or `default` where it is unset or blank."""
        value = self._raw(name)
        return default if value is None else value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a yes/no value. Raises SettingError on anything else."""
        value = self._raw(name)
        if value is None:
            return default
        if value.lower() in TRUE:
            return True
        if value.lower() in FALSE:
            return False
        raise SettingError(f"{name}: expected yes or no, got {value!r}")

    def number(self, name: str, default: int, *, minimum: int = 0) -> int:
        """Return a whole number of at least `minimum`. Raises SettingError otherwise."""
        value = self._raw(name)
        if value is None:
            return default
        try:
            number = int(value)
        except ValueError:
            raise SettingError(f"{name}: expected a whole number, got {value!r}") from None
        if number < minimum:
            raise SettingError(f"{name}: must be at least {minimum}, got {number}")
        return number

    def words(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        """Return a comma-separated list, without blanks."""
        value = self._raw(name)
        if value is None:
            return list(default)
        return [word.strip() for word in value.split(",") if word.strip()]

    def pairs(self, name: str) -> dict[str, str]:
        """Return comma-separated `key=value`. Raises SettingError, which does not repeat what may be secret."""
        entries = [word.partition("=") for word in self.words(name)]
        if not all(separator and key for key, separator, _ in entries):
            raise SettingError(f"{name}: expected key=value, separated by commas")
        return {key: value for key, _, value in entries}

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """Return one of `allowed`. Raises SettingError otherwise."""
        value = self._raw(name) or default
        if value not in allowed:
            raise SettingError(f"{name}: expected one of {', '.join(allowed)}, got {value!r}")
        return value

    def refuse_unknown(self, prefix: str, known: set[str]) -> None:
        """Raise SettingError for a variable that begins with `prefix` and that nothing reads: a typing mistake."""
        unknown = sorted(
            name
            for name in self.variables
            if name.startswith(prefix) and name not in known and name.removesuffix("_FILE") not in known
        )
        if unknown:
            raise SettingError(f"Unknown settings: {', '.join(unknown)}. See .env.example for the known ones.")
