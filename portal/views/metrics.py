"""Ages and counts of every channel, for a monitoring system (Prometheus exposition format).

A channel is told by its number, never by its name or its clients: whoever may read this is no member of anybody. With
`PORTAL_METRICS_TOKEN` unset the address does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from secrets import compare_digest

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from channels.models import Alarm, Channel
from portal import tenancy
from submissions import health
from submissions.conserving import everybody
from submissions.health import Health

_GAUGES = {
    "last_contact_age_seconds": "Seconds since the last contact that succeeded",
    "last_set_age_seconds": "Seconds since the last set left",
    "last_answer_age_seconds": "Seconds since the last answer came in",
    "oldest_unsent_age_seconds": "Seconds since the oldest set that has not left was sealed",
    "oldest_unacknowledged_age_seconds": "Seconds since the oldest set without a receipt left",
    "oldest_unanswered_age_seconds": "Seconds since the oldest set without all its answers was acknowledged",
    "certificate_seconds": "Seconds until the signing certificate ends",
    "sets_unsent": "Sets that are sealed and have not left",
    "sets_parked": "Sets that wait for a person",
    "declarations_ready": "Declarations that the next departure takes",
    "failures": "Contacts that failed in a row",
    "paused": "1 when there is no contact but what a person asks for",
    "broken": "1 when the breaker is open",
    "host_key_changed": "1 when the server shows another key than the pinned one",
    "alarms": "Alarms that hold",
}


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Asks for `Authorization: Bearer` and the token; 404 where no token is set, 403 for another one."""
    token = settings.CONFIG.metrics_token
    if not token:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not compare_digest(given.encode(), f"Bearer {token}".encode()):
        return HttpResponse("the token is missing or wrong", status=403, content_type="text/plain")
    registry = CollectorRegistry()
    registry.register(_Channels())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Channels(Collector):
    """Reads every mandataire in its own scope, once per scrape."""

    def describe(self) -> list[GaugeMetricFamily]:
        """What there is, so that registering asks the database nothing."""
        return list(self._families().values())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each gauge with one value per channel; an age that does not exist has none."""
        families, now = self._families(), timezone.now()
        for mandataire in everybody():
            with tenancy.scope(mandataire):
                channels = list(Channel.objects.filter(mandataire_id=mandataire).order_by("pk"))
                states = health.of(channels)
                alarms = Alarm.objects.filter(mandataire_id=mandataire, ended_at=None)
                kinds = list(alarms.order_by("pk").values_list("channel_id", flat=True))
            for channel in channels:
                values = _values(channel, states[channel.pk], now)
                values["alarms"] = kinds.count(channel.pk)
                for name, value in values.items():
                    if value is not None:
                        families[name].add_metric([str(channel.pk), channel.environment], value)
        yield from families.values()

    def _families(self) -> dict[str, GaugeMetricFamily]:
        return {
            name: GaugeMetricFamily(f"portal_channel_{name}", text, labels=["channel", "environment"])
            for name, text in _GAUGES.items()
        }


def _values(channel: Channel, state: Health, now: datetime) -> dict[str, float | None]:
    until = state.certificate_until
    return {
        "last_contact_age_seconds": _age(channel.last_contact_at, now),
        "last_set_age_seconds": _age(state.last_set_at, now),
        "last_answer_age_seconds": _age(state.last_answer_at, now),
        "oldest_unsent_age_seconds": _age(state.oldest_unsent_at, now),
        "oldest_unacknowledged_age_seconds": _age(state.oldest_unacknowledged_at, now),
        "oldest_unanswered_age_seconds": _age(state.oldest_unanswered_at, now),
        "certificate_seconds": (until - now).total_seconds() if until else None,
        "sets_unsent": state.unsent,
        "sets_parked": state.parked,
        "declarations_ready": state.ready,
        "failures": channel.failures,
        "paused": channel.is_paused,
        "broken": channel.broken_at is not None,
        "host_key_changed": bool(channel.other_host_key),
    }


def _age(moment: datetime | None, now: datetime) -> float | None:
    return (now - moment).total_seconds() if moment else None
