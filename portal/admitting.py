"""Who may enter: admitting people, changing what they may do, and seeing them out.

Each function runs in the scope of the mandataire, in the name of the actor, and leaves its Event in the transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from allauth.mfa.models import Authenticator
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import connection
from django.utils.crypto import get_random_string
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from portal import audit, tenancy
from portal.models import (
    OF_CLIENTS,
    PROFILES,
    AnyProfile,
    Application,
    Grant,
    GrantEmployer,
    Membership,
    User,
    UserProfile,
)

if TYPE_CHECKING:
    from mandates.models import Employer

NAMED: Final = 3
"""Clients that the Event of a limited grant names before it counts the others."""

OWN_DETAILS: Final = ("email", "language")
"""What everybody may change of himself, beside his password."""

PROVISIONAL: Final = "new-"
"""How the user name of somebody starts who has not chosen one. No chosen name may."""

_UNMISTAKABLE: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


class Refused(ValueError):
    """What was asked cannot be done; the text says why, in the reader's language."""


class PasswordLink(PasswordResetTokenGenerator):
    """The signed part of a link to choose a password: once, within `PASSWORD_RESET_TIMEOUT`, and not after a block.

    Choosing a password, signing in and ending the sessions each make every earlier link worthless.
    """

    key_salt = "portal.admitting.PasswordLink"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.session_round}{user.is_active}"


password_link = PasswordLink()


def may_administer(actor: Membership, other: Membership) -> bool:
    """Whether `actor` may change `other`: a manager anybody but himself, others only who can do no more than they.

    Whoever may hand out a link to choose somebody's password could become him, so rights come first.
    """
    if actor.pk == other.pk or not actor.may(UserProfile.MANAGE):
        return False
    if actor.is_manager:
        return True
    # Grants that ended count as well: they may be prolonged.
    return not other.is_manager and all(
        actor.may(PROFILES[Application(grant.application)](grant.profile))
        and _reaches(actor, Application(grant.application), reach_of(other, grant))
        for grant in other.grants.all()
    )


def reach_of(member: Membership, grant: Grant) -> frozenset[int] | None:
    """The ids of the employers that a grant opens to its member; None for all clients."""
    listed = frozenset(limit.employer_id for limit in grant.limits.all()) or None
    own = None if member.employer_id is None else frozenset([member.employer_id])
    return listed if own is None else own if listed is None else own & listed


def _reaches(actor: Membership, application: Application, employers: frozenset[int] | None) -> bool:
    """Whether `actor` holds the application for all of `employers` (None: for all clients)."""
    own = actor.reach(application)
    return own is None or (employers is not None and employers <= own)


def may_give(
    actor: Membership, profile: AnyProfile, ends_on: date | None, employers: frozenset[int] | None = None
) -> bool:
    """Whether `actor` holds `profile` himself, for at least as long, and for all of `employers` (None: all clients)."""
    if actor.is_manager:
        return True
    last = actor.held[profile.application][1] if actor.may(profile) else date.min
    is_long_enough = last is None or (ends_on is not None and ends_on <= last)
    return is_long_enough and _reaches(actor, profile.application, employers)


def may_admit_for(actor: Membership, employer: int) -> bool:
    """Whether `actor` may bring in people of this client: who manages users, and reaches the client anywhere."""
    if not actor.may(UserProfile.MANAGE):
        return False
    return any(
        _reaches(actor, application, frozenset([employer]))
        for application in OF_CLIENTS
        if actor.is_manager or application in actor.held
    )


def admit(*, niss: str, employer: Employer | None = None, username: str = "", **details: str) -> Membership:
    """Makes a user who may not do anything yet; he chooses his user name and his password by a link.

    `details`: first_name, last_name, email, language. With an `employer` he works at this client. Only an administrator
    of the installation gives a `username`, which then stays. The caller has made sure that nobody has it, nor the NISS.
    """
    user = User(username=username or _provisional_name(), has_chosen_name=bool(username), **details)
    user.set_unusable_password()
    user.save()
    member = Membership(user=user, employer=employer)
    member.niss = niss
    member.save()
    _record("member.admitted", member, **({"of": str(employer)} if employer else {}))
    return member


