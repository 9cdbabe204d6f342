"""The transport against a real SFTP server: whom it trusts, what it looks at, what it says of faults."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import asyncssh
import pytest

from channels import sftp, vault
from channels.errors import (
    BadHostKey,
    ConnectionLost,
    GoUncertain,
    HostKeyChanged,
    LogInRefused,
    MissingDirectory,
    NotThere,
    Refused,
    ShortFile,
    TooLarge,
    TransportError,
)
from channels.models import Channel
from channels.naming import BadFileName
from portal import tenancy
from tests.channels.sftpserver import Server

STEM = "FLAD.104217.20251103.P0001.R"
FI, FS, GO = f"FI.{STEM}.1.1", f"FS.{STEM}.1.1", f"GO.{STEM}.1"
FO = "FO.ACRF.999999.20251103.00001.R"


def put(session: sftp.Session, environment: str, name: str, content: bytes) -> None:
    """Puts one file; raises what was wrong with it."""
    for told, fault in session.put_all(environment, [(name, lambda: content)]):
        assert told == name
        if fault:
            raise fault


def put_go(session: sftp.Session, environment: str, name: str) -> None:
    """Puts one GO; raises what was wrong with it."""
    for told, fault in session.put_go_all(environment, [name]):
        assert told == name
        if fault:
            raise fault


def test_only_so_many_files_are_open_there_as_the_channel_allows(channel: Channel, server: Server) -> None:
    files = [(f"FI.FLAD.104217.20251103.P{number:04}.R.1.1", lambda: b"x" * 99) for number in range(1, 40)]
    for at_once in (1, 3):
        channel.files_at_once, server.most_open = at_once, 0
        with sftp.connect(channel) as session:
            assert len([name for name, fault in session.put_all("R", files) if not fault]) == len(files)
        assert server.most_open == at_once


# --- whom it trusts -------------------------------------------------------------------------------


def test_another_host_key_is_refused_before_any_log_in(
    channel: Channel, server: Server, ssh_pair: asyncssh.SSHKey
) -> None:
    channel.host_key = ssh_pair.export_public_key().decode()
    with pytest.raises(HostKeyChanged) as refusal, sftp.connect(channel):
        pytest.fail("connected to a stranger")
    assert refusal.value.permanent
    assert not refusal.value.ambiguous
    assert server.host_key.get_fingerprint() in str(refusal.value)


def test_a_host_key_of_another_type_is_refused(channel: Channel, rsa_pair: asyncssh.SSHKey) -> None:
    channel.host_key = rsa_pair.export_public_key().decode()
    with pytest.raises(HostKeyChanged), sftp.connect(channel):
        pytest.fail("connected to a stranger")


def test_two_keys_may_be_pinned_while_one_is_renewed(
    channel: Channel, server: Server, rsa_pair: asyncssh.SSHKey
) -> None:
    channel.host_key = f"{rsa_pair.export_public_key().decode()}\n\n{server.host_key_line} renewed\n"
    with sftp.connect(channel) as session:
        assert session.listing_in("R") == set()


@pytest.mark.parametrize(
    "line",
    [
        "",
        " \n",
        "ssh-ed25519",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 AAAA",
        "-----BEGIN PUBLIC KEY-----",
        # A true key under the name of another type.
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJv7bkqjqzGRAaGzKsmwqAlhZ0hVIg3xNPRzlv3ANyiF",
    ],
)
def test_what_is_no_key_pins_nothing_and_nobody_is_trusted(
    line: str, channel: Channel, server: Server
) -> None:
    channel.host_key = line
    with pytest.raises(BadHostKey) as refusal, sftp.connect(channel):
        pytest.fail("connected without a pinned key")
    assert refusal.value.permanent
    assert server.connections_ever == 0


def test_a_refused_log_in_says_whose(channel: Channel, server: Server) -> None:
    server.faults.refuses_everybody = True
    with pytest.raises(LogInRefused) as refusal, sftp.connect(channel):
        pytest.fail("logged in")
    assert refusal.value.permanent
    assert channel.username in str(refusal.value)


def test_nobody_listens(channel: Channel) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        channel.port = reserved.getsockname()[1]
        with pytest.raises(ConnectionLost) as failure, sftp.connect(channel):
            pytest.fail("connected to nobody")
    assert not failure.value.permanent


def test_something_else_listens(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        channel.port = mute.getsockname()[1]
        with pytest.raises(ConnectionLost), sftp.connect(channel):
            pytest.fail("connected to a mute")


def test_a_channel_without_key(make_channel: Callable[..., Channel], server: Server) -> None:
    bare = make_channel(port=server.port, host_key=server.host_key_line)
    with pytest.raises(vault.MissingKey), sftp.connect(bare):
        pytest.fail("logged in without a key")


def test_small_requests_do_not_wait_for_each_other(channel: Channel) -> None:
    with sftp.connect(channel) as session:
        raw = session._transport.sock
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_connection_ends_with_the_block(channel: Channel) -> None:
    with pytest.raises(RuntimeError, match="inside"), sftp.connect(channel) as session:
        raise RuntimeError("inside")
    assert not session._transport.is_active()


# --- the legacy algorithm -------------------------------------------------------------------------


@pytest.fixture
def rsa_channel(
    make_channel: Callable[..., Channel], tenant: UUID, rsa_pair: asyncssh.SSHKey
) -> Callable[[Server, bool], Channel]:
    def make(server: Server, allows_ssh_rsa: bool) -> Channel:
        made = make_channel(port=server.port, host_key=server.host_key_line, allows_ssh_rsa=allows_ssh_rsa)
        with tenancy.scope(tenant):
            vault.store_ssh_key(made, rsa_pair.export_private_key("pkcs8-pem"))
        return made

    return make


@pytest.fixture
def legacy_server(tmp_path: Path, rsa_pair: asyncssh.SSHKey) -> Iterator[Server]:
    """Takes SHA-1 signatures of users and nothing else, as the live server was seen to do."""
    public = rsa_pair.export_public_key().decode()
    with Server(tmp_path / "legacy", public, signature_algs=("ssh-rsa",)) as running:
        yield running


def test_legacy_signatures_only_where_the_channel_allows_them(
    legacy_server: Server, rsa_channel: Callable[[Server, bool], Channel]
) -> None:
    cautious = rsa_channel(legacy_server, False)
    with pytest.raises(LogInRefused), sftp.connect(cautious):
        pytest.fail("logged in with SHA-1")
    cautious.allows_ssh_rsa = True
    with sftp.connect(cautious) as session:
        assert session.listing_in("R") == set()
        assert session._transport._agreed_pubkey_algorithm == "ssh-rsa"


def test_a_modern_server_gets_sha2_even_where_legacy_is_allowed(
    tmp_path: Path, rsa_pair: asyncssh.SSHKey, rsa_channel: Callable[[Server, bool], Channel]
) -> None:
    with Server(tmp_path / "modern", rsa_pair.export_public_key().decode()) as modern:
        with sftp.connect(rsa_channel(modern, True)) as session:
            assert session._transport._agreed_pubkey_algorithm == "rsa-sha2-512"
        assert modern.connections_ever == 1


def test_an_rsa_host_key_proves_itself_with_sha2(
    tmp_path: Path, rsa_pair: asyncssh.SSHKey, rsa_channel: Callable[[Server, bool], Channel]
) -> None:
    public = rsa_pair.export_public_key().decode()
    with (
        Server(tmp_path / "rsa", public, host_key=rsa_pair) as running,
        sftp.connect(rsa_channel(running, False)) as session,
    ):
        assert session._transport.host_key_type in ("rsa-sha2-512", "rsa-sha2-256")


# --- putting --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 32_768, 32_769, 5_000_000])
def test_bytes_arrive_as_they_are(size: int, channel: Channel, server: Server) -> None:
    content = bytes(range(256)) * (size // 256) + b"\r\n\x00\xff"[: size % 256]
    with sftp.connect(channel) as session:
        put(session, "R", FI, content)
        assert (server.root / "IN" / FI).read_bytes() == content
        put(session, "R", FI, b"shorter"[: len(content)])
    assert (server.root / "IN" / FI).read_bytes() == b"shorter"[: len(content)]


@pytest.mark.parametrize("size", [5_000, 200_000])
def test_a_disk_that_lies_is_caught_by_the_size(size: int, channel: Channel, server: Server) -> None:
    server.faults.short_after = 4_000
    with sftp.connect(channel) as session, pytest.raises(ShortFile) as short:
        put(session, "R", FI, b"x" * size)
    assert (short.value.permanent, short.value.ambiguous) == (False, False)
    assert "4000" in str(short.value)
    assert str(size) in str(short.value)


@pytest.mark.parametrize("size", [5_000, 8_000_000])
def test_a_full_disk_that_says_so(size: int, channel: Channel, server: Server) -> None:
    server.faults.is_disk_full = True
    with sftp.connect(channel) as session, pytest.raises((ShortFile, Refused)) as full:
        put(session, "R", FI, b"x" * size)
    assert (full.value.permanent, full.value.ambiguous) == (False, False)


def test_go_is_empty_and_never_looked_at(channel: Channel, server: Server) -> None:
    server.cut("stat", "GO.")
    with sftp.connect(channel) as session:
        put_go(session, "R", GO)
    assert server.go_puts == [GO]
    assert len(server.faults.cuts) == 1


def test_a_go_without_an_answer_is_not_told(channel: Channel, server: Server) -> None:
    server.cut("open", "GO.")
    with sftp.connect(channel) as session, pytest.raises(ConnectionLost):
        put_go(session, "R", GO)


def test_a_go_that_is_refused_is_ambiguous(channel: Channel, server: Server) -> None:
    (server.root / "IN").rmdir()
    with sftp.connect(channel) as session, pytest.raises(GoUncertain) as doubt:
        put_go(session, "R", GO)
    assert doubt.value.ambiguous
    assert GO in str(doubt.value)


def test_everything_goes_into_the_directories_of_the_channel(channel: Channel, server: Server) -> None:
    channel.directories = {**channel.directories, "R": ["EIGEN", "UIT"]}
    with sftp.connect(channel) as session:
        with pytest.raises(MissingDirectory, match="EIGEN"):
            put(session, "R", FI, b"x")
        (server.root / "EIGEN").mkdir()
        put(session, "R", FI, b"x")
        assert (server.root / "EIGEN" / FI).read_bytes() == b"x"
        assert session.listing_in("R") == {FI}
        put_go(session, "R", GO)
        assert server.go_puts == [GO]


def test_a_missing_directory(channel: Channel, server: Server) -> None:
    (server.root / "IN").rmdir()
    (server.root / "OUT").rmdir()
    with sftp.connect(channel) as session:
        for act in (lambda: put(session, "R", FI, b"x"), lambda: session.listing_in("R")):
            with pytest.raises(MissingDirectory) as missing:
                act()
            assert missing.value.permanent
            assert "IN" in str(missing.value)
        with pytest.raises(MissingDirectory):
            session.listing_out("R")


# --- names and places -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../IN/x", "IN/" + FI, FI + "/..", "", "x", FI.lower(), FI + "\n", FI + "\x00"],
)
def test_what_is_no_name_never_becomes_a_path(name: str, channel: Channel, server: Server) -> None:
    with sftp.connect(channel) as session:
        for act in (
            lambda: put(session, "R", name, b"x"),
            lambda: put_go(session, "R", name),
            lambda: session.read("R", name, 100),
            lambda: session.delete("R", name),
        ):
            with pytest.raises(BadFileName):
                act()
    assert server.puts == []


@pytest.mark.parametrize(
    ("environment", "name"),
    [("T", FI), ("S", FI), ("R", GO), ("R", FO), ("R", FI.replace(".R.", ".T."))],
)
def test_a_file_goes_only_where_it_belongs(
    environment: str, name: str, channel: Channel, server: Server
) -> None:
    with sftp.connect(channel) as session, pytest.raises(ValueError, match="does not belong"):
        put(session, environment, name, b"x")
    assert server.puts == []


def test_only_a_go_is_put_as_go(channel: Channel, server: Server) -> None:
    with sftp.connect(channel) as session, pytest.raises(ValueError, match="does not belong"):
        put_go(session, "R", FI)
    assert server.puts == []


@pytest.mark.parametrize("environment", ["X", "", "IN"])
def test_an_environment_is_one_of_three(environment: str, channel: Channel) -> None:
    with sftp.connect(channel) as session, pytest.raises(ValueError, match="not a valid Environment"):
        session.listing_out(environment)


# --- listing, reading, deleting -------------------------------------------------------------------


def test_listing(channel: Channel, server: Server) -> None:
    for number in range(500):
        (server.root / "INTEST" / f"file {number}").write_bytes(b"")
    server.answer(FO, b"x")
    with sftp.connect(channel) as session:
        assert session.listing_in("T") == {f"file {number}" for number in range(500)}
        assert session.listing_in("R") == set()
        assert set(session.listing_out("R")) == server.names("OUT")
        assert session.listing_out("S") == {}


def test_a_directory_that_cannot_be_listed_is_none(channel: Channel, server: Server) -> None:
    server.faults.is_in_listable = False
    with sftp.connect(channel) as session:
        assert session.listing_in("R") is None
        assert session.listing_out("R") == {}


def test_a_channel_that_must_not_list_does_not_try(channel: Channel, server: Server) -> None:
    channel.can_list_in = False
    server.cut("list", "IN")
    with sftp.connect(channel) as session:
        assert session.listing_in("R") is None
    assert len(server.faults.cuts) == 1


def test_a_listing_that_breaks_off_is_no_short_listing(channel: Channel, server: Server) -> None:
    for number in range(500):
        (server.root / "IN" / f"file {number}").write_bytes(b"")
    server.cut("list", "IN")
    with sftp.connect(channel) as session, pytest.raises(ConnectionLost):
        session.listing_in("R")


@pytest.mark.parametrize("size", [0, 1, 32_768, 32_769, 3_000_001])
def test_reading(size: int, channel: Channel, server: Server) -> None:
    content = (b"0123456789abcde\n" * (size // 16 + 1))[:size]
    server.answer(FO, content)
    with sftp.connect(channel) as session:
        assert session.read("R", FO, size) == content
        if size:
            with pytest.raises(TooLarge) as large:
                session.read("R", FO, size - 1)
            assert large.value.permanent
            assert session.read("R", FO, size) == content


def test_what_is_gone(channel: Channel) -> None:
    with sftp.connect(channel) as session:
        with pytest.raises(NotThere, match="no longer"):
            session.read("R", FO, 100)
        session.delete("R", FO)


def test_deleting(channel: Channel, server: Server) -> None:
    server.answer(FO, b"x")
    with sftp.connect(channel) as session:
        session.delete("R", FO)
        assert FO not in server.names("OUT")
        server.faults.keeps_answers = True
        with pytest.raises(Refused) as refusal:
            session.delete("R", GO.replace("FLAD.104217", "ACRF.999999"))
        assert not refusal.value.ambiguous


@pytest.mark.parametrize(
    ("operation", "act"),
    [
        ("write", lambda session: put(session, "R", FI, b"x")),
        ("stat", lambda session: put(session, "R", FI, b"x")),
        ("open", lambda session: session.read("R", FO, 10)),
        ("remove", lambda session: session.delete("R", FO)),
        ("list", lambda session: session.listing_out("R")),
    ],
)
def test_a_lost_connection_is_called_so_and_stays_lost(
    operation: str, act: Callable[[sftp.Session], object], channel: Channel, server: Server
) -> None:
    server.answer(FO, b"x")
    server.cut(operation)
    with sftp.connect(channel) as session:
        for _again in range(2):
            with pytest.raises(ConnectionLost) as lost:
                act(session)
            assert (lost.value.permanent, lost.value.ambiguous) == (False, False)
    assert server.faults.cuts == []


def test_what_the_server_says_cannot_fill_a_page(channel: Channel) -> None:
    error = Refused({"name": FI, "detail": sftp.shown("\x1b[31m" + "é" * 1000)})
    assert isinstance(error, TransportError)
    assert len(str(error)) < 400
    assert str(error).isprintable()
