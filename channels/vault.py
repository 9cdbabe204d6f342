"""The private keys of a channel: sealed when they come in, opened only by the task that sends or signs.

What a person may see (public half, fingerprint, expiry) lies beside them in clear. No function here shows a
private half in a message, a log or a `repr`. Several keys of a kind may lie side by side: the one whose moment came
last is in use, so that the next one takes over without anybody being there.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from io import StringIO
from typing import Final

import paramiko
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from channels import generating, judging, signing
from channels.generating import SshKind
from channels.models import Channel, Credential
from channels.unpacking import UnfitKey as UnfitKey
from channels.unpacking import check_ssh_key, unpack
from portal import audit, keys, secrecy, tenancy

_Kind = Credential.Kind
_PURPOSES: Final = {
    _Kind.SSH: "channel ssh key",
    _Kind.SIGNING: "channel signing key",
    _Kind.REQUEST: "channel requested key",
}


class MissingKey(LookupError):
    """The channel has no key of the kind that is needed: nothing helps but storing one."""

    permanent = True
    ambiguous = False

    def __init__(self, channel: Channel, kind: Credential.Kind) -> None:
        super().__init__(channel.pk, kind.value)
        self._channel, self._kind = str(channel), kind

    def __str__(self) -> str:
        if self._kind is _Kind.SSH:
            return str(
                _("The channel “%(channel)s” has no SSH key yet: give it one.") % {"channel": self._channel}
            )
        return str(
            _("The channel “%(channel)s” has no signing certificate yet: give it one.")
            % {"channel": self._channel}
        )


# --- storing --------------------------------------------------------------------------------------


@sensitive_variables()
def store_ssh_key(
    channel: Channel, content: bytes, *, passphrase: bytes | None = None, usable_from: datetime | None = None
) -> Credential:
    """Keeps a key with which the channel logs in from `usable_from` on (now without one).

    `content` is an OpenSSH, PEM, DER or PKCS#12 private key: Ed25519, ECDSA, or RSA of at least 2048 bits. Raises
    UnfitKey, also for a key that the channel has already.
    """
    return _keep_ssh_key(channel, unpack(content, passphrase).key, usable_from)


@sensitive_variables()
def generate_ssh_key(channel: Channel, kind: SshKind, *, usable_from: datetime | None = None) -> Credential:
    """Makes a key with which the channel logs in from `usable_from` on (now without one); it never leaves."""
    return _keep_ssh_key(channel, generating.new_ssh_key(kind), usable_from)


@sensitive_variables()
def store_signing_key(
    channel: Channel,
    private: bytes,
    certificate: bytes,
    *,
    passphrase: bytes | None = None,
    usable_from: datetime | None = None,
) -> Credential:
    """Keeps a key and certificate, each PEM or DER, that sign the channel's sets from `usable_from` on.

    Raises `signing.UnfitCertificate`, with every criterion that fails, for a pair that does not belong together or
    that social security would refuse at that moment.
    """
    key = signing.load_key(private, passphrase)
    return _keep_signing_key(channel, key, signing.load_certificate(certificate), usable_from)


@sensitive_variables()
def store_signing_file(
    channel: Channel,
    content: bytes,
    *,
    certificate: bytes | None = None,
    passphrase: bytes | None = None,
    usable_from: datetime | None = None,
) -> Credential:
    """`store_signing_key` from one file: PKCS#12, or PEM with both; or from a key and its `certificate` apart.

    Raises UnfitKey or `signing.UnfitCertificate`.
    """
    unpacked = unpack(content, passphrase)
    found = signing.load_certificate(certificate) if certificate else unpacked.certificate
    if found is None:
        raise signing.UnfitCertificate(
            _("There is no certificate in this file: give the certificate (.cer, .crt, .pem) beside it.")
        )
    return _keep_signing_key(channel, unpacked.key, found, usable_from)


@sensitive_variables()
def request_certificate(channel: Channel, *, name: str, organisation: str, number: str) -> Credential:
    """Makes a key that will sign, and keeps it until its certificate comes. The request is in `public`, PEM.

    Raises UnfitKey while another request waits for its certificate.
    """
    key = generating.new_signing_key()
    request = generating.certificate_request(key, name=name, organisation=organisation, number=number)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return _store(
        channel,
        _Kind.REQUEST,
        _pkcs8(key),
        public=request.decode(),
        fingerprint=hashlib.sha256(public).hexdigest(),
    )


@sensitive_variables()
def answer_request(
    request: Credential, certificate: bytes, *, usable_from: datetime | None = None
) -> Credential:
    """Joins the certificate that came (.cer, PEM or DER) to the key that was made for it. Raises as above."""
    key = signing.load_key(_open(request), is_key_checked=True)
    with transaction.atomic():
        stored = _keep_signing_key(request.channel, key, signing.load_certificate(certificate), usable_from)
        request.delete()
    return stored


def keep_rest_certificate(channel: Channel, content: bytes) -> Credential:
    """Keeps a certificate of a REST account, PEM or DER, to warn before it ends. Its private half stays where it is.

    Raises `signing.UnfitCertificate`, with every criterion of the REST channel that fails, or UnfitKey for one that is
    kept already.
    """
    certificate = signing.load_certificate(content)
    judging.refuse_unfit(certificate, judging.REST, now=timezone.now())
    return _insert(
        channel,
        _Kind.REST,
        sealed=b"",
        public=as_pem(certificate),
        fingerprint=certificate_fingerprint(certificate),
        expires_at=certificate.not_valid_after_utc,
    )


def ssh_fingerprint(public: str) -> str:
    """`SHA256:...`, as OpenSSH shows it, of a public key line."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


