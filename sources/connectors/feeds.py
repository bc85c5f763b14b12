"""Read RSS and Atom without entities: what a feed declares about itself is never expanded."""

from typing import Any
from xml.etree import ElementTree

from sources.connectors.errors import ConnectorError

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
DATE = "{http://purl.org/dc/elements/1.1/}date"


class _Refusing(ElementTree.TreeBuilder):
    """Stops at a document type: entities could only be declared there."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ConnectorError("The feed declares a document type, which is not read.", permanent=True)


def read_feed(content: bytes) -> dict[str, Any]:
    """Return `{"entries": [...], "next": address or None}`, or raise ConnectorError where it is no feed."""
    try:
        root = ElementTree.fromstring(content, ElementTree.XMLParser(target=_Refusing()))  # noqa: S314
    except ElementTree.ParseError as error:
        raise ConnectorError("The address does not answer with an RSS or Atom feed.", permanent=True) from error
    if root.tag == f"{ATOM}feed":
        return {"entries": [_atom(entry) for entry in root.iter(f"{ATOM}entry")], "next": _link(root, "next")}
    entries = [entry for entry in root.iter() if entry.tag.rsplit("}", 1)[-1] == "item"]
    if root.tag.rsplit("}", 1)[-1] not in ("rss", "RDF"):
        raise ConnectorError("The address does not answer with an RSS or Atom feed.", permanent=True)
    return {"entries": [_rss(entry) for entry in entries], "next": None}


def _atom(entry: ElementTree.Element) -> dict[str, Any]:
    content = entry.find(f"{ATOM}content")
    return {
        "id": _text(entry, f"{ATOM}id"),
        "title": _text(entry, f"{ATOM}title"),
        "body": _inner(content) if content is not None else _text(entry, f"{ATOM}summary"),
        "author": _text(entry, f"{ATOM}author/{ATOM}name"),
        "email": _text(entry, f"{ATOM}author/{ATOM}email"),
        "link": _link(entry, "alternate"),
        "published": _text(entry, f"{ATOM}published") or _text(entry, f"{ATOM}updated"),
        "updated": _text(entry, f"{ATOM}updated"),
    }


def _rss(entry: ElementTree.Element) -> dict[str, Any]:
    fields = {child.tag.rsplit("}", 1)[-1]: (child.text or "").strip() for child in reversed(list(entry))}
    return {
        "id": fields.get("guid") or fields.get("link"),
        "title": fields.get("title"),
        "body": _text(entry, CONTENT) or fields.get("description"),
        "author": _text(entry, CREATOR) or fields.get("author"),
        "email": None,
        "link": fields.get("link"),
        "published": fields.get("pubDate") or _text(entry, DATE),
        "updated": None,
    }


def _inner(content: ElementTree.Element) -> str:
    """Return the text of an Atom content, its markup included where that is not escaped."""
    return "".join([content.text or "", *(ElementTree.tostring(child, "unicode") for child in content)]).strip()


def _text(entry: ElementTree.Element, path: str) -> str | None:
    return (entry.findtext(path) or "").strip() or None


def _link(entry: ElementTree.Element, relation: str) -> str | None:
    for link in entry.findall(f"{ATOM}link"):
        if link.get("rel", "alternate") == relation:
            return link.get("href")
    return None
