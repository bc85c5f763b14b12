"""What all views of this surface share: the bearer, the errors, and the project they are about."""

from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from projects.authentication import BearerAuthentication, project_of
from projects.models import Project, User
from projects.roles import Permission
from review.workflowai.errors import workflowai_exception_handler

# In an address this means the caller's own project.
OWN = "_"


class WorkflowAIView(APIView):
    """A view for people with a bearer token, and their programs."""

    authentication_classes = [BearerAuthentication]
    schema = None

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Answer errors as the contract has them."""
        return workflowai_exception_handler


def project_for(request: Request, tenant: str, permission: Permission) -> Project:
    """Return the project that an address names, by number, by slug, or as the caller's own. Raises DomainError."""
    return project_of(request, permission, name=None if tenant == OWN else tenant)


def person(request: Request) -> User:
    """Return who calls; the views let nobody else in."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user
