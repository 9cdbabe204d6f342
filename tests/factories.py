"""Rows for tests: plain functions that make one valid thing each, in the scope that is open.

Only `mandataire` needs no scope. Whatever a test does not care about is chosen here; people and enterprises
do not exist, but their numbers pass the checks.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from itertools import count
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from channels import vault
from channels.models import FILE, Channel, Credential, InboundFile
from channels.signing import SigningKey, load_certificate, load_key, new_self_signed
from mandates.models import NISS, Contract, Employer, FormerNumber, Mandate, Worker
from mandates.numbers import make_enterprise_number, make_niss, make_onss_number
from portal import factors, tenancy
from portal.identity.models import IdentityLink, IdentityProvider
from portal.models import AnyProfile, Grant, GrantEmployer, Mandataire, Membership, Profile, User, cipher
from portal.profiles import usual
from submissions import batching, declaring
from submissions.models import (
    Batch,
    CorrectionRequest,
    Declaration,
    EmployerSize,
    FormerDeclaration,
    ManualRight,
    SectorAgreement,
    TrainingRecord,
)

SERVICE = "FLA"
PASSWORD = "correct horse battery staple"
"""Of every user made here."""

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""Of the app of every user made here, base32."""

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDaJQVu0i0mcfgoPF3xDR5xv1lQrVFrEPAgKKdXsPpQY"
"""Pinned for a host that nobody calls."""

_numbers = count(1)
_FIRST_BIRTH = date(1961, 1, 1)


# --- numbers --------------------------------------------------------------------------------------


def new_enterprise_number() -> str:
    """A fresh enterprise number, far above those given out."""
    return make_enterprise_number(19_000_000 + next(_numbers))


def new_niss() -> str:
    """A fresh NISS of somebody born in the nineteen sixties or later."""
    day, sequence = divmod(next(_numbers), 998)
    return make_niss(_FIRST_BIRTH + timedelta(days=day), sequence + 1)


def new_sender_number() -> str:
    """A fresh sender number."""
    return f"{104_000 + next(_numbers):06d}"


# --- keys: made once per process, because an RSA key takes a tenth of a second -------------------


@cache
def ssh_private_key() -> bytes:
    """An Ed25519 key that OpenSSH reads."""
    return ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )


@cache
def signing_pair() -> tuple[bytes, bytes]:
    """A private key and its certificate, PEM."""
    return new_self_signed("Canal d'essai", days=365)


@cache
def _loaded(private: bytes, certificate: bytes) -> tuple[SigningKey, x509.Certificate]:
    return load_key(private), load_certificate(certificate)


def keep_signing_key(channel: Channel, private: bytes, certificate: bytes) -> Credential:
    """`vault.store_signing_key` of a pair that is read once per process: the arithmetic on an RSA key takes 50 ms."""
    return vault._keep_signing_key(channel, *_loaded(private, certificate), None)


@cache
def _sealed_secret() -> str:
    return factors.Adapter().encrypt(SECRET)


@cache
def _password_hash() -> str:
    return make_password(PASSWORD)


# --- the house ------------------------------------------------------------------------------------


def mandataire(*, name: str = "Secrétariat social Essai", number: str = "", quality: str = "") -> Mandataire:
    """A tenant with a data key of its own."""
    return Mandataire.found(
        name=name,
        number=number or new_enterprise_number(),
        quality=quality or Mandataire.Quality.SOCIAL_SECRETARIAT,
    )


