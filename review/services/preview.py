"""What saving an answer as a golden example would make, before it is saved."""

from dataclasses import dataclass

from django.db import transaction

from review.models import Feedback, GoldenExample
from review.services.attention import answers_agree, similarity_to
from review.services.golden import TWIN_SIMILARITY, read_answer, read_question

MOST_TWINS = 3


@dataclass(frozen=True, slots=True)
class NearTwin:
    """An example that asks the same; it conflicts where its answer is another."""

    example: GoldenExample
    similarity: float
    conflicts: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The side of the split that the example would stand on, and the examples it would stand beside."""

    split: str
    twins: tuple[NearTwin, ...]
    replaces: GoldenExample | None

    @property
    def conflicts(self) -> int:
        """How many twins say something else."""
        return sum(twin.conflicts for twin in self.twins)

    @property
    def shown(self) -> tuple[NearTwin, ...]:
        """The twins that say something else, or all where none does."""
        return tuple(twin for twin in self.twins if twin.conflicts) or self.twins

    @property
    def split_word(self) -> str:
        """The side in words."""
        return GoldenExample.Split(self.split).label


def preview_example(feedback: Feedback, answer: str) -> Preview:
    """Find the examples that ask the same as a verdict's question, and whether they answer it as `answer` does."""
    question = read_question(feedback.original_query or "")
    examples = GoldenExample.objects.filter(project=feedback.project).defer("search", "vector")
    replaces = examples.filter(feedback=feedback).first()
    others = examples.exclude(feedback=feedback)
    if question.vector is None:
        found = [(example, 1.0) for example in others.filter(query_hash=question.hash)[:MOST_TWINS]]
    else:
        with transaction.atomic():
            near = others.nearest(question.vector, similarity=TWIN_SIMILARITY, limit=MOST_TWINS)
        found = [(twin.example, twin.similarity) for twin in near]
    vector = read_answer(answer) if found else None

    def conflicts(twin: GoldenExample) -> bool:
        return twin.is_active and not answers_agree(answer, twin.golden_response, similarity_to(twin, answer, vector))

    twins = tuple(NearTwin(example, similarity, conflicts(example)) for example, similarity in found)
    split = replaces.split if replaces else twins[0].example.split if twins else GoldenExample.Split.FEW_SHOT
    return Preview(split, twins, replaces)
