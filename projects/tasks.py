"""Jobs of the projects app."""

from projects import traces


def forget_old_traces() -> None:
    """Delete what signing in has left behind."""
    traces.forget_old_traces()
