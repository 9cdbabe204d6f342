"""For which organisation, and in which quality, a user acts: the one he chose among those that let him in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.db import connection

from portal import tenancy
from portal.models import Mandataire

CHOSEN: Final = "mandataire"
"""Where the choice lies in the session. It is a wish only: each request asks again who lets the user in."""


class Organisation(NamedTuple):
    """One of the organisations that a user may act for."""

    id: UUID
    name: str
    quality: str
    is_current: bool


def open_to(user_id: int) -> list[UUID]:
    """The mandataires that have the user as a member and have not blocked him, in the order in which he came."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mandataire_id FROM portal_memberships_of(%s) WHERE NOT is_blocked", [user_id])
        return [mandataire for (mandataire,) in cursor.fetchall()]


def chosen(session: SessionBase, places: Sequence[UUID]) -> UUID | None:
    """The one of `places` that the session asks for, else the first; None without any."""
    wanted = session.get(CHOSEN) if len(places) > 1 else None
    return next((place for place in places if str(place) == wanted), places[0] if places else None)


def choose(session: SessionBase, place: UUID) -> None:
    """Acts for `place` from the next request on."""
    session[CHOSEN] = str(place)


def organisations(places: Sequence[UUID]) -> list[Organisation]:
    """Name and quality of each, as the menu shows them; none for who has nothing to choose.

    Each is read in a scope of its own, because doors between tenants tell no names.
    """
    if len(places) < 2:
        return []
    current, found = tenancy.current_or_none(), []
    for place in places:
        with tenancy.scope(place):
            mandataire = Mandataire.objects.defer("data_key").get(pk=place)
        quality = str(mandataire.get_quality_display())
        found.append(Organisation(place, mandataire.name, quality, place == current))
    return found
