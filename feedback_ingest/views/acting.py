"""What people do with feedback, one item or several at once; where there is a way back, a toast offers it."""

from collections.abc import Callable, Sequence

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_POST

from config.errors import DomainError
from feedback_ingest.forms import SpeakerForm
from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.services import items as services
from feedback_ingest.services import speakers
from feedback_ingest.speakers import Voice
from feedback_ingest.views.item import find_item
from projects.console import toast
from projects.models import User
from projects.pages import ProjectRequest, project_page

MOST_AT_ONCE = 100
Items = Sequence[FeedbackItem]
Undo = dict[str, list[int]]  # the acts that take something back, and the items of each
State = FeedbackItem.State
Inbox = FeedbackItem.Inbox
Role = ConversationPart.Role
DONE = {
    "read": "Marked {} as read.",
    "unread": "Marked {} as unread.",
    "archived": "Archived {}.",
    "set_aside": "Set {} aside; insights no longer count what they say.",
    "restore": "Restored {}; they are analysed again.",
    "retry": "{} will be analysed again.",
}
ROLE_WORDS = {
    Role.CUSTOMER: "a customer, whose words count",
    Role.AGENT: "staff, whose words do not count",
    Role.BOT: "a bot, whose words do not count",
    None: "whoever the conversation suggests",
}


@require_POST
@project_page()
def change_chosen(request: ProjectRequest) -> HttpResponse:
    """Do to all chosen items what the pressed button says."""
    _act(request, request.POST.get("action", ""), _items(request, request.POST.getlist("item")))
    return _back(request, reverse("feedback_list", args=[request.project.slug]))


@require_POST
@project_page()
def undo(request: ProjectRequest) -> HttpResponse:
    """Take back what a toast reported: the address has the acts that do so, and the items of each."""
    for act in request.GET:
        _perform(act, _items(request, request.GET[act].split(".")), request.user)
    toast(request, "Undone.")
    return _back(request, reverse("feedback_list", args=[request.project.slug]))


@require_POST
@project_page()
def change_item(request: ProjectRequest, pk: int) -> HttpResponse:
    """Do to one item what the pressed button says."""
    _act(request, request.POST.get("action", ""), [find_item(request, pk)])
    return _back(request, reverse("feedback_item", args=[request.project.slug, pk]))


@require_POST
@project_page()
def set_speaker(request: ProjectRequest, pk: int) -> HttpResponse:
    """Say who the author of one turn is: a customer, staff or a bot, in everything of theirs."""
    item = find_item(request, pk)
    form = SpeakerForm(request.GET if "role" in request.GET else request.POST)
    if not form.is_valid():
        raise DomainError("Choose who the speaker is.", code="bad_role")
    role = Role(form.cleaned_data["role"]) if form.cleaned_data["role"] else None
    part = form.cleaned_data["part"]
    author = next(iter(_voice(item, part).keys), "")
    before = speakers.role_given(request.project, author)
    moved = speakers.overrule(request.project, author, role, actor=request.user)
    url = reverse("feedback_speaker", args=[request.project.slug, pk])
    again = f" {moved:,} item{' is' if moved == 1 else 's are'} analysed again." if moved else ""
    undo_url = f"{url}?{urlencode({'part': part or '', 'role': before or ''})}" if before != role else ""
    toast(request, f"From now on this author is {ROLE_WORDS[role]}.{again}", undo_url=undo_url)
    return _back(request, reverse("feedback_item", args=[request.project.slug, pk]))


def _voice(item: FeedbackItem, part: int | None) -> Voice:
    if part is None:
        return Voice.of(item, item.source)
    found = item.parts.filter(pk=part).first()
    if found is None:
        raise Http404("No such part.")
    return Voice.of(found, item.source)


def _items(request: ProjectRequest, texts: Sequence[str]) -> list[FeedbackItem]:
    """Return the items that a form names. Raises DomainError for none or too many, Http404 for one not seen here."""
    ids = {int(text) for text in texts if text.isdecimal() and len(text) < 19}
    if not ids or len(ids) > MOST_AT_ONCE:
        raise DomainError(f"Choose 1 to {MOST_AT_ONCE} items.", code="bad_choice")
    items = FeedbackItem.objects.visible_to(request.user).filter(project=request.project, pk__in=ids).listed()
    found = list(items.select_related("project").defer("search"))
    if len(found) != len(ids):
        raise Http404("No such feedback.")
    return found


def _act(request: ProjectRequest, act: str, items: Items) -> None:
    """Do it, and say so with the way back."""
    back = _way_back(act, items)
    _perform(act, items, request.user)
    number = f"{len(items):,} item{'' if len(items) == 1 else 's'}"
    undo_url = reverse("feedback_undo", args=[request.project.slug])
    query = urlencode({name: ".".join(map(str, ids)) for name, ids in back.items()})
    toast(request, DONE[act].format(number), undo_url=f"{undo_url}?{query}" if back else "")


def _perform(act: str, items: Items, actor: User) -> None:
    """Call the service, which checks what the person may. Raises DomainError for an act that is not known."""
    acts: dict[str, Callable[..., object]] = {
        "set_aside": services.set_aside,
        "restore": services.restore,
        "retry": services.retry,
    }
    if act in Inbox.values:
        services.move_in_inbox(items, act, actor=actor)
    elif act in acts:
        acts[act](items, actor=actor)
    else:
        raise DomainError("Choose what to do with the feedback.", code="bad_action")


def _way_back(act: str, items: Items) -> Undo:
    """Return the acts that take `act` back, as the items stand before it."""
    if act == "set_aside":
        return _grouped({"restore": [item for item in items if item.state != State.SET_ASIDE]})
    if act == "restore":
        return _grouped({"set_aside": [item for item in items if item.state == State.SET_ASIDE]})
    if act in Inbox.values:
        return _grouped({box: [item for item in items if item.inbox == box] for box in Inbox.values if box != act})
    return {}


def _grouped(groups: dict[str, list[FeedbackItem]]) -> Undo:
    return {act: [item.pk for item in items] for act, items in groups.items() if items}


def _back(request: ProjectRequest, fallback: str) -> HttpResponse:
    """Go where the form said it came from, if that is a page of this site."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if target and is_ours else fallback)
