"""Connectors: one engine, and one YAML file for each application."""

from sources.connectors.catalogue import Entry, catalogue, connectors
from sources.connectors.engine import Account, Batch, Engine, Known
from sources.connectors.errors import ConnectorError

__all__ = ["Account", "Batch", "ConnectorError", "Engine", "Entry", "Known", "catalogue", "connectors"]
