"""Help desks on loopback."""

from datetime import UTC, datetime
from typing import Any

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
    expired = Answer({"error": "InvalidPaginationParameter", "description": "Invalid cursor"}, 400)
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


class Salesforce(Vendor):
    kind = "salesforce"
    settings = {"emails": "no"}
    secrets = {
        "client_id": "app",
        "client_secret": "app-secret",
        "refresh_token": "refresh-1",
        "access_token": "first-token",
    }
    renews = True
    mirrors = "listed"
    links = True
    tokens = True
    expired = Answer([{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}], 400)
    emails = True
    size = 200

    def goes_on(self, request: Request) -> bool:
        return "/query/" in request.path

    def grant(self, request: Request) -> Answer | None:
        if request.path != "/services/oauth2/token":
            return None
        if request.form.get("refresh_token") != self.refresh_token:
            return Answer({"error": "invalid_grant"}, 400)
        return Answer({"access_token": self.token, "instance_url": self.base, "token_type": "Bearer"})

    def answer(self, request: Request) -> Answer:
        query = request.query.get("q", "")
        if "FROM CaseComment " in query:
            return Answer({"totalSize": 0, "done": True, "records": []})
        rows = self.oldest_first(seconds(query.split(">= ")[1].split()[0])) if query else []
        found, following = self.cut(rows, None if query else request.path.rsplit("/", 1)[1])
        done = following is None or (self.endless and len(found) < self.size)
        answer: dict[str, Any] = {"totalSize": len(rows), "done": done, "records": [self.case(row) for row in found]}
        if following:
            answer["nextRecordsUrl"] = f"{self.foreign}/services/data/v64.0/query/{following}"
        return Answer(answer)

    def case(self, row: Row) -> dict[str, Any]:
        found: dict[str, Any] = {
            "attributes": {"type": "Case"}, "Id": f"500{row.id:015}", "Description": row.text, "SuppliedName": row.author,
            "SuppliedEmail": row.email, "CreatedDate": self.stamp(row.created), "SystemModstamp": self.stamp(row.updated),
            "IsDeleted": row.deleted, "CaseComments": None,
        }  # fmt: skip
        if not row.bare:
            found |= {"CaseNumber": f"{row.id:08}", "Subject": "Export", "ContactId": None, "Contact": None}
        if row.replies:
            comments = [self.comment(reply) for reply in row.replies]
            found["CaseComments"] = {"totalSize": len(comments), "done": True, "records": comments}
        return found

    def comment(self, reply: Reply) -> dict[str, Any]:
        return {
            "attributes": {"type": "CaseComment"}, "Id": f"00a{reply.id:015}", "CommentBody": reply.text, "IsPublished": True,
            "CreatedDate": self.stamp(reply.created),
            "CreatedBy": {"Name": "Someone", "UserType": "CspLitePortal" if reply.by_customer else "Standard"},
        }  # fmt: skip

    def stamp(self, moment: float) -> str:
        return iso(moment).replace("Z", ".000+0000")

    def unique_id(self, row: Row) -> str:
        return f"500{row.id:015}"


