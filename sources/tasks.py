"""Jobs of the sources app."""

from uuid import UUID

from sources import endpoints, rounds, services


def purge_deleted_sources() -> None:
    """Remove for good the sources whose deletion can no longer be undone."""
    services.purge_deleted_sources()


def begin_round() -> None:
    """Have every connection read that is due."""
    rounds.begin_round()


def read_connection(source_id: str) -> None:
    """Read one connection for a while."""
    rounds.read_connection(UUID(source_id))


def check_freshness() -> None:
    """Mark the connections that are overdue."""
    rounds.check_freshness()


def forget_deliveries() -> None:
    """Forget deliveries that are too old to come again."""
    endpoints.forget_deliveries()
