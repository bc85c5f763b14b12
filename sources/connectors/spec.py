"""The shape of a connector's YAML file, checked when it is loaded."""

from typing import Any, Literal

import msgspec


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a connector file; a key that is not known here is refused."""


class Field(Spec, frozen=True):
    """One thing that a person types in to connect: a setting (shown again) or a secret (never shown)."""

    name: str
    label: str
    help: str = ""
    type: Literal["text", "list", "choice", "number", "multiline"] = "text"
    choices: list[str] = []
    required: bool = True
    default: str | int | None = None
    pattern: str = ""


class AuthSpec(Spec, frozen=True):
    """One way to prove who asks; the first one whose `needs` are all given is used."""

    kind: Literal["none", "bearer", "basic", "header", "oauth_refresh", "client_credentials", "jwt", "jwt_bearer"]
    needs: list[str] = []
    scheme: str = "Bearer"
    headers: dict[str, str] = {}
    token: str = "{secrets.access_token}"  # noqa: S105 (a template)
    username: str = ""
    password: str = ""
    token_url: str = ""
    client_auth: Literal["basic", "body"] = "body"
    token_body: dict[str, str] = {}
    answer_at: str = "access_token"
    base_url_at: str = ""
    algorithm: Literal["ES256", "RS256"] = "RS256"
    private_key: str = "{secrets.private_key}"
    key_id: str = ""
    claims: dict[str, Any] = {}
    lifetime: int = 600
    exchange: Literal["assertion", "bearer"] = "assertion"

    def headers_with(self, token: str) -> dict[str, str]:
        """Return the header that carries `token`."""
        return {"Authorization": f"{self.scheme} {token}"}


class OAuth(Spec, frozen=True):
    """How a person grants access in the browser."""

    authorize_url: str
    token_url: str
    scopes: list[str]
    extra: dict[str, str] = {}
    client_auth: Literal["client_secret_basic", "client_secret_post"] = "client_secret_post"
    keep: dict[str, str] = {}


class Limits(Spec, frozen=True):
    """Where a refusal says when to ask again, beside `Retry-After`; `wait` seconds where it does not."""

    reset_header: str = ""
    reset: Literal["epoch", "seconds"] = "epoch"
    wait: float = 60


class Pace(Spec, frozen=True):
    """At most so many requests (a number, or the setting that holds it) in so many seconds."""

    requests: int | str
    seconds: float = 60


Outcome = Literal[
    "ok", "limited", "exhausted", "refused", "forbidden", "gone", "empty", "expired", "broken", "rejected"
]


class Rule(Spec, frozen=True):
    """What an answer means: `when` is a JMESPath over `status`, `headers` (lower case) and `body`."""

    when: str
    then: Outcome
    say: str = ""


class Join(Spec, frozen=True):
    """Give each row the record of the page's `rows` whose `key` equals the row's `by`, as `into`."""

    into: str
    rows: str
    key: str
    by: str


class Next(Spec, frozen=True):
    """How the page after this one is asked for.

    `url`: a link at `at`. `link`: the Link header. `token`: the value at `at`, put `into` a parameter or
    `body.<path>`. `page`: a number put `into`. `last`: the last row's `at`, put `into`. `since`: ask again
    from the newest row read, and by `then` only where a whole page shares one moment.
    """

    by: Literal["url", "link", "token", "page", "last", "since"]
    at: str = ""
    into: str = ""
    drop: list[str] = []
    size: int = 0
    first: int = 1
    then: "Next | None" = None


class Listing(Spec, frozen=True):
    """A request for a list, where its rows and its end are, and where it says how many rows there are in `total`."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Any] = {}
    body: dict[str, Any] | None = None
    rows: str = "@"
    next: Next | None = None
    until: str = ""
    total: str = ""
    joins: list[Join] = []
    format: Literal["json", "feed"] = "json"
    pace: Pace | None = None


class Detail(Listing, frozen=True, kw_only=True):
    """A further request for each row (only `when` it holds), whose rows are put `into` the row.

    With `ids` it is one request for all rows of a page: `{ids}` lists what `ids` finds in them, and each row
    gets the answers whose `key` is its own.
    """

    into: str = "parts"
    when: str = ""
    ids: str = ""
    key: str = ""


class Cursor(Spec, frozen=True):
    """What orders the rows of a stream, and how far back every run reads again.

    `lookback` and `max_age` are seconds; for integers `lookback` is a number of ids, and `time` tells when a
    row was made.
    """

    field: str
    kind: Literal["iso", "iso_naive", "epoch", "epoch_ms", "epoch_text", "integer", "snowflake"] = "iso"
    order: Literal["asc", "desc", "none"] = "asc"
    lookback: int = 1
    max_age: int = 0
    time: str = ""


class Each(Spec, frozen=True):
    """Walk once for every value of a list setting, or for every `key` in the rows of a listing, or of one
    listing for every value. A value's named groups in `pattern` can be named like its `key`.

    `newest` finds the last position in a record; a key whose position is there already is not asked for.
    """

    setting: str = ""
    pattern: str = ""
    listing: Listing | None = None
    key: str = "id"
    where: str = ""
    newest: str = ""


class Recheck(Spec, frozen=True):
    """Ask again, every `every` seconds, for what is stored and at most `within` seconds old.

    What is not returned, or is `gone`, has been deleted. The listing's `{ids}` are joined by commas.
    """

    every: int
    within: int | str
    batch: int
    listing: Listing
    key: str
    gone: str = ""


class Stream(Spec, frozen=True):
    """One list of the application that becomes feedback; `only` says for which settings it is read.

    A `partial` row may be one part of an item: what it lacks is left as it is stored.
    """

    listing: Listing
    map: dict[str, Any]
    cursor: Cursor | None = None
    each: Each | None = None
    only: str = ""
    row_id: str = "id"
    partial: bool = False
    window: int = 0
    keep_token: bool = False
    where: str = ""
    details: list[Detail] = []
    hook: str = ""
    parts: str = ""
    part: dict[str, Any] = {}
    missing_is_deleted: bool = False


class Connector(Spec, frozen=True):
    """One application that feedback can be read from."""

    kind: str
    title: str
    tags: list[Literal["support", "reviews", "calls", "community", "files", "AI runs"]]
    summary: str
    base_url: str
    auth: list[AuthSpec]
    streams: dict[str, Stream]
    setup: list[str]
    scopes: list[str] = []
    limitations: list[str] = []
    settings: list[Field] = []
    secrets: list[Field] = []
    host_pattern: str = ""
    headers: dict[str, str] = {}
    limits: Limits = Limits()
    rules: list[Rule] = []
    oauth: OAuth | None = None
    recheck: Recheck | None = None
    webhook: str = ""