# --- taking over and removing ---------------------------------------------------------------------


def in_use(channel: Channel, kind: Credential.Kind) -> Credential | None:
    """The key of this kind that counts at this moment."""
    return Credential.objects.filter(channel=channel, kind=kind).in_use(timezone.now()).first()


def latest(channel: Channel, kind: Credential.Kind) -> Credential | None:
    """The key of this kind that comes last: the next one where there is one, else the one in use."""
    rows = Credential.objects.filter(channel=channel, kind=kind)
    return rows.order_by("-usable_from", "-pk").first()


def common_name(credential: Credential) -> str:
    """The name in a certificate, or nothing when it bears none."""
    return judging.common_name(signing.load_certificate(credential.public.encode()).subject)


def as_pem(certificate: x509.Certificate) -> str:
    """A certificate as text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def certificate_fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate's DER, in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def switch(credential: Credential, usable_from: datetime) -> None:
    """Lets a key take over at `usable_from`, which may be now. Raises `signing.UnfitCertificate`.

    An earlier key that is switched to comes back into use: for the day on which the other side was not ready.
    """
    if credential.kind == _Kind.SIGNING:
        certificate = signing.load_certificate(credential.public.encode())
        judging.refuse_unfit(certificate, judging.SIGNING, now=usable_from)
    Credential.objects.filter(pk=credential.pk).update(usable_from=usable_from)
    credential.usable_from = usable_from
    _forget_verification(credential)
    audit.record(
        "credential.switched",
        credential,
        data={**_told(credential), "usable_from": usable_from.isoformat()},
    )


def remove(credential: Credential) -> None:
    """Removes a key for good. Raises UnfitKey for the one in use, unless it is the only one of its kind."""
    if credential.kind in (_Kind.SSH, _Kind.SIGNING):
        current = in_use(credential.channel, _Kind(credential.kind))
        others = Credential.objects.filter(channel=credential.channel, kind=credential.kind)
        if current == credential and others.exclude(pk=credential.pk).exists():
            raise UnfitKey(_("This key is in use. Let another one take over first."))
    audit.record("credential.removed", credential, data=_told(credential))
    _forget_verification(credential)
    credential.delete()


# --- opening --------------------------------------------------------------------------------------


@sensitive_variables()
def signer(channel: Channel) -> signing.CertificateSigner:
    """What signs this channel's sets. Load it once per task: it costs a hundred signatures.

    Raises MissingKey, or `signing.UnfitCertificate` when the certificate has expired meanwhile.
    """
    credential = _find(channel, _Kind.SIGNING)
    return signing.load_signer(_open(credential), credential.public.encode(), is_key_checked=True)


@sensitive_variables()
def ssh_key(channel: Channel) -> paramiko.PKey:
    """The key with which this channel logs in. Raises MissingKey."""
    credential = _find(channel, _Kind.SSH)
    kind = credential.public.split()[0]
    key_class: type[paramiko.PKey] = paramiko.ECDSAKey
    if kind == "ssh-ed25519":
        key_class = paramiko.Ed25519Key
    elif kind == "ssh-rsa":
        key_class = paramiko.RSAKey
    return key_class.from_private_key(StringIO(_open(credential).decode()))


# --- the box --------------------------------------------------------------------------------------


@sensitive_variables()
def _keep_ssh_key(channel: Channel, key: PrivateKeyTypes, usable_from: datetime | None) -> Credential:
    private = check_ssh_key(key)
    public = private.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    plain = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    fingerprint = ssh_fingerprint(public.decode())
    return _store(
        channel, _Kind.SSH, plain, public=public.decode(), fingerprint=fingerprint, usable_from=usable_from
    )


@sensitive_variables()
def _keep_signing_key(
    channel: Channel, key: PrivateKeyTypes, certificate: x509.Certificate, usable_from: datetime | None
) -> Credential:
    judging.refuse_unfit(
        certificate, judging.SIGNING, now=usable_from or timezone.now(), key=key.public_key()
    )
    return _store(
        channel,
        _Kind.SIGNING,
        _pkcs8(key),
        public=as_pem(certificate),
        fingerprint=certificate_fingerprint(certificate),
        expires_at=certificate.not_valid_after_utc,
        usable_from=usable_from,
    )


@sensitive_variables()
def _pkcs8(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@sensitive_variables()
def _store(
    channel: Channel,
    kind: Credential.Kind,
    plain: bytes,
    *,
    public: str,
    fingerprint: str,
    expires_at: datetime | None = None,
    usable_from: datetime | None = None,
) -> Credential:
    sealed = secrecy.seal(
        plain,
        purpose=_PURPOSES[kind],
        mandataire=tenancy.current(),
        subject=_subject(channel.pk, fingerprint),
        provider=keys.provider(),
    )
    return _insert(
        channel,
        kind,
        sealed=sealed,
        public=public,
        fingerprint=fingerprint,
        expires_at=expires_at,
        usable_from=usable_from,
    )


def _insert(
    channel: Channel,
    kind: Credential.Kind,
    *,
    sealed: bytes,
    public: str,
    fingerprint: str,
    expires_at: datetime | None,
    usable_from: datetime | None = None,
) -> Credential:
    before = in_use(channel, kind) if kind is not _Kind.REST else None
    try:
        with transaction.atomic():
            credential = Credential.objects.create(
                channel=channel,
                kind=kind,
                sealed=sealed,
                public=public,
                fingerprint=fingerprint,
                expires_at=expires_at,
                usable_from=usable_from or timezone.now(),
            )
    except IntegrityError:
        raise UnfitKey(
            gettext("A certificate request is waiting for its certificate already.")
            if kind is _Kind.REQUEST
            else gettext("The channel has this key already.")
        ) from None
    _forget_verification(credential)
    data = {**_told(credential), "replaces": before.fingerprint if before else ""}
    if usable_from:
        data["usable_from"] = usable_from.isoformat()
    audit.record(
        "credential.requested" if kind is _Kind.REQUEST else "credential.stored", credential, data=data
    )
    return credential


def _told(credential: Credential) -> dict[str, object]:
    """What Events say of a key: never more than the public half tells."""
    return {
        "channel": credential.channel_id,
        "kind": str(credential.kind),
        "fingerprint": credential.fingerprint,
    }


def _forget_verification(credential: Credential) -> None:
    """Keys that changed have not been tried. No verification tries the certificate of a REST account."""
    if credential.kind != _Kind.REST:
        Channel.objects.filter(pk=credential.channel_id).update(verified_at=None)


def _find(channel: Channel, kind: Credential.Kind) -> Credential:
    credential = in_use(channel, kind)
    if credential is None:
        raise MissingKey(channel, kind)
    return credential


@sensitive_variables()
def _open(credential: Credential) -> bytes:
    kind = _Kind(credential.kind)
    return secrecy.unseal(
        credential.sealed,
        purpose=_PURPOSES[kind],
        mandataire=tenancy.current(),
        subject=_subject(credential.channel_id, credential.fingerprint),
        provider=keys.provider(),
    )


def _subject(channel_id: int, fingerprint: str) -> str:
    # The fingerprint renews itself with the key, so that an old blob beside a new public half does not open.
    return f"channel {channel_id} {fingerprint}"