class Gong(Vendor):
    kind = "gong"
    secrets = {"access_key": "key", "access_key_secret": "first-token"}
    tokens = True
    expired = Answer({"errors": ["cursor has expired"]}, 400)
    emails = True
    edits = True
    created_order = True

    def goes_on(self, request: Request) -> bool:
        return b"cursor" in request.body

    def pairs(self) -> list[str]:
        return [f"key:{self.token}"]

    def answer(self, request: Request) -> Answer:
        body = request.json
        if request.path.endswith("/transcript"):
            calls = [self.transcript(self.rows[int(name)]) for name in body["filter"]["callIds"]]
            return Answer({"requestId": "r", "records": {"totalRecords": len(calls)}, "callTranscripts": calls})
        low, high = seconds(body["filter"]["fromDateTime"]), seconds(body["filter"]["toDateTime"])
        rows = [row for row in self.newest_first() if low <= row.created < high]
        if not rows:
            return Answer({"requestId": "r", "errors": ["No calls found corresponding to the provided filters"]}, 404)
        found, token = self.cut(rows, body.get("cursor"))
        records: dict[str, Any] = {"totalRecords": len(rows), "currentPageSize": len(found), "currentPageNumber": 0}
        if token:
            records["cursor"] = token
        return Answer({"requestId": "r", "records": records, "calls": [self.call(row) for row in found]})

    def call(self, row: Row) -> dict[str, Any]:
        extra = (
            {} if row.bare else {"title": "Acme, quarterly", "duration": 600, "url": "https://app.gong.io/call?id=1"}
        )
        parties = [
            {"id": "p1", "speakerId": "s1", "name": row.author, "emailAddress": row.email, "affiliation": "External"},
            {
                "id": "p2",
                "speakerId": "s2",
                "name": "Sam Seller",
                "emailAddress": "sam@acme.example",
                "affiliation": "Internal",
            },
        ]
        return {"metaData": {"id": str(row.id), "started": iso(row.created)} | extra, "parties": parties}

    def transcript(self, row: Row) -> dict[str, Any]:
        turns = [(row.text, "s1", 0)] + [
            (reply.text, "s1" if reply.by_customer else "s2", place * 1000)
            for place, reply in enumerate(row.replies, start=1)
        ]
        sentences = [
            {"speakerId": who, "topic": "", "sentences": [{"start": start, "end": start + 900, "text": text}]}
            for text, who, start in turns
        ]
        return {"callId": str(row.id), "transcript": sentences}


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
            "id": row.id, "description_text": row.text, "requester_id": 900 + row.id % 7, "created_at": iso(row.created),
            "updated_at": iso(row.updated), "requester": {"id": 900 + row.id % 7, "name": row.author, "email": row.email},
        }  # fmt: skip
        return (
            found if row.bare else found | {"subject": "Export", "status": 2, "priority": 1, "spam": False, "tags": []}
        )

    def conversation(self, row: Row, reply: Reply) -> dict[str, Any]:
        return {
            "id": reply.id, "body": f"<div>{reply.text}</div>", "body_text": reply.text, "incoming": reply.by_customer,
            "private": False, "user_id": 900 + row.id % 7, "ticket_id": row.id, "created_at": iso(reply.created),
            "updated_at": iso(reply.created),
        }  # fmt: skip


class HubSpot(Vendor):
    kind = "hubspot"
    settings = {"tickets": "no"}
    secrets = {
        "client_id": "app",
        "client_secret": "app-secret",
        "refresh_token": "refresh-1",
        "access_token": "first-token",
    }
    renews = True
    emails = True

    def grant(self, request: Request) -> Answer | None:
        if request.path != "/oauth/v1/token":
            return None
        if request.form.get("refresh_token") != self.refresh_token:
            return Answer({"message": "refresh token is invalid"}, 400)
        return Answer({"access_token": self.token, "refresh_token": self.refresh_token, "expires_in": 1800})

    def answer(self, request: Request) -> Answer:
        if request.path.endswith("/messages"):
            row = self.rows[int(request.path.split("/")[5])]
            first = Reply(row.id * 1000, row.text, row.created, True)
            return Answer({"results": [self.message(row, reply) for reply in (first, *row.replies)]})
        since = seconds(request.query["latestMessageTimestampAfter"])
        rows = [row for row in self.oldest_first() if row.updated > since]
        found, token = self.cut(rows, request.query.get("after"))
        answer: dict[str, Any] = {"results": [self.thread(row) for row in found]}
        return Answer(answer | ({"paging": {"next": {"after": token}}} if token else {}))

    def thread(self, row: Row) -> dict[str, Any]:
        return {
            "archived": False, "associatedContactId": str(900 + row.id % 7), "createdAt": iso(row.created), "id": str(row.id),
            "inboxId": "1", "latestMessageTimestamp": iso(row.updated), "originalChannelAccountId": "1",
            "originalChannelId": "1002", "spam": False, "status": "OPEN",
        }  # fmt: skip

    def message(self, row: Row, reply: Reply) -> dict[str, Any]:
        sender = {
            "actorId": "V-1",
            "name": row.author,
            "deliveryIdentifier": {"type": "HS_EMAIL_ADDRESS", "value": row.email},
        }
        agent = {"actorId": "A-1", "name": "Ana Agent"}
        return {
            "type": "MESSAGE", "id": str(reply.id), "conversationsThreadId": str(row.id), "createdAt": iso(reply.created),
            "createdBy": "V-1", "client": {"clientType": "SYSTEM"}, "senders": [sender if reply.by_customer else agent],
            "recipients": [], "archived": False, "text": reply.text, "attachments": [],
            "truncationStatus": "NOT_TRUNCATED", "direction": "INCOMING" if reply.by_customer else "OUTGOING",
            "channelId": "1002", "channelAccountId": "1",
        }  # fmt: skip

    def unique_id(self, row: Row) -> str:
        return f"thread-{row.id}"


DESKS: list[type[Vendor]] = [Zendesk, Intercom, Salesforce, Gong, Freshdesk, HubSpot]
