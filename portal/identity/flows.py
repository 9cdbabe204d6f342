"""One way to a provider and back: authorization code with PKCE, bound to the browser's session by state and nonce.

(OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207; RFC 9700 for the traps.)
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _

from portal.identity import discovering, fetching, tokens
from portal.identity.discovering import Metadata
from portal.identity.faults import NotTrusted, ProviderFault
from portal.identity.models import IdentityProvider

LONGEST: Final = 600
"""Seconds between leaving for the provider and coming back."""
MOST: Final = 5
"""Ways begun in one session, in as many windows; the oldest is forgotten."""
_PLACE: Final = "identity_ways"


@dataclass(frozen=True, slots=True)
class Way:
    """What the session remembers of somebody who left for a provider.

    `linker` is the id of the member who links an account, or None for who signs in; `onward` is where he was going.
    """

    handle: str
    nonce: str
    verifier: str
    left_at: float
    linker: int | None = None
    onward: str = ""


def begin(
    session: SessionBase,
    provider: IdentityProvider,
    back: str,
    *,
    linker: int | None = None,
    onward: str = "",
) -> str:
    """The address at the provider where the browser goes now. `back` is where it comes back to. Raises Unreachable."""
    metadata = discovering.discover(provider.issuer)
    state = secrets.token_urlsafe(32)
    way = Way(
        handle=str(provider.handle),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        left_at=time.time(),
        linker=linker,
        onward=onward,
    )
    ways = dict(list(session.get(_PLACE, {}).items())[-(MOST - 1) :])
    session[_PLACE] = {**ways, state: asdict(way)}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(way.verifier.encode()).digest()).rstrip(b"=")
    question = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": back,
        "scope": provider.scopes,
        "state": state,
        "nonce": way.nonce,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    if provider.acr_values:
        question["acr_values"] = provider.acr_values
    joint = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
    return metadata.authorization_endpoint + joint + urlencode(question)


def take(session: SessionBase, state: str, handle: UUID) -> Way | None:
    """What was remembered under `state`, once: None for a state that is unknown, used, too old or of another provider.

    Each provider has an address of its own to come back to. So an answer that one provider made another one give is
    never taken for its own (the mix-up attack of RFC 9700, 4.4), also when that other one does not name itself.
    """
    ways = dict(session.get(_PLACE, {}))
    found = ways.pop(state, None)
    if found is None:
        return None
    session[_PLACE] = ways
    way = Way(**found)
    if way.handle != str(handle) or time.time() - way.left_at > LONGEST:
        return None
    return way


def redeem(provider: IdentityProvider, secret: str, way: Way, answer: Mapping[str, str], back: str) -> str:
    """The subject that the provider vouches for, in exchange for the code in `answer`. Raises ProviderFault.

    `answer` is the query of the address that the browser came back with.
    """
    metadata = discovering.discover(provider.issuer)
    _is_from(metadata, answer)
    if "error" in answer or not answer.get("code"):
        raise _refusal(str(answer.get("error", "")))
    token = _token(metadata, provider, secret, way, answer["code"], back)
    expected = tokens.Expected(
        issuer=provider.issuer,
        client_id=provider.client_id,
        nonce=way.nonce,
        acr_values=tuple(provider.acr_values.split()),
    )
    return tokens.subject_of(token, discovering.signing_keys(metadata), expected)


def _is_from(metadata: Metadata, answer: Mapping[str, str]) -> None:
    said = answer.get("iss")
    if (said is None and metadata.names_itself) or (said is not None and said != metadata.issuer):
        raise NotTrusted(_("it comes from another issuer"), "iss of the answer")


def _refusal(error: str) -> ProviderFault:
    """What the provider said instead of a code (OpenID Connect Core 3.1.2.6)."""
    if error in ("access_denied", "login_required", "interaction_required", "consent_required"):
        return NotTrusted(_("you stopped there, or may not sign in there"), f"error {error}")
    known = error if error.isascii() and error.isprintable() and 0 < len(error) <= 60 else "?"
    return NotTrusted(_("it refused the question (%(error)s)") % {"error": known}, f"error {known}")


def _token(
    metadata: Metadata, provider: IdentityProvider, secret: str, way: Way, code: str, back: str
) -> str:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": way.verifier,
    }
    basic = ""
    if metadata.takes_basic:
        # RFC 6749, 2.3.1: each half is form-encoded before the two are joined.
        pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}"
        basic = base64.b64encode(pair.encode()).decode()
    else:
        form |= {"client_id": provider.client_id, "client_secret": secret}
    status, document = fetching.ask(metadata.token_endpoint, form=form, basic=basic)
    token: Any = document.get("id_token")
    if status == 200 and isinstance(token, str):
        return tokens.opened(token, secret)
    error = document.get("error")
    if error == "invalid_client":
        raise NotTrusted(_("it does not know the client id, or the secret is wrong"), "invalid_client")
    if error == "invalid_grant":
        raise NotTrusted(_("the sign-in took too long or was used already"), "invalid_grant")
    raise NotTrusted(
        _("it gave no proof of who you are"), f"token endpoint: HTTP {status}, error {str(error)[:60]!r}"
    )
