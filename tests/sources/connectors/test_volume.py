"""Much feedback needs little memory and no more requests than it has to."""

import gc
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.connectors.desks import Intercom, Zendesk
from tests.sources.connectors.loopback import Answer, FakeClock, Request, Row, Vendor, serving
from tests.sources.connectors.reading import Store, engine_for
from tests.sources.connectors.reviews import Trustpilot

ROWS = 20_000
CONVERSATIONS = 2_000


def read(vendor: Vendor) -> Iterator[int]:
    """Read everything, keep nothing, and yield how many items came with each batch."""
    store = Store()
    engine = engine_for(vendor, store)
    for stream in engine.streams:
        for record in engine.keys(stream):
            for batch in engine.walk(stream, record, {}):
                yield len(batch.items)


class Sorted(Trustpilot):
    """Sorts its rows once, so that what is measured is not the vendor."""

    sorted_rows: list[Row]

    def newest_first(self) -> list[Row]:
        if "sorted_rows" not in self.__dict__:
            self.sorted_rows = super().newest_first()
        return self.sorted_rows


@pytest.mark.slow
def test_memory_stays_flat_while_much_is_read() -> None:
    vendor = Sorted(FakeClock())
    vendor.keep_exchanges = False
    with serving(vendor):
        vendor.add(ROWS)
        assert len(vendor.newest_first()) == ROWS
        batches = read(vendor)
        count = sum(next(batches) for _ in range(20))
        early = resident()
        count += sum(batches)
        late = resident()
    assert count == ROWS
    assert late - early < 16_000_000


def resident() -> int:
    """Return how many bytes of memory this process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class Strict(Vendor):
    """Refuses what comes faster than it allows, as the real limits do."""

    allowed_in_a_minute = 0

    def counts(self, request: Request) -> bool:
        return True

    def handle(self, request: Request) -> Answer:
        if self.counts(request):
            times = self.__dict__.setdefault("times", [])
            times[:] = [moment for moment in times if moment > self.clock.time - 60]
            if len(times) >= self.allowed_in_a_minute:
                self.refused = self.__dict__.get("refused", 0) + 1
                self.log.append(request)
                wait = times[0] + 60 - self.clock.time
                return Answer({}, 429, self.refusal(wait))
            times.append(self.clock.time)
        return super().handle(request)

    def refusal(self, wait: float) -> dict[str, str]:
        return {"Retry-After": f"{wait:.3f}"}


class StrictZendesk(Strict, Zendesk):
    """Ten exports a minute."""

    allowed_in_a_minute = 10

    def counts(self, request: Request) -> bool:
        return "/incremental/" in request.path


class StrictIntercom(Strict, Intercom):
    """A hundred and fifty requests a minute, and the end of the wait as a time."""

    allowed_in_a_minute = 150

    def refusal(self, wait: float) -> dict[str, str]:
        return {"X-RateLimit-Reset": f"{self.clock.time + wait:.0f}"}


@pytest.mark.slow
@pytest.mark.parametrize(("made", "pages"), [(StrictZendesk, 20), (StrictIntercom, 14)])
def test_two_thousand_conversations_take_hardly_more_requests_than_they_have_to(made: type[Strict], pages: int) -> None:
    vendor = made(FakeClock())
    vendor.keep_exchanges = False
    with serving(vendor):
        vendor.add(CONVERSATIONS)
        assert sum(read(vendor)) == CONVERSATIONS
    least = pages + CONVERSATIONS
    assert least <= len(vendor.log) <= least * 1.05
