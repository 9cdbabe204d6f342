"""Every address, found by walking the resolver: who may come, who may not, and what is left in caches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from channels.models import Channel, Credential, EnvelopePart, InboundFile
from mandates.models import Contract, Employer, Mandate, MandateImport, Procuration, Worker
from portal.identity.models import IdentityLink, IdentityProvider
from portal.models import Membership, Profile, User
from submissions.models import (
    BalanceLetters,
    Batch,
    CorrectionRequest,
    Course,
    Declaration,
    ManualRight,
    RegisterImport,
    RelayedFile,
    SectorAgreement,
    SignOff,
    TrainingRecord,
    TrainingTemplate,
)
from tests import factories
from tests.people import Person
from tests.portal.everything import make_one_of_everything

pytestmark = pytest.mark.walk

SIGN_IN = {"login", "sign_in_code", "sign_in_passkey", "passkey_options"}
SIGN_IN |= {"identity_find", "identity_start", "identity_back"}
OPEN_TO_ALL = SIGN_IN | {"set_language", "choose_password", "livez", "readyz", "metrics"}
"""The only addresses that answer without a sign-in."""

OWN = {
    "profile_notices",
    "profile_digest",
    "profile_details",
    "profile_password",
    "profile_sessions",
    "session_end",
    "confirm",
}
OWN |= {"totp", "totp_remove", "passkey_new_options", "passkey_add", "passkey_remove", "recovery_codes"}
OWN |= {"identity_link", "identity_unlink", "organisation", "search"}
REGISTER = {"worker_new", "worker_change", "contract_new", "contract", "employer_size"}
REGISTER |= {"right", "manual_right_take_back"}
EXPORTS = {f"{name}_export" for name in ("employers", "mandates", "declarations", "to_correct", "workers")}
EXPORTS |= {f"{name}_export" for name in ("batches", "relays", "documents")}
FOR_EVERY_MEMBER = OPEN_TO_ALL | OWN | REGISTER | EXPORTS | {"logout", "record_edit", "declaration_complete"}
FOR_EVERY_MEMBER |= {"course_new", "course_ready", "training_template_remove", "problem_comment"}
FOR_EVERY_MEMBER |= {
    f"register_import{name}" for name in ("s", "_columns", "_apply", "_undo", "_discard", "_bad")
}
FOR_EVERY_MEMBER |= {"letters", "letters_again", "letters_download"}
FOR_EVERY_MEMBER |= {"correction_new", "correction_accept", "correction_decline"}
"""What the lowest profile may POST to."""

OBJECTS: dict[str, type[Model]] = {
    "declaration": Declaration,
    "declaration_complete": Declaration,
    "declaration_correct": Declaration,
    "declaration_withdraw": Declaration,
    "record": TrainingRecord,
    "record_edit": TrainingRecord,
    "record_declare": TrainingRecord,
    "record_modify": TrainingRecord,
    "record_cancel": TrainingRecord,
    "course": Course,
    "course_ready": Course,
    "training_template_remove": TrainingTemplate,
    "relay": RelayedFile,
    "relay_withdraw": RelayedFile,
    "batch": Batch,
    "batch_leave": Batch,
    "batch_release": Batch,
    "batch_again": Batch,
    "batch_promote": Batch,
    "batch_by_hand": Batch,
    **dict.fromkeys(
        (
            *("channel_health", "channel_probe", "channel_pause", "channel_resume", "channel_exclusive"),
            *("health_depart", "health_collect", "departures"),
            *("host_key_propose", "host_key_accept", "host_key_keep"),
        ),
        Channel,
    ),
    "file_replay": InboundFile,
    "sent_file": EnvelopePart,
    "inbound_file": InboundFile,
    "member": Membership,
    "member_edit": Membership,
    "member_grants": Membership,
    "member_link": Membership,
    "member_appoint": Membership,
    "member_dismiss": Membership,
    "member_block": Membership,
    "member_unblock": Membership,
    "member_delete": Membership,
    "identity_link": IdentityProvider,
    "identity_unlink": IdentityLink,
    "provider": IdentityProvider,
    "provider_edit": IdentityProvider,
    "provider_test": IdentityProvider,
    "provider_on": IdentityProvider,
    "provider_off": IdentityProvider,
    "member_grant": Membership,
    "client_person_new": Employer,
    **dict.fromkeys(
        (
            *("problem", "problem_correct", "problem_again", "problem_accept", "problem_assign"),
            *("problem_snooze", "problem_close", "problem_reopen", "problem_comment"),
        ),
        Employer,
    ),
    "quarter_sign_off": Employer,
    "quarter_reopen": SignOff,
    "workers": Employer,
    "workers_export": Employer,
    "worker_new": Employer,
    "employer_size": Employer,
    "worker": Worker,
    "worker_change": Worker,
    "worker_file": Worker,
    "worker_file_pdf": Worker,
    "employer_file": Employer,
    "employer_file_pdf": Employer,
    "employer_archive": Employer,
    "account": Worker,
    "account_pdf": Worker,
    "contract_new": Worker,
    "right": Worker,
    "contract": Contract,
    "manual_right_take_back": ManualRight,
    "agreement_remove": SectorAgreement,
    "member_reset": Membership,
    "session_end": UserSession,
    "passkey_remove": Authenticator,
    "employer": Employer,
    "mandate_propose": Employer,
    "mandate": Mandate,
    "mandate_edit": Mandate,
    "mandate_finalise": Mandate,
    "mandate_validate": Mandate,
    "mandate_accept": Mandate,
    "mandate_procuration": Mandate,
    "mandate_refuse": Mandate,
    "mandate_withdraw": Mandate,
    "mandate_close": Mandate,
    "procuration": Procuration,
    "mandate_import": MandateImport,
    "mandate_import_apply": MandateImport,
    "mandate_import_discard": MandateImport,
    "mandate_import_bad": MandateImport,
    **dict.fromkeys(
        (
            *("register_import", "register_import_columns", "register_import_apply"),
            *("register_import_undo", "register_import_discard", "register_import_bad"),
        ),
        RegisterImport,
    ),
    "letters": Employer,
    "client_figures": Employer,
    "client_figures_pdf": Employer,
    **dict.fromkeys(("letters_job", "letters_again", "letters_download"), BalanceLetters),
    "corrections": Employer,
    "correction_new": Worker,
    **dict.fromkeys(("correction", "correction_accept", "correction_decline"), CorrectionRequest),
    "channel_key_file": Credential,
    "channel_key_switch": Credential,
    "channel_key_remove": Credential,
}
"""Which object an address with a `pk` is about."""

OTHER_ARGUMENTS: dict[str, dict[str, Any]] = {
    "sent_file": {"kind": "fi"},
    "member_grant": {"application": "declarations"},
    "right": {"year": 2025},
    "choose_password": {"uidb64": "MQ", "token": "none"},
    "identity_start": {"handle": UUID(int=1)},
    "identity_back": {"handle": UUID(int=1)},
    "register_import_template": {"kind": "trainings"},
}


@dataclass(frozen=True)
class Address:
    """One pattern of the resolver, by its name."""

    name: str
    arguments: frozenset[str]
    is_open: bool

    def path(self, pk: int = 1) -> str:
        """The address with this object in it."""
        given = OTHER_ARGUMENTS.get(self.name, {}) | ({"pk": pk} if "pk" in self.arguments else {})
        return reverse(self.name, kwargs=given)


def walk(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[Address]:
    """Every address; one without a name fails, because nobody could list it."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns)
        else:
            assert pattern.name, pattern
            arguments = frozenset(pattern.pattern.regex.groupindex)
            is_open = not getattr(pattern.callback, "login_required", True)
            yield Address(pattern.name, arguments, is_open)


