"""Whether the portal lives, and whether it can do its work: for load balancers, not for people."""

from __future__ import annotations

import logging
from collections.abc import Callable

import psycopg
import redis
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

log = logging.getLogger(__name__)

TIMEOUT = 2
"""Seconds that a server gets to answer: a probe that hangs is worse than one that says no."""


@require_safe
@transaction.non_atomic_requests
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody, so that a failing database does not restart healthy processes."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@transaction.non_atomic_requests
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database and the broker answer, else 503; the body names neither host nor fault."""
    failing = [name for name, ask in _QUESTIONS.items() if not _answers(name, ask)]
    body = ", ".join(f"{name} does not answer" for name in failing) or "ok"
    return HttpResponse(body, status=503 if failing else 200, content_type="text/plain")


def _answers(name: str, ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (psycopg.Error, redis.RedisError, OSError):
        log.warning("readyz: the %s does not answer", name, exc_info=True)
        return False
    return True


def _ask_database() -> None:
    # A connection of its own: the kept one may hang on a dead network far longer than a probe can wait.
    parameters = connection.get_connection_params() | {"connect_timeout": TIMEOUT}
    parameters["options"] = f"{parameters.get('options', '')} -c statement_timeout={TIMEOUT * 1000}".strip()
    with psycopg.connect(**parameters) as own:
        own.execute("SELECT 1")


def _ask_broker() -> None:
    with redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT
    ) as broker:
        broker.ping()


_QUESTIONS: dict[str, Callable[[], object]] = {"database": _ask_database, "broker": _ask_broker}
