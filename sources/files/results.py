"""What became of one row, paragraph or transcript of an upload."""

from dataclasses import dataclass

from sources.items import RawItem


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row and its item; without an item it is rejected for `reasons`, with one they are warnings.

    `number` counts from 1 as a person would: in a table file the header and blank rows are counted too.
    """

    number: int
    item: RawItem | None
    reasons: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nothing comes of the row."""
        return self.item is None
