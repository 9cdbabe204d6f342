"""What is sealed opens for whom it was sealed, and for nobody else."""

import copy
import pickle
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.secrecy import (
    LocalKeyProvider,
    SealBroken,
    TenantCipher,
    UnknownMasterKey,
    key_id_of,
    rewrap,
    seal,
    unseal,
)

PROVIDER = LocalKeyProvider(b"m" * 32)
MANDATAIRE = UUID("6f1c0c58-2b57-4e0f-9a7c-6a3f3c0f9b11")
CIPHER = TenantCipher(bytes(range(32)), MANDATAIRE)

GOLDEN_VALUE = "0153d10be37e8b4f5a04935173a325ff7da2e701059ea05459ac59614207539b598a802de179afd0"
GOLDEN_INDEX = "107ed993000cfd89ccbfc76ca3bfd82cb83d69aab78c7ec337857aacdc970e18"
GOLDEN_SECRET = (
    "01083d9148cc2dfd9995003cd7b4f789e308796348f6d2cb49736dd86fc4a40a3dcfa309dee57915fca91bd643434ee3"
    "cc3aff0359e3cba7d501e1e9493cf6cd25ee3588b38d9316ba9e276146a0ed5490baf6cfbb22a9e27fd290477b46d852"
    "75bd80d1084037e21ed9"
)

words = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
contents = st.binary(max_size=200)
texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=50)


def sealed_key(plaintext: bytes = b"-----BEGIN PRIVATE KEY-----") -> bytes:
    return seal(plaintext, purpose="ssh key", mandataire=MANDATAIRE, subject="42", provider=PROVIDER)


def open_key(sealed: bytes, provider: LocalKeyProvider = PROVIDER) -> bytes:
    return unseal(sealed, purpose="ssh key", mandataire=MANDATAIRE, subject="42", provider=provider)


# --- single secrets -------------------------------------------------------------------------------


@given(contents, words, st.uuids(), words, st.integers(0, 10**6))
def test_a_secret_opens_with_the_words_it_was_sealed_with(
    content: bytes, purpose: str, mandataire: UUID, subject: str, version: int
) -> None:
    sealed = seal(
        content, purpose=purpose, mandataire=mandataire, subject=subject, version=version, provider=PROVIDER
    )
    for blob in (sealed, bytearray(sealed), memoryview(sealed)):
        opened = unseal(
            blob, purpose=purpose, mandataire=mandataire, subject=subject, version=version, provider=PROVIDER
        )
        assert opened == content


