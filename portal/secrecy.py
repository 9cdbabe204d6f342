"""Secrets and personal numbers at rest.

Two boxes, both AES-256-GCM:

* `seal` and `unseal` for the few secrets that open others: private keys, passphrases, the data key of a
  mandataire. Each has a random data key of its own, wrapped by a master key that never touches the database.
* `TenantCipher` for the many small values of one mandataire: a NISS column and the blind index beside it. It
  derives its keys once and then costs about a microsecond a value.

A secret opens only for the purpose, mandataire, object and version it was sealed for; a value for its
mandataire, its purpose and, where one is given, its subject. Copied elsewhere they do not open.
"""

import hmac
import os
import struct
from collections.abc import Sequence
from typing import Final, NoReturn, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

type Sealed = bytes | bytearray | memoryview
"""What a database driver gives back for a column of bytes."""

_FORMAT: Final = 1
_KEY: Final = 32
_NONCE: Final = 12
_TAG: Final = 16
_SMALLEST: Final = 1 + _NONCE + _TAG


class SealBroken(Exception):
    """A sealed value that does not open: changed, cut off, or sealed for something or somebody else.

    Trying again never helps.
    """


class UnknownMasterKey(SealBroken):
    """A value sealed under a master key that this installation was not given."""


# --- master keys ----------------------------------------------------------------------------------


class KeyProvider(Protocol):
    """Whatever holds the master key: a file or an environment variable today, a KMS or an HSM tomorrow."""

    @property
    def key_id(self) -> bytes:
        """The name of the key that `wrap` uses, at most 255 bytes, stored in clear beside the secret."""
        ...

    def wrap(self, data_key: bytes) -> bytes:
        """The data key, encrypted and authenticated under the master key; at most 65,535 bytes."""
        ...

    def unwrap(self, key_id: bytes, wrapped: bytes) -> bytes:
        """The data key back; raise `UnknownMasterKey` or `SealBroken`."""
        ...


class LocalKeyProvider:
    """Master keys held in memory. `master` wraps; it and the `older` ones unwrap.

    Each is at least 32 bytes of randomness. To rotate: put the new key first, the old one among `older`,
    `rewrap` everything whose `key_id_of` is not the new `key_id`, then forget the old key.
    """

    __slots__ = ("_boxes", "_key_id")

    def __init__(self, master: bytes, older: Sequence[bytes] = ()) -> None:
        self._boxes: dict[bytes, AESGCM] = {}
        for key in (*older, master):
            if len(key) < _KEY:
                raise ValueError(f"a master key has at least {_KEY} bytes, this one {len(key)}")
            self._boxes[_derive(key, b"key id")[:8]] = AESGCM(_derive(key, b"wrap"))
        self._key_id = _derive(master, b"key id")[:8]

    @property
    def key_id(self) -> bytes:
        """Eight bytes that name the master key without telling anything about it."""
        return self._key_id

    @property
    def older_ids(self) -> list[bytes]:
        """The ids of the former keys that only unwrap."""
        return [key_id for key_id in self._boxes if key_id != self._key_id]

    def wrap(self, data_key: bytes) -> bytes:
        """Nonce, then the encrypted data key with its tag: 60 bytes for a key of 32."""
        nonce = os.urandom(_NONCE)
        return nonce + self._boxes[self._key_id].encrypt(nonce, data_key, self._key_id)

    def unwrap(self, key_id: bytes, wrapped: bytes) -> bytes:
        """The data key back; raise `UnknownMasterKey` or `SealBroken`."""
        box = self._boxes.get(key_id)
        if box is None:
            raise UnknownMasterKey(f"sealed under the master key {key_id.hex()}, which was not given")
        if len(wrapped) < _NONCE + _TAG:
            raise SealBroken("the wrapped data key is cut off")
        try:
            return box.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], key_id)
        except InvalidTag:
            raise SealBroken("the wrapped data key was changed") from None

    def __reduce__(self) -> NoReturn:
        raise TypeError("master keys do not travel between processes")


# --- single secrets -------------------------------------------------------------------------------
#
# format (1 byte) | length of key id (1) | key id | length of wrapped data key (2, big endian)
# | wrapped data key | nonce (12) | ciphertext and tag


def seal(
    plaintext: bytes, *, purpose: str, mandataire: UUID, subject: str, version: int = 1, provider: KeyProvider
) -> bytes:
    """Seal one secret under a data key of its own.

    `subject` is the object it belongs to (its id), `version` counts its renewals: an old blob put back
    in place of a new one does not open.
    """
    data_key = AESGCM.generate_key(bit_length=_KEY * 8)
    nonce = os.urandom(_NONCE)
    bound_to = _associated_data(purpose, mandataire, subject, version)
    return _header(provider, data_key) + nonce + AESGCM(data_key).encrypt(nonce, plaintext, bound_to)


def unseal(
    sealed: Sealed, *, purpose: str, mandataire: UUID, subject: str, version: int = 1, provider: KeyProvider
) -> bytes:
    """The secret back; raise `SealBroken` unless it was sealed with exactly these words."""
    key_id, wrapped, box = _take_apart(bytes(sealed))
    data_key = provider.unwrap(key_id, wrapped)
    bound_to = _associated_data(purpose, mandataire, subject, version)
    try:
        return AESGCM(data_key).decrypt(box[:_NONCE], box[_NONCE:], bound_to)
    except InvalidTag:
        raise SealBroken("the secret was changed, or sealed for something else") from None


