"""A process that does one step of the journey and is killed in the middle of it, with SIGKILL, as a worker may be.

    python -m tests.journeys.mortal

It reads one line per step: the name of a point, and answers with one line: the signal that ended the step, or 0 when
the step came to its end without passing the point. Each step runs in a child of its own, which inherits all that was
imported, no connection and no thread.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from typing import Any

import django


@dataclass(frozen=True)
class Point:
    """A place in the code: `before` or `after` the `nth` call of `target` about something that begins with `of`."""

    work: str
    when: str
    target: str
    of: str = ""
    nth: int = 1


_SESSION = "channels.sftp:Session"
_BEGUN, _ANSWERED, _DONE = (f"channels.pipelining:{name}" for name in ("_steps", "_go_on", "Arrival"))
_EVENT = "portal.audit:record"
"""After an event was recorded its transaction is complete but for the commit."""

POINTS: Mapping[str, Point] = {
    "sealing: a part is stored": Point("depart", "after", "channels.enveloping:EnvelopeWriter.add_part"),
    "sealing: before the commit": Point("depart", "after", _EVENT, "batch.sealed"),
    "sealing: between two sets": Point("depart", "before", "submissions.batching:_seal_one", nth=2),
    "sealing: before the next departure is planned": Point(
        "depart", "before", "submissions.departing:next_departure"
    ),
    "leaving: before FI": Point("leave", "before", _BEGUN, "IN/FI"),
    "leaving: FI is empty": Point("leave", "before", _ANSWERED, "IN/FI"),
    "leaving: after FI": Point("leave", "after", _DONE, "IN/FI"),
    "leaving: FS is empty": Point("leave", "before", _ANSWERED, "IN/FS"),
    "leaving: after FS": Point("leave", "after", _DONE, "IN/FS"),
    "leaving: before go_intended is committed": Point("leave", "after", _EVENT, "drop.go_intended"),
    "leaving: after go_intended": Point("leave", "after", "channels.attempting:Attempt.intend"),
    "leaving: GO is there and open": Point("leave", "before", _ANSWERED, "IN/GO"),
    "leaving: after GO": Point("leave", "after", _DONE, "IN/GO"),
    "leaving: before confirmed is committed": Point("leave", "after", _EVENT, "drop.confirmed"),
    "leaving: confirmed, and the set does not know": Point(
        "leave", "after", "channels.dropping:drop_together"
    ),
    "leaving: before the set is told": Point("leave", "after", _EVENT, "batch.dropped"),
    "collecting: before it is known whose it is": Point("collect", "before", "submissions.claiming:whose"),
    "collecting: after reading": Point("collect", "after", f"{_SESSION}.read", "FO"),
    "collecting: before it is stored": Point("collect", "after", _EVENT, "file.stored"),
    "collecting: stored, before deleting": Point("collect", "before", f"{_SESSION}.delete"),
    "collecting: GO is deleted": Point("collect", "after", f"{_SESSION}.delete", nth=1),
    "collecting: FS is deleted": Point("collect", "after", f"{_SESSION}.delete", nth=2),
    "collecting: FO is deleted": Point("collect", "after", f"{_SESSION}.delete", nth=3),
    "collecting: before it is noted as deleted": Point("collect", "after", _EVENT, "file.deleted_there"),
    "applying: an ACRF": Point("apply", "after", "submissions.sets:acknowledge"),
    "applying: a NOTI": Point("apply", "after", "submissions.outcomes:_move"),
    "applying: the anomalies": Point("apply", "before", "submissions.outcomes:_keep_anomalies"),
    "applying: before the commit": Point("apply", "after", _EVENT, "file.applied"),
    "watching: an alarm is raised": Point("watch", "after", _EVENT, "channel.alarm_raised"),
}


def arm(point: Point) -> None:
    """Makes this process kill itself at `point`."""
    module, _, path = point.target.partition(":")
    *owners, name = path.split(".")
    place: Any = import_module(module)
    for owner in owners:
        place = getattr(place, owner)
    setattr(place, name, _deadly(getattr(place, name), point))


def _deadly(real: Callable[..., Any], point: Point) -> Callable[..., Any]:
    calls = count(1)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        texts = (each if isinstance(each, str) else str(getattr(each, "path", "")) for each in args)
        is_it = any(text.startswith(point.of) for text in (*texts, "")) and next(calls) == point.nth
        if is_it and point.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if is_it:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return deadly


def step(point: Point) -> None:
    """Does the whole work in which `point` lies."""
    from django.core.management import call_command

    arm(point)
    call_command("sweep", "--now", only=point.work, stdout=sys.stderr)


def main() -> None:
    """Answers line by line until stdin ends."""
    django.setup()
    for module in {point.target.partition(":")[0] for point in POINTS.values()}:
        import_module(module)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                step(POINTS[line.strip()])
            except BaseException:  # noqa: BLE001  told, and answered with an exit code
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
