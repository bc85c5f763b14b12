"""Examples that arrive in uploaded files, as golden examples."""

from collections.abc import Sequence

from projects.models import Project, User
from projects.roles import Permission
from review.models import GoldenExample
from review.services.golden import create_example, update_example
from sources.exports import Example
from sources.importers import ExampleReceiver, Outcome

# Where an example remembers the row it came from, so that another upload finds it again.
ROW = "row"


def take_examples(project: Project, actor: User, examples: Sequence[Example]) -> list[Outcome]:
    """Store examples and return what became of each; one that was taken before is brought up to date.

    Raises DomainError for who may not manage feedback.
    """
    keys = [example.key for example in examples]
    known = {
        stored.provenance[ROW]: stored
        for stored in GoldenExample.objects.filter(project=project, **{f"provenance__{ROW}__in": keys})
    }
    return [_take(project, actor, example, known) for example in examples]


def _take(project: Project, actor: User, example: Example, known: dict[str, GoldenExample]) -> Outcome:
    stored = known.get(example.key)
    if stored is None:
        known[example.key] = _add(project, actor, example)
        return "created"
    if (stored.original_query, stored.golden_response) == (example.question, example.answer):
        return "unchanged"
    known[example.key] = update_example(
        stored, actor=actor, original_query=example.question, golden_response=example.answer
    )
    return "updated"


def _add(project: Project, actor: User, example: Example) -> GoldenExample:
    added = create_example(project, actor=actor, original_query=example.question, golden_response=example.answer)
    added.provenance = {**added.provenance, ROW: example.key}
    added.save(update_fields=["provenance"])
    return added


def golden_page(project: Project) -> str:
    """Return the address of the list of golden examples."""
    return f"/p/{project.slug}/golden/"


RECEIVER = ExampleReceiver(Permission.MANAGE, take_examples, golden_page)
