"""Sealing: what leaves, what stays, and where each form came to lie in the bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError
from lxml import etree

from channels.enveloping import CannotSeal
from channels.models import Channel, Envelope, EnvelopePart, ReservedName
from channels.signing import decode_fs, verify
from mandates.models import Employer, Mandate
from portal import audit, tenancy
from portal.models import Event
from submissions import batching
from submissions.models import Batch, Declaration, TrainingRecord
from submissions.states import DeclarationState
from submissions.wire.fla import FlaWriter
from tests import factories
from tests.people import Person
from tests.racing import as_owner, beside, kill, race, wait_until_one_waits
from tests.submissions import relayed_files

D = DeclarationState
NS = {"g": "http://www.smals-mvm.be/xml/ns/systemFlux"}


@pytest.fixture
def scope(operator: Person) -> Iterator[None]:
    with operator.scope():
        yield


@pytest.fixture
def tenant(transactional_db: None) -> UUID:
    """Committed for good, for tests with several connections."""
    return factories.mandataire().pk


def references_in(fi: bytes) -> list[str]:
    """Our references in the bytes of an FI, in the order of its forms."""
    root = etree.fromstring(fi)
    return [
        str(text)
        for text in root.xpath(
            "g:Form/g:Reference[g:ReferenceType='1'][g:ReferenceOrigin='1']/g:ReferenceNbr/text()",
            namespaces=NS,
        )
    ]


def assert_positions_map_to_the_bytes(batch: Batch) -> None:
    """The way back from an anomaly: (part, position) of a row is where its form lies."""
    parts = list(EnvelopePart.objects.filter(envelope=batch.envelope_id).order_by("part"))
    assert [part.part for part in parts] == list(range(1, len(parts) + 1))
    found = {
        (part.part, position): reference
        for part in parts
        for position, reference in enumerate(references_in(part.fi), start=1)
    }
    rows = {(made.part, made.position): made.reference for made in factories.declarations_of(batch)}
    assert found == rows
    assert [part.forms_count for part in parts] == [len(references_in(part.fi)) for part in parts]
    assert batch.declarations_count == len(rows)


def room_for(forms: int) -> int:
    """The size limit of a file in which just so many forms of `factories` fit. Bytes. Seals a set to know."""
    batch = factories.sealed_batch()
    (part,) = EnvelopePart.objects.filter(envelope=batch.envelope_id)
    shell = len(FlaWriter.head) + len(FlaWriter.foot)
    form = part.fi_size - shell
    return shell + form * forms + form // 2


# --- one set --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scope")
def test_what_is_ready_leaves_in_one_set() -> None:
    declared = factories.ready(3)
    channel = factories.channel()
    (batch,) = factories.seal(channel)
    assert (batch.state, batch.service, batch.environment) == ("sealed", "FLA", "S")
    assert batch.channel == channel
    assert batch.sealed_at
    assert [made.pk for made in factories.declarations_of(batch)] == [made.pk for made in declared]
    assert set(batch.declarations.values_list("state", flat=True)) == {D.BATCHED}
    assert_positions_map_to_the_bytes(batch)
    assert batch.envelope.stem.startswith(f"FLAD.{channel.sender_number}.")
    assert batch.envelope.stem.endswith(".P0001.S")


@pytest.mark.usefixtures("scope")
def test_with_nothing_ready_there_is_no_set_and_no_name() -> None:
    factories.declaration(state=D.DRAFT)
    assert factories.seal(factories.channel()) == []
    assert not ReservedName.objects.exists()
    assert not Envelope.objects.exists()


@pytest.mark.usefixtures("scope")
def test_sealing_again_takes_only_what_became_ready_since() -> None:
    factories.ready(2)
    channel = factories.channel()
    factories.seal(channel)
    assert factories.seal(channel) == []
    (new,) = factories.ready(1)
    (batch,) = factories.seal(channel)
    assert batch.declarations.get() == new
    assert batch.envelope.stem.endswith(".P0002.S")


@pytest.mark.usefixtures("scope")
def test_the_form_says_what_the_record_says() -> None:
    somebody = factories.worker(factories.client(number="0897223670"), niss="85073003328")
    factories.declaration(factories.record(somebody, title="Hygiène & <sécurité>"))
    (batch,) = factories.seal(factories.channel())
    fi = EnvelopePart.objects.get(envelope=batch.envelope_id).fi
    texts = {etree.QName(e).localname: e.text for e in etree.fromstring(fi).iter() if e.text}
    assert texts["CompanyID"] == "0897223670"
    assert texts["INSS"] == "85073003328"
    assert texts["Title"] == "Hygiène & <sécurité>"
    assert texts["AttestationStatus"] == "0"


@pytest.mark.usefixtures("scope")
@pytest.mark.parametrize(("environment", "is_signed"), [("T", True), ("S", False)])
def test_a_set_is_signed_where_signatures_are_wanted(environment: str, is_signed: bool) -> None:
    batch = factories.sealed_batch(environment=environment)
    part = EnvelopePart.objects.get(envelope=batch.envelope_id)
    assert batch.environment == batch.envelope.environment == environment
    assert bool(part.fs) is is_signed
    if is_signed:
        certificate = verify(part.fi, decode_fs(part.fs))
        assert certificate.subject.rfc4514_string() == "CN=Canal d'essai"


@pytest.mark.usefixtures("scope")
def test_a_simulation_needs_no_certificate() -> None:
    factories.ready()
    (batch,) = factories.seal(factories.channel(has_keys=False))
    assert batch.envelope.certificate == ""


@pytest.mark.usefixtures("scope")
def test_an_event_tells_of_the_set() -> None:
    batch = factories.sealed_batch(2)
    told = Event.objects.get(verb="batch.sealed")
    assert told.subject_id == str(batch.pk)
    assert told.data == {"declarations": 2, "name": batch.envelope.stem}


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scope")
def test_more_than_500_forms_take_a_second_part() -> None:
    factories.ready(501)
    (batch,) = factories.seal(factories.channel())
    counts = EnvelopePart.objects.filter(envelope=batch.envelope_id).order_by("part")
    assert list(counts.values_list("forms_count", flat=True)) == [500, 1]
    assert_positions_map_to_the_bytes(batch)


@pytest.mark.usefixtures("scope")
def test_more_than_4500_forms_take_a_second_set() -> None:
    factories.ready(4501)
    first, second = factories.seal(factories.channel())
    assert (first.declarations_count, second.declarations_count) == (4500, 1)
    assert first.envelope.stem < second.envelope.stem
    assert EnvelopePart.objects.filter(envelope=first.envelope_id).count() == 9
    assert_positions_map_to_the_bytes(second)
    assert not Declaration.objects.ready().exists()


@pytest.mark.usefixtures("scope")
def test_files_stay_below_the_limit_of_the_channel() -> None:
    """Parts of two, sets of nine parts: eighteen at a time, and nothing lost between."""
    limit = room_for(2)
    Channel.objects.all().update(max_file_bytes=limit)
    channel = Channel.objects.get()
    factories.ready(40)
    batches = factories.seal(channel)
    assert [batch.declarations_count for batch in batches] == [18, 18, 4]
    for batch in batches:
        assert all(part.fi_size <= limit for part in EnvelopePart.objects.filter(envelope=batch.envelope_id))
        assert_positions_map_to_the_bytes(batch)
    assert not Declaration.objects.ready().exists()


@pytest.mark.usefixtures("scope")
def test_a_limit_that_no_form_fits_is_told_and_nothing_is_lost() -> None:
    factories.ready(2)
    channel = factories.channel(max_file_bytes=600)
    with pytest.raises(CannotSeal, match="larger than the 600"):
        factories.seal(channel)
    assert Declaration.objects.ready().count() == 2


# --- what stays -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("scope")
def test_a_form_that_cannot_be_written_goes_back_and_the_others_leave() -> None:
    declared = factories.ready(3)
    bad = declared[1]
    TrainingRecord.objects.filter(pk=bad.record_id).update(nature="", title="\x07")
    (batch,) = factories.seal(factories.channel())
    bad.refresh_from_db()
    assert (bad.state, bad.batch_id) == (D.DRAFT, None)
    assert [made.pk for made in factories.declarations_of(batch)] == [declared[0].pk, declared[2].pk]
    assert_positions_map_to_the_bytes(batch)
    told = Event.objects.get(verb="declaration.sent_back")
    assert told.subject_id == str(bad.pk)
    assert told.data == {"fields": ["nature", "title"]}


@pytest.mark.usefixtures("scope")
def test_when_no_form_can_be_written_nothing_remains() -> None:
    factories.ready(3)
    TrainingRecord.objects.update(nature="")
    assert factories.seal(factories.channel()) == []
    assert set(Declaration.objects.values_list("state", flat=True)) == {D.DRAFT}
    for model in (Batch, Envelope, EnvelopePart, ReservedName):
        assert not model.objects.exists()
    assert Event.objects.filter(verb="declaration.sent_back").count() == 3


def without_mandate(client: Employer) -> None:
    """It never had one."""


def mandate(**fields: Any) -> Callable[[Employer], None]:
    return lambda client: void(factories.active_mandate(client, **fields))


def void(_made: object) -> None:
    """Nothing."""


@pytest.mark.usefixtures("scope")
@pytest.mark.parametrize(
    "arrange",
    [
        pytest.param(without_mandate, id="none"),
        pytest.param(mandate(state=Mandate.State.PENDING), id="pending"),
        pytest.param(mandate(state=Mandate.State.CLOSED), id="closed"),
        pytest.param(mandate(service="DMFA", is_exclusive=False), id="another service"),
        pytest.param(mandate(ends_on=date(2025, 12, 31)), id="ended"),
        pytest.param(mandate(starts_on=date(2090, 1, 1)), id="not begun"),
    ],
)
def test_without_an_active_mandate_it_stays_ready(arrange: Callable[[Employer], None]) -> None:
    """Social security would answer 00011-155 to each of them."""
    client = factories.employer()
    arrange(client)
    (waiting,) = factories.ready(of=client)
    (leaving,) = factories.ready()
    (batch,) = factories.seal(factories.channel())
    assert batch.declarations.get() == leaving
    waiting.refresh_from_db()
    assert waiting.state == D.READY


def test_what_an_enterprise_declares_for_itself_leaves_without_a_mandate(
    operator: Person, stranger: Person
) -> None:
    """Also while another mandataire holds its FLA: both may send, each what is his."""
    number = operator.mandataire.number
    with stranger.scope():
        factories.active_mandate(factories.employer(number=number))
    with operator.scope():
        (leaving,) = factories.ready(of=factories.employer(number=number))
        (batch,) = factories.seal(factories.channel())
        assert batch.declarations.get() == leaving


@pytest.mark.usefixtures("scope")
def test_another_service_waits_for_its_own_departure() -> None:
    channel = relayed_files.channel()
    relayed_files.handed_over(channel)
    assert factories.seal(channel) == []


def test_another_tenant_is_never_taken_along(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        factories.ready(2)
    with operator.scope():
        factories.ready(1)
        (batch,) = factories.seal(factories.channel())
        assert batch.declarations_count == 1
    with stranger.scope():
        assert Declaration.objects.ready().count() == 2


def test_a_channel_of_another_tenant_does_not_exist(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        theirs = factories.channel()
    with pytest.raises(Channel.DoesNotExist):
        batching.seal_ready(operator.mandataire.pk, theirs.pk, "FLA")


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.usefixtures("scope")
def test_a_closed_service_is_refused_with_its_sentence() -> None:
    factories.ready()
    with pytest.raises(batching.NotAllowed, match=r"closed on .*2025.*can reopen"):
        factories.seal(factories.channel(), environment="R")
    assert Declaration.objects.ready().count() == 1
    assert not ReservedName.objects.exists()


@pytest.mark.usefixtures("scope")
def test_a_reopened_service_leaves_signed(settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"fla_is_reopened": True})
    batch = factories.sealed_batch(environment="R")
    part = EnvelopePart.objects.get(envelope=batch.envelope_id)
    assert batch.envelope.stem.endswith(".R")
    verify(part.fi, decode_fs(part.fs))


@pytest.mark.usefixtures("scope")
def test_nothing_leaves_by_a_channel_that_is_being_set_up() -> None:
    channel = factories.channel(is_set_up=False, is_paused=True)
    factories.ready(1)
    with pytest.raises(batching.NotAllowed, match="being set up"):
        factories.seal(channel)
    assert not ReservedName.objects.exists()


@pytest.mark.usefixtures("scope")
def test_a_channel_without_the_permission_is_refused() -> None:
    factories.ready()
    with pytest.raises(batching.NotAllowed, match="does not carry"):
        factories.seal(factories.channel(services=["DMFA"]))


@pytest.mark.usefixtures("scope")
def test_the_codes_of_the_service_are_settings(settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(
        update={"fla_application_code": "FLAX", "fla_form_code": "FLAX002", "fla_namespace": "urn:other:2"}
    )
    batch = factories.sealed_batch()
    fi = EnvelopePart.objects.get(envelope=batch.envelope_id).fi
    assert batch.envelope.stem.startswith("FLAX.")
    assert b"<Identification>FLAX002</Identification>" in fi
    assert b'xmlns="urn:other:2"' in fi


# --- several at once ------------------------------------------------------------------------------


def test_sealers_at_once_never_share_a_declaration(tenant: UUID) -> None:
    with tenancy.scope(tenant):
        limit = room_for(1)
        Channel.objects.all().update(max_file_bytes=limit)
        channel = Channel.objects.get()
        declared = {made.pk for made in factories.ready(60)}
        before = set(Batch.objects.values_list("pk", flat=True))

    def seal() -> list[int]:
        return batching.seal_ready(tenant, channel.pk, "FLA")

    results = race(seal, seal, seal)
    assert all(isinstance(result, list) for result in results), results
    made = [pk for result in results if isinstance(result, list) for pk in result]
    assert len(made) == len(set(made))
    with tenancy.scope(tenant):
        batches = Batch.objects.exclude(pk__in=before)
        assert set(batches.values_list("pk", flat=True)) == set(made)
        assert sum(batches.values_list("declarations_count", flat=True)) == len(declared)
        assert set(Declaration.objects.filter(batch__in=batches).values_list("pk", flat=True)) == declared
        stems = list(batches.values_list("envelope__stem", flat=True))
        assert len(stems) == len(set(stems))
        for batch in batches:
            assert_positions_map_to_the_bytes(batch)
    assert audit.verify(tenant)[1] is None


@pytest.mark.parametrize(
    "table",
    [
        "channels_reservedname",
        "submissions_batch",
        "channels_envelope",
        "channels_envelopepart",
        "submissions_declaration",
        "portal_event",
    ],
)
def test_killed_in_the_middle_it_leaves_nothing(tenant: UUID, table: str) -> None:
    """The connection dies at the first write to `table`: what came before it is gone, and the same again works."""
    with tenancy.scope(tenant):
        channel = factories.channel()
        factories.ready(3)
    with as_owner() as owner:
        owner.execute(f"LOCK TABLE {table} IN SHARE MODE")
        with beside(lambda: batching.seal_ready(tenant, channel.pk, "FLA")) as sealing:
            kill(wait_until_one_waits())
            with pytest.raises(OperationalError):
                sealing.result(timeout=10)
        owner.rollback()
    with tenancy.scope(tenant):
        for model in (Batch, Envelope, EnvelopePart, ReservedName):
            assert not model.objects.exists()
        assert Declaration.objects.ready().count() == 3
        assert not Event.objects.filter(verb="batch.sealed").exists()
        (batch,) = factories.seal(channel)
        assert batch.envelope.stem.endswith(".P0001.S")
        assert_positions_map_to_the_bytes(batch)
