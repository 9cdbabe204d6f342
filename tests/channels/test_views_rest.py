"""Certificates of REST accounts: every criterion is told, nothing is kept unasked, and never a private half."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from lxml import html

from channels import setting_up
from channels.models import Channel, Credential
from portal.models import Event
from tests import factories
from tests.channels.certificates import certificate, der, key, pem, private_pem
from tests.channels.test_views_setup import text
from tests.people import Person

pytestmark = pytest.mark.django_db

ENDS = timezone.now() + timedelta(days=200)
SECRET = "mot de passe"


@pytest.fixture
def channel(operator: Person) -> Channel:
    """A channel that was verified."""
    with operator.scope():
        made = factories.channel(has_keys=False)
        setting_up.note_verified(made)
        return made


def fit(kind: str = "rsa3072", **changes: Any) -> x509.Certificate:
    return certificate(kind, ends=changes.pop("ends", ENDS), name="Compte REST", **changes)


def p12(of: x509.Certificate, kind: str = "rsa3072", passphrase: str = SECRET) -> bytes:
    lock = serialization.BestAvailableEncryption(passphrase.encode())
    return pkcs12.serialize_key_and_certificates(b"rest", key(kind), of, [certificate("rsa2048")], lock)


def check(operator: Person, content: bytes, **fields: str) -> Any:
    return operator.client.post(
        "/channel/keys/rest/", {"file": SimpleUploadedFile("rest.cer", content), **fields}
    )


def verdicts(answer: Any) -> dict[str, str]:
    """Each criterion, with what is wrong and what to do; nothing where it is met."""
    found = {}
    for line in html.fromstring(answer.content).xpath("//ul[@class='checklist']/li"):
        sign = line.xpath(".//*[@class='visually-hidden']/text()")[0]
        fault = [" ".join(one.text_content().split()) for one in line.xpath(".//p[not(@class='check-note')]")]
        assert (sign == "met") is not bool(fault)
        found[line.xpath(".//h3/text()")[0]] = " ".join(fault)
    return found


def kept(operator: Person) -> list[Credential]:
    with operator.scope():
        return list(Credential.objects.filter(kind="rest").order_by("pk"))


@pytest.mark.parametrize("kind", ["rsa2048", "rsa3072", "p384", "p521"])
def test_a_fit_certificate_meets_every_criterion(channel: Channel, operator: Person, kind: str) -> None:
    answer = check(operator, der(fit(kind)))
    assert answer.status_code == 200
    assert verdicts(answer) == dict.fromkeys(
        [
            "Kind and length of the key",
            "Signature of the issuer",
            "Key usage",
            "Valid already",
            "Not expired",
        ],
        "",
    )
    assert "Compte REST · issued by Issuer" in text(answer)
    assert kept(operator) == []
    with operator.scope():
        assert not Event.objects.filter(verb__startswith="credential.").exists()


@pytest.mark.parametrize(
    ("made", "criterion", "words"),
    [
        (lambda: fit("p256"), "Kind and length of the key", "only P-384, P-521 are accepted"),
        (lambda: fit("ed25519"), "Kind and length of the key", "neither an RSA nor an EC key"),
        (lambda: fit(is_sha1=True), "Signature of the issuer", "SHA1"),
        (lambda: fit(uses=("content_commitment",)), "Key usage", "does not name digital signature"),
        (lambda: fit(uses=None), "Key usage", "for signing or authentication"),
        (lambda: fit(starts=ENDS - timedelta(days=1)), "Valid already", "not valid before"),
        (lambda: fit(ends=timezone.now() - timedelta(hours=1)), "Not expired", "Renew it"),
    ],
)
def test_each_criterion_that_fails_is_named_with_what_to_do(
    channel: Channel, operator: Person, made: Any, criterion: str, words: str
) -> None:
    unfit = made()
    answer = check(operator, pem(unfit))
    found = verdicts(answer)
    assert words in found.pop(criterion)
    assert set(found.values()) == {""}, "the others are met"
    assert "Keep it" not in text(answer)
    answer = operator.client.post(
        "/channel/keys/rest/keep/", {"certificate": pem(unfit).decode()}, follow=True
    )
    assert words in text(answer) or words in answer.content.decode()
    assert kept(operator) == []


def test_everything_that_fails_is_told_at_once(channel: Channel, operator: Person) -> None:
    answer = check(operator, pem(fit("p256", uses=("key_encipherment",), is_sha1=True)))
    assert "3 criteria are not met" in text(answer)


@pytest.mark.parametrize("form", ["pem", "pem with its locked key", "der", "pkcs12"])
def test_the_certificate_is_found_in_every_file_and_its_key_is_not_kept(
    channel: Channel, operator: Person, form: str
) -> None:
    made = fit()
    content = {
        "pem": pem(made),
        "pem with its locked key": private_pem(key("rsa3072"), b"unknown") + pem(made),
        "der": der(made),
        "pkcs12": p12(made),
    }[form]
    answer = check(operator, content, passphrase=SECRET)
    assert "Every criterion is met" in text(answer)
    (sent,) = html.fromstring(answer.content).xpath("//input[@name='certificate']/@value")
    assert "PRIVATE KEY" not in answer.content.decode()
    assert SECRET not in answer.content.decode()
    done = operator.client.post("/channel/keys/rest/keep/", {"certificate": sent}, follow=True)
    (row,) = kept(operator)
    assert (bytes(row.sealed), row.expires_at) == (b"", made.not_valid_after_utc)
    assert "Compte REST" in text(done)
    assert operator.client.get(f"/channel/keys/{row.pk}/file/").content == der(made)
    with operator.scope():
        assert Event.objects.get(verb="credential.stored").data["kind"] == "rest"
        assert Channel.objects.get().verified_at, "no verification tries it"


def test_a_private_half_is_not_kept_even_when_it_is_sent_along(channel: Channel, operator: Person) -> None:
    both = private_pem(key("rsa3072")) + pem(fit())
    operator.client.post("/channel/keys/rest/keep/", {"certificate": both.decode()})
    for row in kept(operator):
        assert "PRIVATE" not in row.public
        assert not row.sealed
    with (
        operator.scope(),
        pytest.raises(IntegrityError, match="no_private_half_of_rest"),
        transaction.atomic(),
    ):
        Credential.objects.create(channel=channel, kind="rest", sealed=b"x", public="", expires_at=ENDS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (private_pem(key("rsa2048")), "no certificate in this file"),
        (b"x", "cannot be opened"),
        (b"", "not empty"),
        (p12(fit(), passphrase="another"), "passphrase is missing or wrong"),
    ],
)
def test_a_file_without_a_certificate_says_so_at_its_field(
    channel: Channel, operator: Person, content: bytes, words: str
) -> None:
    answer = check(operator, content)
    assert answer.status_code == 422
    assert (
        words
        in html.fromstring(answer.content).xpath("//*[contains(@class, 'error-summary')]")[0].text_content()
    )


def test_the_certificate_waits_while_a_confirmation_is_asked(channel: Channel, operator: Person) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert check(operator, pem(fit())).status_code == 200, "looking asks nothing"
        asked = operator.client.post("/channel/keys/rest/keep/", {"certificate": pem(fit()).decode()})
        assert asked["Location"] == "/confirm/?why=keys&next=%2Fchannel%2Fkeys%2Frest%2F"
        assert kept(operator) == []
        sent = {"password": factories.PASSWORD, "why": "keys", "next": "/channel/keys/rest/"}
        back = operator.client.post("/confirm/", sent, follow=True)
        assert "Every criterion is met" in text(back)
        assert "Every criterion is met" not in text(operator.client.get("/channel/keys/rest/")), "once"


def test_it_is_kept_once_takes_over_nothing_and_can_be_removed(channel: Channel, operator: Person) -> None:
    first, second = fit(), fit("p384")
    for made in (first, first, second):
        answer = operator.client.post(
            "/channel/keys/rest/keep/", {"certificate": pem(made).decode()}, follow=True
        )
    assert len(kept(operator)) == 2
    assert text(answer).count("Watched") == 2
    assert "It is kept already" in text(check(operator, der(first)))
    for row in kept(operator):
        assert operator.client.post(f"/channel/keys/{row.pk}/switch/").status_code == 404
        assert "does not warn any more" in text(operator.client.get(f"/channel/keys/{row.pk}/remove/"))
        operator.client.post(f"/channel/keys/{row.pk}/remove/")
    assert kept(operator) == []
