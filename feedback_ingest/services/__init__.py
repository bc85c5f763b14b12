"""Everything that changes feedback."""

from feedback_ingest.services.ingest import IngestResult, ItemOutcome, ingest_items

__all__ = ["IngestResult", "ItemOutcome", "ingest_items"]
