"""What every connector has to do, and every fault that it has to pass, on a vendor of its own."""

from collections.abc import Callable, Iterator
from functools import partial
from operator import eq
from typing import Any

import pytest

from sources.connectors import ConnectorError
from tests.sources.connectors.communities import COMMUNITIES
from tests.sources.connectors.descriptions import check
from tests.sources.connectors.desks import DESKS
from tests.sources.connectors.loopback import DAY, Answer, FakeClock, Vendor, serving
from tests.sources.connectors.reading import Killed, Store, read_all
from tests.sources.connectors.reviews import REVIEWS
from tests.sources.connectors.sales import SALES

VENDORS = DESKS + SALES + REVIEWS + COMMUNITIES


def only(applies: Callable[[type[Vendor]], bool]) -> pytest.MarkDecorator:
    """Run a test on the vendors that it can apply to."""
    fitting = [vendor for vendor in VENDORS if applies(vendor)]
    return pytest.mark.parametrize("vendor", fitting, indirect=True, ids=lambda vendor: vendor.__name__)


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.__name__)
def vendor(request: pytest.FixtureRequest) -> Iterator[Vendor]:
    made: Vendor = request.param(FakeClock())
    with serving(made):
        yield made


def texts(vendor: Vendor, store: Store) -> dict[str, Any]:
    """Return the text of every stored row, wherever the vendor's mapping puts it."""
    found: dict[str, Any] = {}
    for unique_id, item in store.items.items():
        parts = [part for part in store.parts.values() if part["item"] == unique_id]
        first = min(parts, key=lambda part: part["created_at"], default={"body": None})
        found[unique_id] = item.get("body") or first["body"]
    return found


def expected(vendor: Vendor) -> dict[str, str]:
    return {vendor.unique_id(row): vendor.body_of(row) for row in vendor.rows.values() if not row.deleted}


def test_every_row_is_read_with_its_words_and_its_replies(vendor: Vendor) -> None:
    vendor.add(2 * vendor.size + 30, replies=2)
    store = Store()
    read_all(vendor, store)
    assert texts(vendor, store) == expected(vendor)
    row = vendor.rows[5]
    item = store.items[vendor.unique_id(row)]
    assert item["created_at"].timestamp() == pytest.approx(row.created, abs=0.01)
    if vendor.emails:
        assert (item["author"], item["email"]) == (row.author, row.email)
    if vendor.threads:
        written = {part["body"] for part in store.parts.values() if part["item"] == vendor.unique_id(row)}
        assert {reply.text for reply in row.replies} <= written


