"""Answers that stream hold a place until they end, however they end."""

from collections.abc import Iterator

import pytest

from projects.streams import AT_ONCE, TooManyStreams, bounded


def test_a_process_streams_so_many_answers_at_once_and_no_more() -> None:
    opened = [bounded(iter("ab")) for _ in range(AT_ONCE)]
    with pytest.raises(TooManyStreams):
        bounded(iter("ab"))
    assert list(opened.pop()) == ["a", "b"]
    opened.append(bounded(iter("ab")))
    for stream in opened:
        stream.close()
    for stream in opened:
        stream.close()
    again = [bounded(iter("ab")) for _ in range(AT_ONCE)]
    with pytest.raises(TooManyStreams):
        bounded(iter("ab"))
    for stream in again:
        stream.close()


def test_a_reader_that_goes_away_ends_what_is_written() -> None:
    ended = []

    def pieces() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            ended.append(True)

    stream = bounded(pieces())
    assert next(stream) == 0
    stream.close()
    assert ended == [True]


def test_a_stream_that_fails_gives_its_place_back() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        raise RuntimeError("broken")

    for _ in range(AT_ONCE + 1):
        with pytest.raises(RuntimeError):
            list(bounded(pieces()))


def test_a_stream_that_is_dropped_unread_gives_its_place_back() -> None:
    for _ in range(AT_ONCE + 1):
        bounded(iter("ab"))
