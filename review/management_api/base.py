"""What all views of the feedback surface share: the bearer, the errors, and the project they are about."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import DomainError
from projects.access import can
from projects.authentication import BearerAuthentication, project_of
from projects.models import Project, User
from projects.roles import Permission
from review.validation import fastapi_exception_handler


class FeedbackView(APIView):
    """A view for people with a bearer token."""

    authentication_classes = [BearerAuthentication]
    schema = None

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Answer errors as the contract has them."""
        return fastapi_exception_handler


def project_for(request: Request, permission: Permission) -> Project:
    """Return the project that a request is about.

    Raises DomainError: 403 without `permission`, or without any project; 404 for a named one that is hidden.
    """
    try:
        return project_of(request, permission)
    except DomainError as error:
        named = "project" in request.query_params or "X-Project" in request.headers
        if error.status != 404 or named:
            raise
        raise DomainError(
            f"Insufficient permissions. Required: feedback.{permission}", code="permission_denied", status=403
        ) from error


def person(request: Request) -> User:
    """Return who calls; the views let nobody else in."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def sees_people(request: Request, project: Project) -> bool:
    """Tell whether the caller is shown who said what."""
    return can(request.user, Permission.VIEW_PERSONAL_DATA, project)


def as_uuid(text: str, missing: DomainError) -> UUID:
    """Return an id from a path; one that is none names nothing: raises `missing`."""
    try:
        return UUID(text)
    except ValueError:
        raise missing from None
