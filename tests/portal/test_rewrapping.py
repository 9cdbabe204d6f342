"""A master key is replaced: everything stays readable, the former key opens nothing that is needed any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models

from channels import vault
from channels.models import Channel
from channels.signing import verify
from mandates.models import Worker
from portal import factors, keys, rewrapping, tenancy
from portal.models import Event, Mandataire
from portal.secrecy import LocalKeyProvider, UnknownMasterKey, seal
from tests import factories
from tests.portal.everything import make_one_of_everything

pytestmark = pytest.mark.django_db

OLD, NEW = (f"{word} master key of the installation".encode() for word in ("former", "present"))

type Under = Callable[..., LocalKeyProvider]


@pytest.fixture
def under(monkeypatch: pytest.MonkeyPatch) -> Iterator[Under]:
    """Lets the installation run under other master keys, as after a restart."""

    def restart(master: bytes, *older: bytes) -> LocalKeyProvider:
        keys._ciphers.clear()
        # Kept by the factories under the key of the moment.
        factories._sealed_secret.cache_clear()
        provider = LocalKeyProvider(master, older)
        monkeypatch.setattr(keys, "provider", lambda: provider)
        return provider

    yield restart
    keys._ciphers.clear()
    factories._sealed_secret.cache_clear()


@pytest.fixture
def homes(db: None, under: Under) -> list[Mandataire]:
    """Two mandataires with a row in every table, sealed under the former key."""
    under(OLD)
    made = [factories.mandataire(name=name) for name in ("Ancien", "Oud")]
    for home in made:
        with tenancy.scope(home.pk, actor=factories.member(home).pk):
            make_one_of_everything()
    return made


def rotate(*options: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    told = StringIO()
    try:
        call_command("rotate_master_key", *options, stdout=told)
    except SystemExit as ended:
        return int(ended.code or 0), told.getvalue()
    return 0, told.getvalue()


def everything_opens(home: Mandataire) -> None:
    with tenancy.scope(home.pk):
        channel = Channel.objects.get()
        assert vault.ssh_key(channel).can_sign()
        verify(b"x", vault.signer(channel).sign(b"x"))
        assert all(len(worker.niss) == 11 for worker in Worker.objects.all())
        assert Worker.objects.exists()


def apps_of_people() -> list[str]:
    """The secret of every app on a telephone, opened."""
    return [factors.Adapter().decrypt(row.data["secret"]) for row in Authenticator.objects.order_by("pk")]


def columns_with(prefix: bytes, homes: list[Mandataire]) -> set[str]:
    """Every column of bytes, in every table there is, in which these bytes occur: asked of the tables themselves."""
    found: set[str] = set()
    for home in homes:
        with tenancy.scope(home.pk), connection.cursor() as cursor:
            for model in apps.get_models():
                for field in model._meta.concrete_fields:
                    if isinstance(field, models.BinaryField):
                        table = model._meta.db_table
                        cursor.execute(
                            f"SELECT count(*) FROM {table} WHERE position(%s::bytea in {field.column}) > 0",
                            [prefix],
                        )
                        if cursor.fetchone()[0]:
                            found.add(f"{table}.{field.column}")
    return found


def test_after_the_rotation_the_former_key_is_not_needed(homes: list[Mandataire], under: Under) -> None:
    former = LocalKeyProvider(OLD).key_id
    before = columns_with(former, homes)
    assert before == {"portal_mandataire.data_key", "channels_credential.sealed"}
    under(NEW, OLD)
    for home in homes:
        everything_opens(home)
    code, told = rotate()
    assert code == 0
    assert told.count(": 3 values") == 2, "the data key and two keys of the channel, of each mandataire"
    assert columns_with(former, homes) == set()
    assert columns_with(LocalKeyProvider(NEW).key_id, homes) == before
    under(NEW)
    for home in homes:
        fresh = Mandataire.objects
        with tenancy.scope(home.pk):
            assert fresh.get(pk=home.pk).cipher
        everything_opens(home)


def test_without_the_rotation_it_is(homes: list[Mandataire], under: Under) -> None:
    """So that the test before this one says something."""
    under(NEW)
    with tenancy.scope(homes[0].pk), pytest.raises(UnknownMasterKey):
        vault.ssh_key(Channel.objects.get())


def test_checking_counts_and_changes_nothing(homes: list[Mandataire], under: Under) -> None:
    provider = under(NEW, OLD)
    code, told = rotate("--check")
    assert code == 1
    assert "portal_mandataire.data_key: 2 values" in told
    assert "channels_credential.sealed: 4 values" in told
    assert columns_with(provider.key_id, homes) == set()
    rotate()
    code, told = rotate("--check")
    assert code == 0
    assert provider.key_id.hex() in told


def test_a_rotation_that_was_killed_goes_on(
    homes: list[Mandataire], under: Under, monkeypatch: pytest.MonkeyPatch
) -> None:
    under(NEW, OLD)
    monkeypatch.setattr(rewrapping, "SET", 1)
    done: list[int] = []
    original = rewrapping._rewrap_set

    def dies_at_the_third(*arguments: Any) -> int:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(1)
        return original(*arguments)

    monkeypatch.setattr(rewrapping, "_rewrap_set", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        rotate()
    for home in homes:
        everything_opens(home)
    monkeypatch.setattr(rewrapping, "_rewrap_set", original)
    assert rotate()[0] == 0
    under(NEW)
    for home in homes:
        everything_opens(home)


def test_a_second_rotation_does_nothing(homes: list[Mandataire], under: Under) -> None:
    under(NEW, OLD)
    rotate()
    code, told = rotate()
    assert code == 0
    assert told.count(": 0 values") == 3
    with tenancy.scope(homes[0].pk):
        assert Event.objects.filter(verb="mandataire.keys_rewrapped").count() == 2, "one for each column"


def test_two_former_keys_go_at_once(homes: list[Mandataire], under: Under) -> None:
    middle = b"a master key between the two others"
    under(middle, OLD)
    rewrapping.rewrap_mandataire(homes[0].pk)
    under(NEW, middle, OLD)
    assert rotate()[0] == 0
    under(NEW)
    for home in homes:
        everything_opens(home)


def test_second_factors_survive_the_former_key(homes: list[Mandataire], under: Under) -> None:
    """They belong to people, not to a mandataire, and lie in JSON."""
    count = Authenticator.objects.count()
    assert count >= 2
    under(NEW)
    with pytest.raises(UnknownMasterKey):
        apps_of_people()
    under(NEW, OLD)
    code, told = rotate("--check")
    assert f"mfa_authenticator.data: {count} values" in told
    assert code == 1
    code, told = rotate()
    assert code == 0
    assert f"shared: {count} values" in told
    under(NEW)
    assert set(apps_of_people()) == {factories.SECRET}


def test_a_secret_deep_in_json_is_found_and_what_is_none_stays(homes: list[Mandataire], under: Under) -> None:
    under(OLD)
    row = Authenticator.objects.latest("pk")
    sealed = [factors.Adapter().encrypt(word) for word in ("one", "two")]
    row.data = {"codes": [*sealed, "plain"], "used": 3, "none": None}
    row.save()
    under(NEW, OLD)
    rotate()
    under(NEW)
    row.refresh_from_db()
    assert [factors.Adapter().decrypt(word) for word in row.data["codes"][:2]] == ["one", "two"]
    assert row.data == {"codes": [*row.data["codes"][:2], "plain"], "used": 3, "none": None}


def test_what_a_table_seals_tomorrow_is_found(homes: list[Mandataire], under: Under) -> None:
    """No list names the columns: a secret in a column that never held one is found by its first bytes."""
    provider = under(OLD)
    with tenancy.scope(homes[0].pk):
        secret = seal(b"secret", purpose="new", mandataire=homes[0].pk, subject="1", provider=provider)
        member = factories.place(homes[0])
        type(member).objects.filter(pk=member.pk).update(niss_sealed=secret)
    under(NEW, OLD)
    assert {str(found.place): found.count for found in rewrapping.remaining([homes[0].pk])} == {
        "mfa_authenticator.data": Authenticator.objects.count(),
        "portal_mandataire.data_key": 1,
        "channels_credential.sealed": 2,
        "portal_membership.niss_sealed": 1,
    }
    assert rotate()[0] == 0
