"""The open sessions of a user: where each runs, since when, and when it was last seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, update_session_auth_hash
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import access
from portal.models import User

SHOWN: Final = 20
_NOTE_EVERY: Final = 60.0
_REMEMBERED: Final = 20_000
_NOWHERE: Final = "0.0.0.0"  # noqa: S104  an address that nobody has: the sign-in came through no network

# When this process last wrote down that a session was seen, so that most requests write nothing. Not kept in the
# session itself: each change of a session prolongs it.
_noted: dict[str, float] = {}

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
# Most browsers name others in their User-Agent: the first match counts.


def device(user_agent: str) -> str:
    """The browser and the system in words, from a User-Agent header."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown device")


def begin(sender: object, request: HttpRequest, user: User, **_kwargs: object) -> None:
    """Notes the session of a sign-in, which is also its first confirmation. Receives `user_logged_in`."""
    access.note_confirmation(request)
    if not request.session.session_key:
        request.session.create()
    long_gone = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    UserSession.objects.filter(user=user, last_seen_at__lt=long_gone).delete()
    _write(request, user)


def finish(sender: object, request: HttpRequest, user: User | None, **_kwargs: object) -> None:
    """Forgets the session of a sign-out. Receives `user_logged_out`."""
    UserSession.objects.filter(session_key=request.session.session_key or "").delete()


def see(request: HttpRequest) -> None:
    """Notes that a signed-in session is in use, once a minute."""
    key, now = request.session.session_key or "", timezone.now()
    if now.timestamp() - _noted.get(key, 0.0) < _NOTE_EVERY:
        return
    _remember(key)
    changed = UserSession.objects.filter(session_key=key).update(last_seen_at=now, ip=_address(request))
    if not changed:
        _write(request, request.user)


def renew(request: HttpRequest, user: User) -> None:
    """Keeps this session, under a new key, when all others of the user end."""
    UserSession.objects.filter(session_key=request.session.session_key or "").delete()
    update_session_auth_hash(request, user)
    _write(request, user)


def of(user: User, request: HttpRequest) -> list[dict[str, Any]]:
    """The newest open sessions: {pk, device, ip, since, seen, is_this}. One whose round is over is not open."""
    rows = list(UserSession.objects.filter(user=user).order_by("-last_seen_at", "-pk")[:SHOWN])
    stored = Session.objects.filter(
        session_key__in=[row.session_key for row in rows], expire_date__gt=timezone.now()
    )
    valid = user.get_session_auth_hash()
    is_open = {one.session_key for one in stored if one.get_decoded().get(HASH_SESSION_KEY) == valid}
    return [
        {
            "pk": row.pk,
            "device": device(row.user_agent),
            "ip": "" if row.ip == _NOWHERE else row.ip,
            "since": row.created_at,
            "seen": row.last_seen_at,
            "is_this": row.session_key == request.session.session_key,
        }
        for row in rows
        if row.session_key in is_open
    ]


def _write(request: HttpRequest, user: Any) -> None:
    key = request.session.session_key or ""
    _remember(key)
    values = {
        "user": user,
        "ip": _address(request),
        "user_agent": request.META.get("HTTP_USER_AGENT", "")[:200],
        "last_seen_at": timezone.now(),
    }
    UserSession.objects.update_or_create(
        session_key=key, defaults=values, create_defaults={**values, "created_at": timezone.now()}
    )


def _remember(key: str) -> None:
    if len(_noted) >= _REMEMBERED:
        _noted.clear()
    _noted[key] = timezone.now().timestamp()


def _address(request: HttpRequest) -> str:
    return str(get_adapter().get_client_ip(request)) if request.META.get("REMOTE_ADDR") else _NOWHERE
