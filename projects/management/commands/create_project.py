"""Create a project with everything a program needs to use it."""

import json
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from projects import services
from projects.creation import on_project_created
from projects.models import User


class Command(BaseCommand):
    """Create a project and its owner; print their credentials, which are shown only now."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--password", help="of the owner, where the person is new; generated when left out")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        email = options["owner"].strip().lower()
        owner = User.objects.filter(email__iexact=email).first()
        password = None
        if owner is None:
            password = options["password"] or secrets.token_urlsafe(12)
            owner = User.objects.create_user(email, password)
        project = services.create_project(options["name"], owner=owner)
        project_key = services.issue_project_key(project, "First key")
        answer: dict[str, Any] = {
            "project_id": project.pk,
            "slug": project.slug,
            "api_key": project_key.key.public,
            "secret_key": project_key.secret,
            "agent_key": services.issue_agent_key(project.tracked_agents.get(), "First agent key").secret,
            "token": services.issue_personal_token(owner, project, "First token").secret,
            "email": owner.email,
            "password": password,
            **on_project_created(project),
        }
        if options["json"]:
            self.stdout.write(json.dumps(answer))
        else:
            for name, value in answer.items():
                self.stdout.write(f"{name:12} {value}")
