"""`/api/v1/satisfaction/`: what customers said of answers, conversations and assistants."""

from dataclasses import asdict

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import DomainError
from feedback_ingest.models import Conversation
from insights.ranges import Range
from projects.authentication import project_of
from projects.models import Project, TrackedAgent
from projects.roles import Permission
from review.services import counts

MOST_DIGITS = 18
PARAMETERS = [
    OpenApiParameter("from", OpenApiTypes.STR, description="ISO date or time, inclusive."),
    OpenApiParameter("to", OpenApiTypes.STR, description="ISO date or time, exclusive."),
    OpenApiParameter("agent", OpenApiTypes.INT, description="One tracked assistant."),
    OpenApiParameter("environment", OpenApiTypes.STR, enum=[*Conversation.Environment.values, "all"]),
]


class SatisfactionSerializer(serializers.Serializer[counts.Satisfaction]):
    """Verdicts of customers; the score is the share of the positive among those who took a side."""

    positive = serializers.IntegerField()
    neutral = serializers.IntegerField()
    negative = serializers.IntegerField()
    score = serializers.FloatField(allow_null=True)


class Satisfaction(APIView):
    """`GET /api/v1/satisfaction/`."""

    @extend_schema(parameters=PARAMETERS, responses=SatisfactionSerializer)
    def get(self, request: Request) -> Response:
        """Count customers' verdicts in a range; those from development only where they are asked for."""
        project = project_of(request, Permission.VIEW)
        query = request.query_params
        within = Range.of(project, query.get("from"), query.get("to"))
        found = counts.satisfaction(
            project,
            start=None if within.is_open else within.start,
            end=within.end,
            tracked_agent=_agent(project, query.get("agent")),
            environment=_environment(query.get("environment") or Conversation.Environment.PRODUCTION),
        )
        return Response({**asdict(found), "score": found.score})


def _agent(project: Project, text: str | None) -> int | None:
    if not text:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    agent = TrackedAgent.objects.filter(project=project, pk=int(text)).first() if is_number else None
    if agent is None:
        raise DomainError("No such agent.", code="not_found", status=404)
    return agent.pk


def _environment(name: str) -> str | None:
    if name == "all":
        return None
    if name not in Conversation.Environment.values:
        known = ", ".join([*Conversation.Environment.values, "all"])
        raise DomainError(f"environment must be one of {known}.", code="bad_environment")
    return name
