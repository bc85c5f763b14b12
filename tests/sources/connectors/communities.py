"""Forums, chats and trackers on loopback."""

from typing import Any

from tests.sources.connectors.desks import iso, seconds
from tests.sources.connectors.loopback import DAY, START, Answer, Reply, Request, Row, Vendor
from tests.sources.connectors.reviews import private_key, read_token


class Reddit(Vendor):
    kind = "reddit"
    settings = {"subreddits": ["acme"], "user_agent": "web:acme:1.0 (by /u/acme)"}
    secrets = {"client_id": "app", "client_secret": "app-secret"}
    limit_headers = {"x-ratelimit-reset": "11"}
    limit_wait = 11.0
    renews = True
    mirrors = "recheck"
    tokens = True
    created_order = True

    def grant(self, request: Request) -> Answer | None:
        if request.path != "/api/v1/access_token":
            return None
        assert request.headers["user-agent"] == "web:acme:1.0 (by /u/acme)"
        return Answer({"access_token": self.token, "expires_in": 3600, "token_type": "bearer"})

    def answer(self, request: Request) -> Answer:
        assert request.headers["user-agent"] == "web:acme:1.0 (by /u/acme)"
        if request.path == "/api/info":
            names = request.query["id"].split(",")
            things = [self.post(row) for row in self.rows.values()]
            things += [self.comment(row, reply) for row in self.rows.values() for reply in row.replies]
            return self.listing([found for found in things if found["data"]["name"] in names], None)
        if request.path.endswith("/comments"):
            rows = [row for row in self.newest_first() if row.replies]
            found, token = self.cut(rows, request.query.get("after"))
            comments = [self.comment(row, reply) for row in found for reply in row.replies]
            return self.listing(comments, token)
        found, token = self.cut(self.newest_first(), request.query.get("after"))
        return self.listing([self.post(row) for row in found], token)

    def listing(self, children: list[dict[str, Any]], after: str | None) -> Answer:
        data = {"after": after, "before": None, "modhash": None, "dist": len(children), "children": children}
        return Answer({"kind": "Listing", "data": data})

    def post(self, row: Row) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": str(row.id), "name": f"t3_{row.id}", "author": "[deleted]" if row.deleted else row.author,
            "title": row.text, "created_utc": row.created, "permalink": f"/r/acme/comments/{row.id}/",
        }  # fmt: skip
        if not row.bare:
            found |= {"selftext": row.text, "edited": False, "num_comments": len(row.replies), "score": 3}
        return {"kind": "t3", "data": found}

    def comment(self, row: Row, reply: Reply) -> dict[str, Any]:
        data = {
            "id": str(reply.id), "name": f"t1_{reply.id}", "author": "someone", "body": reply.text,
            "created_utc": reply.created,
            "link_id": f"t3_{row.id}", "parent_id": f"t3_{row.id}", "permalink": "/r/acme/comments/", "replies": "",
        }  # fmt: skip
        return {"kind": "t1", "data": data}

    def unique_id(self, row: Row) -> str:
        return f"t3_{row.id}"


def snowflake(moment: float, number: int) -> int:
    return (int(moment * 1000) - 1_420_070_400_000 << 22) + number


