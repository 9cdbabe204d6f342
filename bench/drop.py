"""`make bench NAME=drop N=400`: N files leave over one connection, 20 ms away from the server.

The server stands behind a proxy on the loopback that holds every byte back for 10 ms each way. *One after the other* is
the same code, also over one connection, with one file in flight. The limit puts the same bytes under the same names
with as many requests in flight over one session as a client can keep: no states, no commits, no sizes compared.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncssh

from bench.ground import start
from portal.servers import provided

ONE_WAY = 0.010
"""Seconds."""

FILES_OF_A_SET = 3  # FI, FS, GO
FORMS = 40
_FORM = b"<Form>" + b"x" * 1_500 + b"</Form>"


def main() -> None:
    """Measures all three in one run, each on sets of its own, and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=400)
    sets = max(1, parser.parse_args().n // FILES_OF_A_SET)
    with provided():
        start()
        from tests.scratch import scratch_database

        with (
            scratch_database("bench_drop"),
            tempfile.TemporaryDirectory() as folder,
            _far_away(Path(folder)) as far,
        ):
            mandataire, channel = _settle(far)
            waiting = [_seal(mandataire, channel, sets) for _ in range(3)]
            limit = _timed(lambda: _straight(far, mandataire, waiting[0]))
            with _one_at_a_time():
                one_by_one = _timed(lambda: _drop(mandataire, waiting[1]))
            ours = _timed(lambda: _drop(mandataire, waiting[2]))
            arrived = len(list(far.root.glob("taken/GO.*")))
            if arrived != 3 * sets:
                sys.exit(f"{arrived} of {3 * sets} sets arrived")
    files = sets * FILES_OF_A_SET
    sys.stdout.write(
        f"{files} files, {1000 * 2 * ONE_WAY:.0f} ms there and back: one file after the other {one_by_one:.2f} s, "
        f"together {ours:.2f} s, {one_by_one / ours:.1f} times faster\n"
    )
    sys.stdout.write(f"drop: ours {ours:.2f} s, limit {limit:.2f} s, ratio {ours / limit:.2f}\n")


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


# --- the other side ---------------------------------------------------------------------------------


class _Far:
    """An SFTP account on this machine, and the port at which it is a continent away."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.port = 0

    async def open(self) -> None:
        for directory in ("IN", "OUT", "taken"):
            (self.root / directory).mkdir()
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Door(self.key),
            sftp_factory=lambda channel: _Account(channel, self.root),
            server_host_keys=[self.host_key],
        )
        near = server.get_port()
        proxy = await asyncio.start_server(lambda r, w: _delay(r, w, near), "127.0.0.1", 0)
        self.port = proxy.sockets[0].getsockname()[1]


class _Door(asyncssh.SSHServer):
    def __init__(self, key: asyncssh.SSHKey) -> None:
        self._key = key

    def public_key_auth_supported(self) -> bool:
        return True

    def begin_auth(self, username: str) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key.public_data == self._key.public_data


class _Account(asyncssh.SFTPServer):
    """Takes a set away as soon as its GO is there, as social security may."""

    def __init__(self, channel: Any, root: Path) -> None:
        super().__init__(channel, chroot=bytes(root))
        self._root = root
        self._gos: dict[int, str] = {}

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        file = super().open(path, pflags, attrs)
        name = path.decode().rpartition("/")[2]
        if name.startswith("GO."):
            self._gos[id(file)] = name
        return file

    def close(self, file_obj: object) -> None:
        name = self._gos.pop(id(file_obj), "")
        super().close(file_obj)
        if name:
            stem = name.removeprefix("GO.").rpartition(".")[0]
            for taken in (f"FI.{stem}.1.1", f"FS.{stem}.1.1", name):
                (self._root / "IN" / taken).rename(self._root / "taken" / taken)


async def _delay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, near: int) -> None:
    there, back = await asyncio.open_connection("127.0.0.1", near)
    await asyncio.gather(_hold_back(reader, back), _hold_back(there, writer))


async def _hold_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes every byte on `ONE_WAY` after it came: the bandwidth stays, the latency grows."""
    loop = asyncio.get_running_loop()
    while piece := await reader.read(65_536):
        loop.call_later(ONE_WAY, writer.write, piece)
    loop.call_later(ONE_WAY, writer.close)


async def _end_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _far_away(folder: Path) -> Iterator[_Far]:
    far = _Far(folder)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(far.open(), loop).result()
    yield far
    asyncio.run_coroutine_threadsafe(_end_all(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


# --- what is measured -------------------------------------------------------------------------------


def _settle(far: _Far) -> tuple[UUID, int]:
    """A mandataire with a channel and its keys."""
    from channels import vault
    from channels.models import Channel
    from channels.signing import new_self_signed
    from portal import tenancy
    from portal.models import Mandataire

    mandataire = Mandataire.found(name="Mesure", number="0897223670", quality="service_provider").pk
    with tenancy.scope(mandataire):
        channel = Channel.objects.create(
            quality="service_provider",
            name="Mesure",
            sender_number="104217",
            username="mesure",
            host="127.0.0.1",
            port=far.port,
            host_key=far.host_key.export_public_key().decode().strip(),
            services=["FLA"],
            environment="R",
        )
        vault.store_ssh_key(channel, far.key.export_private_key())
        vault.store_signing_key(channel, *new_self_signed("Mesure", days=30))
        return mandataire, channel.pk


def _seal(mandataire: UUID, channel_id: int, sets: int) -> list[int]:
    """Seals sets of one part with `FORMS` forms; nothing of this is measured."""
    from channels import vault
    from channels.enveloping import EnvelopeWriter
    from channels.models import Channel
    from channels.reserving import reserve
    from portal import tenancy

    with tenancy.scope(mandataire):
        channel = Channel.objects.get(pk=channel_id)
        signer = vault.signer(channel)
        envelopes = []
        for _ in range(sets):
            writer = EnvelopeWriter.open(channel, reserve(channel, "FLAD", "R"), "FLA", signer)
            writer.add_part(b"<GenericXmlDocument>" + _FORM * FORMS + b"</GenericXmlDocument>", FORMS)
            envelopes.append(writer.close().pk)
        return envelopes


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    from channels import dropping, pipelining

    usual = dropping.TOGETHER, pipelining.OPEN_AT_ONCE
    dropping.TOGETHER = pipelining.OPEN_AT_ONCE = 1  # type: ignore[misc]
    yield
    dropping.TOGETHER, pipelining.OPEN_AT_ONCE = usual  # type: ignore[misc]


def _drop(mandataire: UUID, envelopes: list[int]) -> None:
    """Ours: one connection, every step of every set committed."""
    from channels.dropping import Outcome, drop_together

    dropped = drop_together(mandataire, envelopes)
    if any(result.outcome is not Outcome.CONFIRMED for result in dropped.values()):
        sys.exit(f"not everything left: {set(dropped.values())}")


def _straight(far: _Far, mandataire: UUID, envelopes: list[int]) -> None:
    """The limit: the same files, all requests of all of them in flight, GOs when the others are there."""
    from channels.models import EnvelopePart
    from portal import tenancy

    files: dict[str, bytes] = {}
    with tenancy.scope(mandataire):
        for part in (
            EnvelopePart.objects.filter(envelope__in=envelopes).select_related("envelope__name").iterator()
        ):
            name = part.envelope.name.as_set_name()
            files |= {name.fi(1, 1): part.fi, name.fs(1, 1): part.fs, name.go(1): b""}

    async def put() -> None:
        connecting = asyncssh.connect(
            "127.0.0.1", far.port, username="mesure", client_keys=[far.key], known_hosts=None, config=None
        )
        async with connecting as connection, connection.start_sftp_client() as client:

            async def put_one(name: str) -> None:
                async with client.open(f"IN/{name}", "wb") as file:
                    await file.write(files[name])

            await asyncio.gather(*(put_one(name) for name in files if not name.startswith("GO.")))
            await asyncio.gather(*(put_one(name) for name in files if name.startswith("GO.")))

    asyncio.run(put())


if __name__ == "__main__":
    main()
