"""How `/api/schema/` describes what every list of `/api/v1/` has in common."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from projects.pagination import DEFAULT_LIMIT, MAX_LIMIT


class Listing:
    """Describes a page of a list, as paginators of the framework would."""

    def get_paginated_response_schema(self, rows: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of a page of such rows."""
        return {
            "type": "object",
            "required": ["results"],
            "properties": {
                "results": rows,
                "next": {"type": "string", "nullable": True, "description": "The cursor of the next page."},
                "total": {"type": "integer"},
                "total_is_at_least": {"type": "boolean", "description": "Whether there are more than were counted."},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the parameters by which pages are asked for."""
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        return [
            {"name": "limit", "in": "query", "required": False, "schema": limit},
            {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"}},
        ]


class ApiSchema(AutoSchema):
    """Describes lists as they are answered."""

    def _get_paginator(self) -> Listing:
        return Listing()
