"""Taking ready-made declaration files of other services: every check first, then file, forms and declarations at once.

What is refused leaves nothing behind. What is taken leaves with the next departure (`submissions.enclosing`), byte for
byte as it came, and each form in it has a Declaration of its own, so that every answer finds its client.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from channels.models import FILE, Channel
from mandates.catalogue import Service, Source, services
from mandates.models import NISS, Employer
from mandates.numbers import mask_in_text
from portal import audit, tenancy
from portal.models import cipher
from portal.moving import LostRace
from submissions import inspecting, questions
from submissions.declaring import CannotDeclare
from submissions.models import Declaration, RelayedFile, RelayedForm
from submissions.states import ACCEPTED, LIVE, ON_THE_WAY, DeclarationState
from submissions.wire.relayed import ReadForm

_KINDS: Final = {
    1: Declaration.Kind.MODIFICATION,
    3: Declaration.Kind.CANCELLATION,
}
"""By AttestationStatus; 0 and 2 (duplicate) are originals."""


def hand_over(
    channel: Channel,
    name: str,
    content: bytes,
    *,
    code: str = "",
    employer: Employer | None = None,
    corrects: RelayedFile | None = None,
) -> RelayedFile:
    """Takes one FI's content for a service, in the transaction of the caller. Raises `inspecting.Refused`;
    then nothing is stored.

    `code` is the service; without it the root element decides. `employer` is the client of the forms that name none
    (a Dimona OUT may give its period only). `corrects` is an earlier file: the refused forms in it that these forms
    declare again are linked to them.
    """
    read = inspecting.read(channel, content, code)
    inspecting.check_permission(channel, read.service)
    employers = inspecting.clients_of(read, employer)
    inspecting.check_mandates(read.service, set(employers))
    inspecting.check_answers_can_be_told_apart(read.forms, employers)
    schema = inspecting.judged_by(channel, content, read.opening)
    # Whoever hands over the same file at the same moment waits here, and then sees it.
    Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
    digest, exchange_name = hashlib.sha256(content).hexdigest(), inspecting.exchange_name(name)
    inspecting.check_new(digest, exchange_name)
    file = RelayedFile.objects.create(
        channel=channel,
        service=read.service.code,
        name=_plain(name),
        exchange_name=str(exchange_name).partition(".")[2] if exchange_name else "",
        schema=schema,
        sha256=digest,
        size=len(content),
        content_sealed=cipher().seal_bytes(FILE, content),
        forms_count=len(read.forms),
        corrects=corrects,
    )
    _declare(file, read.forms, employers)
    audit.record(
        "relay.handed_over",
        file,
        data={"name": file.name, "service": file.service, "count": len(read.forms), "sha256": digest},
    )
    return file


def _plain(name: str) -> str:
    """A name that can stand on a page: no path, nothing but what names are made of, no personal number."""
    kept = re.sub(r"[^\w.() -]+", "_", PurePath(name.replace("\\", "/")).name)
    return mask_in_text(kept)[:200] or "declaration.xml"


# --- what is kept ---------------------------------------------------------------------------------


def _declare(file: RelayedFile, forms: Sequence[ReadForm], employers: Sequence[Employer]) -> None:
    box = cipher()
    kept = RelayedForm.objects.bulk_create(
        (
            RelayedForm(
                file=file,
                employer=employer,
                position=form.position,
                line=form.line,
                identification=form.identification,
                reference=form.reference,
                created_on=form.created_on[:10],
                created_hour=form.created_hour[:20],
                niss_sealed=box.seal_text(NISS, form.inss) if form.inss else None,
                niss_index=box.blind_index(NISS, form.inss) if form.inss else None,
            )
            for form, employer in zip(forms, employers, strict=True)
        ),
        batch_size=1000,
    )
    refused = _Refusals(file.corrects)
    declarations = Declaration.objects.bulk_create(
        (
            Declaration(
                employer=employer,
                form=row,
                service=file.service,
                kind=_KINDS.get(form.attestation, Declaration.Kind.ORIGINAL),
                earlier_ticket=form.earlier_ticket[:13],
                replaces=refused.answered_by(row, employer),
                state=DeclarationState.READY,
            )
            for form, row, employer in zip(forms, kept, employers, strict=True)
        ),
        batch_size=1000,
    )
    audit.record("declaration.created", declarations[0], data={"count": len(declarations)})


class _Refusals:
    """The refused declarations of an earlier file, each to be found by the form that declares it again, once."""

    def __init__(self, file: RelayedFile | None) -> None:
        rows = Declaration.objects.none()
        if file is not None:
            rows = Declaration.objects.to_correct().filter(form__file=file).select_related("form")
        self._left = list(rows.order_by("form__position"))

    def answered_by(self, form: RelayedForm, employer: Employer) -> Declaration | None:
        """The refused declaration about the same thing: same client, and same reference or same worker."""
        for declaration in self._left:
            earlier = declaration.form
            if declaration.employer_id == employer.pk and (
                (earlier.reference and earlier.reference == form.reference)
                or _same(earlier.niss_index, form.niss_index)
            ):
                self._left.remove(declaration)
                return declaration
        return None


def _same(one: bytes | memoryview | None, other: bytes | memoryview | None) -> bool:
    """Whether two forms are about the same worker, or both about no one worker."""
    return (bytes(one) if one is not None else None) == (bytes(other) if other is not None else None)


# --- taking back ----------------------------------------------------------------------------------


def withdraw(file: RelayedFile, reason: str) -> None:
    """Takes back a file that has not left, with every declaration in it. Raises CannotDeclare, or LostRace."""
    if not reason.strip():
        raise CannotDeclare(_("Give a reason: it is kept in the history."))
    declarations = Declaration.objects.filter(
        mandataire_id=tenancy.current(), form__file=file, state__in=LIVE
    )
    locked = list(declarations.select_for_update(of=("self",)).values_list("state", flat=True))
    if set(locked) != {DeclarationState.READY}:
        raise CannotDeclare(
            _("This file has left, or was withdrawn: its declarations are answered one by one.")
        )
    if declarations.filter(state=DeclarationState.READY).update(state=DeclarationState.WITHDRAWN) != len(
        locked
    ):
        raise LostRace(f"file {file.pk} left meanwhile")
    # Of a file that a test accepted only the way to production is taken back: it stays handed over.
    forms = Declaration.objects.filter(mandataire_id=tenancy.current(), form__file=file)
    if not forms.accepted().exists():
        RelayedFile.objects.filter(pk=file.pk).update(is_withdrawn=True)
        file.is_withdrawn = True
    audit.record(
        "relay.withdrawn", file, reason=reason.strip(), data={"name": file.name, "count": len(locked)}
    )


def relayable() -> list[Service]:
    """The services whose ready-made files are taken."""
    return [service for service in services().values() if service.source is Source.FILES]


def rows_of(files: Sequence[RelayedFile]) -> list[dict[str, Any]]:
    """These few files as the pages show them, with what became of their forms. One query."""
    counts = {
        file: counted
        for file, *counted in questions.mine()
        .filter(form__file__in=[file.pk for file in files])
        .order_by()
        .values("form__file")
        .annotate(
            ready=Count("pk", filter=Q(state=DeclarationState.READY)),
            waiting=Count("pk", filter=Q(state__in=ON_THE_WAY)),
            accepted=Count("pk", filter=Q(state__in=ACCEPTED)),
            refused=Count("pk", filter=Q(state=DeclarationState.REFUSED, replaced_by=None)),
            employers=Count("employer", distinct=True),
        )
        .values_list("form__file", "ready", "waiting", "accepted", "refused", "employers")
    }
    known = services()
    names = ("ready", "waiting", "accepted", "refused", "employers")
    return [
        {
            "pk": file.pk,
            "name": file.name,
            "service": known[file.service].name if file.service in known else file.service,
            "at": file.handed_over_at,
            "size": file.size,
            "forms": file.forms_count,
            "is_withdrawn": file.is_withdrawn,
            **dict(zip(names, counts.get(file.pk, (0,) * len(names)), strict=True)),
        }
        for file in files
    ]
