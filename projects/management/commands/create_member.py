"""Make somebody a member of a project."""

import json
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from projects import services
from projects.models import Project, User
from projects.roles import Role


class Command(BaseCommand):
    """Give a person a role in a project; print a token, which is shown only now."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", type=int, metavar="PROJECT_ID")
        parser.add_argument("email")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--password", help="where the person is new; generated when left out")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(pk=options["project"]).first()
        if project is None:
            raise CommandError(f"No project has the id {options['project']}.")
        email = options["email"].strip().lower()
        user = User.objects.filter(email__iexact=email).first()
        password = None
        if user is None:
            password = options["password"] or secrets.token_urlsafe(12)
            user = User.objects.create_user(email, password)
        services.grant_role(project, user, Role(options["role"]))
        answer = {
            "user_id": user.pk,
            "email": user.email,
            "role": options["role"],
            "password": password,
            "token": services.issue_personal_token(user, project, "First token").secret,
        }
        if options["json"]:
            self.stdout.write(json.dumps(answer))
        else:
            for name, value in answer.items():
                self.stdout.write(f"{name:9} {value}")
