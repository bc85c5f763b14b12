"""Make the schedules of all jobs known to the workers."""

from typing import Any

from django.core.management.base import BaseCommand

from projects import schedules


class Command(BaseCommand):
    """Create, change and remove schedules so that they are as the code says."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{schedules.create_all()} schedules")
