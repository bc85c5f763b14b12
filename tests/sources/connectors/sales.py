"""Applications of sales teams on loopback."""

from typing import Any

from tests.sources.connectors.desks import iso, seconds
from tests.sources.connectors.loopback import Answer, Reply, Request, Row, Vendor


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
            "attributes": {"type": "Case"}, "Id": f"500{row.id:015}", "Description": row.text,
            "SuppliedName": row.author,
            "SuppliedEmail": row.email, "CreatedDate": self.stamp(row.created),
            "SystemModstamp": self.stamp(row.updated),
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
            "attributes": {"type": "CaseComment"}, "Id": f"00a{reply.id:015}", "CommentBody": reply.text,
            "IsPublished": True,
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
            "archived": False, "associatedContactId": str(900 + row.id % 7), "createdAt": iso(row.created),
            "id": str(row.id),
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
            "type": "MESSAGE", "id": str(reply.id), "conversationsThreadId": str(row.id),
            "createdAt": iso(reply.created),
            "createdBy": "V-1", "client": {"clientType": "SYSTEM"},
            "senders": [sender if reply.by_customer else agent],
            "recipients": [], "archived": False, "text": reply.text, "attachments": [],
            "truncationStatus": "NOT_TRUNCATED", "direction": "INCOMING" if reply.by_customer else "OUTGOING",
            "channelId": "1002", "channelAccountId": "1",
        }  # fmt: skip

    def unique_id(self, row: Row) -> str:
        return f"thread-{row.id}"


class HubSpotTickets(HubSpot):
    """The same application, read for its tickets."""

    settings = {"conversations": "no"}
    mirrors = "listed"
    threads = False
    emails = False

    def answer(self, request: Request) -> Answer:
        if request.method == "GET":
            assert request.query["archived"] == "true"
            return Answer({"results": [self.ticket(row) for row in self.rows.values() if row.deleted]})
        body = request.json
        since = int(body["filterGroups"][0]["filters"][0]["value"]) / 1000
        rows = [row for row in self.oldest_first(since) if not row.deleted]
        start = int(body["after"])
        answer: dict[str, Any] = {
            "total": len(rows),
            "results": [self.ticket(row) for row in rows[start : start + 100]],
        }
        if start + 100 < len(rows) or (self.endless and rows[start:]):
            answer["paging"] = {"next": {"after": str(start + 100)}}
        return Answer(answer)

    def ticket(self, row: Row) -> dict[str, Any]:
        properties = {"content": row.text, "createdate": iso(row.created), "hs_lastmodifieddate": iso(row.updated)}
        if not row.bare:
            properties |= {"subject": "Export", "hs_ticket_priority": "HIGH"}
        found: dict[str, Any] = {
            "id": str(row.id), "properties": properties, "createdAt": iso(row.created), "updatedAt": iso(row.updated),
            "archived": row.deleted,
        }  # fmt: skip
        return found | ({"archivedAt": iso(row.updated)} if row.deleted else {})

    def unique_id(self, row: Row) -> str:
        return f"ticket-{row.id}"


SALES: list[type[Vendor]] = [Salesforce, Gong, HubSpot, HubSpotTickets]
