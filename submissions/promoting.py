"""Sending to production what a circuit test or a simulation accepted: new originals, from the same records.

A test proves a content, so only what is still as it was tested goes to production; everything else is left out, each
with its reason. What is made here is destined for production whichever environment the channel is in, and passes the
same gate at sealing as any other declaration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from django.db import connection, models
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import vault
from channels.enveloping import needs_signature
from channels.models import Channel, Credential, EnvironmentCode
from mandates.catalogue import Source, service
from portal import audit, tenancy
from submissions.batching import NotAllowed, check_allowed
from submissions.declaring import REFERENCE, CannotDeclare
from submissions.models import Batch, Declaration, TrainingRecord
from submissions.states import ACCEPTED, TESTS, BatchState, DeclarationState

_PRODUCTION: Final = EnvironmentCode.PRODUCTION
_ABOUT: Final[Mapping[Source, str]] = MappingProxyType(
    {Source.RECORDS: "record", Source.FILES: "form", Source.DOCUMENTS: "document"}
)


class Fate(models.TextChoices):
    """Whether a tested declaration goes to production; if not, why."""

    GOOD = "good", gettext_lazy("goes to production")
    REFUSED = "refused", gettext_lazy("refused in the test")
    WAITING = "waiting", gettext_lazy("not answered yet")
    DECLARED = "declared", gettext_lazy("went to production already")
    CANCELLED = "cancelled", gettext_lazy("cancelled since")
    FOLLOWED = "followed", gettext_lazy("declared again since")
    CHANGED = "changed", gettext_lazy("changed since it was tested")
    FOLLOWING = "following", gettext_lazy("speaks of an earlier declaration of the test")
    TORN = "torn", gettext_lazy("in a file that leaves whole or not at all")


TODO: Final[Mapping[Fate, str | Promise]] = MappingProxyType(
    {
        Fate.REFUSED: gettext_lazy(
            "Correct it and declare it again: it is tested once more, in a new batch."
        ),
        Fate.WAITING: gettext_lazy("Wait for its answer."),
        Fate.DECLARED: gettext_lazy("Nothing: its page tells what production answered."),
        Fate.CANCELLED: gettext_lazy("Nothing: it is not to be declared."),
        Fate.FOLLOWED: gettext_lazy("Send the batch with the latest declaration of it to production."),
        Fate.CHANGED: gettext_lazy("Declare its present content: it is tested, then sent with that batch."),
        Fate.FOLLOWING: gettext_lazy("Have a file made for production, and hand it over."),
        Fate.TORN: gettext_lazy("Hand over a file with what is right, without the rest."),
    }
)
"""What to do about what is left out."""


class CannotPromote(CannotDeclare):
    """Nothing of this batch can be sent to production now; the sentence says why and what to do."""


def judged(batch: Batch) -> QuerySet[Any]:
    """The declarations of a set, each with its `fate`."""
    about = _ABOUT[service(batch.service).source]
    rows = Declaration.objects.filter(mandataire_id=tenancy.current(), batch=batch)
    others = Declaration.objects.filter(
        mandataire_id=OuterRef("mandataire_id"), **{about: OuterRef(about)}
    ).exclude(state=DeclarationState.WITHDRAWN)
    # A follow-up that was refused changed nothing over there; whether the record was changed for it is asked below.
    newer = others.filter(pk__gt=OuterRef("pk")).exclude(state=DeclarationState.REFUSED)
    cancelled = Q(kind=Declaration.Kind.CANCELLATION)
    cases = [
        When(state=DeclarationState.REFUSED, then=Value(Fate.REFUSED)),
        When(~Q(state__in=ACCEPTED), then=Value(Fate.WAITING)),
        When(Exists(others.filter(environment=_PRODUCTION)), then=Value(Fate.DECLARED)),
    ]
    if about == "form":
        cases.append(When(~Q(kind=Declaration.Kind.ORIGINAL), then=Value(Fate.FOLLOWING)))
    cases += [
        When(cancelled | Exists(newer.filter(cancelled)), then=Value(Fate.CANCELLED)),
        When(Exists(newer), then=Value(Fate.FOLLOWED)),
    ]
    if about == "record":
        # The set is opened before its records are read: what was changed after it may not be what was tested.
        cases.append(When(record__changed_at__gt=batch.created_at, then=Value(Fate.CHANGED)))

    def with_fate(rest: Fate) -> QuerySet[Any]:
        fate = Case(*cases, default=Value(rest), output_field=models.CharField())
        return rows.annotate(fate=fate)

    found = with_fate(Fate.GOOD)
    if about == "form" and found.exclude(fate=Fate.GOOD).exists():
        return with_fate(Fate.TORN)
    return found


def fates(batch: Batch) -> Counter[Fate]:
    """How many declarations of a set go to production, and how many are left out for which reason."""
    rows = judged(batch).order_by().values_list("fate").annotate(count=Count("pk"))
    return Counter({Fate(fate): count for fate, count in rows})


def is_offered(batch: Batch) -> bool:
    """Whether a set was a test and is answered."""
    return batch.environment in TESTS and batch.state == BatchState.ANSWERED


def check_may_leave(channel: Channel, code: str, environment: str = _PRODUCTION) -> None:
    """Raises CannotPromote, with what to do, when nothing of this service could leave for `environment` today."""
    try:
        check_allowed(channel, service(code), environment)
    except NotAllowed as refusal:
        raise CannotPromote(str(refusal)) from None
    if not needs_signature(channel, environment):
        return
    certificate = vault.in_use(channel, Credential.Kind.SIGNING)
    if certificate is None:
        raise CannotPromote(str(vault.MissingKey(channel, Credential.Kind.SIGNING)))
    if certificate.expires_at and certificate.expires_at <= timezone.now():
        raise CannotPromote(
            _("The signing certificate has ended, and these files are signed: register the next one.")
            if environment in TESTS
            else _(
                "The signing certificate has ended, and production wants signed files: register the next one."
            )
        )


def promote(batch: Batch) -> Counter[Fate]:
    """Declares for production what a set tested and is still as it was tested. Returns the fates, GOOD with what went.

    One statement makes them all, in the transaction of the caller. Whoever asks for the same set at the same moment
    waits, and then finds everything declared. Raises CannotPromote when nothing of it may go.
    """
    batch = Batch.objects.select_for_update(of=("self",)).select_related("channel").get(pk=batch.pk)
    if not is_offered(batch):
        raise CannotPromote(_("Only a test that is answered completely can be sent to production."))
    check_may_leave(batch.channel, batch.service)
    # Nobody changes a training, or declares it, between the look at it and the declaration.
    records = TrainingRecord.objects.filter(pk__in=batch.declarations.order_by().values("record"))
    list(records.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    found = fates(batch)
    if not found[Fate.GOOD]:
        raise CannotPromote(
            _("Nothing in this batch can go to production: see the reason at each declaration.")
        )
    chosen, parameters = judged(batch).filter(fate=Fate.GOOD).order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO submissions_declaration (mandataire_id, employer_id, record_id, form_id, document_id, "  # noqa: S608  written by Django, with parameters
            "service, kind, reference, state, environment, promotes_id, earlier_ticket, ticket, created_at) "
            "SELECT d.mandataire_id, d.employer_id, d.record_id, d.form_id, d.document_id, d.service, "
            f"'original', {REFERENCE}, 'ready', 'R', d.id, '', '', now() FROM submissions_declaration d "
            f"WHERE d.mandataire_id = %s AND d.id IN ({chosen}) ORDER BY d.id",
            [tenancy.current(), *parameters],
        )
        count: int = cursor.rowcount
    if count != found[Fate.GOOD]:
        raise RuntimeError(f"{count} of {found[Fate.GOOD]} declarations were made for production")
    audit.record("declaration.created", batch, data={"count": count, "environment": _PRODUCTION.value})
    left_out = {fate.value: number for fate, number in found.items() if fate is not Fate.GOOD}
    audit.record("batch.promoted", batch, data={"count": count, "left_out": left_out})
    return found
