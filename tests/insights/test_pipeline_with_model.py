"""With a model: what it answers is verified and stored; while it is down nothing is lost and nothing is blamed."""

from typing import Any

import pytest
from django.utils import timezone

from feedback_ingest.models import FeedbackItem
from insights.evidence import quote_of
from insights.models import LlmCall, Mention
from insights.pipeline import analyse_project
from projects.models import Project
from sources.models import SourceCount
from tests.factories import make_item, make_source
from tests.model_server import Fault, ModelServer


@pytest.fixture(autouse=True)
def configured(model: ModelServer) -> ModelServer:
    return model


def test_what_the_model_says_is_stored_with_the_exact_words(project: Project, model: ModelServer) -> None:
    make_item(make_source(project), body="The export to Excel is broken. I use it daily.", author="Jane Doe")
    analyse_project(project)
    assert LlmCall.objects.filter(project=project, outcome="ok").exists()
    mentions = list(Mention.objects.select_related("item", "part"))
    assert mentions
    assert all(quote_of(mention) in (mention.item.body or "") for mention in mentions)
    assert not any("Jane Doe" in str(prompt) for prompt in model.prompts)


def test_while_the_model_is_down_items_wait_and_no_attempt_is_counted(project: Project, model: ModelServer) -> None:
    source = make_source(project)
    for number in range(5):
        make_item(source, body=f"The export to Excel is broken, case {number}.")
    model.fail_always(Fault.SERVER_ERROR)
    analyse_project(project)
    states: list[Any] = list(FeedbackItem.objects.values_list("state", "attempts"))
    assert states == [("waiting", 0)] * 5
    assert SourceCount.objects.get(source=source).waiting == 5
    assert FeedbackItem.objects.filter(lease_until__gt=timezone.now()).count() == 5
