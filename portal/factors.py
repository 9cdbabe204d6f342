"""Second factors: codes of an app (TOTP), passkeys, and recovery codes for when both are lost.

The rows and the arithmetic are allauth's; secrets are sealed, and a code is good for one use.
"""

from __future__ import annotations

import base64
from typing import Any, Final

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import keys
from portal.models import Membership, User

VOUCHED: Final = "second_factor_vouched"
"""True in a session whose identity provider vouches for a second factor: none of ours is asked then."""

APP: Final = Authenticator.Type.TOTP
PASSKEY: Final = Authenticator.Type.WEBAUTHN
RECOVERY: Final = Authenticator.Type.RECOVERY_CODES
FACTORS: Final = (APP, PASSKEY)
"""What counts as a second factor; recovery codes only stand in for one."""

REACHABLE_WITHOUT: Final = frozenset(
    {
        "security",
        "totp",
        "totp_qr",
        "passkey_add",
        "passkey_new_options",
        "recovery_codes",
        "confirm",
        "logout",
    }
)
"""Names of the addresses that somebody who still has to set up a second factor may use, beside the open ones."""

_SEAL = "second factor"
_BEING_SET_UP = "app_being_set_up"


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """How allauth keeps secrets and names people here."""

    def encrypt(self, text: str) -> str:
        """The sealed text, in base64."""
        return base64.b64encode(keys.seal_of_people(_SEAL, text)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The text back. Raises `secrecy.SealBroken`."""
        return keys.open_of_people(_SEAL, base64.b64decode(encrypted_text))

    def _get_user_identifier(self, user: Any) -> str:
        """What the app on the telephone and the browser call the account."""
        return str(user.username)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The name people see; the id is the host, as allauth has it."""
        return {**super().get_public_key_credential_rp_entity(), "name": settings.MFA_TOTP_ISSUER}


# --- who has which, and who must ------------------------------------------------------------------


def must_have_second_factor(member: Membership) -> bool:
    """Whether this member has to have a second factor: operators and managers; employer users may."""
    return bool(settings.SECOND_FACTOR_REQUIRED) and member.employer_id is None


def held_by(user: User) -> list[Authenticator]:
    """The app and the passkeys of a user, oldest first."""
    return list(Authenticator.objects.filter(user=user, type__in=FACTORS).order_by("created_at", "pk"))


def is_needed_still(request: HttpRequest, member: Membership) -> bool:
    """Whether `member`, read by the middleware with `has_factor`, has to set up a second factor before going on."""
    if request.session.get(VOUCHED) is True:
        return False
    return must_have_second_factor(member) and not getattr(member, "has_factor", False)


def label(factor: Authenticator) -> str:
    """What a factor is called."""
    if factor.type == PASSKEY:
        return str(factor.data.get("name") or _("Passkey"))
    return _("App on a telephone")


# --- the app --------------------------------------------------------------------------------------


def new_secret(request: HttpRequest) -> str:
    """The secret that this session is setting up (base32): the same until it is activated."""
    sealed = request.session.get(_BEING_SET_UP)
    if sealed:
        return Adapter().decrypt(sealed)
    secret: str = generate_totp_secret()
    request.session[_BEING_SET_UP] = Adapter().encrypt(secret)
    return secret


def qr(request: HttpRequest, user: User) -> str:
    """The secret being set up as an SVG for the camera of the app, or nothing when none is."""
    if _BEING_SET_UP not in request.session:
        return ""
    adapter = Adapter()
    return str(adapter.build_totp_svg(adapter.build_totp_url(user, new_secret(request))))


def activate_app(request: HttpRequest, user: User, code: str) -> bool:
    """Keeps the secret being set up, if `code` comes from it. That code is used then."""
    counter = _counter(new_secret(request), code)
    if counter is None:
        return False
    sealed = request.session.pop(_BEING_SET_UP)
    Authenticator.objects.create(user=user, type=APP, data={"secret": sealed, "last_counter": counter})
    return True


def _counter(secret: str, code: str) -> int | None:
    """The half minute, counted since 1970, to which the code belongs; None for a code of no moment near this one."""
    for counter in yield_hotp_counters_from_time():
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, counter))):
            return int(counter)
    return None


def check_app(user: User, code: str) -> bool:
    """Whether `code` is the app's, and newer than the last one used (RFC 6238, 5.2: one use each)."""
    row = Authenticator.objects.select_for_update().filter(user=user, type=APP).first()
    if row is None:
        return False
    counter = _counter(Adapter().decrypt(row.data["secret"]), code)
    if counter is None or counter <= row.data.get("last_counter", 0):
        return False
    row.data["last_counter"] = counter
    row.last_used_at = timezone.now()
    row.save(update_fields=["data", "last_used_at"])
    return True


# --- recovery codes -------------------------------------------------------------------------------


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes of eight digits, each for one use. Those from before are worthless."""
    Authenticator.objects.filter(user=user, type=RECOVERY).delete()
    codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    return codes


def recovery_codes_left(user: User) -> int:
    """How many codes were not used yet."""
    row = Authenticator.objects.filter(user=user, type=RECOVERY).first()
    return len(RecoveryCodes(row).get_unused_codes()) if row else 0


def check_recovery_code(user: User, code: str) -> bool:
    """Whether `code` is one of the recovery codes that were not used; it is now."""
    row = Authenticator.objects.filter(user=user, type=RECOVERY).first()
    return row is not None and bool(RecoveryCodes(row).validate_code(code))


# --- passkeys -------------------------------------------------------------------------------------


class NotThisPasskey(ValueError):
    """The answer of the browser proves nothing here: another challenge, another site, an unknown key."""


def options_to_add(user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey: kept by the device, and only after it knows who is there."""
    return dict(webauthn.begin_registration(user, True))


def add_passkey(user: User, name: str, credential: dict[str, Any]) -> Authenticator:
    """Keeps a passkey. Raises NotThisPasskey."""
    try:
        webauthn.parse_registration_response(credential)
        made = webauthn.complete_registration(credential)
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotThisPasskey from error
    if not made.is_user_verified():
        raise NotThisPasskey
    row: Authenticator = webauthn.WebAuthn.add(user, name, credential).instance
    return row


def options_to_prove(user: User | None) -> dict[str, Any]:
    """What the browser needs to prove a passkey: of this user, or of whoever it knows one of."""
    return dict(webauthn.begin_authentication(user))


def prove_passkey(credential: dict[str, Any], user: User | None) -> User:
    """The user whose passkey answered: `user`, or without one whoever the passkey names. Raises NotThisPasskey.

    Without a user the passkey stands for the password too, so the device must have made sure who is there.
    """
    try:
        answer = webauthn.parse_authentication_response(credential)
        if user is None and not answer.response.authenticator_data.is_user_verified():
            raise NotThisPasskey
        found: User = user or webauthn.extract_user_from_response(credential)
        row = webauthn.complete_authentication(found, credential)
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotThisPasskey from error
    row.record_usage()
    return found
