"""What the portal asks of a provider's server, and what it does not: inside addresses, redirects, floods, drips."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest
from django.conf import settings

from portal.identity import discovering, fetching
from portal.identity.faults import Unreachable
from tests.portal.identity.openid import Issuer, OpenId

WELL_KNOWN = "/.well-known/openid-configuration"


def test_an_object_comes_with_its_status(issuer: Issuer) -> None:
    status, document = fetching.ask(issuer.url + WELL_KNOWN)
    assert (status, document["issuer"]) == (200, issuer.url)


# --- where it goes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001::1",
    ],
)
def test_an_address_on_the_inside(address: str) -> None:
    assert not fetching.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "193.191.210.10", "2a00:1450:4007:80e::200e"])
def test_an_address_of_the_internet(address: str) -> None:
    assert fetching.is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "0177.0.0.1", "2130706433"])
def test_the_inside_is_not_asked_unless_the_installation_says_so(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """In whatever way the address is written: what counts is where the name leads."""
    monkeypatch.setattr(settings.CONFIG, "identity_allow_private", False)
    with pytest.raises(Unreachable, match="PORTAL_IDENTITY_ALLOW_PRIVATE"):
        fetching.ask(issuer.url.replace("localhost", host) + WELL_KNOWN)
    assert issuer.asked == []


def test_a_name_with_one_inside_address_is_not_asked_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may stand for several addresses, and for other ones when it is asked again."""
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("193.191.210.10", "10.0.0.1")]
    monkeypatch.setattr(settings.CONFIG, "identity_allow_private", False)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: rows)
    with pytest.raises(Unreachable, match="inside network"):
        fetching.ask("https://sso.example.be/")


