"""The transport: SFTP to social security's batch server, on paramiko.

Host, key and directories come from the channel, names from `naming`: no caller's string ever becomes a path.
See www.socialsecurity.be/site_fr/general/helpcentre/batch/sftp/aboutsftp.
"""

from __future__ import annotations

import errno
import logging
import socket
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import batched
from typing import Final, NamedTuple, cast
from uuid import UUID

import paramiko

from channels import vault
from channels.errors import (
    BadHostKey,
    ConnectionLost,
    GoUncertain,
    HostKeyChanged,
    LogInRefused,
    MissingDirectory,
    NoCommonGround,
    NotThere,
    Refused,
    ShortFile,
    TooLarge,
    TransportError,
    shown,
)
from channels.models import Channel
from channels.naming import Environment, Prefix, parse_name
from channels.pipelining import Arrival, Content, upload
from portal import tenancy

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 15.0
"""How long each step of connecting may take: the socket, the key exchange, the log-in."""

ANSWER_SECONDS: Final = 60.0
"""How long the server may take to answer one request."""

KEEPALIVE_SECONDS: Final = 20

_LEGACY: Final = "ssh-rsa"
_RSA_SHA2: Final = ("rsa-sha2-512", "rsa-sha2-256")
_ONE_REQUEST: Final = 32_768
_AHEAD: Final = 64

_BROKEN: Final = (EOFError, TimeoutError, ConnectionError, paramiko.SSHException, paramiko.SFTPError)


# --- connecting -----------------------------------------------------------------------------------


@contextmanager
def connect(channel: Channel) -> Iterator[Session]:
    """A session on the channel's server, closed at the end of the block.

    Log-in by public key only; RSA keys sign with SHA-2. The live server has been seen to take nothing but the
    legacy `ssh-rsa` (SHA-1): where the channel allows it, that is tried after a refusal, never before. Raises
    TransportError, or `vault.MissingKey`.
    """
    with tenancy.scope(cast(UUID, channel.mandataire_id)):
        key = vault.ssh_key(channel)
    with open_session(channel, key) as session:
        yield session


@contextmanager
def open_session(
    channel: Channel, key: paramiko.PKey, *, step: float = CONNECT_SECONDS, answer: float = ANSWER_SECONDS
) -> Iterator[Session]:
    """`connect` with a key that was opened before. `step` and `answer` are seconds, for who cannot wait long."""
    pinned = pinned_keys(channel.host_key)
    try:
        transport = _log_in(channel, key, pinned, disabled=(_LEGACY,), step=step)
    except LogInRefused:
        if not (channel.allows_ssh_rsa and key.get_name() == _LEGACY):
            raise
        transport = _log_in(channel, key, pinned, disabled=_RSA_SHA2, step=step)
    try:
        with _told("sftp", transport):
            client = paramiko.SFTPClient.from_transport(transport)
            if client is None:
                raise paramiko.SSHException("no SFTP on this server")
            client.get_channel().settimeout(answer)  # type: ignore[union-attr]
        yield Session(client, transport, channel)
    finally:
        transport.close()


def key_of_server(channel: Channel, *, step: float = CONNECT_SECONDS) -> str:
    """The key the server shows, as an OpenSSH line, for a person to compare: nothing is trusted by asking.

    `step` is how many seconds each step of connecting may take. Raises TransportError.
    """
    transport = _start(channel, set(), step)
    try:
        shown_key = transport.get_remote_server_key()
        return f"{shown_key.get_name()} {shown_key.get_base64()}"
    finally:
        transport.close()


def pinned_keys(lines: str) -> dict[bytes, str]:
    """The public keys, and their types, of OpenSSH lines: more than one while a renewal is under way.

    Raises BadHostKey, also when there is none: a server is never trusted at first sight.
    """
    pinned: dict[bytes, str] = {}
    for line in lines.splitlines():
        if not line.strip():
            continue
        try:
            kind, encoded = line.split()[:2]
            blob = b64decode(encoded, validate=True)
        except (ValueError, NotBase64):
            raise BadHostKey from None
        name = kind.encode()
        # The blob starts with the length and the name of its own type.
        if blob[:4] != len(name).to_bytes(4) or blob[4 : 4 + len(name)] != name:
            raise BadHostKey
        pinned[blob] = kind
    if not pinned:
        raise BadHostKey
    return pinned


