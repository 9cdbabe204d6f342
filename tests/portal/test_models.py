"""Mandataires and their keys, users and their places."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from portal import keys, tenancy
from portal.models import Mandataire, Membership, Profile, User, cipher
from portal.secrecy import SealBroken
from tests import factories
from tests.people import Person


def test_a_mandataire_is_founded_with_a_data_key_of_its_own(db: None) -> None:
    one, other = factories.mandataire(), factories.mandataire()
    assert bytes(one.data_key) != bytes(other.data_key)
    assert tenancy.current_or_none() is None
    assert str(one) == "Secrétariat social Essai"


def test_an_organisation_is_founded_once(db: None) -> None:
    one = factories.mandataire()
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.mandataire(number=one.number)


def test_the_cipher_is_that_of_the_scope(operator: Person, stranger: Person) -> None:
    with operator.scope():
        sealed = cipher().seal_text("note", "hello")
        assert cipher().open_text("note", sealed) == "hello"
        assert cipher() is operator.mandataire.cipher
    with stranger.scope(), pytest.raises(SealBroken):
        cipher().open_text("note", sealed)


def test_a_cipher_opened_by_another_process_is_opened_again(operator: Person) -> None:
    """Nothing depends on the process that founded the mandataire."""
    with operator.scope():
        sealed = cipher().seal_text("note", "hello")
        keys._ciphers.pop(operator.mandataire.pk)
        assert keys.cached_cipher(operator.mandataire.pk) is None
        assert cipher().open_text("note", sealed) == "hello"
        assert keys.cached_cipher(operator.mandataire.pk) is not None


def test_a_data_key_of_another_mandataire_does_not_open(operator: Person, stranger: Person) -> None:
    """A row whose key was swapped for another tenant's."""
    keys._ciphers.pop(operator.mandataire.pk, None)
    with pytest.raises(SealBroken):
        keys.tenant_cipher(operator.mandataire.pk, bytes(stranger.mandataire.data_key))
    assert keys.cached_cipher(operator.mandataire.pk) is None


def test_a_data_key_lies_sealed(operator: Person) -> None:
    with operator.scope(), connection.cursor() as cursor:
        cursor.execute("SELECT data_key FROM portal_mandataire")
        ((stored,),) = cursor.fetchall()
    assert bytes(stored) == bytes(operator.mandataire.data_key)
    assert len(bytes(stored)) > 32


def test_a_row_belongs_to_the_scope_it_was_made_in(operator: Person) -> None:
    with operator.scope():
        assert factories.employer().mandataire_id == operator.mandataire.pk


def test_a_user_has_one_place_at_a_mandataire(operator: Person) -> None:
    with operator.scope(), pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(user=operator.user)


@pytest.mark.parametrize("profile", list(Profile))
def test_a_member_may_what_his_profile_includes(operator: Person, profile: Profile) -> None:
    with operator.scope():
        made = factories.place(operator.mandataire, profile)
        allowed = list(Profile)[: list(Profile).index(profile) + 1]
        assert [asked for asked in Profile if made.may(asked)] == allowed


@pytest.mark.parametrize("typed", ["operator", "Operator", "OPERATOR"])
def test_a_name_is_found_whatever_its_capitals(operator: Person, typed: str) -> None:
    assert User.objects.get_by_natural_key(typed) == operator.user
    assert authenticate(username=typed, password=factories.PASSWORD) == operator.user
    assert authenticate(username=typed, password=factories.PASSWORD + "!") is None


@pytest.mark.parametrize(
    ("names", "initials"),
    [(("Lou", "Essai"), "LE"), (("Lou", ""), "L"), (("", ""), "LO"), (("émile", "ö"), "ÉÖ")],
)
def test_initials_stand_for_the_name(names: tuple[str, str], initials: str) -> None:
    user = User(username="lou.essai", first_name=names[0], last_name=names[1])
    assert user.initials == initials


def test_a_mandataire_with_anything_to_its_name_cannot_be_deleted(operator: Person) -> None:
    """What it did must be provable for longer than its subscription lasts."""
    with operator.scope():
        factories.channel()
        with pytest.raises(ProtectedError), transaction.atomic():
            Mandataire.objects.get().delete()
