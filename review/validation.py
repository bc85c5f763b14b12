"""Checks requests with pydantic, and words what is wrong with them as FastAPI does."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ValidationError
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import detail_exception_handler

S = TypeVar("S", bound=BaseModel)


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("NUL is not a character of any text")
    return text


# PostgreSQL stores every character but NUL. Limits of length stand before this in an annotation.
Storable = AfterValidator(_without_nul)
Text = Annotated[str, Storable]


class RequestInvalid(Exception):
    """A request that does not fit its schema; `errors` says where and why."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__("the request does not fit its schema")
        self.errors = errors


def read_body(request: Request, schema: type[S]) -> S:
    """Return the JSON body as `schema`; no body is an empty object. Raises RequestInvalid."""
    return _validate(request.data, schema, "body")


def read_query(request: Request, schema: type[S]) -> S:
    """Return the query parameters as `schema`. Raises RequestInvalid."""
    return _validate(request.query_params.dict(), schema, "query")


def fastapi_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn every error into `{"detail": …}`: a list with status 422 where the request does not fit."""
    if isinstance(error, RequestInvalid):
        return Response({"detail": error.errors}, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
    if isinstance(error, exceptions.ParseError | RecursionError):
        return Response({"detail": [_not_json(error)]}, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
    response = detail_exception_handler(error, context)
    if response is not None and response.status_code == status.HTTP_401_UNAUTHORIZED:
        response.data = {"detail": "Not authenticated"}
    return response


def _validate(data: Any, schema: type[S], place: str) -> S:
    given = dict(data) if isinstance(data, Mapping) else data
    try:
        return schema.model_validate(given, from_attributes=True)
    except ValidationError as error:
        raise RequestInvalid(
            [
                {"type": each["type"], "loc": [place, *each["loc"]], "msg": each["msg"], "input": each["input"]}
                for each in error.errors(include_url=False)
            ]
        ) from error


def _not_json(error: Exception) -> dict[str, Any]:
    return {
        "type": "json_invalid",
        "loc": ["body", 0],
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": str(error)},
    }
