"""How a button asks for what the sweeps do: the same tasks, once the request that asks is committed.

What would leave for production asks first for a confirmation of who it is.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from channels.models import EnvironmentCode
from portal import tenancy
from portal.access import confirm_first, is_confirmed


def ask(task: Any, pk: int, **options: Any) -> None:
    """Enqueues `task` for the current mandataire and the object with this id. A request undone asks for nothing.

    `options` go to the task: `is_asked=True` where a person's wish counts for more than a paused channel.

    A broker that is down is logged and no more: what was asked is committed, and the sweep does it once it is back.
    """
    transaction.on_commit(partial(task.delay, str(tenancy.current()), pk, **options), robust=True)


def confirmation(request: HttpRequest, environments: Collection[str], back: str) -> HttpResponse | None:
    """The way to the confirmation, and then `back` to the button; None when it is fresh, or not asked here.

    `environments` are those (R, T or S) for which something would leave.
    """
    if EnvironmentCode.PRODUCTION not in environments or is_confirmed(request):
        return None
    return confirm_first(request, "send", back)