@pytest.fixture(scope="module")
def addresses() -> list[Address]:
    found = list(walk(get_resolver().url_patterns))
    assert len(found) > 20
    return found


@pytest.fixture
def objects(operator: Person) -> dict[str, int]:
    """One object of the operator for each address that is about one."""
    with operator.scope():
        make_one_of_everything()
        factories.place(operator.mandataire)  # nobody changes himself
        return {name: model._default_manager.latest("pk").pk for name, model in OBJECTS.items()}


def both(client: Client, path: str, **headers: str) -> dict[str, Any]:
    return {"GET": client.get(path, headers=headers), "POST": client.post(path, headers=headers)}


def test_only_the_written_list_is_open(addresses: list[Address]) -> None:
    assert {address.name for address in addresses if address.is_open} == OPEN_TO_ALL


def test_every_address_about_an_object_says_which(addresses: list[Address]) -> None:
    assert {address.name for address in addresses if "pk" in address.arguments} == set(OBJECTS)
    for address in addresses:
        assert address.arguments <= {"pk", *OTHER_ARGUMENTS.get(address.name, {})}, address


def test_nobody_comes_in_without_a_sign_in(db: None, addresses: list[Address]) -> None:
    client = Client()
    for address in addresses:
        if address.name in OPEN_TO_ALL:
            continue
        for method, response in both(client, address.path()).items():
            assert response.status_code == 302, (method, address)
            assert response["Location"].startswith(reverse("login")), (method, address)


