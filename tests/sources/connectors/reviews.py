"""Places where reviews are written, on loopback."""

from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.sources.connectors.desks import iso
from tests.sources.connectors.loopback import Answer, Request, Row, Vendor


@cache
def private_key(kind: str) -> str:
    made: Any = ec.generate_private_key(ec.SECP256R1()) if kind == "ES256" else rsa.generate_private_key(65537, 2048)
    form = serialization.PrivateFormat.PKCS8
    return str(made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode())


def read_token(token: str, kind: str, audience: str | None) -> dict[str, Any]:
    """Return a token's claims; it is checked with the public half of the key. Times are the test's own."""
    key: Any = serialization.load_pem_private_key(private_key(kind).encode(), None)
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": audience is not None}
    claims: dict[str, Any] = jwt.decode(token, key.public_key(), algorithms=[kind], audience=audience, options=options)
    return claims


class G2(Vendor):
    kind = "g2"
    settings = {"products": ["acme-app"]}
    secrets = {"access_token": "first-token"}
    size = 250
    limit_headers = {}
    limit_wait = 60.0
    mirrors = "missing"
    links = True
    threads = False

    def unique_id(self, row: Row) -> str:
        return f"acme-app:{row.id}"

    def body_of(self, row: Row) -> str:
        return row.text if row.bare else f"Title\n{row.text}\nNothing"

    def answer(self, request: Request) -> Answer:
        found, token = self.cut(self.newest_first(), request.query.get("page[after]"))
        following = self.link(request, token, "page[after]")
        users = [{"id": f"u{row.id % 7}", "type": "users", "attributes": {}} for row in found[:7]]
        links = {"self": self.base + request.path, "next": following}
        return Answer({"data": [self.review(row) for row in found], "included": users, "links": links})

    def review(self, row: Row) -> dict[str, Any]:
        likes = {"love": {"text": "What do you like best?", "value": row.text}}
        found: dict[str, Any] = {"answers": likes, "submitted_at": iso(row.created), "is_public": True}
        if not row.bare:
            hates = {"hate": {"text": "What do you dislike?", "value": "Nothing"}}
            found |= {"title": "Title", "answers": likes | hates, "star_rating": 3.5, "url": "https://www.g2.com/r/1"}
        user = {"user": {"data": {"id": f"u{row.id % 7}", "type": "users"}}}
        return {"id": str(row.id), "type": "reviews", "attributes": found, "relationships": user}


class Trustpilot(Vendor):
    kind = "trustpilot"
    settings = {"business_units": ["507f191e810c19729de860ea"]}
    secrets = {"client_id": "app", "client_secret": "app-secret"}
    limit_headers = {}
    limit_wait = 60.0
    renews = True
    emails = True
    created_order = True

    def grant(self, request: Request) -> Answer | None:
        if not request.path.endswith("/accesstoken"):
            return None
        assert request.form == {"grant_type": "client_credentials"}
        assert request.headers["authorization"].startswith("Basic ")
        return Answer({"access_token": self.token, "expires_in": "359999"})

    def answer(self, request: Request) -> Answer:
        start = (int(request.query.get("page", 1)) - 1) * self.size
        return Answer({"reviews": [self.review(row) for row in self.newest_first()[start : start + self.size]]})

    def review(self, row: Row) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": str(row.id), "stars": 2, "text": row.text, "createdAt": iso(row.created),
            "consumer": {"id": f"c{row.id % 7}", "displayName": row.author}, "referralEmail": row.email,
        }  # fmt: skip
        if not row.bare:
            found |= {"title": row.text, "language": "en", "updatedAt": None, "companyReply": None, "tags": []}
        if row.replies:
            found["companyReply"] = {"text": row.replies[0].text, "createdAt": iso(row.replies[0].created)}
        return found

    def add(self, count: int = 1, *, every: float = 60, replies: int = 0) -> list[Row]:
        return super().add(count, every=every, replies=min(replies, 1))


class TrustpilotPublic(Trustpilot):
    """The public list, which wants the key alone."""

    settings = {**Trustpilot.settings, "access": "public"}
    secrets = {"client_id": "first-token"}
    renews = False
    emails = False

    def allowed(self, request: Request) -> bool:
        assert "/private/" not in request.path
        return request.headers["apikey"] == self.token


