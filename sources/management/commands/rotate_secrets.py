"""Encrypt the stored credentials with the current SECRET_KEY."""

from typing import Any

from django.core.management.base import BaseCommand

from sources.credentials import seal_again


class Command(BaseCommand):
    """Run it after SECRET_KEY has changed and the former one stands in EARSHOT_SECRET_KEYS."""

    help = "Encrypt the stored credentials of connections with the current SECRET_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        """Encrypt them and say how many there were."""
        self.stdout.write(f"{seal_again()} connections encrypted with the current key.")