class Discord(Vendor):
    kind = "discord"
    settings = {"guild": "77", "channels": ["88"]}
    secrets = {"bot_token": "first-token"}
    limit_headers = {"Retry-After": "1.5", "X-RateLimit-Reset-After": "1.5"}
    limit_body = {"message": "You are being rate limited.", "retry_after": 1.5, "global": False}
    limit_wait = 1.5
    created_order = True

    def allowed(self, request: Request) -> bool:
        return request.headers["authorization"] == f"Bot {self.token}"

    def answer(self, request: Request) -> Answer:
        if request.path.endswith("/threads/active"):
            threads = [self.thread(row) for row in self.rows.values() if row.replies]
            return Answer({"threads": threads, "members": [], "has_more": False})
        if request.path.endswith("/archived/public"):
            return Answer({"threads": [], "members": [], "has_more": False})
        channel, after = request.path.split("/")[-2], int(request.query["after"])
        if channel == "88":
            messages = [self.message(row, None) for row in self.visible()]
        else:
            row = next(row for row in self.rows.values() if self.unique_id(row) == channel)
            messages = [self.message(row, reply) for reply in row.replies]
        later = sorted((found for found in messages if int(found["id"]) > after), key=lambda found: int(found["id"]))
        return Answer(list(reversed(later[:100])))

    def message(self, row: Row, reply: Reply | None) -> dict[str, Any]:
        author = {
            "id": str(500 + row.id % 7), "username": row.author, "avatar": None, "discriminator": "0",
            "public_flags": 0,
            "flags": 0, "global_name": None if row.bare else row.author, "primary_guild": None,
        }  # fmt: skip
        created = reply.created if reply else row.created
        return {
            "type": 0, "content": reply.text if reply else row.text, "mentions": [], "mention_roles": [],
            "attachments": [],
            "embeds": [], "timestamp": iso(created), "edited_timestamp": None, "flags": 0, "components": [],
            "id": str(snowflake(created, reply.id if reply else row.id)),
            "channel_id": self.unique_id(row) if reply else "88",
            "author": author, "pinned": False, "mention_everyone": False, "tts": False,
        }  # fmt: skip

    def thread(self, row: Row) -> dict[str, Any]:
        meta = {"archived": False, "archive_timestamp": iso(row.created), "auto_archive_duration": 60, "locked": False}
        last = row.replies[-1]
        return {
            "id": self.unique_id(row), "type": 11, "last_message_id": str(snowflake(last.created, last.id)),
            "flags": 0,
            "guild_id": "77", "name": "A thread", "parent_id": "88", "owner_id": "500", "thread_metadata": meta,
            "message_count": len(row.replies), "member_count": 1, "total_message_sent": len(row.replies),
        }  # fmt: skip

    def unique_id(self, row: Row) -> str:
        return str(snowflake(row.created, row.id))


class X(Vendor):
    kind = "x"
    settings = {"queries": ["@acme -is:retweet"]}
    secrets = {"access_token": "first-token"}
    limit_headers = {"x-rate-limit-reset": str(int(START) + 300)}
    limit_wait = 300.0
    mirrors = "recheck"
    tokens = True
    expired = Answer({"errors": [{"message": "Invalid next_token"}], "title": "Invalid Request"}, 400)
    threads = False
    edits = False
    span = 6 * DAY
    created_order = True

    def goes_on(self, request: Request) -> bool:
        return "next_token" in request.query

    def answer(self, request: Request) -> Answer:
        if request.path == "/2/tweets":
            found = [row for row in self.visible() if str(row.id) in request.query["ids"].split(",")]
            return Answer({"data": [self.post(row) for row in found]} if found else {})
        start = seconds(request.query["start_time"])
        assert start >= self.clock.time - 7 * 86_400
        found, token = self.cut(
            [row for row in self.newest_first() if row.created >= start], request.query.get("next_token")
        )
        meta: dict[str, Any] = {"result_count": len(found)} | ({"next_token": token} if token else {})
        users = [
            {"id": str(500 + number), "name": f"Customer {number}", "username": f"c{number}"} for number in range(7)
        ]
        return Answer(
            ({"data": [self.post(row) for row in found], "includes": {"users": users}} if found else {})
            | {"meta": meta}
        )

    def post(self, row: Row) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": str(row.id),
            "text": row.text[:280],
            "author_id": str(500 + row.id % 7),
            "created_at": iso(row.created),
        }
        return (
            found
            if row.bare
            else found | {"lang": "en", "conversation_id": str(row.id), "note_post": {"text": row.text}}
        )

    def add(self, count: int = 1, *, every: float = 60, replies: int = 0) -> list[Row]:
        return super().add(count, every=every)


