"""Jobs of the review app."""

from projects.models import Project
from review.exchange.importing import forget_abandoned_imports
from review.services import attention, runs, words


def look_at_golden_examples() -> None:
    """Bring the marks of golden examples up to date, and forget files that nobody imported."""
    attention.look_everywhere()
    forget_abandoned_imports()


def take_in_words(project_id: int) -> None:
    """Bring a project's feedback up to date with what customers wrote on answers."""
    if project := Project.objects.filter(pk=project_id).first():
        words.take_in_words(project)


def sweep_words() -> None:
    """Take in the words that nobody took in."""
    words.sweep()


def remove_orphaned_words() -> None:
    """Remove the feedback whose verdict is gone."""
    words.remove_orphans()


def end_abandoned_runs() -> None:
    """Call failed what nobody runs any more."""
    runs.end_abandoned_runs()
