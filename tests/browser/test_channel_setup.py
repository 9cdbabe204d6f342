"""From nothing to a first set that is answered, in a browser, by following only what the pages say.

The test plays the two people beside the operator: the issuer of certificates, and the Chaman user, who types into the
accounts of the simulated social security what the pages show. A real worker does what the buttons ask for, and nothing
else: it has no beat, so that nothing leaves or comes in by itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from channels.signing import new_self_signed
from channels.vault import ssh_fingerprint
from simulator.server import Simulator
from submissions import declaring
from tests import factories
from tests.browser.conftest import Visit
from tests.journeys.conftest import ROOT, broker, variables
from tests.people import Person

__all__ = ["broker"]

pytestmark = [pytest.mark.browser, pytest.mark.journey, pytest.mark.django_db(transaction=True)]

SENDER = "104999"


@pytest.fixture
def social_security(tmp_path: Path, settings: Any) -> Iterator[Simulator]:
    """The simulated other side, which nobody may send to yet."""
    settings.CONFIG = settings.CONFIG.model_copy(update={"channel_hosts": "127.0.0.1"})
    with Simulator(tmp_path / "social-security") as running:
        yield running


@pytest.fixture
def worker(stranger: Person, broker: str, social_security: Simulator, tmp_path: Path) -> Iterator[None]:
    """A worker on the database and the broker of the tests, which does what is asked for."""
    celery = (sys.executable, "-m", "celery", "-A", "portal.celery", "worker", "-l", "info")
    with (tmp_path / "worker.log").open("wb") as log:
        running = subprocess.Popen(
            [*celery, "--pool", "solo", "--without-mingle", "--without-gossip"],
            cwd=ROOT,
            env=variables(channel_hosts="127.0.0.1") | {"REDIS_URL": broker},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    yield
    has_died = running.poll() is not None
    running.kill()
    running.wait()
    assert not has_died, (tmp_path / "worker.log").read_text()[-3000:]


@pytest.fixture
def newcomer(
    stranger: Person, social_security: Simulator, worker: None, request: pytest.FixtureRequest
) -> Person:
    """A manager of an organisation without a channel, with one training that would be accepted.

    It is ready to leave; with `request.param` "draft", its title is missing.
    """
    is_draft = getattr(request, "param", "ready") == "draft"
    with stranger.scope():
        record = factories.record(factories.worker(factories.client()), **({"title": ""} if is_draft else {}))
        declaring.declare([record], "FLA")
        employer, worker = record.employer, record.worker
        registry = {
            "employers": [{"number": employer.number, "nsso": employer.onss_number, "name": employer.name}],
            "workers": [{"niss": worker.niss}],
            "employments": [
                {"employer": employer.number, "niss": worker.niss, "from": "2020-01-01", "to": None}
            ],
            "mandates": [
                {"sender": SENDER, "employer": employer.number, "application": "FLAD", "from": "2020-01-01"}
            ],
        }
    (social_security.root / "registry.json").write_text(json.dumps(registry))
    return stranger


def issue(request: bytes) -> bytes:
    """What the issuer of certificates sends back, as DER."""
    asked = x509.load_pem_x509_csr(request)
    issuer_key = rsa.generate_private_key(65537, 2048)
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(asked.subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuer of seals")]))
        .public_key(asked.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(asked.extensions.get_extension_for_class(x509.KeyUsage).value, critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


def press(visit: Visit, name: str) -> None:
    """Presses the button or follows the link of this name in the page itself."""
    main = visit.page.locator("main")
    either = main.get_by_role("button", name=name, exact=True).or_(main.get_by_role("link", name=name))
    either.first.click()
    visit.page.wait_for_load_state("load")


def take_step(visit: Visit) -> None:
    """Follows the one main button of the list of steps: the next one."""
    visit.go("/channel/setup/")
    visit.page.click(".checklist [aria-current=step] a")
    visit.page.wait_for_load_state("load")


def download(visit: Visit, name: str) -> bytes:
    """The file behind a link of the page."""
    with visit.page.expect_download() as started:
        visit.page.locator("main").get_by_role("link", name=name).first.click()
    return Path(started.value.path()).read_bytes()


def play_chaman(visit: Visit, social_security: Simulator) -> None:
    """Types what the page shows into the accounts over there, and comes back with the sender number."""
    certificate = x509.load_der_x509_certificate(download(visit, "Download the certificate"))
    sender = {
        "number": SENDER,
        "name": visit.page.input_value("#certificate-name"),
        "username": visit.page.input_value("#username"),
        "ssh_keys": [visit.page.input_value("#ssh-key")],
        "certificates": [certificate.fingerprint(hashes.SHA256()).hex()],
        "applications": ["FLAD"],
    }
    (social_security.root / "senders.json").write_text(json.dumps({"senders": [sender]}))
    press(visit, "All this stands in Chaman")


def fill_in(visit: Visit, social_security: Simulator, **more: str) -> None:
    """The settings of the channel, as far as they are known."""
    values = {"username": "portal-b", "host": "127.0.0.1", "port": str(social_security.port), **more}
    for name, value in values.items():
        visit.page.fill(f"input[name={name}]", value)
    visit.page.check("input[name=permissions][value=FLA]")
    press(visit, "Keep the change")
    visit.page.wait_for_url("**/channel/setup/")


def accept_the_server(visit: Visit, social_security: Simulator) -> None:
    """Compares the fingerprint that is shown with the one that social security gives by telephone."""
    visit.page.click("main form button")
    assert visit.page.inner_text(".fingerprint.strong") == ssh_fingerprint(social_security.host_key)
    press(visit, "Accept this key")
    visit.page.wait_for_selector(".error-summary")
    visit.page.check("input[name=is_compared]")
    press(visit, "Accept this key")
    visit.page.wait_for_url("**/channel/setup/")


def verify_and_start(visit: Visit) -> None:
    take_step(visit)
    press(visit, "Verify now")
    assert "Every check holds" in visit.page.inner_text("main"), visit.page.inner_text("main")
    press(visit, "Go on: put it in service")
    press(visit, "Put it in service")
    visit.page.wait_for_url("**/channel/setup/")
    assert visit.page.locator(".check-sign:not(.check-done)").count() == 1, "the first set is to come"


def complete_the_training(visit: Visit) -> None:
    """From the page of the first set to a training in which something is missing, until it is ready to leave."""
    assert "Nothing is ready to leave yet" in visit.page.inner_text("main")
    assert visit.page.get_by_role("button", name="Send now").count() == 0
    press(visit, "Complete a training")
    visit.page.click("main tbody a.row-link")
    press(visit, "Change")
    visit.page.fill("input[name=title]", "Premiers secours")
    press(visit, "Keep the change")
    press(visit, "Make ready to leave")


def send_the_first_set(visit: Visit, social_security: Simulator) -> None:
    """Sends what is ready and waits on the page until its answer stands there."""
    assert "1 declaration is ready to leave" in visit.page.inner_text("main")
    press(visit, "Send now")
    visit.page.wait_for_selector(".step-done:has-text('Dropped')", timeout=60_000)
    assert visit.page.locator("#answered-title").count() == 0
    social_security.settle()
    press(visit, "Collect now")
    visit.page.wait_for_selector("#answered-title", timeout=60_000)
    assert "1 accepted" in visit.page.inner_text(".legend")
    badge = visit.page.locator("main tbody .badge-warn")
    assert badge.inner_text().strip() == "Tested, not yet declared"
    (decided,) = social_security.root.glob(f"archive/{SENDER}/*/*.S/decided.json")
    assert json.loads(decided.read_text("utf-8"))["result"] == 1, (
        "it was a set of the simulation, and was read"
    )
    visit.go("/channel/setup/")
    assert visit.page.locator(".check-sign:not(.check-done)").count() == 0


def test_a_new_channel_from_nothing_to_its_first_answer(
    newcomer: Person, social_security: Simulator, visit: Visit
) -> None:
    visit.sign_in(newcomer.user.username)
    speak_english(visit)
    visit.go("/channel/")
    press(visit, "Set up the channel")
    visit.page.check("input[name=way][value=new]")
    press(visit, "Begin")

    take_step(visit)
    fill_in(visit, social_security)
    take_step(visit)
    press(visit, "Make the key")
    take_step(visit)
    press(visit, "Make the request")
    certificate = issue(download(visit, "Download the request"))
    visit.page.set_input_files(
        "input[name=file] >> nth=0",
        {"name": "seal.cer", "mimeType": "application/pkix-cert", "buffer": certificate},
    )
    press(visit, "Upload the certificate")
    visit.page.wait_for_url("**/channel/keys/")
    take_step(visit)
    play_chaman(visit, social_security)
    take_step(visit)
    fill_in(visit, social_security, sender_number=SENDER)
    take_step(visit)
    accept_the_server(visit, social_security)
    verify_and_start(visit)

    take_step(visit)
    send_the_first_set(visit, social_security)
    assert complaints(visit) == []


@pytest.mark.parametrize("newcomer", ["draft"], indirect=True)
def test_an_existing_channel_from_its_pkcs12_to_its_first_answer(
    newcomer: Person, social_security: Simulator, visit: Visit
) -> None:
    key_pem, certificate_pem = new_self_signed("Sceau de B", 300)
    key = serialization.load_pem_private_key(key_pem, None)
    bundle = pkcs12.serialize_key_and_certificates(
        b"seal",
        key,  # type: ignore[arg-type]
        x509.load_pem_x509_certificate(certificate_pem),
        None,
        serialization.BestAvailableEncryption(b"mot de passe"),
    )
    file = {"name": "seal.p12", "mimeType": "application/x-pkcs12", "buffer": bundle}
    visit.sign_in(newcomer.user.username)
    speak_english(visit)
    visit.go("/channel/setup/")
    visit.page.check("input[name=way][value=existing]")
    press(visit, "Begin")
    take_step(visit)
    fill_in(visit, social_security, sender_number=SENDER)

    take_step(visit)  # The same RSA key logs in.
    visit.page.set_input_files("input[name=file]", file)
    visit.page.fill("input[name=passphrase]", "mauvais")
    press(visit, "Upload the key")
    assert "passphrase is missing or wrong" in visit.page.inner_text(".error-summary")
    assert visit.page.input_value("input[name=passphrase]") == ""
    visit.page.set_input_files("input[name=file]", file)
    visit.page.fill("input[name=passphrase]", "mot de passe")
    press(visit, "Upload the key")
    visit.page.wait_for_url("**/channel/keys/")

    take_step(visit)
    visit.page.set_input_files("input[name=file]", file)
    visit.page.fill("input[name=passphrase]", "mot de passe")
    press(visit, "Upload the certificate and its key")
    visit.page.wait_for_url("**/channel/keys/")
    take_step(visit)
    play_chaman(visit, social_security)
    take_step(visit)
    accept_the_server(visit, social_security)
    verify_and_start(visit)

    take_step(visit)
    complete_the_training(visit)
    take_step(visit)
    send_the_first_set(visit, social_security)
    assert complaints(visit) == []


def complaints(visit: Visit) -> list[str]:
    """What the browser complained of, but for the forms that were refused on purpose."""
    return [each for each in visit.complaints if "422" not in each]


def speak_english(visit: Visit) -> None:
    visit.page.context.add_cookies([{"name": "django_language", "value": "en", "url": visit.origin}])