class Slack(Vendor):
    kind = "slack"
    settings = {"channels": ["C024BE91L"]}
    secrets = {"access_token": "first-token"}
    size = 200
    limit_headers = {"Retry-After": "30"}
    limit_body = {"ok": False, "error": "ratelimited"}
    limit_wait = 30.0
    tokens = True
    expired = Answer({"ok": False, "error": "invalid_cursor"})
    created_order = True

    def goes_on(self, request: Request) -> bool:
        return "cursor" in request.query

    def handle(self, request: Request) -> Answer:
        answer = super().handle(request)
        return Answer({"ok": False, "error": "invalid_auth"}) if answer.status == 401 else answer

    def answer(self, request: Request) -> Answer:
        if request.path.endswith("/conversations.replies"):
            row = next(row for row in self.rows.values() if self.ts(row.created, row.id) == request.query["ts"])
            messages = [self.message(row, None), *(self.message(row, reply) for reply in row.replies)]
            return Answer({"ok": True, "messages": messages, "has_more": False})
        oldest = float(request.query["oldest"])
        rows = [row for row in self.newest_first() if row.created >= oldest]
        found, token = self.cut(rows, request.query.get("cursor"))
        answer: dict[str, Any] = {
            "ok": True,
            "messages": [self.message(row, None) for row in found],
            "has_more": bool(token),
            "pin_count": 0,
        }
        return Answer(answer | ({"response_metadata": {"next_cursor": token}} if token else {}))

    def ts(self, moment: float, number: int) -> str:
        return f"{int(moment)}.{number % 1_000_000:06}"

    def message(self, row: Row, reply: Reply | None) -> dict[str, Any]:
        found: dict[str, Any] = {
            "type": "message", "text": reply.text if reply else row.text, "user": f"U0{row.id % 7}23456",
            "ts": self.ts(reply.created, reply.id) if reply else self.ts(row.created, row.id),
        }  # fmt: skip
        if row.replies:
            found |= {"thread_ts": self.ts(row.created, row.id)} | ({} if reply else {"reply_count": len(row.replies)})
        return found if row.bare else found | {"team": "T012AB3C4"}

    def unique_id(self, row: Row) -> str:
        return f"C024BE91L:{self.ts(row.created, row.id)}"


class GitHub(Vendor):
    kind = "github"
    settings = {"repositories": ["acme/app"], "app_id": "1", "installation_id": "2"}
    secrets = {"private_key": private_key("RS256")}
    limit_status = 403
    limit_headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(START) + 40)}
    limit_wait = 40.0
    renews = True
    links = False

    def grant(self, request: Request) -> Answer | None:
        if request.path != "/app/installations/2/access_tokens":
            return None
        claims = read_token(request.headers["authorization"].removeprefix("Bearer "), "RS256", None)
        assert claims["iss"] == "1"
        return Answer({"token": self.token, "expires_at": iso(self.clock.time + 3600)}, 201)

    def answer(self, request: Request) -> Answer:
        since = seconds(request.query["since"])
        rows: list[dict[str, Any]]
        if request.path.endswith("/comments"):
            replies = [(row, reply) for row in self.visible() for reply in row.replies if reply.created >= since]
            rows = [self.comment(row, reply) for row, reply in sorted(replies, key=lambda pair: pair[1].created)]
        else:
            rows = [self.issue(row) for row in self.oldest_first(since)]
        page = int(request.query.get("page", 1))
        found = rows[(page - 1) * 100 : page * 100]
        url = f"{self.base}{request.path}?since={request.query['since']}&page={page + 1}"
        more = len(rows) > page * 100 or (self.endless and found)
        return Answer(found, headers={"Link": f'<{self.base}/first>; rel="first", <{url}>; rel="next"'} if more else {})

    def user(self, row: Row) -> dict[str, Any]:
        link = "https://api.github.com/users/x"
        names = (
            "avatar_url url html_url followers_url following_url gists_url starred_url subscriptions_url"
            " organizations_url repos_url events_url received_events_url"
        )
        found: dict[str, Any] = dict.fromkeys(names.split(), link)
        return found | {
            "login": row.author.replace(" ", "-"),
            "id": 500 + row.id % 7,
            "node_id": "n",
            "gravatar_id": "",
            "type": "User",
            "site_admin": False,
        }

    def issue(self, row: Row) -> dict[str, Any]:
        url = f"https://api.github.com/repos/acme/app/issues/{row.id}"
        found: dict[str, Any] = {
            "id": row.id * 10, "node_id": "n", "url": url, "repository_url": url, "labels_url": url,
            "comments_url": url,
            "events_url": url, "html_url": f"https://github.com/acme/app/issues/{row.id}", "number": row.id,
            "state": "open",
            "title": row.text, "user": self.user(row), "labels": [], "assignee": None, "milestone": None,
            "locked": False,
            "comments": len(row.replies), "closed_at": None, "created_at": iso(row.created),
            "updated_at": iso(row.updated),
        }  # fmt: skip
        return found if row.bare else found | {"body": row.text, "author_association": "NONE"}

    def comment(self, row: Row, reply: Reply) -> dict[str, Any]:
        url = f"https://api.github.com/repos/acme/app/issues/comments/{reply.id}"
        return {
            "id": reply.id, "node_id": "n", "url": url,
            "html_url": f"https://github.com/acme/app/issues/{row.id}#{reply.id}",
            "user": self.user(row), "created_at": iso(reply.created), "updated_at": iso(reply.created),
            "body": reply.text,
            "issue_url": f"https://api.github.com/repos/acme/app/issues/{row.id}",
            "author_association": "NONE" if reply.by_customer else "OWNER",
        }  # fmt: skip

    def unique_id(self, row: Row) -> str:
        return f"acme/app#{row.id}"


