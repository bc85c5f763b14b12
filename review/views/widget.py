"""The page that shows the feedback buttons at work and gives the lines to paste into one's own page."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from projects.console import toast
from projects.models import User
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from review.models import Feedback, Run
from review.rendering import headline
from review.services.tokens import mint_token
from review.services.transitions import delete_feedback

SCRIPT = "widget/feedback-buttons-1.0.0.js"
THEMES = {"": "As the system has it", "light": "Light", "dark": "Dark"}


@dataclass(frozen=True, slots=True)
class Look:
    """One way to set the properties of the buttons."""

    name: str
    properties: tuple[tuple[str, str], ...] = ()

    @property
    def rules(self) -> str:
        """The rules that a page needs for it."""
        lines = "".join(f"  {name}: {value};\n" for name, value in self.properties)
        return f"feedback-buttons {{\n{lines}}}" if lines else ""


# The classes of the same names are in the template, where the style sheet is built from.
LOOKS = {
    "": Look("Plain"),
    "violet": Look("Violet", (("--feedback-accent", "#7c3aed"), ("--feedback-on-accent", "#ffffff"))),
    "round": Look("Round and large", (("--feedback-radius", "999px"), ("--feedback-size", "3rem"))),
}


@require_GET
@project_page()
def widget(request: ProjectRequest) -> HttpResponse:
    """Show the buttons under the newest answer of the project, in the chosen look."""
    theme, look = _chosen(request, "theme", THEMES), _chosen(request, "look", LOOKS)
    context: dict[str, Any] = {
        "page_title": "Feedback buttons",
        "tab": "widget",
        "may_decide": Permission.MANAGE in request.permissions,
        "run": _sample_run(request),
        "script": SCRIPT,
        "theme": theme,
        "look": look,
        "themes": THEMES.items(),
        "looks": LOOKS.items(),
        "rules": LOOKS[look].rules,
        "snippet": _snippet(theme),
        "react": _react(theme),
        "user_id": _visitor(request.user),
    }
    if run := context["run"]:
        context |= {"token": mint_token(run), "answer": _shown(run), "tried": _tried(request, run)}
    return render(request, "review/widget.html", context)


@require_POST
@project_page(Permission.MANAGE)
def widget_forget(request: ProjectRequest) -> HttpResponse:
    """Remove the verdict that the visitor gave here to try the buttons."""
    run = _sample_run(request)
    tried = _tried(request, run) if run else None
    if tried:
        delete_feedback(tried, actor=request.user)
        toast(request, "Your verdict is removed.")
    return redirect("review_widget", request.project.slug)


def _sample_run(request: ProjectRequest) -> Run | None:
    runs = Run.objects.visible_to(request.user).filter(project=request.project, status=Run.Status.SUCCESS)
    run: Run | None = runs.exclude(answer="").select_related("agent").order_by("-created_at", "-id").first()
    return run


def _tried(request: ProjectRequest, run: Run) -> Feedback | None:
    given = Feedback.objects.visible_to(request.user).current().filter(project=request.project, run=run)
    tried: Feedback | None = given.filter(external_user_id=_visitor(request.user)).first()
    return tried


def _shown(run: Run) -> str:
    """Return what a page would show of the answer: the text of a structured output."""
    return headline(run.output) if isinstance(run.output, dict | list) else run.answer


def _visitor(user: User) -> str:
    """Return the user id of a member who tries the buttons: an address by which the analysis knows staff."""
    return user.email


def _chosen(request: ProjectRequest, name: str, choices: dict[str, Any]) -> str:
    value = request.GET.get(name, "")
    return value if value in choices else ""


def _snippet(theme: str) -> str:
    themed = f' theme="{theme}"' if theme else ""
    return (
        '<p id="answer">The answer of your assistant</p>\n'
        f'<feedback-buttons feedback-token="TOKEN_OF_THE_RUN" user-id="YOUR_USER" for="answer"{themed}>'
        "</feedback-buttons>\n"
        f'<script type="module" src="{settings.SITE_URL}{settings.STATIC_URL}{SCRIPT}"></script>'
    )


def _react(theme: str) -> str:
    themed = f' theme="{theme}"' if theme else ""
    return (
        'import { FeedbackButtons } from "@earshot/feedback-buttons/react";\n\n'
        f'<FeedbackButtons feedbackToken={{token}} userID={{user.id}}{themed} api="{settings.SITE_URL}" />'
    )
