"""The forms that a model fills in. Keys are short because they are paid for with every item."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

KindName = Literal[
    "bug",
    "feature_request",
    "complaint",
    "pain_point",
    "loved_feature",
    "takeaway",
    "brand",
    "feature_mentioned",
]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Said(_Form):
    """One thing that an item says."""

    i: str
    n: list[int]
    k: KindName
    f: str | None
    t: str
    x: Literal[-1, 0, 1]


class Unsaid(_Form):
    """An item that says nothing usable."""

    i: str
    w: Literal["gibberish", "low_signal"]


class Reading(_Form):
    """What a batch of items says."""

    s: list[Said]
    e: list[Unsaid]


class Comparison(_Form):
    """The number of the candidate that says the same, or null."""

    same: int | None


class Naming(_Form):
    """How an insight is called."""

    title: str
    summary: str
