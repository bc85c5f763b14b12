"""Jobs of the review app."""

from review.exchange.importing import forget_abandoned_imports
from review.services import attention


def look_at_golden_examples() -> None:
    """Bring the marks of golden examples up to date, and forget files that nobody imported."""
    attention.look_everywhere()
    forget_abandoned_imports()
