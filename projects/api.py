"""What every endpoint of `/api/v1/` has in common: one project, one permission an action, one list shape."""

from datetime import datetime
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django_filters import FilterSet
from rest_framework import viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from projects.access import permissions
from projects.authentication import project_of
from projects.models import Project, User
from projects.pagination import page_of
from projects.roles import Permission

CAPPED_AT = 10_000
SEARCH_CAPPED_AT = 1_000


class ProjectViewSet(viewsets.GenericViewSet[Any]):
    """A view set about one project, which the token, `?project=` or `X-Project` names."""

    needs: ClassVar[dict[str, Permission]] = {}
    filterset: ClassVar[type[FilterSet] | None] = None
    page_order: ClassVar[tuple[str, ...]] = ("created_at", "id")
    page_kinds: ClassVar[tuple[type, ...]] = (datetime, int)
    pagination_class = None
    project: Project
    held: frozenset[Permission]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find the project, and check what this action needs there."""
        super().initial(request, *args, **kwargs)
        self.project = project_of(request, self.needs.get(self.action or "", Permission.VIEW))
        self.held = permissions(request.user, self.project)

    @property
    def actor(self) -> User:
        """The person who calls; nobody else gets past the permission classes."""
        return cast(User, self.request.user)

    @property
    def sees_people(self) -> bool:
        """Whether names, e-mails and user ids are shown."""
        return Permission.VIEW_PERSONAL_DATA in self.held

    def get_serializer_context(self) -> dict[str, Any]:
        """Tell serializers whether people are shown."""
        shown = not getattr(self, "swagger_fake_view", False) and self.sees_people
        return {**super().get_serializer_context(), "sees_people": shown}

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Apply the query's filters. Raises ValidationError for values that cannot be."""
        if self.filterset is None:
            return rows
        chosen = self.filterset(self.request.query_params, rows, request=self.request)
        if not chosen.is_valid():
            raise ValidationError(chosen.errors)
        narrowed: QuerySet[Any] = chosen.qs
        return narrowed

    def list_page(self, rows: QuerySet[Any], request: Request) -> Response:
        """Answer one page in the shape of every list: `results`, `next`, `total`."""
        narrowed = self.narrow(rows)
        page, following = page_of(narrowed, request, order=self.page_order, kinds=self.page_kinds)
        results = self.get_serializer(page, many=True).data
        return Response({"results": results, "next": following} | self.total(narrowed))

    def total(self, rows: QuerySet[Any]) -> dict[str, Any]:
        """Count exactly up to 10,000, or what a text is found in up to 1,000; beyond that say that there are more."""
        cap = SEARCH_CAPPED_AT if self.request.query_params.get("q") else CAPPED_AT
        counted = rows.order_by().values("pk")[: cap + 1].count()
        if counted > cap:
            return {"total": cap, "total_is_at_least": True}
        return {"total": counted}
