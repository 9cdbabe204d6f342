"""Signing in and out, with the Event of each: the one way in for passwords, passkeys and identity providers."""

from __future__ import annotations

import time
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import login
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection
from django.http import HttpRequest

from portal import audit, tenancy
from portal.factors import VOUCHED
from portal.models import Membership, User

BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
PATIENCE: Final = 600
"""Seconds between the password and the second factor."""

TOLD_AT_MOST: Final = 5
"""Organisations that learn of one failed attempt to sign in as their member."""

BOUND_TO: Final = "bound_to_mandataire"
"""In the session: the one mandataire it may act for. An identity provider speaks for the people of its own mandataire
only, so whoever came through it reaches no other place he may have."""

_HALFWAY: Final = "halfway"


def bound_to(session: SessionBase) -> UUID | None:
    """The one mandataire that the session may act for, or None for a session that no provider opened."""
    found = session.get(BOUND_TO)
    return UUID(found) if found else None


def homes_of(user_id: int) -> list[UUID]:
    """The mandataires that have the user as a member and did not block him, the current one first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mandataire_id FROM portal_memberships_of(%s) WHERE NOT is_blocked", [user_id])
        return [mandataire for (mandataire,) in cursor.fetchall()]


def enter(request: HttpRequest, user: User, *, how: str, vouched: bool = False) -> None:
    """Signs the user in, with an Event at the mandataire that becomes current.

    `how` is password, app, recovery, passkey or provider. `vouched`: an identity provider asked for a second factor.
    """
    noted = request.session.pop(_HALFWAY, None)
    if noted is None:
        request.session.pop(
            BOUND_TO, None
        )  # Left by a way in through a provider that was not gone to its end.
    login(request, user, backend=BACKEND)
    if vouched:
        request.session[VOUCHED] = True
    data = {"how": how}
    # Another user may prove a passkey of his own meanwhile: the account was not his.
    if noted and noted["user"] == user.pk and noted.get("provider"):
        data["provider"] = noted["provider"]
    tell(user, "member.signed_in", data=data, only=bound_to(request.session))


def fail(username: str, how: str) -> None:
    """Leaves an Event of a failed attempt at the organisations of the user with this name, if there is one.

    What was typed is kept nowhere.
    """
    user = User.objects.filter(username__iexact=username).first()
    if user is None:
        return
    for mandataire in homes_of(user.pk)[:TOLD_AT_MOST]:
        with tenancy.scope(mandataire):
            _record("member.sign_in_failed", user, {"how": how})


def tell(user: User, verb: str, data: dict[str, Any] | None = None, *, only: UUID | None = None) -> None:
    """Leaves an Event about the user, in his own name, at the mandataire that is current for him, or at `only`."""
    for mandataire in [only] if only else homes_of(user.pk)[:1]:
        with tenancy.scope(mandataire, actor=user.pk):
            _record(verb, user, data or {})


def _record(verb: str, user: User, data: dict[str, Any]) -> None:
    who = user.get_full_name() or user.username
    audit.record(verb, Membership.objects.get(user=user), data={"who": who, **data})


# --- between the password and the second factor ---------------------------------------------------


def halfway(request: HttpRequest, user: User, next_page: str, *, provider: str = "") -> None:
    """Remembers who gave his password, for the page that asks for the second factor.

    `provider`: the label of the identity provider that said who he is instead.
    """
    request.session.cycle_key()
    request.session.pop(BOUND_TO, None)
    request.session[_HALFWAY] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "next": next_page,
        "at": time.time(),
        "provider": provider,
    }


def who_is_halfway(request: HttpRequest) -> tuple[User, str] | None:
    """Who gave his password in this session, and where he was going; None when too long ago, or blocked since."""
    noted = request.session.get(_HALFWAY)
    if not noted or time.time() - noted["at"] > PATIENCE:
        return None
    user = User.objects.filter(pk=noted["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != noted["hash"]:
        return None
    return user, noted["next"]