def code(*, halves_ago: int = 0) -> str:
    """What the app of every user made here shows now, or showed some half minutes ago."""
    return format_hotp_value(hotp_value(SECRET, int(time.time()) // 30 - halves_ago))


def member(of: Mandataire, profile: Profile = Profile.EXTENDED, **fields: Any) -> User:
    """A user who may sign in with `PASSWORD`, and his place at a mandataire, with what is usual at his level.

    The first member of a mandataire is its manager, because there is never none.
    """
    return place(of, *usual(profile).values(), **fields).user


def place(
    of: Mandataire,
    *profiles: AnyProfile,
    employer: Employer | None = None,
    only: Sequence[Employer] = (),
    **fields: Any,
) -> Membership:
    """A membership that holds exactly `profiles`: at a client, when `employer` is given; for `only` these clients.

    Its user has an app as second factor, unless `has_app` is False.
    """
    has_app = fields.pop("has_app", True)
    username = fields.pop("username", f"user{next(_numbers)}")
    niss = fields.pop("niss", "")
    values = {"first_name": "Lou", "last_name": "Essai", "language": "en", "password": _password_hash()}
    with tenancy.scope(of.pk):
        is_manager = fields.pop("is_manager", not Membership.objects.exists())
        user = User.objects.create(username=username, **(values | fields))
        if has_app:
            Authenticator.objects.create(user=user, type=factors.APP, data={"secret": _sealed_secret()})
        made = Membership(user=user, is_manager=is_manager, employer=employer)
        if niss:
            made.niss = niss
        made.save()
        for profile in profiles:
            held = Grant.objects.create(member=made, application=profile.application, profile=profile)
            for client in only:
                GrantEmployer.objects.create(grant=held, employer=client)
    return made


def identity_provider(**fields: Any) -> IdentityProvider:
    """A provider that is switched on, at an inside address, which nobody asks unless a test allows it."""
    number = next(_numbers)
    values = {
        "label": f"Compte du bureau {number}",
        "issuer": f"https://127.0.0.1:9/realms/{number}",
        "client_id": "portal",
        "is_enabled": True,
    }
    made = IdentityProvider(**(values | fields))
    made.secret = "the secret of the portal over there"
    made.save()
    return made


def identity(of: IdentityProvider, member: Membership | None = None, subject: str = "") -> IdentityLink:
    """An account over there that signs in `member`, or whoever acts in the open scope."""
    return IdentityLink.objects.create(
        member=member or Membership.objects.get(user_id=tenancy.actor()),
        issuer=of.issuer,
        subject=subject or f"subject-{next(_numbers)}",
    )


# --- the register ---------------------------------------------------------------------------------


def employer(**fields: Any) -> Employer:
    """A client, without any mandate yet."""
    serial = next(_numbers)
    values = {
        "number": new_enterprise_number(),
        "onss_number": make_onss_number(1_300_000 + serial),
        "name": f"Boulangerie {serial}",
    }
    return Employer.objects.create(**(values | fields))


def worker(of: Employer | None = None, *, niss: str = "", **fields: Any) -> Worker:
    """A worker of `of`, or of a fresh employer."""
    values = {"family_name": "Vandenbroucke", "given_name": "Zoë"}
    made = Worker(employer=of or employer(), **(values | fields))
    made.niss = niss or new_niss()
    made.save()
    return made


def contract(of: Worker | None = None, **fields: Any) -> Contract:
    """A full-time contract since 2023."""
    values = {"joint_committee": "200", "entered_on": date(2023, 1, 1)}
    return Contract.objects.create(worker=of or worker(), **(values | fields))


def size(of: Employer, year: int = 2024, fte: str = "50") -> EmployerSize:
    """The size of an enterprise in one year, in full-time equivalents."""
    return EmployerSize.objects.create(employer=of, year=year, fte=fte)


def agreement(**fields: Any) -> SectorAgreement:
    """A step of the growth path of a joint committee that no other agreement speaks of."""
    values = {
        "joint_committee": f"149.{next(_numbers) % 90 + 10}.{next(_numbers) % 90 + 10}",
        "from_year": 2024,
    }
    values |= {"number": f"{next(_numbers)}/CO/149", "days": "3"}
    return SectorAgreement.objects.create(**(values | fields))


def manual_right(of: Worker, **fields: Any) -> ManualRight:
    """One day added by hand."""
    values = {
        "year": 2025,
        "minutes": 456,
        "reason": "Agreed",
        "made_at": timezone.now(),
        "made_by": "Lou Essai",
    }
    return ManualRight.objects.create(worker=of, **(values | fields))


def correction_request(about: TrainingRecord, **fields: Any) -> CorrectionRequest:
    """Something that a worker says is wrong, received today and still open."""
    defaults: dict[str, Any] = {"kind": "figures", "how": "email", "text": "C'était deux jours."}
    when = {"received_on": timezone.localdate(), "noted_at": timezone.now(), "noted_by": "Lou Essai"}
    of = {"worker": about.worker, "employer": about.worker.employer, "record": about}
    return CorrectionRequest.objects.create(**{**of, **defaults, **when, **fields})


def former_number(of: Worker, niss: str = "") -> FormerNumber:
    """A number that the worker had before."""
    number = niss or new_niss()
    return FormerNumber.objects.create(
        worker=of,
        niss_sealed=cipher().seal_text(NISS, number),
        niss_index=cipher().blind_index(NISS, number),
        replaced_at=timezone.now(),
    )


def former_declaration(of: TrainingRecord, **fields: Any) -> FormerDeclaration:
    """What another office declared about a training, accepted in production."""
    values = {
        "origin_name": "Bureau d'avant",
        "origin_number": new_enterprise_number(),
        "reference": "P-AVANT0000001",
        "service": "FLA",
        "kind": "original",
        "state": "accepted",
        "environment": "R",
        "ticket": "0123456789ABC",
        "created_at": timezone.now(),
    }
    return FormerDeclaration.objects.create(record=of, **(values | fields))


def active_mandate(for_: Employer | None = None, **fields: Any) -> Mandate:
    """The exclusive right to declare FLA for an employer since the service opened."""
    for_ = for_ or employer()
    values = {
        "employer_number": for_.number,
        "service": SERVICE,
        "is_exclusive": True,
        "starts_on": date(2024, 4, 1),
        "state": Mandate.State.ACTIVE,
    }
    return Mandate.objects.create(employer=for_, **(values | fields))


def client(**fields: Any) -> Employer:
    """An employer with an active FLA mandate."""
    made = employer(**fields)
    active_mandate(made)
    return made


TRAINING = {
    "title": "Premiers secours & hygiène",
    "kind": "formal",
    "starts_on": date(2025, 3, 3),
    "ends_on": date(2025, 3, 4),
    "duration_unit": "days",
    "duration_minutes": 912,
    "day_minutes": 456,
    "status": "followed",
    "charged_minutes": 912,
    "nature": "Sécurité",
    "funding": "employer",
}
"""What every training says unless a test says otherwise: complete, so it may leave."""


def record(of: Worker | None = None, **fields: Any) -> TrainingRecord:
    """A complete training record of a worker."""
    of = of or worker()
    values = {"client_reference": f"T-{next(_numbers)}", **TRAINING}
    return TrainingRecord.objects.create(worker=of, employer_id=of.employer_id, **(values | fields))


# --- declarations ---------------------------------------------------------------------------------


def declaration(about: TrainingRecord | None = None, **fields: Any) -> Declaration:
    """One declaration in the state given (ready by default), made as a row: no Event is written."""
    about = about or record()
    values = {"service": SERVICE, "state": Declaration.State.READY}
    return Declaration.objects.create(record=about, employer_id=about.employer_id, **(values | fields))


def ready(number: int = 1, *, of: Employer | None = None) -> list[Declaration]:
    """Ready originals of one worker of a client, in the order in which they will be sealed."""
    somebody = worker(of or client())
    values = {"worker": somebody, "employer_id": somebody.employer_id, **TRAINING}
    records = TrainingRecord.objects.bulk_create(
        TrainingRecord(client_reference=f"T-{next(_numbers)}", **values) for _ in range(number)
    )
    declaring.declare(records, SERVICE)
    return list(Declaration.objects.filter(record__in=records).order_by("pk"))


def channel(*, has_keys: bool = True, **fields: Any) -> Channel:
    """A channel in simulation that carries FLA, with an SSH key and a certificate in the vault."""
    values = {
        "quality": Mandataire.Quality.SOCIAL_SECRETARIAT,
        "name": "Canal d'essai",
        "sender_number": new_sender_number(),
        "username": "essai",
        "host": "127.0.0.1",
        "host_key": HOST_KEY,
        "services": [SERVICE],
        "environment": "S",
    }
    made = Channel.objects.create(**(values | fields))
    if has_keys:
        vault.store_ssh_key(made, ssh_private_key())
        keep_signing_key(made, *signing_pair())
    return made


def seal(through: Channel, *, environment: str = "") -> list[Batch]:
    """Seals everything that is ready, in order of sealing: for `environment`, or wherever the channel is."""
    if environment:
        Declaration.objects.ready().update(environment=environment)
    sealed = batching.seal_ready(tenancy.current(), through.pk, SERVICE, environment)
    return list(Batch.objects.filter(pk__in=sealed).order_by("pk"))


def sealed_batch(
    number: int = 1,
    *,
    through: Channel | None = None,
    of: Employer | None = None,
    environment: str = "",
) -> Batch:
    """One sealed set of `number` originals, together with whatever else was ready."""
    ready(number, of=of)
    (batch,) = seal(through or channel(), environment=environment)
    return batch


def declarations_of(batch: Batch) -> Sequence[Declaration]:
    """The declarations of a set in the order of its files."""
    return batch.declarations.order_by("part", "position")


# --- answers --------------------------------------------------------------------------------------


def inbound(
    through: Channel, content: bytes, *, name: str = "", environment: str = "", **fields: Any
) -> InboundFile:
    """An answer as collecting stores it. `environment` is the channel's unless given."""
    environment = environment or through.environment
    values = {
        "channel": through,
        "environment": environment,
        "name": name or f"FO.NOTI.999999.20251001.{next(_numbers):05d}.{environment}",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "content_sealed": cipher().seal_bytes(FILE, content),
        "received_at": timezone.now(),
    }
    return InboundFile.objects.create(**(values | fields))
