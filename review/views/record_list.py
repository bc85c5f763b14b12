"""What the lists of verdicts, runs and conversations share: the state of the address, and pages by place."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from projects.pages import ProjectRequest
from projects.pagination import decode, encode
from projects.roles import Permission
from review.record_forms import RecordForm
from review.services.counts import MOST_COUNTED, capped

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class RecordList:
    """A list as its address says; rows are ordered by `moment` and id, the newest first.

    `total` is how many there are, where counters know; else they are counted up to a limit.
    """

    request: ProjectRequest
    form: RecordForm
    rows: QuerySet[Any]
    moment: str
    total: int | None = None

    def context(self, tab: str, title: str) -> dict[str, Any]:
        """Return what the page of the list shows."""
        shown, next_url = self._page()
        total = capped(self.rows) if self.total is None else self.total
        return {
            "page_title": title,
            "tab": tab,
            "sees_people": self.request.sees_people,
            "may_decide": Permission.MANAGE in self.request.permissions,
            "form": self.form,
            "chips": self._chips(),
            "clear_url": self.request.path,
            "rows": shown,
            "total": total,
            "is_at_least": self.total is None and total == MOST_COUNTED,
            "next_url": next_url,
            "first_url": self._url(after=None) if "after" in self.request.GET else None,
        }

    def _page(self) -> tuple[list[Any], str | None]:
        rows = self.rows.order_by(f"-{self.moment}", "-id")
        if cursor := self.request.GET.get("after"):
            model = self.rows.model
            key = UUID if model._meta.pk.get_internal_type() == "UUIDField" else int
            table, column = model._meta.db_table, model._meta.get_field(self.moment).column
            # One comparison of rows, which the index on both columns answers at any depth.
            rows = rows.extra(  # noqa: S610
                where=[f'("{table}"."{column}", "{table}"."id") < (%s, %s)'], params=decode(cursor, (datetime, key))
            )
        found = list(rows[: PAGE_SIZE + 1])
        if len(found) <= PAGE_SIZE:
            return found, None
        last = found[PAGE_SIZE - 1]
        return found[:PAGE_SIZE], self._url(after=encode([getattr(last, self.moment), last.pk]))

    def _chips(self) -> list[dict[str, str]]:
        return [
            {"name": label, "value": words, "remove_url": self._url(**{name: None}, after=None)}
            for name, label, words in self.form.chosen
        ]

    def _url(self, **changes: str | None) -> str:
        data = self.request.GET.copy()
        for name, value in changes.items():
            data.pop(name, None)
            if value:
                data[name] = value
        return f"?{data.urlencode()}"
