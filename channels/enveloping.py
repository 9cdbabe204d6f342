"""Seals a set: each FI is signed and stored, sealed at rest, the moment it is complete.

From then on these bytes are what travels: they are never rendered again, and the FS holds over exactly them.
Nothing of a part stays in memory after it was added.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Self

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels.models import FILE, Channel, Envelope, EnvelopePart, ReservedName
from channels.naming import MOST_PARTS, Environment
from channels.signing import CertificateSigner, encode_fs
from portal import audit
from portal.models import cipher


class CannotSeal(ValueError):
    """A part that may not enter the set; ``str()`` is a translated sentence."""

    permanent = True
    ambiguous = False

    def __init__(self, sentence: str | Promise, **values: object) -> None:
        super().__init__(sentence, values)
        self.sentence, self.values = sentence, values

    def __str__(self) -> str:
        return str(self.sentence) % self.values


def needs_signature(channel: Channel, environment: str) -> bool:
    """Whether a set of this channel carries FS files in `environment` (R, T or S).

    Production always, simulation never; about the circuit test public texts disagree, so the channel says.
    """
    match Environment(environment):
        case Environment.PRODUCTION:
            return True
        case Environment.TEST:
            return channel.signs_tests
        case Environment.SIMULATION:
            return False


@dataclass(slots=True)
class EnvelopeWriter:
    """An envelope being filled, inside one transaction of the caller: all of it or nothing is kept."""

    envelope: Envelope
    _channel: Channel
    _signer: CertificateSigner | None
    _parts: list[dict[str, object]] = field(default_factory=list)

    @classmethod
    def open(
        cls, channel: Channel, name: ReservedName, service: str, signer: CertificateSigner | None
    ) -> Self:
        """Starts the envelope of a reserved name. `signer` stays unused where no signature is wanted.

        Raises CannotSeal when a signature is needed and there is nothing to sign with.
        """
        is_signed = needs_signature(channel, name.environment)
        if is_signed and signer is None:
            raise CannotSeal(
                _("Sets of this environment are signed, and there is no certificate to sign with.")
            )
        envelope = Envelope.objects.create(
            channel=channel,
            name=name,
            stem=name.as_set_name().stem,
            environment=name.environment,
            service=service,
            certificate=signer.fingerprint if is_signed and signer else "",
            sealed_at=timezone.now(),
        )
        return cls(envelope, channel, signer if is_signed else None)

    def add_part(self, fi: bytes, forms_count: int) -> int:
        """Signs and stores the bytes of one complete FI of `forms_count` forms. Returns the part number.

        Raises CannotSeal for a tenth part and for a file above the size limit of the channel.
        """
        part = len(self._parts) + 1
        if part > MOST_PARTS:
            raise CannotSeal(
                _("A set holds at most %(most)d files; the rest goes into another set."), most=MOST_PARTS
            )
        if len(fi) > self._channel.max_file_bytes:
            raise CannotSeal(
                _("A file of %(size)d bytes is larger than the %(limit)d this channel sends."),
                size=len(fi),
                limit=self._channel.max_file_bytes,
            )
        if not fi or forms_count < 1:
            raise CannotSeal(_("A file without any declaration would be refused."))
        fs = encode_fs(self._signer.sign(fi)) if self._signer else b""
        digest = hashlib.sha256(fi).hexdigest()
        box = cipher()
        EnvelopePart.objects.create(
            envelope=self.envelope,
            part=part,
            forms_count=forms_count,
            fi_sealed=box.seal_bytes(FILE, fi),
            fi_sha256=digest,
            fi_size=len(fi),
            fs_sealed=box.seal_bytes(FILE, fs),
            fs_size=len(fs),
        )
        self._parts.append({"part": part, "forms": forms_count, "size": len(fi), "sha256": digest})
        return part

    def close(self) -> Envelope:
        """Ends the set and writes its hashes into the chain of events. Raises CannotSeal when it is empty."""
        if not self._parts:
            raise CannotSeal(_("A set without any file cannot be sent."))
        audit.record(
            "envelope.sealed",
            self.envelope,
            data={
                "name": self.envelope.stem,
                "certificate": self.envelope.certificate,
                "files": self._parts,
            },
        )
        return self.envelope
