"""Check what was sent and answered against the vendors' own descriptions, where that folder is present."""

import json
import os
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from jsonschema import Draft4Validator, Draft202012Validator  # type: ignore[import-untyped]
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.sources.connectors.loopback import Answer, Request, Vendor

FOLDER = Path(os.environ.get("EARSHOT_VENDOR_DESCRIPTIONS") or Path(__file__).parents[4] / "shared" / "vendors")

# What the descriptions say that the applications are known to do otherwise.
GAPS = {
    "zendesk": "The status enum lacks deleted rows, and start_time is required beside a cursor, against the prose.",
    "freshdesk": "The unofficial file allows one value of include; the documentation a list.",
    "slack": "The closed schema of 2021 lacks response_metadata and refuses an empty page: only rows are checked.",
    "hubspot": "The conversations file is recursive: openapi-core cannot load it, jsonschema checks it.",
    "reddit": "The derived file knows no comments in /api/info.",
    "googleplay": "A discovery document, not OpenAPI: jsonschema checks its schemas.",
}


def check(vendor: Vendor) -> int:
    """Check every exchange and return how many there were. Raises what the validators raise."""
    folder = FOLDER / vendor.kind
    if not folder.is_dir():
        pytest.skip(f"no descriptions in {FOLDER}: set EARSHOT_VENDOR_DESCRIPTIONS")
    documents = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    for request, answer in vendor.exchanges:
        if request.path == "/api/info" and "t1_" in request.query["id"]:
            continue
        if vendor.kind == "googleplay":
            _check_discovery(documents[0], request, answer)
        elif vendor.kind == "slack":
            _check_swagger(documents[0], request, answer)
        elif vendor.kind == "hubspot" and request.path.startswith("/conversations"):
            _check_plainly(documents[0], request, answer)
        else:
            _check_openapi(vendor, documents, request, answer)
    return len(vendor.exchanges)


def _check_openapi(vendor: Vendor, documents: list[dict[str, Any]], request: Request, answer: Answer) -> None:
    document = next(found for found in documents if _path_of(found, request))
    described = _opened(vendor.kind, vendor.base, json.dumps(document))
    sent = MockRequest(
        vendor.base,
        request.method.lower(),
        request.path,
        args=dict(parse_qsl(urlsplit(request.url).query)),
        headers={**request.headers, "Authorization": request.headers.get("authorization", "")},
        data=request.body or None,
        content_type=request.headers.get("content-type", ""),
    )
    with warnings.catch_warnings():
        # It says that it does not check OAuth.
        warnings.simplefilter("ignore", UserWarning)
        described.validate_request(sent)
        described.validate_response(sent, MockResponse(answer.content, answer.status, dict(answer.headers)))
    _check_names(document, request)


@cache
def _opened(kind: str, base: str, text: str) -> OpenAPI:
    document = json.loads(text)
    servers = document.get("servers") or [{"url": ""}]
    document["servers"] = [{"url": base + urlsplit(re.sub(r"[{}]", "", servers[0]["url"])).path.rstrip("/")}]
    if kind == "zendesk":
        document["components"]["schemas"]["TicketObject"]["properties"]["status"]["enum"].append("deleted")
        document["components"]["parameters"]["IncrementalUnixTime"]["required"] = False
    if kind == "freshdesk":
        for entry in document["paths"]["/tickets"]["get"]["parameters"]:
            entry.get("schema", {}).pop("enum" if entry.get("name") == "include" else "", None)
    return OpenAPI.from_dict(document)


def _path_of(document: dict[str, Any], request: Request) -> str | None:
    """Return the described path that a request's path is one of; the server's own prefix may stand before it."""
    fitting = [
        template
        for template, operations in document["paths"].items()
        if request.method.lower() in operations
        and re.search("^(/[a-z0-9]+)*" + re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(template)) + "$", request.path)
    ]
    return min(fitting, key=lambda template: template.count("{"), default=None)


def _check_names(document: dict[str, Any], request: Request) -> None:
    """Refuse a parameter that the description does not name, where it names any."""
    operation = document["paths"][_path_of(document, request)][request.method.lower()]
    named = {_resolved(document, entry)["name"] for entry in operation.get("parameters", [])}
    unknown = {name for name in request.query if name not in named}
    assert not named or not unknown - _known_beside(request.path), f"{request.path}: {unknown} are not described"


def _known_beside(path: str) -> set[str]:
    """Parameters that only prose describes."""
    if "/tickets" in path:
        return {"include", "per_page", "page"}
    return {"cursor"} if "customerReviews" in path else set()


def _resolved(document: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in entry:
        found: Any = document
        for step in entry["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/")]
        entry = found
    return entry


def _check_plainly(document: dict[str, Any], request: Request, answer: Answer) -> None:
    """For a recursive document, which openapi-core cannot load."""
    operation = document["paths"][_path_of(document, request)][request.method.lower()]
    _check_names(document, request)
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    # Each kind of message is all of a message, which is one of the kinds of message.
    document["components"]["schemas"]["PublicMessage"] = {}
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.data)


def _check_swagger(document: dict[str, Any], request: Request, answer: Answer) -> None:
    operation = document["paths"][request.path.removeprefix("/api")]["get"]
    assert set(request.query) <= {entry["name"] for entry in operation["parameters"]}
    message = {"$ref": "#/definitions/objs_message", "definitions": document["definitions"]}
    for row in answer.data["messages"]:
        Draft4Validator(message).validate(row)


def _check_discovery(document: dict[str, Any], request: Request, answer: Answer) -> None:
    method = document["resources"]["reviews"]["methods"]["list"]
    assert set(request.query) <= set(method["parameters"])
    definitions = json.loads(
        re.sub(r'"\$ref": "(\w+)"', r'"$ref": "#/definitions/\1"', json.dumps(document["schemas"]))
    )
    for schema in definitions.values():
        schema["additionalProperties"] = False
        schema.pop("id")
    Draft4Validator({"$ref": "#/definitions/ReviewsListResponse", "definitions": definitions}).validate(answer.data)
