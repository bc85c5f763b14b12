"""The surface of the product: each URL with the permission it needs, and a project with one of everything behind it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from guardian.shortcuts import assign_perm

from insights import corrections
from projects.models import Membership, Project
from projects.roles import Permission, Role
from projects.services import invite, issue_personal_token, issue_project_key
from review.models import ApprovalStream, GoldenCheckRun, GoldenExample, GoldenImport
from review.services.knowledge import add_document
from sources.models import Connection, FileImport, Source
from tests.factories import (
    Member,
    make_insight,
    make_item,
    make_member,
    make_mention,
    make_project,
    make_source,
    make_user,
)
from tests.review.agentsight.factories import make_tracked
from tests.review.factories import make_feedback, make_run
from tests.review.workflowai.calling import make_served

VIEW, MANAGE, EDIT, SOURCES, MEMBERS, PEOPLE, ANY = (
    Permission.VIEW,
    Permission.MANAGE,
    Permission.EDIT_INSIGHTS,
    Permission.MANAGE_SOURCES,
    Permission.MANAGE_MEMBERS,
    Permission.VIEW_PERSONAL_DATA,
    None,
)

# Open to everybody, or checked by a credential of its own that other tests are about.
OPEN = {
    "ingest": "Basic key and secret",
    "hook": "the signature of the delivery",
    "hook_keyed": "the key in the address",
    "token": "e-mail and password",
    "token-feedback": "the feedback token",
    "token_refresh": "refresh token",
    "sign_in_link": "the token in the link",
    "accept_invitation": "the token in the link",
    "api-schema": "describes, and holds no data",
    "api-docs": "describes, and holds no data",
    "robots": "for robots",
    "metrics": "operator's token",
    "styleguide": "only while debugging",
}
# Signed in is enough: these are about the person, or lead to what checks by itself.
OWN = {
    "home",
    "console_preferences",
    "project_home",
    "profile",
    "account_email",
    "create_project",
    "source_signed_in",
}


@dataclass(frozen=True, slots=True)
class Row:
    """What one URL needs for one method."""

    name: str
    method: str
    needs: Permission | None


def rows(needs: Permission | None, **names: str) -> list[Row]:
    return [
        Row(name.replace("__", "-"), method, needs) for name, methods in names.items() for method in methods.split()
    ]


CONSOLE = [
    *rows(VIEW, source_list="get", source="get", source_status="get", source_import="get", source_request="get post"),
    *rows(VIEW, source_add="get", source_requests="get"),
    *rows(VIEW, source_import_progress="get", source_import_refused="get"),
    *rows(
        SOURCES,
        source_webhook="get post",
        source_upload="get post",
        source_paste="get post",
        source_paste_preview="post",
        source_change="post",
        source_pause="post",
        source_resume="post",
        source_delete="get post",
        source_restore="post",
        source_import_begin="post",
        source_import_discard="post",
        source_import_retry="post",
        source_connect="get post",
        source_sign_in="get",
        source_connection="get post",
        source_read="post",
        source_read_again="post",
        source_hook_open="post",
        source_hook_close="post",
        source_rest_add="get post",
        source_rest="get post",
        source_generic_preview="post",
        source_signed="get post",
        source_signed_open="post",
    ),
    *rows(VIEW, feedback_list="get", feedback_item="get"),
    *rows(EDIT, feedback_change_chosen="post", feedback_change="post", feedback_undo="post", feedback_speaker="post"),
    *rows(VIEW, settings_general="get", settings_members="get", settings_keys="get", settings_residency="get"),
    *rows(
        MEMBERS,
        settings_change="post",
        sample_remove="post",
        member_invite="post",
        member_role="post",
        member_remove="post",
        invitation_withdraw="post",
        key_create="post",
        key_revoke="post",
        settings_mail="get",
        mail_test="post",
        settings_audit="get",
    ),
    *rows(SOURCES, insight_try_sample="post"),
    *rows(VIEW, golden_list="get", golden_detail="get", golden_conflicts="get", checks_list="get", checks_run="get"),
    *rows(VIEW, knowledge_list="get", knowledge_document="get"),
    *rows(MANAGE, golden_new="get post", golden_change="post", golden_switch="post", golden_tend="post"),
    *rows(MANAGE, golden_move="post", golden_cite="post", golden_settle="post", golden_delete="post"),
    *rows(MANAGE, golden_export="get", golden_import="get post", golden_import_review="get"),
    *rows(MANAGE, golden_import_run="post", golden_import_discard="post"),
    *rows(MANAGE, knowledge_new="get post", knowledge_upload="get post", knowledge_edit="get post"),
    *rows(MANAGE, knowledge_delete="post"),
    *rows(
        VIEW,
        insight_list="get",
        search="get",
        insight_progress="get",
        insight_export="get",
        insight_detail="get",
        mention_export="get",
        mention_thread="get",
    ),
    *rows(
        EDIT,
        insight_change_chosen="post",
        insight_change_row="post",
        insight_merge="get",
        insight_merged="post",
        insight_different="post",
        insight_undo="post",
        mention_move="get",
        mention_moved="post",
        mention_delete="post",
        mention_confirm="post",
        insight_change="post",
        insight_delete="post",
    ),
]
API = [
    *rows(VIEW, api__source__list="get", api__source__detail="get", api__source__effects="get"),
    *rows(VIEW, api__item__list="get", api__item__detail="get"),
    *rows(VIEW, api__person__list="get", api__person__detail="get", api__search__list="get"),
    *rows(VIEW, api__insight__list="get", api__insight__detail="get", api__insight__mentions="get"),
    *rows(VIEW, api__insight__trend="get", api__mention__detail="get", api__correction__list="get"),
    *rows(VIEW, api__golden__list="get", api__golden__detail="get", api__golden__lookup="get"),
    *rows(VIEW, api__golden__versions="get", api__golden__duplicates="get", api__golden__conflicts="get"),
    *rows(VIEW, api__check__run__list="get", api__check__run__detail="get"),
    *rows(VIEW, api__knowledge__list="get", api__knowledge__detail="get"),
    *rows(MANAGE, api__golden__move="post", api__golden__settle="post", api__golden__cites="put"),
    *rows(MANAGE, api__golden__still__right="post", api__golden__export="get", api__golden__import__file="post"),
    Row("api-golden-list", "post", MANAGE),
    Row("api-golden-detail", "patch", MANAGE),
    Row("api-golden-detail", "delete", MANAGE),
    Row("api-knowledge-list", "post", MANAGE),
    Row("api-knowledge-detail", "patch", MANAGE),
    Row("api-knowledge-detail", "delete", MANAGE),
    *rows(SOURCES, api__source__pause="post", api__source__resume="post", api__source__restore="post"),
    *rows(VIEW, api__source__connection="get", api__source__runs="get"),
    *rows(SOURCES, api__source__connection="patch", api__source__sync="post", api__source__read__again="post"),
    *rows(EDIT, api__item__inbox="post", api__item__restore="post", api__item__set__aside="post"),
    *rows(SOURCES, api__item__retry="post"),
    *rows(EDIT, api__insight__merge="post", api__insight__split="post", api__insight__different="post"),
    *rows(EDIT, api__mention__confirm="post", api__mention__move="post", api__correction__undo="post"),
    Row("api-source-list", "post", SOURCES),
    Row("api-source-detail", "patch", SOURCES),
    Row("api-source-detail", "delete", SOURCES),
    Row("api-insight-detail", "patch", EDIT),
    Row("api-insight-detail", "delete", EDIT),
    Row("api-mention-detail", "delete", EDIT),
]
REVIEW = [
    *rows(VIEW, review_queue="get", review_item="get", review_filters="get", review_table="get"),
    *rows(VIEW, review_statistics="get", review_guidelines="get"),
    *rows(
        MANAGE,
        review_resolve="post",
        review_dismiss="post",
        review_reopen="post",
        review_assign="post",
        review_skip="post",
        review_draft="post",
        review_hold="post",
        review_preview="post",
        review_suggest="post",
        review_suggest_stream="post",
        review_decide_chosen="post",
        review_guidelines_change="post",
        review_settings="get post",
        approval_suspend="post",
        approval_resume="post",
        approval_sample="post",
        approval_stream_resume="post",
        approval_stream_revert="post",
    ),
    *rows(VIEW, feedback__list="get", feedback__stats="get", feedback__detail="get"),
    *rows(MANAGE, feedback__settings="get put", feedback__resolve="post", feedback__dismiss="post"),
    *rows(MANAGE, feedback__restore="post", feedback__generate="post"),
    Row("feedback-detail", "delete", MANAGE),
    *rows(VIEW, golden__examples="get", golden__example="get"),
    Row("golden-examples", "post", MANAGE),
    *rows(VIEW, review_widget="get", verdict_list="get", verdict_detail="get", run_list="get", run_detail="get"),
    *rows(VIEW, conversation_list="get", conversation_detail="get"),
    *rows(MANAGE, review_widget_forget="post", verdict_delete="post"),
    Row("golden-example", "put", MANAGE),
    Row("golden-example", "delete", MANAGE),
]
TRACKING = [
    *rows(VIEW, agentsight__conversations="get", agentsight__conversation="get", agentsight__lookup="get"),
    *rows(VIEW, agentsight__conversation__attachments="get", agentsight__attachment__file="get"),
    *rows(VIEW, agentsight__message="get", agentsight__feedbacks="get", agentsight__feedback="get"),
    *rows(VIEW, agentsight__actions="get", agentsight__action="get", agentsight__logs="get"),
    *rows(VIEW, agentsight__usage="get", agentsight__usage__summary="get", agentsight__tickets="get"),
    *rows(
        PEOPLE,
        agentsight__metadata__keys="get",
        agentsight__metadata__values="get",
        agentsight__message__metadata__keys="get",
    ),
    *rows(MANAGE, agentsight__rename="patch", agentsight__mark="post", agentsight__update="patch"),
    *rows(MANAGE, agentsight__delete="delete", agentsight__track="post", agentsight__action__logs="post"),
    *rows(MANAGE, agentsight__buttons="post", agentsight__attachments="post"),
    *rows(MANAGE, agentsight__conversation__feedbacks="post"),
    Row("agentsight-conversations", "post", MANAGE),
    Row("agentsight-conversation", "delete", MANAGE),
    Row("agentsight-message", "patch", MANAGE),
    Row("agentsight-feedbacks", "post", MANAGE),
    Row("agentsight-feedback", "patch", MANAGE),
    Row("agentsight-feedback", "delete", MANAGE),
    Row("agentsight-actions", "post", MANAGE),
    Row("agentsight-action", "patch", MANAGE),
    *rows(VIEW, api__satisfaction="get"),
]
OPEN |= {
    "agentsight-ingest": "an assistant's key",
    "agentsight-me": "an assistant's key",
    "agentsight-ticket": "there is none to see",
}
# Anybody signed in may give a verdict, on a message that is theirs.
OWN |= {"feedback-submit", "feedback-own"}
AGENTS = [
    *rows(VIEW, agents="get", agent__versions="get", agent__runs="get", agent__run__detail="get"),
    *rows(VIEW, agent__feedback="get", agent__run__feedback="get"),
    *rows(MANAGE, agent__run="post", agent__schema__versions="post", agent__deploy="post", agent__annotate="post"),
    *rows(MANAGE, chat__completions="post"),
    Row("agents", "post", MANAGE),
    Row("agent-runs", "post", MANAGE),
]
TABLE = [*CONSOLE, *API, *REVIEW, *TRACKING, *AGENTS]


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    for pattern in resolver.url_patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield address, pattern.name or ""
        elif not address.startswith(("admin/", "account/")):
            yield from patterns(pattern, address)


ADDRESSES = {name: address for address, name in patterns(get_resolver())}
KNOWN = [row for row in TABLE if row.name in ADDRESSES]


class World:
    """A project with one of everything, and how to call a URL about it."""

    def __init__(self) -> None:
        self.project: Project = make_project()
        owner = make_member(self.project, Role.OWNER).user
        source = make_source(self.project)
        item = make_item(source, author="Jane")
        insight, other = make_insight(self.project), make_insight(self.project)
        mention = make_mention(insight, item)
        make_mention(other, item, start=1)
        correction = corrections.change_insight(other, actor=owner, title="Named by a person")[0]
        file_import = FileImport.objects.create(
            project=self.project, source=source, format="text", filename="x", path="", size=0
        )
        example = GoldenExample.objects.create(
            project=self.project, original_query="q", golden_response="a", source_type="manual", approval_type="manual"
        )
        document = add_document(self.project, actor=owner, title="t", text="t")
        check_run = GoldenCheckRun.objects.create(
            project=self.project, target="http://x", split="evaluation", questions=0
        )
        self.ids: dict[str, Any] = {
            "slug": self.project.slug,
            "import_pk": file_import.pk,
            "example_id": example.pk,
            "golden": example.pk,
            "knowledge": document.pk,
            "check": check_run.pk,
            "checks": check_run.pk,
            "staged_pk": GoldenImport.objects.create(project=self.project, filename="x").pk,
            "source": source.pk,
            "item": item.pk,
            "insight": insight.pk,
            "mention": mention.pk,
            "person": mention.person_id,
            "correction": correction.pk,
            "feedback_id": make_feedback(owner, self.project).uuid,
            **make_tracked(self.project),
            **make_served(self.project),
        }

        connected = make_source(self.project, kind=Source.Kind.CONNECTOR, application="github")
        Connection.objects.create(source=connected, settings={"repositories": ["acme/app"]})
        of_connections = ("connection", "read", "read_again", "hook_open", "hook_close")
        self.ids |= {"kind": "zendesk"} | {f"source_{name}": connected.pk for name in of_connections}
        over_rest = ("connection", "runs", "sync", "read-again")
        self.ids |= {f"api-source-{name}": connected.pk for name in over_rest}
        self.ids |= {
            "uuid": self.ids["feedback_id"],
            "run_detail": make_run(self.project).pk,
            "conversation_detail": self.ids["agentsight-conversation"],
            "approval": ApprovalStream.objects.create(project=self.project, channel="api").pk,
        }
        invitation = invite(self.project, "new@example.com", Role.VIEWER, actor=owner)
        guest = make_member(self.project, Role.VIEWER)
        key = issue_project_key(self.project, "x").key
        self.ids |= {
            "feedback": item.pk,
            "member": Membership.objects.get(project=self.project, user=guest.user).pk,
            "invitation": invitation.invitation.pk,
            "key": key.pk,
        }
        # What a form has to hold for the permission to be asked about.
        self.forms: dict[str, dict[str, Any]] = {
            "insight_undo": {"correction": correction.pk},
            "review_decide_chosen": {"action": "dismiss", "feedback": self.ids["feedback_id"]},
            "feedback_change_chosen": {"action": "archived", "item": item.pk},
            "feedback_change": {"action": "archived"},
            "feedback_speaker": {"role": "agent"},
            "source_read_again": {"since": "2026-01-01"},
            "key_create": {"kind": "project", "name": "x"},
        }

    def url(self, name: str, address: str) -> str:
        """Return the URL with the ids of this world."""
        subject = re.sub(r"^api-", "", name).split("-")[0].split("_")[0]
        subject = "insight" if name == "mention_export" else subject
        values = {**self.ids, "pk": self.ids.get(name, self.ids.get(subject))}
        wanted = re.findall(r"<(?:\w+:)?(\w+)>", address)
        address = reverse(name, kwargs={key: values[key] for key in wanted})
        return f"{address}?archived={self.ids['item']}" if name == "feedback_undo" else address

    def holding(self, *held: Permission) -> Member:
        """Return somebody with exactly these permissions."""
        user = make_user()
        for permission in held:
            assign_perm(f"feedback.{permission}", user, self.project)
        return Member(user, self.project, issue_personal_token(user, self.project, "x").secret)
