"""How a program signs what it sends to a source, as a command to copy and an example to check one's own code by."""

import hmac
import shlex
from dataclasses import dataclass

BODY = '{"id": "first-1", "text": "The export stops after 200 rows.", "user": {"name": "Jane Doe"}}'
TEMPLATE = """\
SECRET={secret}
BODY={body}
NOW=$(date +%s)
SIGNATURE=$(printf '%s.%s' "$NOW" "$BODY" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1)
curl -X POST {address} \\
  -H 'Content-Type: application/json' \\
  -H "X-Earshot-Timestamp: $NOW" \\
  -H "X-Earshot-Signature: $SIGNATURE" \\
  -d "$BODY\""""
UNKNOWN_SECRET = "YOUR_SECRET"  # noqa: S105 (a placeholder)


@dataclass(frozen=True, slots=True)
class SignedExample:
    """A signature that was computed, with all that went into it."""

    secret: str
    timestamp: int
    body: str
    signature: str


def signed_example(secret: str, *, timestamp: int, body: str = BODY) -> SignedExample:
    """Compute the signature of a body at a time in seconds since 1970."""
    message = f"{timestamp}.{body}".encode()
    return SignedExample(secret, timestamp, body, hmac.new(secret.encode(), message, "sha256").hexdigest())


def signed_request(address: str, secret: str = UNKNOWN_SECRET, body: str = BODY) -> str:
    """Return the commands that sign and send a first item, for any POSIX shell with openssl and curl."""
    return TEMPLATE.format(secret=shlex.quote(secret), body=shlex.quote(body), address=address)
