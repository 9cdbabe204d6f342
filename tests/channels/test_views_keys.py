"""The pages of the keys: given, taken over, removed; nothing of a private half ever comes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from lxml import html

from channels import vault
from channels.models import Channel, Credential
from channels.reserving import today
from channels.signing import load_certificate, new_self_signed
from portal.models import Event
from tests import factories
from tests.channels.certificates import der
from tests.channels.test_views_setup import text
from tests.people import Person

pytestmark = pytest.mark.django_db

SSH, SIGNING, REQUEST, _REST = Credential.Kind


@pytest.fixture
def channel(operator: Person) -> Channel:
    """A channel without keys."""
    with operator.scope():
        return factories.channel(has_keys=False)


def file(content: bytes, name: str = "key.pem") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def kept(operator: Person, kind: str) -> list[Credential]:
    with operator.scope():
        return list(Credential.objects.filter(kind=kind).order_by("usable_from", "pk"))


def faults(answer: Any) -> str:
    assert answer.status_code == 422
    return " ".join(
        html.fromstring(answer.content).xpath("//*[contains(@class, 'error-summary')]")[0].itertext()
    )


# --- SSH keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "public"), [("ed25519", "ssh-ed25519"), ("rsa-3072", "ssh-rsa")])
def test_a_key_is_made_here(channel: Channel, operator: Person, kind: str, public: str) -> None:
    answer = operator.client.post("/channel/keys/ssh/", {"way": "generate", "kind": kind}, follow=True)
    (made,) = kept(operator, SSH)
    assert made.public.split()[0] == public
    assert made.fingerprint in text(answer)
    assert "PRIVATE" not in answer.content.decode()


def test_a_key_is_uploaded_with_its_passphrase(channel: Channel, operator: Person, ssh_pair: Any) -> None:
    locked = ssh_pair.export_private_key("openssh", passphrase="mot de passe")
    sent = {"way": "upload", "passphrase": "mauvais"}
    wrong = operator.client.post("/channel/keys/ssh/", {**sent, "file": file(locked)})
    assert "passphrase" in faults(wrong)
    assert "mauvais" not in wrong.content.decode()
    assert kept(operator, SSH) == []
    sent["passphrase"] = "mot de passe"
    assert operator.client.post("/channel/keys/ssh/", {**sent, "file": file(locked)}).status_code == 302
    assert [row.fingerprint for row in kept(operator, SSH)] == [ssh_pair.get_fingerprint()]
    again = operator.client.post("/channel/keys/ssh/", {**sent, "file": file(locked)})
    assert "has this key already" in faults(again)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "not empty"), (b"", "not empty"), (b"x" * 100_001, "too large"), (b"x", "cannot be opened")],
)
def test_what_is_no_key_is_refused_at_its_field(
    channel: Channel, operator: Person, content: bytes | None, words: str
) -> None:
    sent: dict[str, Any] = {"way": "upload"} | ({"file": file(content)} if content is not None else {})
    assert words in faults(operator.client.post("/channel/keys/ssh/", sent))


def test_the_next_key_takes_over_on_a_day_to_come(channel: Channel, operator: Person) -> None:
    operator.client.post("/channel/keys/ssh/", {"way": "generate", "kind": "ed25519"})
    sent = {"way": "generate", "kind": "ed25519"}
    for day in (today(), today() - timedelta(days=1)):
        wrong = operator.client.post("/channel/keys/ssh/", {**sent, "takes_over_on": day.isoformat()})
        assert "after today" in faults(wrong)
    day = today() + timedelta(days=10)
    answer = operator.client.post(
        "/channel/keys/ssh/", {**sent, "takes_over_on": day.isoformat()}, follow=True
    )
    current, following = kept(operator, SSH)
    assert timezone.localtime(following.usable_from).isoformat()[:16] == f"{day.isoformat()}T00:00"
    assert "Next" in text(answer)
    with operator.scope():
        assert vault.in_use(channel, SSH) == current


def test_every_label_names_one_field(channel: Channel, operator: Person) -> None:
    """Several forms of one page have fields of the same name."""
    operator.client.post("/channel/keys/ssh/", {"way": "generate", "kind": "ed25519"})
    both = file(b"".join(factories.signing_pair()))
    operator.client.post("/channel/keys/certificate/", {"way": "upload", "file": both})
    operator.client.post("/channel/keys/certificate/", {"way": "request", "name": "Sceau"})
    for address in ("/channel/keys/", "/channel/keys/ssh/", "/channel/keys/certificate/"):
        tree = html.fromstring(operator.client.get(address).content)
        ids = tree.xpath("//main//@id")
        assert len(ids) == len(set(ids)), address
        assert set(tree.xpath("//main//label/@for")) <= set(ids)


# --- certificates -----------------------------------------------------------------------------------


def test_a_certificate_comes_from_a_request_or_from_a_file(channel: Channel, operator: Person) -> None:
    operator.client.post("/channel/keys/certificate/", {"way": "request", "name": "Sceau"})
    (request,) = kept(operator, REQUEST)
    download = operator.client.get(f"/channel/keys/{request.pk}/file/")
    assert x509.load_pem_x509_csr(download.content).is_signature_valid
    assert download["Content-Disposition"].endswith('.csr"')
    stranger = file(factories.signing_pair()[1], "a.cer")
    wrong = operator.client.post("/channel/keys/certificate/", {"way": "answer", "file": stranger})
    assert "another private key" in faults(wrong)
    again = operator.client.post("/channel/keys/certificate/", {"way": "request", "name": "Sceau"})
    assert "waiting" in faults(again)
    both = file(b"".join(factories.signing_pair()))
    done = operator.client.post("/channel/keys/certificate/", {"way": "upload", "file": both}, follow=True)
    assert "Canal d'essai" in text(done)
    (stored,) = kept(operator, SIGNING)
    public = operator.client.get(f"/channel/keys/{stored.pk}/file/")
    assert public.content == der(load_certificate(factories.signing_pair()[1]))


def test_a_key_and_its_certificate_in_two_files(channel: Channel, operator: Person) -> None:
    private, certificate = factories.signing_pair()
    sent: dict[str, Any] = {"way": "upload", "file": file(private)}
    alone = operator.client.post("/channel/keys/certificate/", sent)
    assert "no certificate in this file" in faults(alone)
    sent = {"way": "upload", "file": file(private), "certificate": file(certificate, "a.cer")}
    assert operator.client.post("/channel/keys/certificate/", sent).status_code == 302
    assert len(kept(operator, SIGNING)) == 1


def test_each_criterion_that_fails_has_its_sentence_and_nothing_is_kept(
    channel: Channel, operator: Person
) -> None:
    private, _certificate = factories.signing_pair()
    _key, expired = new_self_signed("Passé", days=1, now=timezone.now() - timedelta(days=9))
    sent = {"way": "upload", "file": file(private), "certificate": file(expired, "a.cer")}
    found = faults(operator.client.post("/channel/keys/certificate/", sent))
    assert "has expired" in found
    assert "another private key" in found
    assert kept(operator, SIGNING) == []


# --- taking over and removing -----------------------------------------------------------------------


def test_a_key_is_switched_to_now_or_on_a_day(channel: Channel, operator: Person) -> None:
    for _ in range(2):
        operator.client.post("/channel/keys/ssh/", {"way": "generate", "kind": "ed25519"})
    earlier, current = kept(operator, SSH)
    address = f"/channel/keys/{earlier.pk}/switch/"
    assert operator.client.get(address).status_code == 405
    operator.client.post(address, {"takes_over_on": today().isoformat()})
    operator.client.post(address, {"takes_over_on": (today() + timedelta(days=3)).isoformat()})
    with operator.scope():
        assert vault.in_use(channel, SSH) == current
    operator.client.post(address)
    with operator.scope():
        assert vault.in_use(channel, SSH) == earlier
        assert Event.objects.filter(verb="credential.switched").count() == 2


def test_removing_asks_first(channel: Channel, operator: Person) -> None:
    for _ in range(2):
        operator.client.post("/channel/keys/ssh/", {"way": "generate", "kind": "ed25519"})
    earlier, current = kept(operator, SSH)
    assert "without it nothing is sent" in text(operator.client.get(f"/channel/keys/{current.pk}/remove/"))
    refused = operator.client.post(f"/channel/keys/{current.pk}/remove/", follow=True)
    assert "Let another one take over first" in text(refused)
    assert "without it" not in text(operator.client.get(f"/channel/keys/{earlier.pk}/remove/"))
    operator.client.post(f"/channel/keys/{earlier.pk}/remove/")
    assert kept(operator, SSH) == [current]


@pytest.mark.parametrize("left", [200, 45, 5, -1])
def test_the_pages_say_how_long_the_certificate_lasts(operator: Person, left: int) -> None:
    with operator.scope():
        channel = factories.channel()
        factories.ready(1)
        ends = timezone.now() + timedelta(days=left, hours=1)
        Credential.objects.filter(channel=channel, kind=SIGNING).update(expires_at=ends)
    pages = {name: text(operator.client.get(name)) for name in ("/channel/setup/", "/channel/keys/", "/")}
    for name, shown in pages.items():
        assert ("to be renewed" in shown or "signing certificate ends in" in shown) == (0 <= left <= 60), name
        assert ("certificate has expired" in shown or "certificate expired on" in shown) == (left < 0), name


def test_keys_are_nobody_elses(channel: Channel, operator: Person, stranger: Person) -> None:
    operator.client.post("/channel/keys/ssh/", {"way": "generate", "kind": "ed25519"})
    (key,) = kept(operator, SSH)
    with stranger.scope():
        factories.channel()
    for action in ("file", "switch", "remove"):
        for ask in (stranger.client.get, stranger.client.post):
            assert ask(f"/channel/keys/{key.pk}/{action}/").status_code in (404, 405)
    assert kept(operator, SSH) == [key]
