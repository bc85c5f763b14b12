"""The command that sends a first item, ready to be pasted into a terminal."""

import json

from projects.models import ApiKey
from sources.models import Source

TEMPLATE = """\
curl -X POST {site}/api/1/ai-feedback/ingest \\
  -u '{key}:YOUR_SECRET_KEY' \\
  -H 'Content-Type: application/json' \\
  -d '{body}'"""


def first_item(site: str, source: Source, key: ApiKey | None) -> str:
    """Return the command for this source, with the visible half of `key` where there is one."""
    item = {
        "unique_id": "first-1",
        "body": "The export stops after 200 rows. Please fix it.",
        "author": "Jane Doe",
        "email": "jane@customer.example",
    }
    body = json.dumps({"source_id": str(source.pk), "items": [item]}, indent=2)
    return TEMPLATE.format(site=site, key=key.public if key else "YOUR_API_KEY", body=body)
