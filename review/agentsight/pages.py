"""Pages by number, in an envelope that the clients of every version read."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import QuerySet
from django_filters import FilterSet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class NumberedPages(PageNumberPagination):
    """Ten rows a page, or up to a hundred."""

    page_size = 10
    page_size_query_param = "page_size"
    max_page_size = 100


def page(
    rows: QuerySet[Any],
    request: Request,
    view: APIView,
    show: Callable[[list[Any]], Iterable[Any]],
    **extra: Any,
) -> Response:
    """Answer one page of rows as `show` writes them; `extra` goes beside the results. Raises NotFound past the end."""
    pages = NumberedPages()
    found = pages.paginate_queryset(rows, request, view=view) or []
    here = pages.page
    assert here is not None  # noqa: S101  # this kind of pages is never switched off
    return Response(
        {
            "count": here.paginator.count,
            "page_size": here.paginator.per_page,
            "total_pages": here.paginator.num_pages,
            "current_page": here.number,
            "next": pages.get_next_link(),
            "previous": pages.get_previous_link(),
            "results": list(show(found)),
            **extra,
        }
    )


def narrowed(filters: type[FilterSet], rows: QuerySet[Any], request: Request) -> QuerySet[Any]:
    """Apply the query's filters. Raises ValidationError for values that cannot be."""
    chosen = filters(request.query_params, rows, request=request)
    if not chosen.is_valid():
        raise ValidationError(chosen.errors)
    found: QuerySet[Any] = chosen.qs
    return found