def receive(user: User, niss: str) -> Membership:
    """Gives somebody who has a user already a place here too, in which he may not do anything yet.

    For an administrator of the installation only: a manager who could name a user of another organisation would learn
    that the name exists, and would take him out of the hands of the managers there.
    """
    member = Membership(user=user)
    member.niss = niss
    member.save()
    _record("member.received", member, username=user.username)
    return member


def _provisional_name() -> str:
    """A user name that says nothing about anybody: nobody signs in with it."""
    while True:
        name = PROVISIONAL + get_random_string(6, _UNMISTAKABLE)
        if not User.objects.filter(username__iexact=name).exists():
            return name


def change(member: Membership, *, niss: str = "", **details: str) -> list[str]:
    """Changes name, e-mail, language and, when given, NISS; returns the names of what became different.

    Raises Refused for somebody who is at home in another organisation as well.
    """
    changed = sorted(name for name, value in details.items() if getattr(member.user, name) != value)
    if changed:
        _only_here(member)
        User.objects.filter(pk=member.user_id).update(**{name: details[name] for name in changed})
        member.user.refresh_from_db()
    if niss and niss != member.niss:
        member.niss = niss
        member.save(update_fields=["niss_sealed", "niss_index"])
        changed.append("niss")
    if changed:
        _record("member.changed", member, fields=changed)
    return changed


def issue_link(member: Membership) -> dict[str, str]:
    """The arguments of the address at which the member chooses a password. It is shown once and kept nowhere."""
    if member.is_blocked:
        raise Refused(_("Unblock this user first."))
    _only_here(member)
    _record("member.link_issued", member)
    identity = urlsafe_base64_encode(force_bytes(member.user_id))
    return {"uidb64": identity, "token": password_link.make_token(member.user)}


def block(member: Membership) -> None:
    """Keeps the member out from now on: his sessions end, and he stays in the list."""
    _keep_a_manager(member)
    Membership.objects.filter(pk=member.pk).update(is_blocked=True)
    if not _open_elsewhere(member):
        User.objects.filter(pk=member.user_id).update(is_active=False)
    member.user.end_sessions()
    _record("member.blocked", member)


def unblock(member: Membership) -> None:
    """Lets the member in again, with the password and the grants he had."""
    Membership.objects.filter(pk=member.pk).update(is_blocked=False)
    User.objects.filter(pk=member.user_id).update(is_active=True)
    _record("member.unblocked", member)


def remove(member: Membership) -> None:
    """Deletes the member, his grants and, unless he belongs elsewhere too, his user. The journal keeps his name."""
    _keep_a_manager(member)
    member.user.end_sessions()
    _record("member.removed", member, username=member.user.username)
    user, is_elsewhere = member.user, _elsewhere(member)
    member.delete()
    if not is_elsewhere:
        user.delete()


def reset_factors(member: Membership) -> None:
    """Takes away the second factor of somebody who lost it. His sessions end; the next sign-in asks for a new one.

    Raises Refused for somebody who is at home in another organisation as well.
    """
    _only_here(member)
    Authenticator.objects.filter(user=member.user_id).delete()
    member.user.end_sessions()
    _record("factor.reset", member)