def rewrap(sealed: Sealed, *, old: KeyProvider, new: KeyProvider) -> bytes:
    """The same secret under another master key; the secret itself is not opened.

    A blob that is under the new key already comes back as it is, so a rotation may be repeated.
    """
    sealed = bytes(sealed)
    key_id, wrapped, box = _take_apart(sealed)
    if key_id == new.key_id:
        return sealed
    return _header(new, old.unwrap(key_id, wrapped)) + box


def prefix_of(key_id: bytes) -> bytes:
    """How every blob of `seal` under this master key begins."""
    return struct.pack(">BB", _FORMAT, len(key_id)) + key_id


def key_id_of(sealed: Sealed) -> bytes:
    """The id of the master key that a blob of `seal` needs; raise `SealBroken` when it is none."""
    return _take_apart(bytes(sealed))[0]


def _header(provider: KeyProvider, data_key: bytes) -> bytes:
    key_id, wrapped = provider.key_id, provider.wrap(data_key)
    return prefix_of(key_id) + struct.pack(">H", len(wrapped)) + wrapped


def _take_apart(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    """Key id, wrapped data key, and the box: nonce and ciphertext."""
    if sealed[:1] != bytes((_FORMAT,)):
        raise SealBroken("not a sealed secret, or one of a format that is not known")
    try:
        key_id_end = 2 + sealed[1]
        wrapped_start = key_id_end + 2
        wrapped_end = wrapped_start + struct.unpack_from(">H", sealed, key_id_end)[0]
    except (IndexError, struct.error):
        raise SealBroken("the sealed secret is cut off") from None
    if len(sealed) < wrapped_end + _NONCE + _TAG:
        raise SealBroken("the sealed secret is cut off")
    return sealed[2:key_id_end], sealed[wrapped_start:wrapped_end], sealed[wrapped_end:]


def _associated_data(purpose: str, mandataire: UUID, subject: str, version: int) -> bytes:
    # Lengths in front, so that no two different lists of words read the same.
    words = (purpose.encode(), mandataire.bytes, subject.encode(), str(version).encode())
    return b"".join(struct.pack(">I", len(word)) + word for word in (b"portal secret", *words))


# --- the values of one mandataire -----------------------------------------------------------------
#
# format (1 byte) | nonce (12) | ciphertext and tag


class TenantCipher:
    """Seals and opens the values of one mandataire, under keys derived from its data key, one per purpose.

    The data key is itself a secret, kept by `seal`. Random nonces allow 2**32 values per purpose. The length
    of a value stays visible.
    """

    __slots__ = ("_boxes", "_data_key", "_index_keys", "mandataire")

    def __init__(self, data_key: bytes, mandataire: UUID) -> None:
        if len(data_key) != _KEY:
            raise ValueError(f"a data key has {_KEY} bytes, this one {len(data_key)}")
        self.mandataire = mandataire
        self._data_key = data_key
        self._boxes: dict[str, AESGCM] = {}
        self._index_keys: dict[str, bytes] = {}

    @staticmethod
    def new_data_key() -> bytes:
        """32 random bytes, to be sealed at once."""
        return AESGCM.generate_key(bit_length=_KEY * 8)

    def seal_bytes(self, purpose: str, content: bytes, *, subject: str = "") -> bytes:
        """Seal bytes; with a `subject` they open for that object only. 29 bytes longer than `content`."""
        nonce = os.urandom(_NONCE)
        return b"\x01" + nonce + self._box(purpose).encrypt(nonce, content, subject.encode())

    def open_bytes(self, purpose: str, sealed: Sealed, *, subject: str = "") -> bytes:
        """The bytes back; raise `SealBroken`."""
        if len(sealed) < _SMALLEST or sealed[0] != _FORMAT:
            raise SealBroken("not a sealed value, or one that is cut off")
        try:
            return self._box(purpose).decrypt(sealed[1:13], sealed[13:], subject.encode())
        except InvalidTag:
            raise SealBroken("the value was changed, or sealed for something else") from None

    def seal_text(self, purpose: str, text: str, *, subject: str = "") -> bytes:
        """Seal text as UTF-8; see `seal_bytes`."""
        return self.seal_bytes(purpose, text.encode(), subject=subject)

    def open_text(self, purpose: str, sealed: Sealed, *, subject: str = "") -> str:
        """The text back; raise `SealBroken`."""
        # open_bytes, written out: lists open thousands of these.
        if len(sealed) < _SMALLEST or sealed[0] != _FORMAT:
            raise SealBroken("not a sealed value, or one that is cut off")
        try:
            box = self._boxes.get(purpose) or self._box(purpose)
            return box.decrypt(sealed[1:13], sealed[13:], subject.encode()).decode()
        except InvalidTag:
            raise SealBroken("the value was changed, or sealed for something else") from None
        except UnicodeDecodeError:
            raise SealBroken("the value is no text") from None

    def blind_index(self, purpose: str, text: str) -> bytes:
        """32 bytes that are equal for equal texts of this mandataire and purpose, and tell nothing else.

        For look-up and uniqueness of a sealed column. The caller brings the text into its one form first.
        """
        key = self._index_keys.get(purpose)
        if key is None:
            key = self._index_keys[purpose] = self._derive(b"blind index", purpose)
        return hmac.digest(key, text.encode(), "sha256")

    def _box(self, purpose: str) -> AESGCM:
        box = self._boxes.get(purpose)
        if box is None:
            box = self._boxes[purpose] = AESGCM(self._derive(b"value", purpose))
        return box

    def _derive(self, use: bytes, purpose: str) -> bytes:
        return _derive(self._data_key, b"|".join((use, self.mandataire.bytes, purpose.encode())))

    def __reduce__(self) -> NoReturn:
        raise TypeError("data keys do not travel between processes")


def _derive(key: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY, salt=None, info=b"portal|" + use).derive(key)
