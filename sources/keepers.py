"""Who keeps what connections read: the app above registers itself, since only it can store feedback."""

from dataclasses import dataclass

from sources.syncing import KnownIds, Store


@dataclass(frozen=True, slots=True)
class Keeper:
    """How batches are stored, and which of their ids are stored already; see `sources.syncing`."""

    store: Store
    known: KnownIds


_keepers: list[Keeper] = []


def register(keeper: Keeper) -> None:
    """Let connections be read into `keeper`; called from `AppConfig.ready`."""
    _keepers.append(keeper)


def keeper() -> Keeper:
    """Return who keeps feedback. Raises LookupError where nobody does."""
    if not _keepers:
        raise LookupError("No app has registered to keep what connections read.")
    return _keepers[-1]
