"""What assistants can do, what they used, and the tickets about them."""

from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_ingest.models import Action, TokenUsage
from feedback_ingest.services.tracking import change_action, define_action
from projects.querysets import TenantQuerySet
from review.agentsight import representation, serializers
from review.agentsight.caller import Caller, TrackingView, missing, number
from review.agentsight.conversations import agent_of
from review.agentsight.filters import ActionFilters, UsageFilters
from review.agentsight.pages import narrowed, page
from review.agentsight.tracking import checked
from review.agentsight.usage import GROUPS, usage_row, usage_summary

CURRENCIES = ("usd", "eur")


class Actions(TrackingView):
    """`GET` and `POST /api/actions/`."""

    def get(self, request: Request) -> Response:
        """List what assistants can do, by name."""
        rows = narrowed(ActionFilters, _actions(self.caller).order_by("name", "pk"), request)
        return page(rows, request, self, lambda found: [representation.action_row(action) for action in found])

    def post(self, request: Request) -> Response:
        """Define an action before it is carried out; a name that is taken is refused."""
        sent = checked(serializers.ActionDefinition(data=request.data))
        action = define_action(
            self.caller.agent_named(agent_of(request)),
            sent["name"],
            display_name=sent.get("display_name") or "",
            description=sent.get("description") or "",
        )
        return Response(representation.action_row(action), status=status.HTTP_201_CREATED)


class OneAction(TrackingView):
    """`GET` and `PATCH /api/actions/{id}/`."""

    def get(self, request: Request, pk: str) -> Response:
        """Show an action."""
        return Response(representation.action_row(_action(self.caller, pk)))

    def patch(self, request: Request, pk: str) -> Response:
        """Change how an action is named and described."""
        sent = checked(serializers.ActionDefinition(data=request.data, partial=True))
        changes = {name: value or "" for name, value in sent.items()}
        return Response(representation.action_row(change_action(_action(self.caller, pk), **changes)))


class ActionLogs(TrackingView):
    """`GET /api/actions/{id}/logs/`."""

    MOST = 1_000

    def get(self, request: Request, pk: str) -> Response:
        """List the last thousand times that an action was carried out, the newest first."""
        logs = _action(self.caller, pk).logs.select_related("message__conversation").order_by("-pk")[: self.MOST]
        personal = self.caller.sees_people
        return Response(
            [
                representation.tracked(log.message, log.message.conversation)
                | representation.action_log_row(log, personal=personal)
                for log in logs
            ]
        )


class TokenUsages(TrackingView):
    """`GET /api/token-usage/`."""

    def get(self, request: Request) -> Response:
        """List what turns used, the newest first."""
        rows = _usage(self.caller, request).select_related("conversation").order_by("-started_at", "-pk")
        return page(narrowed(UsageFilters, rows, request), request, self, lambda found: map(usage_row, found))


class UsageSummary(TrackingView):
    """`GET /api/token-usage/summary/`."""

    def get(self, request: Request) -> Response:
        """Add up what turns used, by model, conversation or day."""
        group_by = request.query_params.get("group_by", "model")
        currency = request.query_params.get("currency", "usd")
        if group_by not in GROUPS:
            raise ValidationError({"group_by": [f"One of {', '.join(GROUPS)}."]})
        if currency not in CURRENCIES:
            raise ValidationError({"currency": [f"One of {', '.join(CURRENCIES)}."]})
        rows = narrowed(UsageFilters, _usage(self.caller, request), request)
        return Response({"group_by": group_by, "currency": currency, "results": usage_summary(rows, group_by)})


class Tickets(TrackingView):
    """`GET /api/tickets/`: an empty page, since tickets are not kept here."""

    def get(self, request: Request) -> Response:
        """List no tickets."""
        return page(Action.objects.none(), request, self, list)


class OneTicket(TrackingView):
    """`GET /api/tickets/{id}/`: there is none."""

    def get(self, request: Request, pk: str) -> Response:
        """Say that there is no such ticket."""
        raise missing("ticket")


def _actions(caller: Caller) -> TenantQuerySet[Action]:
    rows: TenantQuerySet[Action] = Action.objects.filter(project=caller.project)
    return rows.filter(agent=caller.agent) if caller.agent else rows


def _action(caller: Caller, pk: str) -> Action:
    action = _actions(caller).select_related("project", "agent").filter(pk=number(pk, "action")).first()
    if action is None:
        raise missing("action")
    return action


def _usage(caller: Caller, request: Request) -> TenantQuerySet[TokenUsage]:
    if request.query_params.get("conversation_id"):
        caller.require_people()
    rows: TenantQuerySet[TokenUsage] = TokenUsage.objects.filter(project=caller.project)
    return rows.filter(conversation__agent=caller.agent) if caller.agent else rows