class AppStore(Vendor):
    kind = "appstore"
    settings = {"apps": ["1234567890"], "issuer_id": "57246542-96fe", "key_id": "2X9R4HXF34"}
    secrets = {"private_key": private_key("ES256")}
    size = 200
    limit_headers = {"X-Rate-Limit": "user-hour-lim:3600;user-hour-rem:0;"}
    limit_wait = 60.0
    links = True
    renews = False
    created_order = True

    def allowed(self, request: Request) -> bool:
        token = request.headers["authorization"].removeprefix("Bearer ")
        claims = read_token(token, "ES256", "appstoreconnect-v1")
        assert jwt.get_unverified_header(token)["kid"] == "2X9R4HXF34"
        assert claims["exp"] - claims["iat"] <= 1200
        assert claims["iat"] <= self.clock.time < claims["exp"]
        return self.token == "first-token"

    def edit(self, row: Row, text: str) -> None:
        super().edit(row, text)
        row.created = row.updated

    def answer(self, request: Request) -> Answer:
        found, token = self.cut(self.newest_first(), request.query.get("cursor"))
        links: dict[str, Any] = {"self": self.base + request.path}
        if following := self.link(request, token, "cursor"):
            links["next"] = following
        responses = [self.response(row) for row in found if row.replies]
        return Answer({"data": [self.review(row) for row in found], "included": responses, "links": links})

    def review(self, row: Row) -> dict[str, Any]:
        pacific = datetime.fromtimestamp(row.created, UTC).astimezone(timezone(timedelta(hours=-7)))
        found: dict[str, Any] = {"body": row.text, "createdDate": pacific.isoformat()}
        if not row.bare:
            found |= {"title": row.text, "rating": 2, "reviewerNickname": row.author, "territory": "USA"}
        review: dict[str, Any] = {"id": str(row.id), "type": "customerReviews", "attributes": found}
        if row.replies:
            data = {"id": f"r{row.id}", "type": "customerReviewResponses"}
            review["relationships"] = {"response": {"data": data}}
        return review

    def response(self, row: Row) -> dict[str, Any]:
        reply = row.replies[0]
        attributes = {"responseBody": reply.text, "lastModifiedDate": iso(reply.created), "state": "PUBLISHED"}
        return {"id": f"r{row.id}", "type": "customerReviewResponses", "attributes": attributes}

    def add(self, count: int = 1, *, every: float = 60, replies: int = 0) -> list[Row]:
        return super().add(count, every=every, replies=min(replies, 1))


class GooglePlay(Vendor):
    kind = "googleplay"
    settings = {"packages": ["com.example.app"], "client_email": "reader@example.iam"}
    secrets = {"private_key": private_key("RS256")}
    limit_headers = {}
    limit_wait = 60.0
    renews = True
    tokens = True
    expired = Answer({"error": {"code": 400, "message": "Invalid page token"}}, 400)

    def goes_on(self, request: Request) -> bool:
        return "token" in request.query

    def grant(self, request: Request) -> Answer | None:
        if request.path != "/token":
            return None
        claims = read_token(request.form["assertion"], "RS256", "https://oauth2.googleapis.com/token")
        assert claims["iss"] == "reader@example.iam"
        assert claims["scope"].endswith("/androidpublisher")
        return Answer({"access_token": self.token, "expires_in": 3599, "token_type": "Bearer"})

    def answer(self, request: Request) -> Answer:
        rows = sorted(self.visible(), key=lambda row: (row.updated, row.id), reverse=True)
        found, token = self.cut(rows, request.query.get("token"))
        answer: dict[str, Any] = {"reviews": [self.review(row) for row in found]} if found else {}
        return Answer(answer | ({"tokenPagination": {"nextPageToken": token}} if token else {}))

    def review(self, row: Row) -> dict[str, Any]:
        comment: dict[str, Any] = {
            "text": f"\t{row.text}",
            "lastModified": {"seconds": str(int(row.updated)), "nanos": 0},
        }
        if not row.bare:
            comment |= {"starRating": 2, "reviewerLanguage": "en", "appVersionName": "1.2", "androidOsVersion": 34}
        comments: list[Any] = [{"userComment": comment}]
        for reply in row.replies:
            stamp = {"seconds": str(int(reply.created))}
            comments.append({"developerComment": {"text": reply.text, "lastModified": stamp}})
        return {"reviewId": str(row.id), "authorName": row.author, "comments": comments}

    def add(self, count: int = 1, *, every: float = 60, replies: int = 0) -> list[Row]:
        return super().add(count, every=every, replies=min(replies, 1))


REVIEWS: list[type[Vendor]] = [G2, Trustpilot, TrustpilotPublic, AppStore, GooglePlay]