def test_a_second_run_reads_only_what_is_added(vendor: Vendor) -> None:
    count = 2 * vendor.size + 250
    vendor.add(count, every=vendor.span // count)
    store = Store()
    first = read_all(vendor, store).requests
    vendor.clock.time += 40 * DAY
    vendor.add(3)
    second = read_all(vendor, store).requests
    assert texts(vendor, store) == expected(vendor)
    assert vendor.mirrors == "missing" or second < first


@only(lambda vendor: vendor.edits)
def test_an_edited_row_is_read_again(vendor: Vendor) -> None:
    rows = vendor.add(5, replies=0)
    store = Store()
    read_all(vendor, store)
    vendor.clock.time += 3600
    vendor.edit(rows[2], "Text after an edit")
    read_all(vendor, store)
    assert texts(vendor, store) == expected(vendor)


def test_a_refusal_for_haste_is_waited_out_as_long_as_it_says(vendor: Vendor) -> None:
    vendor.add(3)
    limited = Answer(vendor.limit_body, vendor.limit_status, vendor.limit_headers)
    vendor.fail(limited, where=lambda request: "token" not in request.path)
    store = Store()
    read_all(vendor, store)
    assert vendor.limit_wait in vendor.clock.sleeps
    assert texts(vendor, store) == expected(vendor)


def test_a_long_wait_ends_the_run_and_the_next_one_goes_on(vendor: Vendor) -> None:
    vendor.add(3)
    limited = Answer(vendor.limit_body, vendor.limit_status, vendor.limit_headers)
    vendor.fail(limited, where=lambda request: "token" not in request.path)
    store = Store()
    with pytest.raises(ConnectorError) as refused:
        read_all(vendor, store, patience=1)
    assert not refused.value.permanent
    assert refused.value.retry_after == pytest.approx(vendor.limit_wait)
    read_all(vendor, store)
    assert texts(vendor, store) == expected(vendor)


def test_a_refused_credential_is_renewed_once_and_else_a_person_is_told(vendor: Vendor) -> None:
    vendor.add(3)
    vendor.token = "second-token"
    store = Store()
    if vendor.renews:
        read_all(vendor, store)
        assert texts(vendor, store) == expected(vendor)
        return
    with pytest.raises(ConnectorError, match="credential was refused") as refused:
        read_all(vendor, store)
    assert refused.value.permanent
    assert len(vendor.log) <= 2


def test_a_credential_that_stays_refused_is_renewed_only_once(vendor: Vendor) -> None:
    vendor.add(3)
    vendor.fail(Answer({}, 401), times=9, where=lambda request: "token" not in request.path)
    with pytest.raises(ConnectorError) as refused:
        read_all(vendor, Store())
    assert refused.value.permanent
    assert len([request for request in vendor.log if "token" not in request.path]) <= 2


def test_two_broken_answers_are_asked_again(vendor: Vendor) -> None:
    vendor.add(3)
    vendor.fail(Answer({}, 500), times=2)
    store = Store()
    read_all(vendor, store)
    assert texts(vendor, store) == expected(vendor)


def test_a_missing_permission_is_told_in_words(vendor: Vendor) -> None:
    vendor.add(3)
    vendor.fail(Answer({}, 403), times=9, where=lambda request: "token" not in request.path)
    with pytest.raises(ConnectorError) as refused:
        read_all(vendor, Store())
    assert refused.value.permanent
    assert len(refused.value.message.split()) > 4


def test_a_list_whose_end_links_on_is_left(vendor: Vendor) -> None:
    vendor.add(vendor.size + 5)
    vendor.endless = True
    store = Store()
    read_all(vendor, store)
    assert texts(vendor, store) == expected(vendor)
    assert len(vendor.log) < 10 * vendor.size


def test_rows_of_one_moment_across_a_page_edge_are_all_read(vendor: Vendor) -> None:
    vendor.add(vendor.size // 2)
    vendor.add(vendor.size, every=0)
    vendor.add(3)
    store = Store()
    read_all(vendor, store)
    assert texts(vendor, store) == expected(vendor)


@only(lambda vendor: vendor.edits)
def test_a_row_that_changes_between_two_pages_hides_no_other(vendor: Vendor) -> None:
    rows = vendor.add(vendor.size + 40)
    victim = rows[3] if not vendor.created_order else rows[-3]
    store = Store()
    pages = 0

    def change(count: int, request: object) -> None:
        nonlocal pages
        pages += 1
        if pages == 2:
            vendor.edit(victim, "Changed while the list was read")

    vendor.before = change
    read_all(vendor, store)
    vendor.clock.time += 3600
    read_all(vendor, store)
    assert texts(vendor, store) == expected(vendor)


def test_a_deleted_row_goes_where_the_vendor_tells(vendor: Vendor) -> None:
    rows = vendor.add(4)
    store = Store()
    read_all(vendor, store)
    vendor.clock.time += DAY
    vendor.delete(rows[1])
    read_all(vendor, store)
    vendor.clock.time += DAY
    read_all(vendor, store)
    assert (vendor.unique_id(rows[1]) not in store.items) == bool(vendor.mirrors)


@only(lambda vendor: vendor.tokens)
def test_an_empty_page_with_a_next_one_does_not_end_the_list(vendor: Vendor) -> None:
    vendor.add(2 * vendor.size + 5)
    vendor.empty_pages = 1
    store = Store()
    read_all(vendor, store)
    assert texts(vendor, store) == expected(vendor)


def test_rows_without_optional_fields_are_read(vendor: Vendor) -> None:
    for row in vendor.add(4):
        row.bare = True
    store = Store()
    read_all(vendor, store)
    assert texts(vendor, store) == expected(vendor)


@only(lambda vendor: vendor.links)
def test_a_link_to_another_host_is_not_followed(vendor: Vendor) -> None:
    other = type(vendor)(FakeClock())
    with serving(other):
        vendor.foreign = other.base
        vendor.add(2 * vendor.size)
        with pytest.raises(ConnectorError, match="another address") as refused:
            read_all(vendor, Store())
    assert refused.value.permanent
    assert other.log == []


@only(lambda vendor: vendor.expired is not None)
def test_a_place_that_expires_while_a_list_is_read_is_found_again_by_time(vendor: Vendor) -> None:
    vendor.add(3 * vendor.size)
    assert vendor.expired is not None
    vendor.fail(vendor.expired, where=vendor.goes_on)
    store = Store()
    read_all(vendor, store)
    assert not vendor.faults
    assert texts(vendor, store) == expected(vendor)


@only(lambda vendor: vendor.expired is not None)
def test_a_saved_place_that_has_expired_is_found_again_by_time(vendor: Vendor) -> None:
    vendor.add(3 * vendor.size)
    store = Store()
    with pytest.raises(Killed):
        read_all(vendor, store, kill=lambda count: count > 2)
    assert vendor.expired is not None
    vendor.fail(vendor.expired, where=vendor.goes_on)
    read_all(vendor, store)
    assert not vendor.faults
    assert texts(vendor, store) == expected(vendor)


def test_a_walk_killed_anywhere_misses_nothing(vendor: Vendor) -> None:
    vendor.add(vendor.size + 20)
    whole = Store()
    read_all(vendor, whole)
    for stop in range(whole.batches):
        store = Store()
        with pytest.raises(Killed):
            read_all(vendor, store, kill=partial(eq, stop))
        vendor.clock.time += 1
        read_all(vendor, store)
        assert texts(vendor, store) == expected(vendor), f"killed after {stop} batches"


def test_requests_and_answers_are_those_of_the_vendors_description(vendor: Vendor) -> None:
    vendor.add(3, replies=1)
    vendor.rows[3].bare = True
    store = Store()
    read_all(vendor, store)
    vendor.clock.time += DAY
    vendor.delete(vendor.rows[2])
    read_all(vendor, store)
    assert check(vendor) > 1
