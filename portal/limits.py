"""How often somebody may try: allauth's limits, counted in the shared cache, and when to try again."""

from __future__ import annotations

import math
import time
from typing import Final

from allauth.core.internal.ratelimit import RateLimitUsage, consume, get_cache_key, get_ip, get_rates
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import ngettext

# The name counts together with the address it is tried from: who fails on purpose locks out nobody but himself.
# A code is asked only of who knows the password, and has six digits: there the user counts, wherever he is.
RATES: Final = {
    "sign_in": "5/5m/key,100/10m/ip",
    "code": "5/5m/key",
    "confirm": "5/5m/key",
    "passkey": "30/5m/ip",
}
"""Failures allowed per action: number/duration/by what."""

_APP: Final = "portal"


def attempt(request: HttpRequest, action: str, key: str = "") -> RateLimitUsage | None:
    """Counts an attempt, or returns None when there were too many. `rollback()` of an attempt that succeeded."""
    return consume(request, app=_APP, action=action, config=RATES, key=key)


def wait(request: HttpRequest, action: str, key: str = "") -> str:
    """The sentence that says when to try again."""
    now, seconds = time.time(), 0.0
    for rate in get_rates(app=_APP, action=action, config=RATES):
        history = cache.get(get_cache_key(request, app=_APP, action=action, rate=rate, key=key), [])
        if len(history) >= rate.amount:
            seconds = max(seconds, history[rate.amount - 1] + rate.duration - now)
    minutes = max(1, math.ceil(seconds / 60))
    return ngettext(
        "Too many attempts failed. Try again in %(minutes)d minute.",
        "Too many attempts failed. Try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}


def name_and_place(request: HttpRequest, username: str) -> str:
    """The key of a user name tried from one address."""
    return f"{get_ip(request)}|{username.strip().lower()}"
