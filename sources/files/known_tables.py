"""Tables that well-known applications export: how each is recognised, and what its columns mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownTable:
    """One application's table.

    It is recognised where every group of `signs` has one of its names among the headers. `columns` names the
    headers of each field, best known first; the texts of `feedback` are joined, one header of each group.
    Headers are written as letters and digits only.
    """

    kind: str
    title: str
    signs: Sequence[str]
    feedback: Sequence[str]
    columns: Mapping[str, str]


KNOWN_TABLES = (
    KnownTable(
        kind="googleplay",
        title="Google Play",
        signs=("packagename", "starrating", "reviewtext"),
        feedback=("reviewtitle", "reviewtext"),
        columns={
            "unique_id": "reviewlink",
            "created_at": "reviewlastupdatedateandtime reviewsubmitdateandtime",
            "rating": "starrating",
            "language": "reviewerlanguage",
        },
    ),
    KnownTable(
        kind="appstore",
        title="App Store",
        signs=(
            "territory storefront country countryorregion store",
            "reviewernickname nickname reviewer reviewername author authorname",
            "rating stars starrating",
            "review reviewbody body content reviewtext",
            "title reviewtitle subject",
            "version appversion developerresponse reviewid created createddate lastmodified lastmodifieddate",
        ),
        feedback=("title reviewtitle subject", "review reviewbody body content reviewtext"),
        columns={
            "unique_id": "reviewid id",
            "author": "reviewernickname nickname reviewer reviewername author authorname",
            "created_at": "lastmodifieddate lastmodified createddate created reviewdate date",
            "rating": "rating stars starrating",
            "url": "url link reviewurl",
            "language": "language",
        },
    ),
    KnownTable(
        kind="canny",
        title="Canny",
        signs=(
            "title posttitle",
            "details description postdetails",
            "votes score votecount upvotes",
            "board boardname category categoryname",
            "status poststatus",
        ),
        feedback=("title posttitle", "details description postdetails"),
        columns={
            "unique_id": "postid id url posturl link",
            "author": "authorname author postauthor postauthorname",
            "email": "authoremail email postauthoremail",
            "user_id": "authoruserid userid authorid",
            "account": "company companyname companies authorcompany",
            "created_at": "created createdat createddate date postcreated",
            "url": "url posturl link",
        },
    ),
    KnownTable(
        kind="productboard",
        title="Productboard",
        signs=(
            "notetitle title",
            "notecontent notetext content text note",
            "companyname companydomain customercompany company",
            "useremail customeremail username customername",
            "state notestate owner owneremail ownername processed tags notetags",
        ),
        feedback=("notetitle title", "notecontent notetext content text note"),
        columns={
            "unique_id": "noteid id uuid externalid",
            "author": "username customername user customer",
            "email": "useremail customeremail email",
            "user_id": "userid customerid userexternalid",
            "account": "companyname company customercompany companydomain",
            "created_at": "createdat notecreatedat created datecreated date",
            "url": "noteurl sourceurl url link displayurl",
        },
    ),
)


def plain(header: str) -> str:
    """Return a header as the tables of names have it: letters and digits only, in lower case."""
    return "".join(character for character in header.casefold() if character.isalnum())


def recognise(headers: Sequence[str]) -> KnownTable | None:
    """Return the table that these headers are of, the first in the list where several fit."""
    names = set(map(plain, headers))
    return next((table for table in KNOWN_TABLES if all(names & set(sign.split()) for sign in table.signs)), None)


def columns_of(table: KnownTable, headers: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the headers of the feedback, and the header of each further field that is there; none is used twice."""
    by_name = {plain(header): header for header in reversed(headers)}
    feedback = tuple(header for names in table.feedback if (header := _first(names, by_name)))
    fields: dict[str, str] = {}
    for field, names in table.columns.items():
        free = {name: header for name, header in by_name.items() if header not in (*feedback, *fields.values())}
        if header := _first(names, free):
            fields[field] = header
    return feedback, fields


def _first(names: str, by_name: Mapping[str, str]) -> str | None:
    return next((by_name[name] for name in names.split() if name in by_name), None)
