"""Private keys and passphrases that went through the pages, looked for everywhere else, in every form they may take."""

from __future__ import annotations

import base64
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery.signals import before_task_publish
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import got_request_exception
from django.db import connection
from django.views.debug import ExceptionReporter

from channels import generating, vault
from channels.models import Channel, Credential
from portal import audit, secrecy
from submissions import tasks
from tests import factories
from tests.channels.certificates import certificate, key, private_pem
from tests.people import Person

pytestmark = pytest.mark.django_db

PASSPHRASE = "phrase-secrète-42-xyzzy"
WRONG = "phrase-fausse-43-plugh"


class Secrets:
    """What must show nowhere: each private half in its forms, and the passphrases."""

    def __init__(self) -> None:
        self.forms: dict[str, bytes] = {}

    def add_word(self, name: str, word: str) -> None:
        raw = word.encode()
        self.forms |= {
            f"{name}": raw,
            f"{name}, base64": base64.b64encode(raw),
            f"{name}, hex": raw.hex().encode(),
            f"{name}, escaped": word.encode("unicode_escape"),
        }

    def add_key(self, name: str, private: PrivateKeyTypes) -> None:
        forms = serialization.PrivateFormat
        plain = serialization.NoEncryption()
        kinds = [("PKCS8", forms.PKCS8)]
        if not name.startswith("ed25519"):
            kinds.append(("PKCS1", forms.TraditionalOpenSSL))
        for kind, form in kinds:
            der = private.private_bytes(serialization.Encoding.DER, form, plain)
            self._add(f"{name} {kind}", der)
        openssh = private.private_bytes(serialization.Encoding.PEM, forms.OpenSSH, plain)
        body = b"".join(openssh.split(b"\n")[1:-2])
        # The random check number in front differs each time; the private half lies in the second part.
        self._add(f"{name} OpenSSH", base64.b64decode(body)[-100:])
        if name.startswith("ed25519"):
            raw = private.private_bytes(serialization.Encoding.Raw, forms.Raw, plain)
            self._add(f"{name} raw", raw)

    def _add(self, name: str, der: bytes) -> None:
        # The end of an encoding is the private half; 40 bytes of it are found whatever stands before them.
        tail = der[-60:-12] if len(der) > 80 else der
        self.forms |= {
            f"{name}, DER": tail,
            f"{name}, hex": tail.hex().encode(),
            # Base64 of any alignment: the middle of it.
            **{f"{name}, base64 {skip}": base64.b64encode(tail[skip:])[:40] for skip in range(3)},
        }

    def shown_in(self, text: bytes) -> list[str]:
        joined = text.replace(b"\\n", b"").replace(b"\n", b"").replace(b"\r", b"")
        lower = joined.lower()
        return [
            name
            for name, form in self.forms.items()
            if form in text or form in joined or (name.endswith("hex") and form in lower)
        ]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """Learns every key that is made here, and knows those that are uploaded."""
    known = Secrets()
    known.add_word("passphrase", PASSPHRASE)
    known.add_word("wrong passphrase", WRONG)
    known.add_key("uploaded rsa", key("rsa2048"))
    for maker in ("new_ssh_key", "new_signing_key"):
        make: Callable[..., Any] = getattr(generating, maker)

        def noting(*arguments: Any, make: Callable[..., Any] = make, maker: str = maker) -> Any:
            made = make(*arguments)
            name = "ed25519" if made.__class__.__name__.startswith("Ed25519") else "rsa"
            known.add_key(f"{name} of {maker}", made)
            return made

        monkeypatch.setattr(generating, maker, noting)
    return known


@pytest.fixture
def published() -> Iterator[list[str]]:
    """The arguments of every task that was enqueued."""
    told: list[str] = []

    def note(body: object = None, headers: object = None, **_more: object) -> None:
        told.append(f"{body!r} {headers!r}")

    before_task_publish.connect(note)
    yield told
    before_task_publish.disconnect(note)


def bundle() -> bytes:
    lock = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    return pkcs12.serialize_key_and_certificates(b"x", key("rsa2048"), living(), None, lock)


def living() -> Any:
    now = datetime.now(tz=UTC)
    return certificate("rsa2048", starts=now - timedelta(days=1), ends=now + timedelta(days=90))


