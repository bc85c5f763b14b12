"""Golden examples over REST."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from projects.models import Project
from projects.roles import Permission
from review.management_api import representation, schemas
from review.management_api.base import FeedbackView, as_uuid, person, project_for
from review.models import GoldenExample
from review.services import counts, golden
from review.validation import read_body, read_query


class Examples(FeedbackView):
    """`GET` and `POST /feedback/golden-examples/`."""

    def get(self, request: Request) -> Response:
        """List examples, the newest first."""
        project = project_for(request, Permission.VIEW)
        asked = read_query(request, schemas.GoldenPage)
        given = {"source_type": asked.source_type, "is_active": asked.is_active}
        narrowed = {name: value for name, value in given.items() if value is not None and value != ""}
        rows = GoldenExample.objects.filter(project=project, **narrowed).newest_first()
        if asked.search and asked.search.strip():
            rows = rows.matching(asked.search)
            total = counts.capped(rows)
        else:
            total = counts.golden_total(project, **narrowed)
        page = rows.select_related("feedback", "created_by").defer("vector", "search", "feedback__search")
        return Response(
            {
                "items": [
                    representation.golden_example(example)
                    for example in page[asked.offset : asked.offset + asked.limit]
                ],
                "total": total,
                "limit": asked.limit,
                "offset": asked.offset,
            }
        )

    def post(self, request: Request) -> Response:
        """Write an example by hand."""
        project = project_for(request, Permission.MANAGE)
        sent = read_body(request, schemas.GoldenDraft)
        example = golden.create_example(
            project,
            actor=person(request),
            original_query=sent.original_query,
            golden_response=sent.golden_response,
            original_response=sent.original_response or "",
        )
        return Response(representation.golden_example(example), status=status.HTTP_201_CREATED)


class Example(FeedbackView):
    """`GET`, `PUT` and `DELETE /feedback/golden-examples/{id}`."""

    def get(self, request: Request, example_id: str) -> Response:
        """Show one example."""
        example = _one(project_for(request, Permission.VIEW), example_id)
        return Response(representation.golden_example(example))

    def put(self, request: Request, example_id: str) -> Response:
        """Change its answer, or switch it on or off."""
        project = project_for(request, Permission.MANAGE)
        sent = read_body(request, schemas.GoldenChange)
        changed = golden.update_example(
            _one(project, example_id),
            actor=person(request),
            golden_response=sent.golden_response,
            is_active=sent.is_active,
        )
        return Response(representation.golden_example(changed))

    def delete(self, request: Request, example_id: str) -> Response:
        """Remove it for good."""
        example = _one(project_for(request, Permission.MANAGE), example_id)
        golden.delete_example(example, actor=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _one(project: Project, example_id: str) -> GoldenExample:
    key = as_uuid(example_id, golden.not_found())
    rows = GoldenExample.objects.filter(project=project, pk=key).select_related("feedback", "created_by")
    example: GoldenExample | None = rows.first()
    if example is None:
        raise golden.not_found()
    example.project = project
    return example
