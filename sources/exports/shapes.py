"""The exports that are known, read from the YAML files beside this module, and which of them a file is."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from sources.connectors.expressions import search
from sources.connectors.spec import Listing, Spec, Stream
from sources.files.known_tables import plain

FOLDER = Path(__file__).parent
# A file is of a shape if so many of its first rows are.
AGREEMENT = 0.8


class ExampleMap(Spec, frozen=True):
    """Where a row has the question and the answer of an example, its id, and whether it is `gone`."""

    question: str
    answer: str
    key: str = ""
    gone: str = ""


class Shape(Spec, frozen=True):
    """One application's export, row by row.

    A row is of the shape where `when` holds. Rows become feedback by `map` and `part`, as in a connector's
    file, or else examples. With `plain_keys` the names at the top of a row are reduced to letters and digits,
    since a CSV writes them in another way than the JSON. `note` tells a person what is special.
    """

    kind: str
    title: str
    rows: str
    when: str
    note: str = ""
    plain_keys: bool = False
    hook: str = ""
    empty: str = ""
    map: dict[str, Any] = {}
    parts: str = ""
    part: dict[str, Any] = {}
    example: ExampleMap | None = None

    @property
    def stream(self) -> Stream:
        """The mapping in the form that connectors have it."""
        return Stream(listing=Listing(path=""), map=self.map, parts=self.parts, part=self.part)

    def keyed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row with its names as the expressions have them."""
        return {plain(name): value for name, value in row.items()} if self.plain_keys else dict(row)

    def fits(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is of this shape."""
        return bool(search(self.when, self.keyed(row)))


@cache
def shapes() -> dict[str, Shape]:
    """Return every shape by its kind. Raises msgspec.ValidationError where a file is not as it should be."""
    loaded = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]
    return {shape.kind: shape for shape in (msgspec.convert(document, Shape) for document in loaded)}


def shape_of(kind: str | None) -> Shape | None:
    """Return the shape of a kind, or None where there is none."""
    return shapes().get(kind) if kind else None


def recognise(rows: Sequence[Mapping[str, Any]]) -> Shape | None:
    """Return the shape that most of these rows have, or None."""
    for shape in shapes().values():
        if rows and sum(map(shape.fits, rows)) >= AGREEMENT * len(rows):
            return shape
    return None