def go_through_the_pages(person: Person) -> list[bytes]:
    """Every way in which a secret comes in, rightly and wrongly. Returns all that was answered."""
    client = person.client

    def sent(address: str, content: bytes = b"", **fields: str) -> bytes:
        files = {"file": SimpleUploadedFile("secret.p12", content)} if content else {}
        answer = client.post(address, {**fields, **files})
        return answer.content + str(answer.headers).encode()

    ssh, signing = "/channel/keys/ssh/", "/channel/keys/certificate/"
    locked = private_pem(key("rsa2048"), PASSPHRASE.encode())
    answers = [
        sent(ssh, way="generate", kind="ed25519"),
        sent(ssh, bundle(), way="upload", passphrase=WRONG),
        sent(ssh, locked, way="upload", passphrase=PASSPHRASE),
        sent(ssh, private_pem(key("rsa2048")), way="upload", passphrase=PASSPHRASE),
        sent(signing, way="request", name="Sceau"),
        sent(signing, private_pem(key("rsa2048")), way="answer"),
        sent(signing, locked, way="upload", passphrase=PASSPHRASE),
        sent(signing, bundle(), way="upload", passphrase=WRONG),
        sent(signing, bundle(), way="upload", passphrase=PASSPHRASE),
    ]
    for address in (
        "/channel/",
        "/channel/setup/",
        "/channel/keys/",
        "/channel/chaman/",
        "/journal/",
        signing,
    ):
        answers.append(client.get(address).content)
    with person.scope():
        ids = list(Credential.objects.values_list("pk", flat=True))
    answers += [client.get(f"/channel/keys/{pk}/file/").content for pk in ids]
    answers.append(b"".join(client.post("/journal/export/")))
    return answers


def dump(person: Person) -> bytes:
    """Every row of every table, as text."""
    rows: list[str] = []
    with person.scope(), connection.cursor() as cursor:
        for model in apps.get_models():
            cursor.execute(f"SELECT t::text FROM {model._meta.db_table} t")
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows).encode()


def test_the_search_would_find_them(secrets: Secrets, operator: Person) -> None:
    """So that the tests after this one say something."""
    plain = private_pem(key("rsa2048"))
    der = key("rsa2048").private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for text in (plain, repr(plain).encode(), der, base64.b64encode(der), der.hex().upper().encode()):
        assert secrets.shown_in(b"something " + text + b" more")
    assert secrets.shown_in(repr(PASSPHRASE).encode())
    with operator.scope():
        channel = factories.channel(has_keys=False)
        vault.store_ssh_key(channel, plain)
        row = Credential.objects.get()
        Credential.objects.filter(pk=row.pk).update(public=plain.decode(), sealed=der)
    assert len(secrets.shown_in(dump(operator))) >= 2


def test_secrets_show_in_no_page_log_task_or_table(
    secrets: Secrets, published: list[str], operator: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with operator.scope():
        factories.channel(has_keys=False)
    answers = go_through_the_pages(operator)
    with operator.scope():
        channel = Channel.objects.get()
        # Of a REST account the public half alone is kept.
        kinds = set(Credential.Kind) - {Credential.Kind.REST}
        assert set(channel.credentials.values_list("kind", flat=True)) == kinds
        assert vault.ssh_key(channel).can_sign()
        assert vault.signer(channel).sign(b"x")
        audit.record("channel.departure_asked", channel)
        tasks.depart.delay(str(operator.mandataire.pk), channel.pk)
    places = {
        "pages": b"".join(answers),
        "log": caplog.text.encode() + repr([record.__dict__ for record in caplog.records]).encode(),
        "tasks": repr(published).encode(),
        "tables": dump(operator),
    }
    assert published
    assert len(secrets.forms) > 25
    assert {place: found for place, text in places.items() if (found := secrets.shown_in(text))} == {}


@pytest.mark.parametrize("broken", ["seal", "unseal"])
def test_secrets_show_in_no_error_report(
    secrets: Secrets, operator: Person, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """A fault of our own, in the middle of everything that handles a secret: what would be mailed or logged of it."""
    with operator.scope():
        factories.channel(has_keys=False)
    reports: list[str] = []

    def report(request: Any = None, **_more: object) -> None:
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.append(reporter.get_traceback_html() + reporter.get_traceback_text())

    def breaks(*_arguments: object, **_more: object) -> bytes:
        raise RuntimeError("the vault is on fire")

    got_request_exception.connect(report)
    operator.client.raise_request_exception = False
    operator.client.post("/channel/keys/certificate/", {"way": "request", "name": "Sceau"})
    monkeypatch.setattr(secrecy, broken, breaks)
    try:
        go_through_the_pages(operator)
    finally:
        got_request_exception.disconnect(report)
    assert len(reports) >= (4 if broken == "seal" else 1)
    assert all("the vault is on fire" in text for text in reports)
    assert secrets.shown_in("".join(reports).encode()) == []
