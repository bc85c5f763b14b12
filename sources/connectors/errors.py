"""What goes wrong when another application is asked for feedback, in words for the person who connected it."""


class ConnectorError(Exception):
    """The other application could not be read.

    A permanent error needs a person: the source is paused and `message` says what to do. Any other error
    passes: the cursor is kept, and the next try may come after `retry_after` seconds.
    """

    def __init__(self, message: str, *, permanent: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.retry_after = retry_after


class CursorExpired(ConnectorError):
    """The place kept from an earlier run is no longer known; the list has to be asked for by time again."""

    def __init__(self, message: str = "The saved place in the list is no longer known.") -> None:
        super().__init__(message, permanent=False)


class Gone(ConnectorError):
    """What was asked for does not exist any more."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


class Refused(ConnectorError):
    """The credential is not valid, for whatever is asked."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)
