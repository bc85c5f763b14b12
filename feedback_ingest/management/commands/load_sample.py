"""Make the sample project: an invented product's feedback, so that every screen shows something."""

import json
import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from feedback_ingest.sample.loading import load_sample
from projects.models import Project, User
from projects.services import make_sign_in_link

OWNER = "owner@vanfold.example"


class Command(BaseCommand):
    """Create the sample project with its owner, who may also use the back office."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--first-start", action="store_true", help="do nothing where any project exists")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["first_start"] and Project.objects.exists():
            return
        owner, password = self._owner()
        project = load_sample(owner, progress=lambda line: self.stderr.write(line))
        answer = {
            "project_id": project.pk,
            "project": project.slug,
            "email": owner.email,
            "password": password,
            "link": settings.SITE_URL + make_sign_in_link(owner),
        }
        self.stdout.write(json.dumps(answer))

    def _owner(self) -> tuple[User, str | None]:
        existing = User.objects.filter(email=OWNER).first()
        if existing:
            return existing, None
        password = secrets.token_urlsafe(12)
        return User.objects.create_superuser(OWNER, password, name="Sample Owner"), password
