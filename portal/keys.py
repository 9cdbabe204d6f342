"""Where the master key comes from, and the tenants' data keys under it."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from django.conf import settings

from portal import secrecy

_PURPOSE = "tenant data key"
_OF_NO_TENANT = UUID(int=0)
_ciphers: dict[UUID, secrecy.TenantCipher] = {}


@lru_cache(maxsize=1)
def provider() -> secrecy.LocalKeyProvider:
    """The master key of this installation, with the older ones that may still wrap something."""
    older = [bytes.fromhex(key) for key in settings.CONFIG.older_master_keys.split(",") if key]
    return secrecy.LocalKeyProvider(bytes.fromhex(settings.MASTER_KEY), older)


def new_tenant_key(mandataire: UUID) -> bytes:
    """A fresh data key for a mandataire, sealed under the master key."""
    return secrecy.seal(
        secrecy.TenantCipher.new_data_key(),
        purpose=_PURPOSE,
        mandataire=mandataire,
        subject=str(mandataire),
        provider=provider(),
    )


def tenant_cipher(mandataire: UUID, sealed_key: bytes) -> secrecy.TenantCipher:
    """Opens a mandataire's data key once and keeps its cipher for this process."""
    cipher = _ciphers.get(mandataire)
    if cipher is None:
        data_key = secrecy.unseal(
            sealed_key, purpose=_PURPOSE, mandataire=mandataire, subject=str(mandataire), provider=provider()
        )
        cipher = _ciphers[mandataire] = secrecy.TenantCipher(data_key, mandataire)
    return cipher


def cached_cipher(mandataire: UUID) -> secrecy.TenantCipher | None:
    """The mandataire's cipher when this process has opened it already."""
    return _ciphers.get(mandataire)


def seal_of_people(purpose: str, text: str) -> bytes:
    """Seals a secret that belongs to a user and so to no mandataire, under the master key."""
    return secrecy.seal(
        text.encode(), purpose=purpose, mandataire=_OF_NO_TENANT, subject="", provider=provider()
    )


def open_of_people(purpose: str, sealed: bytes) -> str:
    """The secret back. Raises `secrecy.SealBroken`."""
    return secrecy.unseal(
        sealed, purpose=purpose, mandataire=_OF_NO_TENANT, subject="", provider=provider()
    ).decode()
