"""Help desks on loopback."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from tests.sources.connectors.loopback import Answer, Reply, Request, Row, Vendor


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


class Zendesk(Vendor):
    kind = "zendesk"
    settings = {"subdomain": "acme", "email": "agent@acme.example", "ratings": "no"}
    secrets = {"api_token": "first-token"}
    mirrors = "listed"
    tokens = True
    expired: ClassVar[Answer | None] = Answer(
        {"error": "InvalidPaginationParameter", "description": "Invalid cursor"}, 400
    )
    emails = True

    def goes_on(self, request: Request) -> bool:
        return "cursor" in request.query

    def pairs(self) -> list[str]:
        return [f"agent@acme.example/token:{self.token}"]

    def answer(self, request: Request) -> Answer:
        if request.path.endswith("/comments"):
            return self.comments(self.rows[int(request.path.split("/")[4])])
        if "cursor" in request.query:
            updated, last = (int(part) for part in request.query["cursor"].split("-"))
            rows = [row for row in self.oldest_first() if (row.updated, row.id) > (updated, last)]
        else:
            updated, last = int(request.query["start_time"]), 0
            rows = self.oldest_first(updated)
        found = rows[: self.size]
        after = f"{int(found[-1].updated)}-{found[-1].id}" if found else f"{updated}-{last}"
        return Answer({
            "tickets": [self.ticket(row) for row in found],
            "users": [self.user(row) for row in found],
            "after_cursor": after, "after_url": f"{self.base}{request.path}?cursor={after}",
            "before_cursor": None, "before_url": None, "end_of_stream": len(rows) <= self.size,
        })  # fmt: skip

    def ticket(self, row: Row) -> dict[str, Any]:
        extra = (
            {}
            if row.bare
            else {"priority": "high", "subject": f"Subject {row.id}", "tags": ["a"], "via": {"channel": "web"}}
        )
        return {
            "id": row.id, "requester_id": 900 + row.id % 7, "description": row.text, "created_at": iso(row.created),
            "updated_at": iso(row.updated), "generated_timestamp": int(row.updated),
            "status": "deleted" if row.deleted else "open",
        } | extra  # fmt: skip

    def user(self, row: Row) -> dict[str, Any]:
        return {"id": 900 + row.id % 7, "name": row.author, "email": row.email, "role": "end-user"}

    def comments(self, row: Row) -> Answer:
        first = Reply(row.id, row.text, row.created, True)
        users = [self.user(row), {"id": 1, "name": "Ana Agent", "email": "ana@acme.example", "role": "agent"}]
        return Answer({"comments": [self.comment(row, reply) for reply in (first, *row.replies)], "users": users})

    def comment(self, row: Row, reply: Reply) -> dict[str, Any]:
        return {
            "id": reply.id, "author_id": 900 + row.id % 7 if reply.by_customer else 1, "body": reply.text,
            "created_at": iso(reply.created), "public": True, "type": "Comment",
        }  # fmt: skip


class ZendeskRatings(Zendesk):
    """The same application, read for its satisfaction ratings beside the tickets, of which there are none."""

    settings = {**Zendesk.settings, "ratings": "yes"}
    mirrors = ""
    threads = False
    emails = False
    tokens = False
    links = True
    expired: ClassVar[Answer | None] = None

    def answer(self, request: Request) -> Answer:
        if "/incremental/" in request.path:
            tickets: dict[str, Any] = {
                "tickets": [],
                "users": [],
                "after_cursor": "0-0",
                "after_url": None,
                "end_of_stream": True,
            }
            return Answer(tickets | {"before_cursor": None, "before_url": None})
        rows = self.oldest_first(seconds(request.query["start_time"])) if "start_time" in request.query else []
        found, token = self.cut(rows, request.query.get("page"))
        following = self.link(request, token, "page")
        return Answer({"satisfaction_ratings": [self.rating(row) for row in found], "next_page": following})

    def rating(self, row: Row) -> dict[str, Any]:
        found = {
            "id": row.id, "assignee_id": 1, "group_id": 2, "requester_id": 900 + row.id % 7, "ticket_id": row.id,
            "score": "bad", "comment": row.text, "created_at": iso(row.created), "updated_at": iso(row.updated),
        }  # fmt: skip
        return found if row.bare else found | {"reason": "Other"}

    def unique_id(self, row: Row) -> str:
        return f"rating-{row.id}"


class Intercom(Vendor):
    kind = "intercom"
    secrets = {"access_token": "first-token"}
    size = 150
    limit_headers = {"X-RateLimit-Reset": "1793577609"}
    limit_wait = 9.0
    tokens = True
    expired = Answer({"type": "error.list", "errors": [{"message": "starting_after is not valid"}]}, 400)
    emails = True

    def goes_on(self, request: Request) -> bool:
        return b"starting_after" in request.body

    def answer(self, request: Request) -> Answer:
        assert request.headers["intercom-version"] == "2.14"
        if request.method == "GET":
            return Answer(self.conversation(self.rows[int(request.path.split("/")[2])], whole=True))
        body = request.json
        since = body["query"]["value"][0]["value"]
        rows = [row for row in self.oldest_first() if row.updated > since]
        found, token = self.cut(list(reversed(rows)), body["pagination"].get("starting_after"))
        pages: dict[str, Any] = {"type": "pages", "page": 1, "per_page": 150, "total_pages": 1}
        if token:
            pages["next"] = {"per_page": 150, "starting_after": token}
        conversations = [self.conversation(row, whole=False) for row in found]
        return Answer(
            {"type": "conversation.list", "conversations": conversations, "total_count": len(rows), "pages": pages}
        )

    def conversation(self, row: Row, *, whole: bool) -> dict[str, Any]:
        author = {"type": "user", "id": f"u{row.id % 7}", "name": row.author, "email": row.email}
        body = row.text if whole else f"<p>{row.text}</p>"
        found: dict[str, Any] = {
            "type": "conversation", "id": str(row.id), "created_at": int(row.created), "updated_at": int(row.updated),
            "source": {"type": "conversation", "id": f"s{row.id}", "body": body, "author": author, "redacted": False},
        }  # fmt: skip
        if not row.bare:
            found |= {"title": None, "state": "open", "open": True, "conversation_rating": None}
        if whole:
            parts = [self.part(row, reply) for reply in row.replies]
            found["conversation_parts"] = {
                "type": "conversation_part.list",
                "conversation_parts": parts,
                "total_count": len(parts),
            }
        return found

    def part(self, row: Row, reply: Reply) -> dict[str, Any]:
        customer = {"type": "user", "id": f"u{row.id % 7}", "name": row.author, "email": row.email}
        agent = {"type": "admin", "id": "1", "name": "Ana Agent", "email": "ana@acme.example"}
        return {
            "type": "conversation_part", "id": str(reply.id), "part_type": "comment", "body": reply.text,
            "created_at": int(reply.created), "author": customer if reply.by_customer else agent, "redacted": False,
        }  # fmt: skip


class Freshdesk(Vendor):
    kind = "freshdesk"
    settings = {"domain": "acme"}
    secrets = {"api_key": "first-token"}
    mirrors = "listed"
    emails = True

    def pairs(self) -> list[str]:
        return [f"{self.token}:X"]

    def answer(self, request: Request) -> Answer:
        if request.path.endswith("/conversations"):
            row = self.rows[int(request.path.split("/")[4])]
            return Answer([self.conversation(row, reply) for reply in row.replies])
        since = seconds(request.query["updated_since"])
        deleted = request.query.get("filter") == "deleted"
        rows = [row for row in self.oldest_first(since) if row.deleted == deleted]
        start = (int(request.query.get("page", 1)) - 1) * self.size
        return Answer([self.ticket(row) for row in rows[start : start + self.size]])

    def ticket(self, row: Row) -> dict[str, Any]:
        found = {
            "id": row.id, "description_text": row.text, "requester_id": 900 + row.id % 7,
            "created_at": iso(row.created),
            "updated_at": iso(row.updated), "requester": {"id": 900 + row.id % 7, "name": row.author,
            "email": row.email},
        }  # fmt: skip
        return (
            found if row.bare else found | {"subject": "Export", "status": 2, "priority": 1, "spam": False, "tags": []}
        )

    def conversation(self, row: Row, reply: Reply) -> dict[str, Any]:
        return {
            "id": reply.id, "body": f"<div>{reply.text}</div>", "body_text": reply.text,
            "incoming": reply.by_customer,
            "private": False, "user_id": 900 + row.id % 7, "ticket_id": row.id, "created_at": iso(reply.created),
            "updated_at": iso(reply.created),
        }  # fmt: skip


DESKS: list[type[Vendor]] = [Zendesk, ZendeskRatings, Intercom, Freshdesk]