def grant(
    actor: Membership,
    member: Membership,
    application: Application,
    profile: AnyProfile | None,
    ends_on: date | None,
    employers: Collection[Employer] | None = None,
) -> bool:
    """Gives the one profile of an application, changes it, or takes it away (None). Returns whether that changed it.

    `employers` limits it to these clients, an empty list to none of them: it then holds for all. Without the argument
    the limit stays as it is. Raises Refused when the actor lacks the profile himself, or holds it for fewer clients.
    """
    found = Grant.objects.filter(member=member, application=application).select_for_update().first()
    before = {limit.employer_id: limit.employer for limit in _limits(found)}
    after = before if employers is None else {employer.pk: employer for employer in employers}
    old = (found.profile, found.ends_on) if found else None
    if old == ((profile.value, ends_on) if profile else None) and before.keys() == after.keys():
        return False
    facts: dict[str, Any] = {"application": application.value}
    if profile is None:
        if found:
            found.delete()
            _record("grant.withdrawn", member, **facts, profile=found.profile)
        return True
    _refuse_if_not_of_clients(member, application, is_limited=bool(after))
    own = None if member.employer_id is None else frozenset([member.employer_id])
    if not may_give(actor, profile, ends_on, own or frozenset(after) or None):
        raise Refused(_("You cannot grant what you do not hold yourself."))
    values = {"profile": profile.value, "ends_on": ends_on}
    given, _new = Grant.objects.update_or_create(
        member=member, application=application.value, defaults=values
    )
    GrantEmployer.objects.filter(grant=given, employer_id__in=before.keys() - after.keys()).delete()
    GrantEmployer.objects.bulk_create(
        GrantEmployer(grant=given, employer_id=pk) for pk in sorted(after.keys() - before.keys())
    )
    _record(
        "grant.changed" if found else "grant.given",
        member,
        **facts,
        profile=profile.value,
        until=ends_on.isoformat() if ends_on else "",
        **_named(after.values()),
    )
    return True


def _limits(found: Grant | None) -> Iterable[GrantEmployer]:
    return found.limits.select_related("employer").order_by("employer__name", "pk") if found else ()


def _refuse_if_not_of_clients(member: Membership, application: Application, *, is_limited: bool) -> None:
    if application in OF_CLIENTS:
        return
    if member.employer_id is not None:
        raise Refused(_("Somebody who works at a client may be given declarations and mandates only."))
    if is_limited:
        raise Refused(_("Only declarations and mandates can be limited to some clients."))


def _named(employers: Collection[Employer]) -> dict[str, Any]:
    """What the Event says of a limit: the first names, and how many others; nothing when all clients are meant."""
    if not employers:
        return {}
    names = sorted(str(employer) for employer in employers)
    return {"employers": names[:NAMED], "others": len(names) - len(names[:NAMED])}


def appoint(member: Membership) -> None:
    """Makes the member a manager beside those there are. Raises Refused for who is blocked, or works at a client."""
    if member.employer_id is not None:
        raise Refused(_("Somebody who works at a client does not manage your organisation."))
    if member.is_blocked:
        raise Refused(_("Unblock this user first."))
    Membership.objects.filter(pk=member.pk).update(is_manager=True)
    _record("member.appointed", member)


def dismiss(member: Membership) -> None:
    """Lets a manager be a user again, with the grants he had. Raises Refused for the last one."""
    _keep_a_manager(member)
    Membership.objects.filter(pk=member.pk).update(is_manager=False)
    _record("member.dismissed", member)


def _keep_a_manager(member: Membership) -> None:
    """Raises Refused when nobody else is a manager. The locks let a second removal see what the first one left."""
    managers = Membership.objects.filter(mandataire_id=tenancy.current()).managers()
    left = list(managers.order_by("pk").select_for_update().values_list("pk", flat=True))
    if left == [member.pk]:
        raise Refused(_("An organisation never has no manager: appoint another one first."))


def _elsewhere(member: Membership) -> list[bool]:
    """For each other organisation of the same user, whether it blocked him."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT is_blocked FROM portal_memberships_of(%s) WHERE mandataire_id <> %s",
            [member.user_id, tenancy.current()],
        )
        return [is_blocked for (is_blocked,) in cursor.fetchall()]


def _open_elsewhere(member: Membership) -> bool:
    return False in _elsewhere(member)


def _only_here(member: Membership) -> None:
    if _elsewhere(member):
        raise Refused(_("This user also works for another organisation: only he can change this."))


def _record(verb: str, member: Membership, **data: object) -> None:
    who = member.user.get_full_name() or member.user.username
    audit.record(verb, member, data={"who": who, **data})