def test_an_expired_session_takes_the_whole_page_to_the_sign_in(db: None, addresses: list[Address]) -> None:
    """htmx follows a redirect into the fragment it asked for, not into the page."""
    client = Client()
    for address in addresses:
        if address.name not in OPEN_TO_ALL:
            for response in both(client, address.path(), HX_Request="true").values():
                assert response.status_code == 204
                assert response["HX-Redirect"].startswith(reverse("login"))
                assert "Location" not in response


def test_for_the_stranger_nothing_exists(
    objects: dict[str, int], stranger: Person, addresses: list[Address]
) -> None:
    """Not even by POST, and not differently from what never was."""
    with stranger.scope():
        make_one_of_everything()
    for address in addresses:
        if "pk" in address.arguments:
            found = {
                method: r.status_code
                for method, r in both(stranger.client, address.path(objects[address.name])).items()
            }
            never = {
                method: r.status_code for method, r in both(stranger.client, address.path(10**9)).items()
            }
            assert found == never, address
            assert 404 in found.values(), address
            assert set(found.values()) <= {404, 405}, address


def test_for_the_operator_they_do_exist(
    objects: dict[str, int], operator: Person, addresses: list[Address]
) -> None:
    """So that the test before this one says something."""
    for address in addresses:
        if address.name not in ("login", "logout", "metrics"):  # the last one is there for who sets a token
            path = address.path(objects.get(address.name, 1))
            # What awaits its answer is not edited: that page leads back to the record.
            assert operator.client.get(path).status_code in (200, 302, 405), address


def test_the_colleague_may_not_write(
    objects: dict[str, int], colleague: Person, addresses: list[Address]
) -> None:
    for address in addresses:
        if address.name in FOR_EVERY_MEMBER:
            continue
        response = colleague.client.post(address.path(objects.get(address.name, 1)))
        assert response.status_code in (403, 405), address


def test_the_colleague_changed_nothing(
    objects: dict[str, int], colleague: Person, addresses: list[Address]
) -> None:
    def everything() -> list[Any]:
        with colleague.scope():
            return [
                list(model._default_manager.order_by("pk").values_list("pk", "state"))
                for model in (Declaration, Batch, InboundFile, Mandate)
            ]

    before = everything()
    for address in addresses:
        if address.name not in FOR_EVERY_MEMBER:
            colleague.client.post(address.path(objects.get(address.name, 1)))
    assert everything() == before


def test_a_user_without_any_membership_finds_nothing(db: None, addresses: list[Address]) -> None:
    client = Client()
    client.force_login(User.objects.create(username="nobody"))
    for address in addresses:
        if address.name in OPEN_TO_ALL | {"logout"}:
            continue
        for method, response in both(client, address.path()).items():
            assert response.status_code in (403, 404, 405), (method, address)


def test_nothing_is_left_in_a_cache_and_nothing_foreign_is_loaded(
    objects: dict[str, int], operator: Person, addresses: list[Address]
) -> None:
    for address in addresses:
        response = operator.client.get(address.path(objects.get(address.name, 1)))
        assert "no-store" in response["Cache-Control"], address
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response["X-Frame-Options"] == "DENY"


def test_every_write_needs_its_token(
    objects: dict[str, int], operator: Person, addresses: list[Address]
) -> None:
    """A form on another site cannot act in the name of whoever is signed in here."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator.user)
    refused = 0
    for address in addresses:
        status = client.post(address.path(objects.get(address.name, 1))).status_code
        assert status in (403, 405), address
        refused += status == 403
    assert refused > 10


def test_a_profile_includes_those_before_it() -> None:
    assert Profile.EXTENDED.includes(Profile.ADMINISTRATIVE)
    assert Profile.ADMINISTRATIVE.includes(Profile.ENCODE)
    assert Profile.ENCODE.includes(Profile.ENCODE)
    assert not Profile.ENCODE.includes(Profile.ADMINISTRATIVE)
    assert not Profile.ADMINISTRATIVE.includes(Profile.EXTENDED)


def test_there_is_something_to_see(objects: dict[str, int], operator: Person) -> None:
    with operator.scope():
        assert factories.ready(1)
    assert operator.client.get(reverse("home")).status_code == 200
