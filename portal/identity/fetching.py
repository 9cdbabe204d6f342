"""Asking an OpenID provider: HTTPS only, to public addresses only, without redirects, within limits.

A manager types where a provider is, so its address must not become a way to the inside of the installation. The name
is resolved once, every address it stands for is looked at, and the connection goes to the very address that was
looked at: a name that means something else a moment later leads nowhere. That needs a connection of our own, which
`http.client` lets one write in a few lines, and takes neither proxies nor redirects by itself.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from portal.identity.faults import Unreachable

LARGEST: Final = 256 * 1024
"""Bytes of an answer: the largest documents of real providers have a tenth of it."""
LONGEST: Final = 8.0
"""Seconds to connect, and seconds from then on to the last byte, however slowly they drip."""

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def ask(url: str, *, form: Mapping[str, str] | None = None, basic: str = "") -> tuple[int, dict[str, Any]]:
    """Fetches the JSON object at `url`, or posts `form` to it; returns the HTTP status with the object.

    `basic` is the value of an Authorization header of type Basic. Raises Unreachable, also for a redirect, for a
    server error, for an answer that is too large, too slow or no JSON object.
    """
    parts = urlsplit(checked(url))
    host = parts.hostname or ""
    headers = {"Accept": "application/json", "User-Agent": "mandataire-portal"}
    if basic:
        headers["Authorization"] = f"Basic {basic}"
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection = _Connection(host, parts.port or 443, timeout=LONGEST)
    try:
        connection.request(
            "GET" if form is None else "POST",
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            body=None if form is None else urlencode(form),
            headers=headers,
        )
        with connection.getresponse() as answer:
            body = answer.read(LARGEST + 1)
            status = answer.status
        if connection.is_cut:  # What was read until then may look like a whole answer.
            raise TimeoutError(f"cut after {LONGEST} s")
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(
            _("The certificate of %(host)s is not valid: %(why)s.")
            % {"host": host, "why": error.verify_message}
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(
            _("%(host)s could not be reached, or did not answer in time.") % {"host": host},
            f"{host}: {type(error).__name__}: {error}",
        ) from error
    finally:
        connection.close()
    return status, _object(host, status, body)


def checked(url: str) -> str:
    """The address itself, when it is one that may be asked: https, a host, neither user name nor fragment."""
    try:
        parts = urlsplit(url)
        is_fit = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise Unreachable(_("“%(url)s” is no web address.") % {"url": url[:200]}) from None
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not is_fit or not is_plain or parts.username is not None or parts.fragment:
        raise Unreachable(
            _("“%(url)s” will not do: an address starts with https:// and has no user name and no #.")
            % {"url": url[:200]}
        )
    return url


def _object(host: str, status: int, body: bytes) -> dict[str, Any]:
    if 300 <= status < 400:
        raise Unreachable(
            _("%(host)s sends on to another address. Give the address where the answer really is.")
            % {"host": host}
        )
    if len(body) > LARGEST:
        raise Unreachable(_("The answer of %(host)s is too large.") % {"host": host})
    if status >= 500 or status == 404:
        raise Unreachable(
            _("%(host)s has nothing at this address, or is out of order (HTTP %(status)d).")
            % {"host": host, "status": status}
        )
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unreachable(
            _("What %(host)s answered is no JSON object (HTTP %(status)d).")
            % {"host": host, "status": status}
        )
    return found


# --- the connection -------------------------------------------------------------------------------


class _Connection(http.client.HTTPSConnection):
    """A connection to an address that was looked at, cut after `LONGEST` seconds whatever it is doing."""

    is_cut = False
    _alarm: threading.Timer | None = None

    def connect(self) -> None:
        """Connects to the first address of the host that answers; the certificate must be that of the host's name."""
        context = ssl.create_default_context()
        plain = _first_that_answers(_addresses(self.host, self.port), self.port)
        self.sock = context.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        self._alarm = threading.Timer(LONGEST, self._cut, [self.sock])
        self._alarm.daemon = True
        self._alarm.start()
        self.sock.do_handshake()

    def close(self) -> None:
        """Closes it, and lets the alarm be."""
        if self._alarm is not None:
            self._alarm.cancel()
        super().close()

    def _cut(self, connection: socket.socket) -> None:
        """Ends the connection below the encryption, so that whoever reads from it stops at once."""
        self.is_cut = True
        with suppress(OSError):  # It may be closed already: then there is nobody to stop.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _first_that_answers(addresses: list[str], port: int) -> socket.socket:
    for address in addresses[:-1]:
        try:
            return socket.create_connection((address, port), timeout=LONGEST / len(addresses))
        except OSError:
            continue
    return socket.create_connection((addresses[-1], port), timeout=LONGEST / len(addresses))


def _addresses(host: str, port: int) -> list[str]:
    """Every address of the host. Raises Unreachable when one of them is on the inside, or there is none."""
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(
            _("There is no server named %(host)s.") % {"host": host}, f"{host}: {error}"
        ) from error
    found = list(dict.fromkeys(str(row[4][0]) for row in rows))
    if not settings.CONFIG.identity_allow_private and not all(is_public(address) for address in found):
        raise Unreachable(
            _(
                "%(host)s is an address of an inside network, which the portal does not ask. If your provider is "
                "there, the administrator of the portal has to allow it (PORTAL_IDENTITY_ALLOW_PRIVATE)."
            )
            % {"host": host}
        )
    return found


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet; those that carry an IPv4 address inside are never."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and (
        parsed.ipv4_mapped or parsed.sixtofour or parsed.teredo or parsed in _NAT64
    ):
        return False
    return parsed.is_global and not parsed.is_multicast
