"""What runs by the clock: each app adds its jobs, one command makes them known to django-q2."""

from dataclasses import dataclass

from django_q.models import Schedule


@dataclass(frozen=True, slots=True)
class Job:
    """A function by its dotted name, with its minutes between runs, or a cron line (UTC)."""

    name: str
    function: str
    minutes: int | None = None
    cron: str | None = None


_jobs: list[Job] = []


def register(*jobs: Job) -> None:
    """Add jobs; called from `AppConfig.ready`."""
    _jobs.extend(jobs)


def create_all() -> int:
    """Make django-q2's schedules what the registered jobs say; run as often as you like. Returns their number."""
    for job in _jobs:
        kind = Schedule.CRON if job.cron else Schedule.MINUTES
        Schedule.objects.update_or_create(
            name=job.name,
            defaults={"func": job.function, "schedule_type": kind, "minutes": job.minutes, "cron": job.cron},
        )
    Schedule.objects.exclude(name__in=[job.name for job in _jobs]).delete()
    return len(_jobs)
