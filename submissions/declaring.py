"""Making declarations from records: originals, modifications, cancellations, and corrections of what was refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _

from channels.models import EnvironmentCode
from portal import audit, tenancy
from submissions import signing_off
from submissions.fields import problems
from submissions.models import Batch, Declaration, TrainingRecord
from submissions.states import ACCEPTED, LIVE, ON_THE_WAY, BatchState, DeclarationState

_SLICE = 500
REFERENCE: Final = "'P-' || upper(substr(replace(gen_random_uuid()::text, '-', ''), 1, 15))"
"""A new reference, for statements that make many declarations at once."""


class CannotDeclare(ValueError):
    """What was asked makes no sense in the present state; the sentence says why and what to do."""

    permanent = True
    ambiguous = False


def declare(
    records: Iterable[TrainingRecord],
    service: str,
    environment: str = "",
    *,
    is_kept_back: bool = False,
    is_told: bool = True,
) -> int:
    """Makes an original declaration of each record: ready to leave when complete, else a draft. Returns how many.

    `environment` is where they go (R, T or S); "" goes with the channel. `is_kept_back` makes drafts of all of them.
    Without `is_told` the Event is the caller's to write.
    """
    count = 0
    slice_: list[Declaration] = []
    for record in records:
        is_draft = is_kept_back or problems(record.values())
        state = DeclarationState.DRAFT if is_draft else DeclarationState.READY
        slice_.append(
            Declaration(
                employer_id=record.employer_id,
                record=record,
                service=service,
                environment=environment,
                state=state,
            )
        )
        if len(slice_) == _SLICE:
            count += _create(slice_, is_told=is_told)
            slice_ = []
    return count + _create(slice_, is_told=is_told)


def _create(declarations: list[Declaration], *, is_told: bool) -> int:
    if declarations:
        Declaration.objects.bulk_create(declarations)
    if declarations and is_told:
        audit.record("declaration.created", declarations[0], data={"count": len(declarations)})
    return len(declarations)


def declare_complete(records: Mapping[int, int], service: str) -> int:
    """Makes originals, ready to leave, of records by id, each with the id of its employer. Returns how many.

    In one statement. The caller knows that each is complete, and declared for the first time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO submissions_declaration (mandataire_id, employer_id, record_id, service, kind, reference, "
            "state, environment, earlier_ticket, ticket, created_at) "
            "SELECT %s, r.employer, r.id, %s, 'original', "
            "'P-' || upper(substr(replace(gen_random_uuid()::text, '-', ''), 1, 15)), 'ready', '', '', '', now() "
            "FROM unnest(%s::bigint[], %s::bigint[]) AS r (id, employer) RETURNING id",
            [tenancy.current(), service, list(records), list(records.values())],
        )
        made = [pk for (pk,) in cursor.fetchall()]
    if made:
        audit.record("declaration.created", Declaration(pk=made[0]), data={"count": len(made)})
    return len(made)


def complete(declaration: Declaration) -> dict[str, list[str]]:
    """Makes a draft ready to leave when its record has nothing missing; returns what is missing, by field."""
    if declaration.record is None:  # A document that could not be written: its data are not for editing.
        raise CannotDeclare(_("This cannot be completed here: withdraw it, and send it anew."))
    missing = problems(declaration.record.values())
    if not missing:
        declaration.move(DeclarationState.READY)
        audit.record("declaration.completed", declaration)
    return missing


def modify(record: TrainingRecord) -> Declaration:
    """Declares the present content of a record whose earlier declaration was accepted (AttestationStatus 1)."""
    return _follow_up(record, Declaration.Kind.MODIFICATION)


def cancel(record: TrainingRecord) -> Declaration:
    """Declares that an accepted record is to be taken off the account (AttestationStatus 3).

    A quarter that was signed off with it is to be signed off anew.
    """
    made = _follow_up(record, Declaration.Kind.CANCELLATION)
    signing_off.note_change(record)
    return made


def standing(record: TrainingRecord) -> Declaration | None:
    """The accepted declaration that social security has on its account, or None; the one in production comes first.

    A follow-up that was refused or withdrawn changes nothing over there: what it spoke of still stands. What stands on
    the account of a test (`Declaration.is_test`) is not declared.
    """
    accepted = record.declarations.filter(state__in=ACCEPTED).order_by("-id")
    latest: dict[str, Declaration] = {}
    for declaration in accepted:
        latest.setdefault(declaration.environment, declaration)
    left = [found for found in latest.values() if found.kind != Declaration.Kind.CANCELLATION]
    return next((found for found in left if not found.is_test), left[0] if left else None)


def was_accepted_elsewhere(record: TrainingRecord) -> bool:
    """Whether another office declared it and social security accepted it, as an archive told: it stands there."""
    rows = record.former_declarations.filter(environment=EnvironmentCode.PRODUCTION, state__in=ACCEPTED)
    return rows.exists()


