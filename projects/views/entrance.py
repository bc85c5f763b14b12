"""Pages for people who are not signed in yet."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from projects import services
from projects.console import toast
from projects.forms import AccountForm
from projects.models import Invitation, User
from projects.roles import ROLE_SUMMARIES, Role

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign a person in by a link: shown first, spent by its button, so that mail scanners do not spend it."""
    if request.method != "POST":
        return render(request, "projects/sign_in_link.html", {"page_title": "Sign in"})
    user = services.use_sign_in_link(token)
    login(request, user, backend=BACKEND)
    return redirect("home")


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Join a project: by one button when signed in, else with a new account, else by signing in first."""
    invitation = services.find_invitation(token)
    if isinstance(request.user, User):
        return _join(request, invitation, request.user)
    return _join_with_account(request, invitation)


def _join(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    if request.method != "POST":
        return _invitation_page(request, invitation, None)
    services.accept_invitation(invitation, user)
    return _welcome(request, invitation)


def _join_with_account(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = AccountForm(request.POST or None, email=invitation.email)
    if request.method != "POST" or not form.is_valid():
        return _invitation_page(request, invitation, form)
    user = services.join_with_account(invitation, **form.cleaned_data)
    login(request, user, backend=BACKEND)
    return _welcome(request, invitation)


def _welcome(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    toast(request, f"You are in “{invitation.project.name}” now.")
    return redirect("project_home", slug=invitation.project.slug)


def _invitation_page(request: HttpRequest, invitation: Invitation, form: AccountForm | None) -> HttpResponse:
    role = Role(invitation.role)
    context = {
        "page_title": f"Join {invitation.project.name}",
        "invitation": invitation,
        "role": role.label,
        "summary": ROLE_SUMMARIES[role],
        "form": form,
        "has_account": User.objects.filter(email__iexact=invitation.email).exists(),
        "is_theirs": request.user.is_authenticated and request.user.email.lower() == invitation.email.lower(),
    }
    return render(request, "projects/invitation.html", context, status=422 if form and form.errors else 200)


@require_GET
def robots(request: HttpRequest) -> HttpResponse:
    """Ask search engines to leave all of it alone."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain")