def test_the_name_is_resolved_once(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at and connected to are one address: a second answer of the name server would find nobody asking."""
    names: list[str] = []
    resolve = socket.getaddrinfo

    def listen(host: Any, *args: Any, **kwargs: Any) -> Any:
        names.append(host)
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", listen)
    fetching.ask(issuer.url + WELL_KNOWN)
    assert [name for name in names if not name.replace(".", "").isdigit() and ":" not in name] == [
        "localhost"
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://sso.example.be/",
        "ftp://sso.example.be/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user:password@sso.example.be/",
        "https://sso.example.be/#part",
        "https://sso.example.be:99999/",
        "https://sso.example.be:0/",
        "https://[::1/",
        "https://sso.example.be/a b",
        "https://sso.example.be/\r\nHost: other",
        "https://sso.exämple.be/",
        "sso.example.be",
        "",
    ],
)
def test_an_address_that_will_not_do(url: str) -> None:
    with pytest.raises(Unreachable):
        fetching.checked(url)


@pytest.mark.parametrize(
    "url", ["https://sso.example.be", "https://sso.example.be:8443/realms/a-b/", "https://x.be/?a=b"]
)
def test_an_address_that_will_do(url: str) -> None:
    assert fetching.checked(url) == url


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_is_sent_on(issuer: Issuer, other_issuer: Issuer, status: int) -> None:
    issuer.instead[WELL_KNOWN] = (status, {"Location": other_issuer.url + WELL_KNOWN}, b"{}")
    with pytest.raises(Unreachable, match="sends on to another address"):
        fetching.ask(issuer.url + WELL_KNOWN)
    assert other_issuer.asked == []


def test_a_certificate_that_nobody_vouches_for_is_refused(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unreachable, match="certificate of localhost is not valid"):
        fetching.ask(issuer.url + WELL_KNOWN)
    assert issuer.asked == []


def test_a_certificate_is_for_its_own_name(issuer: Issuer) -> None:
    with pytest.raises(Unreachable, match=r"certificate of 127\.0\.0\.1 is not valid"):
        fetching.ask(issuer.url.replace("localhost", "127.0.0.1") + WELL_KNOWN)


# --- what comes back -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [fetching.LARGEST + 1, 20_000_000])
def test_an_answer_that_is_too_large_is_left_unread(issuer: Issuer, size: int) -> None:
    issuer.instead[WELL_KNOWN] = (200, {}, b'"' + b"x" * (size - 2) + b'"')
    with pytest.raises(Unreachable, match="too large"):
        fetching.ask(issuer.url + WELL_KNOWN)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_what_is_no_object_says_so(issuer: Issuer, body: bytes) -> None:
    issuer.instead[WELL_KNOWN] = (200, {}, body)
    with pytest.raises(Unreachable, match="no JSON object"):
        fetching.ask(issuer.url + WELL_KNOWN)


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_server_in_trouble_says_so(issuer: Issuer, status: int) -> None:
    issuer.instead[WELL_KNOWN] = (status, {}, b"{}")
    with pytest.raises(Unreachable, match=f"HTTP {status}"):
        fetching.ask(issuer.url + WELL_KNOWN)


def test_a_server_that_never_answers_is_left_in_time(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LONGEST", 0.3)
    issuer.released.clear()
    began = time.monotonic()
    with pytest.raises(Unreachable, match="did not answer in time"):
        fetching.ask(issuer.url + WELL_KNOWN)
    assert time.monotonic() - began < 5


def test_a_server_that_drips_is_left_in_time(monkeypatch: pytest.MonkeyPatch, openid: OpenId) -> None:
    """Each byte comes in time, and the whole never does."""
    monkeypatch.setattr(fetching, "LONGEST", 0.5)
    with openid.dripping() as url:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="did not answer in time"):
            fetching.ask(url)
        assert time.monotonic() - began < 5


def test_nobody_there_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable, match="could not be reached"):
        fetching.ask(f"https://localhost:{port}/")


def test_a_name_that_does_not_exist_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_args: Any, **_kwargs: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with pytest.raises(Unreachable, match=r"no server named sso\.example\.be"):
        fetching.ask("https://sso.example.be/")


# --- the discovery document ------------------------------------------------------------------------------


def test_what_an_issuer_says_of_itself(issuer: Issuer) -> None:
    found = discovering.discover(issuer.url)
    assert (found.issuer, found.token_endpoint) == (issuer.url, f"{issuer.url}/token")
    assert found.takes_basic
    assert not found.names_itself


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"issuer": "https://evil.example"}, "belongs to the issuer “https://evil.example”"),
        ({"issuer": None}, "belongs to the issuer"),
        ({"token_endpoint": None}, "lacks “token_endpoint”"),
        ({"jwks_uri": 7}, "lacks “jwks_uri”"),
        ({"jwks_uri": "http://sso.example.be/keys"}, "starts with https://"),
        ({"token_endpoint": "file:///etc/passwd"}, "starts with https://"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "starts with https://"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "takes private_key_jwt"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "signs with none of"),
        ({"response_types_supported": ["id_token"]}, "authorization code flow"),
    ],
)
def test_a_document_that_cannot_be_used_says_why(issuer: Issuer, document: dict[str, Any], why: str) -> None:
    issuer.document = document
    with pytest.raises(Unreachable, match=why):
        discovering.discover(issuer.url)


def test_a_slash_too_many_is_told(issuer: Issuer) -> None:
    with pytest.raises(Unreachable, match=f"belongs to the issuer “{issuer.url}”"):
        discovering.discover(issuer.url + "/")


def test_it_is_asked_once_in_five_minutes_unless_somebody_wants_to_know(issuer: Issuer) -> None:
    for _time in range(3):
        discovering.discover(issuer.url)
    assert issuer.asked.count(WELL_KNOWN) == 1
    discovering.discover(issuer.url, anew=True)
    assert issuer.asked.count(WELL_KNOWN) == 2


def test_a_refused_document_is_not_kept(issuer: Issuer) -> None:
    issuer.document = {"issuer": "https://evil.example"}
    with pytest.raises(Unreachable):
        discovering.discover(issuer.url)
    issuer.document = {}
    assert discovering.discover(issuer.url).issuer == issuer.url


def test_keys_for_anything_but_signing_are_left_out(issuer: Issuer) -> None:
    metadata = discovering.discover(issuer.url)
    both = {"keys": [{"kid": "a", "use": "enc"}, {"kid": "b"}, {"kid": "c", "use": "sig"}, "nonsense"]}
    issuer.instead["/keys"] = (200, {}, json.dumps(both).encode())
    assert [key["kid"] for key in discovering.signing_keys(metadata)] == ["b", "c"]
    issuer.instead["/keys"] = (200, {}, b'{"keys": 7}')
    with pytest.raises(Unreachable, match="does not publish its keys"):
        discovering.signing_keys(metadata)
