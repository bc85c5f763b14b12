"""Carries the requests of openai's HTTP client over the guarded outbound client."""

from collections.abc import Iterator
from typing import Any, cast

import httpx2
import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from privacy import egress

# httpx decodes bodies itself; what arrives here is decoded already.
_CONSUMED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class EgressTransport(httpx2.BaseTransport):
    """Sends over `egress` to the operator's endpoint; the read timeout is for the whole answer."""

    def __init__(self, *, max_bytes: int) -> None:
        self.session = egress.session(operator=True, max_bytes=max_bytes)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request. Raises httpx2's errors."""
        prepared = requests.Request(
            request.method, str(request.url), headers=dict(request.headers), data=request.read()
        ).prepare()
        timeouts = request.extensions.get("timeout", {})
        limits = timeouts.get("connect") or egress.TIMEOUT[0], timeouts.get("read") or egress.TIMEOUT[1]
        try:
            adapter = self.session.get_adapter(str(request.url))
            response = adapter.send(prepared, stream=True, timeout=limits)
        except requests.ConnectTimeout as error:
            raise httpx2.ConnectTimeout("no connection in time") from error
        except requests.ReadTimeout as error:
            raise httpx2.ReadTimeout("no answer in time") from error
        except requests.RequestException as error:
            raise httpx2.ConnectError("no connection") from error
        headers = {name: value for name, value in response.headers.items() if name.lower() not in _CONSUMED}
        return httpx2.Response(response.status_code, headers=headers, stream=_Body(response))

    def close(self) -> None:
        """Close the connections."""
        self.session.close()


class _Body(httpx2.SyncByteStream):
    def __init__(self, response: requests.Response) -> None:
        self.response = response

    def __iter__(self) -> Iterator[bytes]:
        body: Any = cast(egress.LimitedBody, self.response.raw)
        try:
            yield from body.arriving()
        except ReadTimeoutError as error:
            raise httpx2.ReadTimeout("the answer did not end in time") from error
        except (HTTPError, OSError) as error:
            raise httpx2.ReadError("the answer broke off") from error

    def close(self) -> None:
        self.response.close()
