"""Connecting an application in four steps on one page: sign in, choose, look at what comes, begin."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.messages import ERROR
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from config.errors import DomainError
from privacy.redact import redact
from projects.console import toast
from projects.models import Project
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from sources import connecting, drafts, oauth
from sources.connecting import Preview
from sources.connection_forms import AccessForm, ChoiceForm, chosen_settings, first_day
from sources.connectors import connectors
from sources.connectors.configured import REST
from sources.connectors.spec import Connector
from sources.drafts import STEPS, Draft
from sources.files import RowResult
from sources.models import Source
from sources.views.lookups import address

NIGHT: Final = time(2)
PII_WORDS: Final = {
    "email": "e-mail address,e-mail addresses",
    "phone": "phone number,phone numbers",
    "ip": "IP address,IP addresses",
    "iban": "IBAN,IBANs",
}
Handler = Callable[[ProjectRequest, Connector, Draft], HttpResponse]


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE_SOURCES)
def connect_source(request: ProjectRequest, kind: str) -> HttpResponse:
    """Show the steps, with the one open that is next or that `?step=` names; a form sends one step."""
    if kind == REST:
        return redirect("source_rest_add", request.project.slug)
    connector = connector_or_404(kind)
    draft = _draft(request, connector)
    if request.method == "POST":
        handler = HANDLERS.get(request.POST.get("step", ""))
        if handler is None:
            return _page(request, connector, draft, draft.open, status=422)
        return handler(request, connector, draft)
    step = request.GET.get("step", "")
    shown = step if step in STEPS and STEPS.index(step) < STEPS.index(draft.open) else draft.open
    return _page(request, connector, draft, shown)


def connector_or_404(kind: str) -> Connector:
    """Return the connector of a kind. Raises Http404."""
    connector = connectors().get(kind)
    if connector is None:
        raise Http404("No such application.")
    return connector


def _draft(request: ProjectRequest, connector: Connector) -> Draft:
    empty = Draft(kind=connector.kind, project=request.project.pk, name=connector.title)
    return drafts.find(request.session, empty.key) or empty


def _page(
    request: ProjectRequest, connector: Connector, draft: Draft, step: str, *, form: Any = None, status: int = 200
) -> HttpResponse:
    context = {
        "page_title": f"Connect {connector.title}",
        "connector": connector,
        "draft": draft,
        "steps": [(name, STEPS.index(name) < STEPS.index(draft.open) and name != step) for name in STEPS],
        "step": step,
        "form": form or _form(connector, draft, step),
        "signed_in": bool(draft.secrets.get("access_token") or draft.secrets.get("refresh_token")),
        "redirect_uri": redirect_uri(),
        "has_app": oauth.operator_client(connector.kind) is not None,
        "since": first_day(draft.settings),
    }
    if step == "map":
        context |= _looked_at(request, draft)
    return render(request, "sources/connect.html", context, status=status)


def _form(connector: Connector, draft: Draft, step: str) -> Any:
    if step == "connect":
        return AccessForm(connector=connector, given=draft.settings, known=draft.secrets)
    if step == "choose":
        initial = {"name": draft.name, "purpose": draft.purpose, "every": draft.every}
        return ChoiceForm(
            connector=connector, given=draft.settings, initial=initial | {"since": first_day(draft.settings)}
        )
    return None


def _looked_at(request: ProjectRequest, draft: Draft) -> dict[str, Any]:
    """What the application answers at this moment: nothing of it is stored, not even in the session."""
    try:
        seen = connecting.preview(draft.kind, draft.settings, draft.secrets)
    except DomainError as error:
        return {"problem": error.message}
    _keep_answer(request, draft, seen)
    return preview_context(seen)


def preview_context(seen: Preview) -> dict[str, Any]:
    """Return the rows of a preview as tables show them, and what of them is masked before a model reads it."""
    found: Counter[str] = Counter()
    for item in seen.items:
        for text in (item.body, *(part.body for part in item.conversation_parts or ())):
            found.update(redact(text).counts if isinstance(text, str) else {})
    return {
        "rows": [RowResult(number, item) for number, item in enumerate(seen.items, start=1)],
        "unreadable": seen.unreadable,
        "masked": [(count, PII_WORDS.get(kind, f"{kind},{kind}s")) for kind, count in found.most_common()],
    }


def _keep_answer(request: ProjectRequest, draft: Draft, seen: Preview) -> None:
    """Keep the numbers of an answer, and the tokens that were replaced by asking."""
    draft.keep_secrets(seen.secrets)
    draft.total, draft.estimate = seen.total, seen.estimate
    draft.answered = answer_words(connectors()[draft.kind], seen)
    drafts.keep(request.session, draft)


def answer_words(connector: Connector, seen: Preview) -> str:
    """Say what an application answered."""
    if not seen.items:
        return f"{connector.title} answered in {seen.took:.1f} s, with nothing said in that time."
    newest = max((item.created_at for item in seen.items if isinstance(item.created_at, datetime)), default=None)
    when = f", the newest of {timezone.localtime(newest):%-d %B %Y}" if newest else ""
    many = f"{len(seen.items)} item{'' if len(seen.items) == 1 else 's'}"
    return f"{connector.title} answered in {seen.took:.1f} s with {many}{when}."


def _connect(request: ProjectRequest, connector: Connector, draft: Draft) -> HttpResponse:
    """Take the address and the key; try them where nothing else is needed for that."""
    form = AccessForm(request.POST, connector=connector, given=draft.settings, known=draft.secrets)
    if not form.is_valid():
        return _page(request, connector, draft, "connect", form=form, status=422)
    draft.settings |= form.settings
    draft.keep_secrets(form.secrets)
    drafts.keep(request.session, draft)
    if "sign_in" in request.POST:
        return leave(request, connector, draft)
    try:
        connecting.check_access(draft.kind, draft.settings, draft.secrets)
        if _can_be_tried(connector, draft):
            # Only the first list: what else is read can be chosen in the next step.
            seen = connecting.preview(draft.kind, draft.settings, draft.secrets, only_first=True)
            _keep_answer(request, draft, seen)
    except DomainError as error:
        form.add_error(None, error.message)
        return _page(request, connector, draft, "connect", form=form, status=422)
    return _go_on(request, draft, "choose")


def _can_be_tried(connector: Connector, draft: Draft) -> bool:
    """Whether everything is known that has to be: which channels to read, for instance, is asked for later."""
    return all(
        draft.settings.get(field.name) or field.default is not None
        for field in chosen_settings(connector)
        if field.required
    )


def _choose(request: ProjectRequest, connector: Connector, draft: Draft) -> HttpResponse:
    form = ChoiceForm(request.POST, connector=connector, given=draft.settings)
    if not form.is_valid():
        return _page(request, connector, draft, "choose", form=form, status=422)
    chosen = form.cleaned_data
    draft.settings |= form.settings
    draft.name, draft.purpose, draft.every = chosen["name"], chosen["purpose"], chosen["every"]
    drafts.keep(request.session, draft)
    try:
        _keep_answer(request, draft, connecting.preview(draft.kind, draft.settings, draft.secrets))
    except DomainError as error:
        form.add_error(None, error.message)
        return _page(request, connector, draft, "choose", form=form, status=422)
    return _go_on(request, draft, "map")


def _map(request: ProjectRequest, connector: Connector, draft: Draft) -> HttpResponse:
    return _go_on(request, draft, "backfill")


def _go_on(request: ProjectRequest, draft: Draft, step: drafts.Step) -> HttpResponse:
    draft.open = step
    drafts.keep(request.session, draft)
    return redirect("source_connect", request.project.slug, draft.kind)


def _backfill(request: ProjectRequest, connector: Connector, draft: Draft) -> HttpResponse:
    """Make the source, which reads its history now or in the coming night."""
    if draft.open != "backfill":
        return _page(request, connector, draft, draft.open, status=422)
    source = connecting.connect(
        request.project,
        draft.kind,
        draft.name,
        actor=request.user,
        settings=draft.settings,
        secrets=draft.secrets,
        every=draft.every,
        purpose=draft.purpose,
        begin_at=_coming_night(request.project) if request.POST.get("when") == "tonight" else None,
    )
    drafts.forget(request.session, draft.key)
    toast(request, f"{connector.title} is connected.")
    return redirect("source", request.project.slug, source.pk)


def _coming_night(project: Project) -> datetime:
    zone = ZoneInfo(project.time_zone)
    now = timezone.now().astimezone(zone)
    tonight = datetime.combine(now.date(), NIGHT, zone)
    return tonight if tonight > now else tonight + timedelta(days=1)


HANDLERS: Final[dict[str, Handler]] = {"connect": _connect, "choose": _choose, "map": _map, "backfill": _backfill}


def leave(request: ProjectRequest, connector: Connector, draft: Draft) -> HttpResponse:
    """Answer with a page that goes on to the sign-in: a form may not be redirected to another site."""
    url = address("source_sign_in", request) + "?" + urlencode({"draft": draft.key})
    context = {"page_title": f"Signing in at {connector.title}", "title": connector.title, "url": url}
    response = render(request, "sources/leaving.html", context)
    response["Refresh"] = f"0; url={url}"
    return response


def redirect_uri() -> str:
    """Return the address that every sign-in comes back to; applications have to be told it beforehand."""
    return str(settings.SITE_URL) + reverse("source_signed_in")


@require_GET
@project_page(Permission.MANAGE_SOURCES)
def sign_in(request: ProjectRequest) -> HttpResponse:
    """Go to the application's sign-in for the draft that `?draft=` names."""
    draft = drafts.find(request.session, request.GET.get("draft", ""))
    if draft is None or draft.project != request.project.pk:
        raise DomainError("Nothing is being connected here. Begin again.", code="no_draft")
    connector = connector_or_404(draft.kind)
    client_id, _ = _client(connector, draft)
    url = oauth.begin(
        request.session,
        connector,
        project_id=request.project.pk,
        user_id=request.user.pk,
        settings=draft.settings,
        client_id=client_id,
        redirect_uri=redirect_uri(),
        draft=draft.key,
    )
    return redirect(url)