def _log_in(
    channel: Channel,
    key: paramiko.PKey,
    pinned: Mapping[bytes, str],
    disabled: tuple[str, ...],
    step: float,
) -> paramiko.Transport:
    transport = _start(channel, set(pinned.values()), step, disabled)
    try:
        shown_key = transport.get_remote_server_key()
        if shown_key.asbytes() not in pinned:
            line = f"{shown_key.get_name()} {shown_key.get_base64()}"
            raise HostKeyChanged({"fingerprint": shown_key.fingerprint, "line": line})
        transport.set_keepalive(KEEPALIVE_SECONDS)
        transport.auth_publickey(channel.username, key)
        if not transport.is_authenticated():
            raise LogInRefused({"username": channel.username})
    except (EOFError, OSError, paramiko.SSHException) as error:
        transport.close()
        raise _in_connecting(error, channel) from error
    except BaseException:
        transport.close()
        raise
    return transport


def _start(
    channel: Channel, kinds: set[str], step: float, disabled: tuple[str, ...] = ()
) -> paramiko.Transport:
    """A connection whose server has shown its key, and nothing more."""
    try:
        sock = socket.create_connection((channel.host, channel.port), step)
    except OSError as error:
        raise ConnectionLost({"detail": shown(error)}) from error
    # Many small requests, each waiting for its answer: without this every one of them waits 40 ms.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # The host key may be an RSA key; with SHA-1 it proves nothing unless the channel says so.
    no_host_keys = () if channel.allows_ssh_rsa else (_LEGACY,)
    try:
        transport = paramiko.Transport(sock, disabled_algorithms={"keys": no_host_keys, "pubkeys": disabled})
    except BaseException:
        sock.close()
        raise
    try:
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = step
        transport.channel_timeout = step  # type: ignore[attr-defined]
        _ask_for(transport, kinds)
        transport.start_client(timeout=step)
    except (EOFError, OSError, paramiko.SSHException) as error:
        transport.close()
        raise _in_connecting(error, channel) from error
    except BaseException:
        transport.close()
        raise
    return transport


def _ask_for(transport: paramiko.Transport, kinds: set[str]) -> None:
    """Puts the pinned types of key in front, so that a server with several keys shows the one we know."""
    options = transport.get_security_options()
    wanted = {name for kind in kinds for name in ((*_RSA_SHA2, _LEGACY) if kind == _LEGACY else (kind,))}
    options.key_types = sorted(options.key_types, key=lambda name: name not in wanted)


def _in_connecting(error: Exception, channel: Channel) -> TransportError:
    detail = {"detail": shown(error) or type(error).__name__}
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return NoCommonGround(detail)
    # To paramiko a connection that dies or falls silent during the log-in is a failed log-in, too.
    is_silence = "transport shut down" in str(error) or "timeout" in str(error)
    if isinstance(error, paramiko.AuthenticationException) and not is_silence:
        return LogInRefused({"username": channel.username})
    return ConnectionLost(detail)


# --- a session ------------------------------------------------------------------------------------


class Seen(NamedTuple):
    """A file as a listing shows it: bytes, and the second of its last change (Unix time); 0 where it is not told."""

    size: int
    modified_at: int


