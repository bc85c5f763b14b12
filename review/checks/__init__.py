"""What an answer has to satisfy: the kinds of checks, and how an answer is graded by them."""

from review.checks.forms import Check, validate_checks
from review.checks.grading import Finding, grade

__all__ = ["Check", "Finding", "grade", "validate_checks"]