class Discourse(Vendor):
    kind = "discourse"
    settings = {"url": "https://forum.example.com"}
    secrets = {"api_key": "first-token"}
    size = 50
    mirrors = "listed"
    threads = False
    created_order = True

    def allowed(self, request: Request) -> bool:
        return request.headers["api-key"] == self.token and request.headers["api-username"] == "system"

    def answer(self, request: Request) -> Answer:
        before = int(request.query.get("before", 10**9))
        rows = sorted((row for row in self.visible() if row.id <= before), key=lambda row: -row.id)
        return Answer({"latest_posts": [self.post(row) for row in rows[: self.size]]})

    def post(self, row: Row) -> dict[str, Any]:
        texts = "avatar_template topic_slug topic_html_title excerpt post_url"
        numbers = (
            "post_type posts_count reply_count quote_count incoming_link_count reads readers_count category_id"
            " version trust_level reviewable_score_count reviewable_score_pending_count"
        )
        flags = (
            "yours can_edit can_delete can_recover can_see_hidden_post can_wiki bookmarked moderator admin staff"
            " hidden wiki truncated can_view_edit_history"
        )
        nothing = (
            "reply_to_post_number display_username primary_group_name flair_name flair_url flair_bg_color"
            " flair_color flair_group_id user_title edit_reason reviewable_id"
        )
        found: dict[str, Any] = dict.fromkeys(texts.split(), "") | dict.fromkeys(numbers.split(), 1)
        found |= dict.fromkeys(flags.split(), False) | dict.fromkeys(nothing.split())
        return found | {
            "id": row.id, "name": None if row.bare else row.author, "username": row.author,
            "created_at": iso(row.created),
            "cooked": f"<p>{row.text}</p>", "raw": row.text, "post_number": 1, "updated_at": iso(row.updated),
            "score": 0.2,
            "topic_id": row.id, "topic_title": row.text, "badges_granted": [], "actions_summary": [],
            "user_id": 500 + row.id % 7,
            "deleted_at": iso(row.updated) if row.deleted else None, "user_deleted": False,
        }  # fmt: skip

    def unique_id(self, row: Row) -> str:
        return f"topic-{row.id}"


COMMUNITIES: list[type[Vendor]] = [Reddit, Discord, X, Slack, GitHub, Discourse]
