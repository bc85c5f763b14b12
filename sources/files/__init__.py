"""Feedback from uploaded files and pasted text: pure reading, no database."""

from sources.files.columns import Delimiter, Mapping
from sources.files.dates import DateColumn, DateOrder
from sources.files.documents import DocumentSummary, document_items, inspect_document, preview_document
from sources.files.export import csv_rows, restore_cell, safe_cell
from sources.files.limits import DEFAULT_LIMITS, FileRefused, Limits
from sources.files.results import RowResult
from sources.files.tables import TableSummary, inspect, preview, rows
from sources.files.text import Split, guess_split, preview_text, text_items

__all__ = [
    "DEFAULT_LIMITS",
    "DateColumn",
    "DateOrder",
    "Delimiter",
    "DocumentSummary",
    "FileRefused",
    "Limits",
    "Mapping",
    "RowResult",
    "Split",
    "TableSummary",
    "csv_rows",
    "document_items",
    "guess_split",
    "inspect",
    "inspect_document",
    "preview",
    "preview_document",
    "preview_text",
    "restore_cell",
    "rows",
    "safe_cell",
    "text_items",
]
