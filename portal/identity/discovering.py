"""What a provider says of itself (OpenID Connect Discovery 1.0), and the keys it signs with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.cache import cache
from django.utils.translation import gettext as _

from portal.identity import fetching
from portal.identity.faults import Unreachable

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""How an ID token may be signed. Never `none`, and nothing with a shared secret."""
KEPT_FOR: Final = 300
"""Seconds for which a discovery document is kept: starting a sign-in is open to everybody, and must not make the
portal ask again each time. Keys are never kept, so a provider that changes its keys needs nobody here."""
WELL_KNOWN: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the portal uses of a discovery document. Every address in it is https."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    takes_basic: bool
    """Whether the client secret goes in a header (`client_secret_basic`), else in the form (`client_secret_post`)."""
    names_itself: bool
    """Whether each answer carries `iss` (RFC 9207)."""

    @classmethod
    def read(cls, issuer: str, document: Mapping[str, Any]) -> Metadata:
        """Reads the document found for `issuer`. Raises Unreachable when it is somebody else's, or unusable."""
        said = document.get("issuer")
        if said != issuer:
            raise Unreachable(
                _("The document found there belongs to the issuer “%(said)s”: write the issuer exactly so.")
                % {"said": str(said)[:200]}
            )
        endpoints = {}
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            value = document.get(name)
            if not isinstance(value, str):
                raise Unreachable(_("The document found there lacks “%(name)s”.") % {"name": name})
            endpoints[name] = fetching.checked(value)
        _is_usable(document)
        methods = _words(document, "token_endpoint_auth_methods_supported", ("client_secret_basic",))
        return cls(
            issuer=issuer,
            **endpoints,
            takes_basic="client_secret_basic" in methods,
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )


def _is_usable(document: Mapping[str, Any]) -> None:
    """Raises Unreachable for a provider that could never sign anybody in here, with what it lacks."""
    methods = _words(document, "token_endpoint_auth_methods_supported", ("client_secret_basic",))
    if not {"client_secret_basic", "client_secret_post"} & methods:
        raise Unreachable(
            _(
                "This provider takes no client secret (it takes %(methods)s). Ask it for a client that proves itself "
                "with a secret."
            )
            % {"methods": ", ".join(sorted(methods))[:200]}
        )
    signed = _words(document, "id_token_signing_alg_values_supported", ("RS256",))
    if not signed & {*ALGORITHMS, "Ed25519"}:
        raise Unreachable(_("This provider signs with none of %(known)s.") % {"known": ", ".join(ALGORITHMS)})
    if "code" not in _words(document, "response_types_supported", ("code",)):
        raise Unreachable(_("This provider does not know the authorization code flow."))


def _words(document: Mapping[str, Any], name: str, default: tuple[str, ...]) -> set[str]:
    value = document.get(name)
    return {word for word in value if isinstance(word, str)} if isinstance(value, list) else set(default)


def discover(issuer: str, *, anew: bool = False) -> Metadata:
    """What the issuer says of itself, at most `KEPT_FOR` seconds old, or asked `anew`. Raises Unreachable.

    It is asked at the issuer's own address: nobody can speak in the name of an issuer without its server.
    """
    place = f"identity-{hashlib.sha256(issuer.encode()).hexdigest()}"
    document = None if anew else cache.get(place)
    if document is None:
        status, document = fetching.ask(issuer.rstrip("/") + WELL_KNOWN)
        if status != 200:
            raise Unreachable(
                _("The issuer has no discovery document (HTTP %(status)d).") % {"status": status}
            )
        found = Metadata.read(issuer, document)
        cache.set(place, document, KEPT_FOR)
        return found
    return Metadata.read(issuer, document)


def signing_keys(metadata: Metadata) -> list[dict[str, Any]]:
    """The public keys that the provider signs with now, as JWK (RFC 7517). Raises Unreachable."""
    status, document = fetching.ask(metadata.jwks_uri)
    keys = document.get("keys")
    if status != 200 or not isinstance(keys, list):
        raise Unreachable(_("The issuer does not publish its keys (HTTP %(status)d).") % {"status": status})
    return [key for key in keys if isinstance(key, dict) and key.get("use", "sig") == "sig"]