class Session:
    """One open connection. Not for several threads: a paramiko client shared by threads hangs.

    Environments are R, T or S; they, with the name, decide the path. Every method raises TransportError.
    """

    def __init__(self, client: paramiko.SFTPClient, transport: paramiko.Transport, channel: Channel) -> None:
        self._client, self._transport, self._channel = client, transport, channel

    def put_all(
        self, environment: str, files: Iterable[tuple[str, Content]]
    ) -> Iterator[tuple[str, TransportError | None]]:
        """Puts FI and FS, over earlier ones of their names, and compares their sizes on the other side.

        Yields each name when it is done, with what was wrong with it. A server may acknowledge every write on a full
        disk: only the size proves that the bytes are there. Raises ConnectionLost: the rest is then not put.
        """
        kinds = {Prefix.DECLARATION, Prefix.SIGNATURE}
        for name, arrival in self._upload(environment, files, kinds, is_checked=True):
            fault = self._fault(environment, name, arrival)
            if fault is None and arrival.size != arrival.sent:
                fault = ShortFile({"name": name, "there": arrival.size, "sent": arrival.sent})
            yield name, fault

    def put_go_all(
        self, environment: str, names: Iterable[str]
    ) -> Iterator[tuple[str, TransportError | None]]:
        """Puts empty GOs. No look afterwards: the server may take a set away the moment its GO is there.

        Whatever breaks here is ambiguous: GoUncertain, and for those that were not yielded, ConnectionLost.
        """
        files = ((name, bytes) for name in names)
        for name, arrival in self._upload(environment, files, {Prefix.GO}, is_checked=False):
            fault = self._fault(environment, name, arrival)
            yield name, GoUncertain({"name": name, "detail": fault}) if fault else None

    def _upload(
        self,
        environment: str,
        files: Iterable[tuple[str, Content]],
        prefixes: set[Prefix],
        *,
        is_checked: bool,
    ) -> Iterator[tuple[str, Arrival]]:
        wire = self._client.get_channel()
        placed = ((self._upload_path(environment, name, prefixes), content) for name, content in files)
        try:
            at_once = self._channel.files_at_once
            for arrival in upload(wire, placed, is_checked=is_checked, at_once=at_once):  # type: ignore[arg-type]
                yield arrival.path.rpartition("/")[2], arrival
        except (*_BROKEN, OSError) as error:
            raise ConnectionLost({"detail": shown(error) or type(error).__name__}) from error

    def _fault(self, environment: str, name: str, arrival: Arrival) -> TransportError | None:
        if arrival.refusal is None:
            return None
        if arrival.refusal.errno == errno.ENOENT:
            return MissingDirectory({"directory": self._channel.upload_directory(environment)})
        return Refused({"name": name, "detail": shown(arrival.refusal.strerror)})

    def listing_in(self, environment: str) -> set[str] | None:
        """The names in the upload directory, or None when this channel may not list it."""
        if not self._channel.can_list_in:
            return None
        try:
            return set(self._listing(self._channel.upload_directory(environment)))
        except Refused as error:
            log.info("The upload directory cannot be listed: %s", error)
            return None

    def listing_out(self, environment: str) -> dict[str, Seen]:
        """What lies in the directory of answers, by name."""
        return self._listing(self._channel.answer_directory(environment))

    def read(self, environment: str, name: str, limit: int) -> bytes:
        """The bytes of an answer of at most `limit` bytes. Raises TooLarge, NotThere."""
        path = self._answer_path(environment, name)
        with _told(name, self._transport), self._client.open(path, "rb") as file:
            size = file.stat().st_size or 0
            if size > limit:
                raise TooLarge({"name": name, "size": size, "limit": limit})
            content = _read_whole(file, size)
        if len(content) != size:
            raise ConnectionLost({"detail": f"{name}: {len(content)}/{size}"})
        return content

    def delete(self, environment: str, name: str) -> None:
        """Removes an answer; that it was gone already is no error."""
        try:
            with _told(name, self._transport):
                self._client.remove(self._answer_path(environment, name))
        except NotThere:
            log.info("%s was gone already", name)

    def _upload_path(self, environment: str, name: str, prefixes: set[Prefix]) -> str:
        parsed, directory = parse_name(name), self._channel.upload_directory(environment)
        if parsed.prefix not in prefixes or parsed.environment is not Environment(environment):
            raise ValueError(f"{name} does not belong into {directory}")
        return f"{directory}/{parsed}"

    def _answer_path(self, environment: str, name: str) -> str:
        return f"{self._channel.answer_directory(environment)}/{parse_name(name)}"

    def _listing(self, directory: str) -> dict[str, Seen]:
        try:
            with _told(directory, self._transport):
                return {
                    entry.filename: Seen(entry.st_size or 0, entry.st_mtime or 0)
                    for entry in self._client.listdir_iter(directory)
                }
        except NotThere as error:
            raise MissingDirectory({"directory": directory}) from error


def _read_whole(file: paramiko.SFTPFile, size: int) -> bytes:
    """The first `size` bytes, many requests ahead: paramiko's own `read` of a large file takes quadratic time."""
    if size <= _ONE_REQUEST:
        return file.read(size)
    content = bytearray()
    requests = ((at, min(_ONE_REQUEST, size - at)) for at in range(0, size, _ONE_REQUEST))
    for window in batched(requests, _AHEAD):
        for piece in file.readv(window):
            content += piece
    return bytes(content)


@contextmanager
def _told(name: str, transport: paramiko.Transport) -> Iterator[None]:
    """Turns what paramiko raises into a TransportError about `name`."""
    try:
        yield
    except _BROKEN as error:
        raise ConnectionLost({"detail": shown(error) or type(error).__name__}) from error
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise NotThere({"name": name}) from error
        # A closed channel raises a plain OSError, as does every other refusal of the server.
        if not transport.is_active() or "closed" in str(error).lower():
            raise ConnectionLost({"detail": shown(error)}) from error
        raise Refused({"name": name, "detail": shown(error)}) from error