def why_not(record: TrainingRecord) -> str:
    """Why what was declared about a record can be neither modified nor cancelled now, and what to do; "" if it can.

    Nothing is said of a record about which nothing was declared, or nothing stands any more.
    """
    latest = record.declarations.exclude(state=DeclarationState.WITHDRAWN).order_by("-id").first()
    if latest is None:
        return ""
    if latest.state in (DeclarationState.DRAFT, DeclarationState.READY):
        return _("What was declared has not left yet: change the training, or withdraw the declaration.")
    if latest.state in ON_THE_WAY:
        return _("What was declared awaits its answer: modify or cancel the training after that.")
    if latest.state == DeclarationState.REFUSED and standing(record) is None:
        return _(
            "Social security refused it, so nothing of it is on its account: correct the training and declare it again."
        )
    return ""


def _follow_up(record: TrainingRecord, kind: Declaration.Kind) -> Declaration:
    """Goes where that of which it speaks went, whichever environment the channel is in."""
    # Whoever comes second at the same moment waits here, and then sees what the first one declared.
    TrainingRecord.objects.select_for_update(no_key=True).get(pk=record.pk)
    accepted = standing(record)
    if refusal := why_not(record):
        raise CannotDeclare(refusal)
    if accepted is None:
        raise CannotDeclare(
            _("Only a training that social security has on its account can be modified or cancelled.")
        )
    latest = record.declarations.filter(environment=accepted.environment).latest("id")
    return _add(latest, kind, earlier_ticket=accepted.ticket)


def correct(declaration: Declaration) -> Declaration:
    """Declares a refused declaration again, from the present content of its record.

    The new one has the kind of the refused one, and its environment: an original was never registered there, so it is
    an original again.
    """
    locked = Declaration.objects.select_for_update().get(pk=declaration.pk)
    if locked.state != DeclarationState.REFUSED or Declaration.objects.filter(replaces=locked).exists():
        raise CannotDeclare(_("This declaration was corrected already, or was not refused."))
    if locked.form_id is not None:
        raise CannotDeclare(_("A form of a ready-made file is corrected by handing over a corrected file."))
    return _add(locked, Declaration.Kind(locked.kind), earlier_ticket=locked.earlier_ticket)


def _add(previous: Declaration, kind: Declaration.Kind, *, earlier_ticket: str) -> Declaration:
    is_complete = previous.record is None or not problems(previous.record.values())
    new = Declaration.objects.create(
        employer_id=previous.employer_id,
        record_id=previous.record_id,
        document_id=previous.document_id,
        service=previous.service,
        kind=kind,
        replaces=previous,
        environment=previous.environment,
        earlier_ticket=earlier_ticket,
        state=DeclarationState.READY if is_complete else DeclarationState.DRAFT,
    )
    audit.record(
        "declaration.created", new, data={"count": 1, "kind": kind.value, "replaces": previous.reference}
    )
    return new


def withdraw(declaration: Declaration, reason: str) -> None:
    """Takes back a declaration that has not left. Raises LostRace when it left in the meantime.

    The forms of a ready-made file leave together, so they are taken back together (`relaying.withdraw`).
    """
    if declaration.form_id is not None:
        raise CannotDeclare(_("The forms of a file leave together: withdraw the file."))
    if declaration.state not in LIVE[:2]:
        raise CannotDeclare(_("This declaration has left: it can be cancelled once it is answered."))
    declaration.move(DeclarationState.WITHDRAWN)
    audit.record("declaration.withdrawn", declaration, reason=reason)


def send_again(batch: Batch) -> int:
    """Declares everything of a set that was refused as a whole again, in one statement. Returns how many.

    The forms were never read over there, so each new declaration is of the same kind as the one it replaces.
    """
    if batch.state != BatchState.REJECTED:
        raise CannotDeclare(_("Only a set that was refused as a whole can be sent again."))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO submissions_declaration (mandataire_id, employer_id, record_id, form_id, document_id, "  # noqa: S608  constants of ours
            "service, kind, reference, "
            "state, replaces_id, environment, earlier_ticket, ticket, created_at) "
            "SELECT d.mandataire_id, d.employer_id, d.record_id, d.form_id, d.document_id, d.service, d.kind, "
            f"{REFERENCE}, 'ready', d.id, "
            "d.environment, d.earlier_ticket, '', now() FROM submissions_declaration d "
            "WHERE d.mandataire_id = %s AND d.batch_id = %s AND d.state = 'refused' "
            "AND NOT EXISTS (SELECT FROM submissions_declaration n WHERE n.replaces_id = d.id)",
            [tenancy.current(), batch.pk],
        )
        count: int = cursor.rowcount
    if count:
        audit.record("declaration.created", batch, data={"count": count, "again": True})
    return count
