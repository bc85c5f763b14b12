"""Jobs of the sources app."""

from sources import services


def purge_deleted_sources() -> None:
    """Remove for good the sources whose deletion can no longer be undone."""
    services.purge_deleted_sources()