@given(
    st.tuples(words, st.uuids(), words, st.integers(0, 99)),
    st.tuples(words, st.uuids(), words, st.integers(0, 99)),
    st.sets(st.integers(0, 3), min_size=1),
)
def test_a_secret_opens_with_no_other_word(
    one: tuple[str, UUID, str, int], other: tuple[str, UUID, str, int], swapped: set[int]
) -> None:
    wrong = [other[i] if i in swapped else one[i] for i in range(4)]
    assume(wrong != list(one))

    def named(list_of_words: object) -> dict[str, object]:
        return dict(zip(("purpose", "mandataire", "subject", "version"), list_of_words, strict=True))  # type: ignore[call-overload]

    sealed = seal(b"secret", provider=PROVIDER, **named(one))  # type: ignore[arg-type]
    with pytest.raises(SealBroken):
        unseal(sealed, provider=PROVIDER, **named(wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sealed_for", "opened_for"),
    [(("a", "bc"), ("ab", "c")), (("a|b", "c"), ("a", "b|c")), (("", "ab"), ("ab", ""))],
)
def test_words_do_not_run_into_one_another(sealed_for: tuple[str, str], opened_for: tuple[str, str]) -> None:
    sealed = seal(
        b"x", purpose=sealed_for[0], mandataire=MANDATAIRE, subject=sealed_for[1], provider=PROVIDER
    )
    with pytest.raises(SealBroken):
        unseal(sealed, purpose=opened_for[0], mandataire=MANDATAIRE, subject=opened_for[1], provider=PROVIDER)


def test_every_flipped_bit_of_a_secret_is_noticed() -> None:
    sealed = sealed_key(b"k")
    for at in range(len(sealed)):
        for bit in range(8):
            broken = bytearray(sealed)
            broken[at] ^= 1 << bit
            with pytest.raises(SealBroken):
                open_key(bytes(broken))


def test_every_cut_and_every_addition_is_noticed() -> None:
    sealed = sealed_key(b"k")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            open_key(sealed[:length])
    for addition in (b"\x00", b"\x01" * 16, sealed):
        with pytest.raises(SealBroken):
            open_key(sealed + addition)


@given(contents)
def test_any_bytes_are_no_secret(noise: bytes) -> None:
    for blob in (noise, b"\x01" + noise):
        with pytest.raises(SealBroken):
            open_key(blob)
        with pytest.raises(SealBroken):
            rewrap(blob, old=PROVIDER, new=LocalKeyProvider(b"n" * 32))


def test_the_data_key_of_one_secret_does_not_open_another() -> None:
    """Both wrapped keys are genuine: only the content can tell."""
    one, other = sealed_key(b"first"), sealed_key(b"other")
    header = len(one) - 12 - len(b"first") - 16
    with pytest.raises(SealBroken):
        open_key(one[:header] + other[header:])


def test_the_same_secret_never_looks_the_same() -> None:
    assert sealed_key() != sealed_key()
    assert b"PRIVATE" not in sealed_key()


# --- master keys ----------------------------------------------------------------------------------


def test_a_rotation_changes_the_master_key_and_not_the_secret() -> None:
    sealed = sealed_key(b"long lived")
    both = LocalKeyProvider(b"n" * 32, older=[b"m" * 32])
    assert key_id_of(sealed) == PROVIDER.key_id
    assert open_key(sealed, both) == b"long lived", "before the rotation"

    rotated = rewrap(sealed, old=both, new=both)
    assert key_id_of(rotated) == both.key_id != PROVIDER.key_id
    assert open_key(rotated, LocalKeyProvider(b"n" * 32)) == b"long lived", "the old key may be forgotten"
    assert rewrap(rotated, old=both, new=both) == rotated, "a rotation may be repeated"
    assert rotated.endswith(sealed[-28 - len(b"long lived") :]), "the content is not touched"
    with pytest.raises(UnknownMasterKey, match=both.key_id.hex()):
        open_key(rotated)


def test_a_rotation_between_two_providers() -> None:
    new = LocalKeyProvider(b"n" * 32)
    assert open_key(rewrap(memoryview(sealed_key(b"k")), old=PROVIDER, new=new), new) == b"k"
    with pytest.raises(UnknownMasterKey):
        rewrap(sealed_key(), old=new, new=LocalKeyProvider(b"o" * 32))


def test_a_rotated_secret_stays_bound_to_its_words() -> None:
    new = LocalKeyProvider(b"n" * 32)
    rotated = rewrap(sealed_key(), old=PROVIDER, new=new)
    with pytest.raises(SealBroken):
        unseal(rotated, purpose="ssh key", mandataire=uuid4(), subject="42", provider=new)


def test_two_keys_of_one_name_are_told_apart_by_the_tag() -> None:
    """A key id is no proof: a wrapped key of another provider that bears our id does not open."""

    class Impostor:
        key_id = PROVIDER.key_id

        def wrap(self, data_key: bytes) -> bytes:
            return b"\x00" * 12 + data_key + b"\x00" * 16

        def unwrap(self, key_id: bytes, wrapped: bytes) -> bytes:
            return wrapped[12:-16]

    sealed = seal(b"x", purpose="ssh key", mandataire=MANDATAIRE, subject="42", provider=Impostor())
    with pytest.raises(SealBroken):
        open_key(sealed)


def test_a_provider_of_another_shape_fits() -> None:
    """A KMS has long key names and long wrapped keys."""

    class Remote:
        key_id = b"arn:" + b"k" * 200

        def wrap(self, data_key: bytes) -> bytes:
            return PROVIDER.wrap(data_key) + b"\x00" * 1000

        def unwrap(self, key_id: bytes, wrapped: bytes) -> bytes:
            assert key_id == self.key_id
            return PROVIDER.unwrap(PROVIDER.key_id, wrapped[:-1000])

    remote = Remote()
    sealed = seal(b"x", purpose="p", mandataire=MANDATAIRE, subject="", provider=remote)
    assert unseal(sealed, purpose="p", mandataire=MANDATAIRE, subject="", provider=remote) == b"x"
    assert key_id_of(sealed) == remote.key_id


@pytest.mark.parametrize("length", [0, 16, 31])
def test_a_short_master_key_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        LocalKeyProvider(b"m" * length)
    with pytest.raises(ValueError, match="at least 32"):
        LocalKeyProvider(b"m" * 32, older=[b"m" * length])


def test_the_key_id_does_not_hold_the_key() -> None:
    master = bytes(range(100, 140))
    provider = LocalKeyProvider(master)
    assert provider.key_id == LocalKeyProvider(master).key_id
    assert provider.key_id not in master
    assert len(provider.key_id) == 8


# --- the values of one mandataire -----------------------------------------------------------------


@given(words, texts, words)
def test_a_text_opens_for_its_purpose_and_subject(purpose: str, text: str, subject: str) -> None:
    sealed = CIPHER.seal_text(purpose, text, subject=subject)
    for blob in (sealed, bytearray(sealed), memoryview(sealed)):
        assert CIPHER.open_text(purpose, blob, subject=subject) == text
    assert CIPHER.open_bytes(purpose, sealed, subject=subject) == text.encode()


@given(words, contents)
def test_bytes_open_for_their_purpose(purpose: str, content: bytes) -> None:
    sealed = CIPHER.seal_bytes(purpose, content)
    assert len(sealed) == len(content) + 29
    assert CIPHER.open_bytes(purpose, sealed) == content


def test_large_contents_are_sealed_in_one_piece() -> None:
    content = b"<Form/>" * 1_000_000
    assert CIPHER.open_bytes("envelope", CIPHER.seal_bytes("envelope", content)) == content


@given(words, words)
def test_a_value_opens_for_no_other_purpose_or_subject(one: str, other: str) -> None:
    assume(one != other)
    opens: tuple[Callable[..., object], ...] = (CIPHER.open_text, CIPHER.open_bytes)
    for open_value in opens:
        with pytest.raises(SealBroken):
            open_value(other, CIPHER.seal_text(one, "85073003328"))
        with pytest.raises(SealBroken):
            open_value("niss", CIPHER.seal_text("niss", "85073003328", subject=one), subject=other)


def test_a_value_opens_for_no_other_mandataire() -> None:
    """Neither with another data key nor, should two ever share one, with another id."""
    sealed = CIPHER.seal_text("niss", "85073003328")
    for stranger in (
        TenantCipher(TenantCipher.new_data_key(), MANDATAIRE),
        TenantCipher(bytes(range(32)), uuid4()),
    ):
        with pytest.raises(SealBroken):
            stranger.open_text("niss", sealed)
        with pytest.raises(SealBroken):
            stranger.open_bytes("niss", sealed)
        assert stranger.blind_index("niss", "85073003328") != CIPHER.blind_index("niss", "85073003328")


def test_every_flipped_bit_and_every_cut_of_a_value_is_noticed() -> None:
    sealed = CIPHER.seal_text("niss", "85073003328")
    broken = [sealed[:length] for length in range(len(sealed))] + [sealed + b"\x00"]
    for at in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[at] ^= 1 << bit
            broken.append(bytes(changed))
    for blob in broken:
        with pytest.raises(SealBroken):
            CIPHER.open_text("niss", blob)
        with pytest.raises(SealBroken):
            CIPHER.open_bytes("niss", blob)


def test_bytes_that_are_no_text_do_not_open_as_text() -> None:
    with pytest.raises(SealBroken):
        CIPHER.open_text("raw", CIPHER.seal_bytes("raw", b"\xff\xfe"))


def test_the_same_value_never_looks_the_same_but_has_one_index() -> None:
    assert CIPHER.seal_text("niss", "85073003328") != CIPHER.seal_text("niss", "85073003328")
    again = TenantCipher(bytes(range(32)), MANDATAIRE)
    assert again.blind_index("niss", "85073003328") == CIPHER.blind_index("niss", "85073003328")
    assert len(CIPHER.blind_index("niss", "85073003328")) == 32


def test_keys_and_indexes_stay_what_they_are() -> None:
    """Values written by an earlier release must open, and indexes must still find their rows."""
    sealed = bytes.fromhex(GOLDEN_VALUE)
    assert CIPHER.open_text("niss", sealed) == "85073003328"
    assert CIPHER.blind_index("niss", "85073003328").hex() == GOLDEN_INDEX
    assert open_key(bytes.fromhex(GOLDEN_SECRET)) == b"secret"


@given(texts, texts, words, words)
def test_an_index_tells_texts_and_purposes_apart(one: str, other: str, purpose: str, elsewhere: str) -> None:
    assert (CIPHER.blind_index(purpose, one) == CIPHER.blind_index(purpose, other)) == (one == other)
    assert (CIPHER.blind_index(purpose, one) == CIPHER.blind_index(elsewhere, one)) == (purpose == elsewhere)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_data_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        TenantCipher(b"d" * length, MANDATAIRE)


def test_the_data_key_of_a_mandataire_is_itself_a_sealed_secret() -> None:
    data_key = TenantCipher.new_data_key()
    assert data_key != TenantCipher.new_data_key()
    sealed = seal(data_key, purpose="data key", mandataire=MANDATAIRE, subject="", provider=PROVIDER)
    opened = unseal(sealed, purpose="data key", mandataire=MANDATAIRE, subject="", provider=PROVIDER)
    value = TenantCipher(data_key, MANDATAIRE).seal_text("niss", "85073003328")
    assert TenantCipher(opened, MANDATAIRE).open_text("niss", value) == "85073003328"


@pytest.mark.parametrize("holder", [PROVIDER, CIPHER], ids=["provider", "cipher"])
def test_keys_do_not_leave_the_process_by_accident(holder: object) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(holder)
    with pytest.raises(TypeError):
        copy.deepcopy(holder)
    assert "mmmm" not in repr(holder)
    assert not hasattr(holder, "__dict__"), "nothing that dumps attributes finds the keys"