def _client(connector: Connector, draft: Draft) -> tuple[str, str]:
    """Return the app to sign in with: the operator's, else the person's own. Raises DomainError without any."""
    secrets = draft.secrets
    client = oauth.operator_client(connector.kind) or (secrets.get("client_id", ""), secrets.get("client_secret", ""))
    if not client[0]:
        raise DomainError(
            f"Enter the client id and secret of your app at {connector.title}, or ask your operator to set one up.",
            code="client_missing",
        )
    return client


@require_GET
@login_required
def signed_in(request: HttpRequest) -> HttpResponse:
    """Take up the connection that the person left for the application's sign-in."""
    began = oauth.under_way(request.session, request.GET.get("state", ""))
    draft = drafts.find(request.session, began.draft) if began else None
    if began is None or draft is None:
        raise oauth.SignInFailed("This sign-in was not begun here, or took too long. Begin again.")
    allowed = Project.objects.visible_to(request.user, Permission.MANAGE_SOURCES)
    project: Project = get_object_or_404(allowed, pk=began.project_id)
    connector = connector_or_404(began.kind)
    try:
        client_id, client_secret = _client(connector, draft)
        secrets = oauth.complete(
            request.session,
            connector,
            project_id=project.pk,
            user_id=request.user.pk or 0,
            client_id=client_id,
            client_secret=client_secret,
            answer=request.GET.dict(),
        )
    except DomainError as error:
        toast(request, error.message, level=ERROR)
        return redirect(_place_of(project, draft))
    return _take_up(request, project, connector, draft, secrets)


def _place_of(project: Project, draft: Draft) -> str:
    if draft.source is not None:
        return reverse("source_connection", args=[project.slug, draft.source])
    return reverse("source_connect", args=[project.slug, draft.kind])


def _take_up(
    request: Any, project: Project, connector: Connector, draft: Draft, secrets: dict[str, str]
) -> HttpResponse:
    """Keep what the sign-in gave: in the draft, or at once in the source that was connected again."""
    if draft.source is None:
        draft.keep_secrets(secrets)
        draft.open, draft.answered = "choose", f"Signed in at {connector.title}."
        drafts.keep(request.session, draft)
        return redirect(_place_of(project, draft))
    source = get_object_or_404(Source.objects.visible_to(request.user), pk=draft.source, project=project)
    connecting.change_connection(source, actor=request.user, settings=draft.settings, secrets=secrets)
    drafts.forget(request.session, draft.key)
    toast(request, f"Signed in at {connector.title} again. It is read soon.")
    return redirect("source", project.slug, source.pk)
