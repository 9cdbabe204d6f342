"""Taking CareerPro documents: a contract or a payslip as PDF, with its data. It leaves with the next departure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from channels.models import Channel
from mandates.catalogue import Service, service
from mandates.models import Employer, Worker
from mandates.procurations import Pdf
from portal import audit
from portal.models import cipher
from submissions.batching import NotAllowed, check_allowed, today
from submissions.declaring import CannotDeclare
from submissions.inspecting import speaking_for
from submissions.models import CareerDocument, Declaration
from submissions.models.document import DOCUMENT
from submissions.states import DeclarationState
from submissions.wire.atdo import DocumentForm, DocumentWriter

CODE: Final = "ATDO"
_TRIAL: Final = "P-TRIAL"


def form_of(document: CareerDocument, employer: Employer, reference: str) -> DocumentForm:
    """What is written of a document, with the numbers of its worker and employer opened."""
    return DocumentForm(
        reference=reference,
        company_id=employer.number,
        nsso=employer.onss_number or None,
        inss=document.worker.niss,
        category=document.category,
        sign_status=document.sign_status,
        sign_until=document.sign_until,
        sign_email=document.sign_email,
        using_employer_number=document.using_employer_number,
        document_on=document.document_on,
        language=document.language,
        duration_code=document.duration_code,
        starts_on=document.starts_on,
        ends_on=document.ends_on,
        contract_type=document.contract_type,
        mean_hours=document.mean_hours,
        reference_hours=document.reference_hours,
        dimona_period=document.dimona_period,
        pdf=document.content,
    )


def send(channel: Channel, worker: Worker, pdf: Pdf, values: Mapping[str, Any]) -> Declaration:
    """Keeps a document and declares it, in the transaction of the caller; it leaves with the next departure.

    `values` are columns of `CareerDocument`. Raises CannotDeclare when nothing of the service may leave for this
    employer today, and `wire.generic.InvalidForm` when the form cannot be written.
    """
    chosen = service(CODE)
    check_may_send(channel, chosen, worker.employer)
    document = CareerDocument(
        employer=worker.employer,
        worker=worker,
        name=pdf.name,
        sha256=hashlib.sha256(pdf.content).hexdigest(),
        size=len(pdf.content),
        content_sealed=cipher().seal_bytes(DOCUMENT, pdf.content, subject=f"worker {worker.pk}"),
        **values,
    )
    writer = DocumentWriter(form_code=chosen.form_code, namespace=chosen.namespace, created_at=today())
    size = len(writer.form(form_of(document, worker.employer, _TRIAL))) + len(writer.head) + len(writer.foot)
    if size > channel.max_file_bytes:
        raise CannotDeclare(
            _("With its data the document has %(size)d bytes; this channel sends files of at most %(limit)d.")
            % {"size": size, "limit": channel.max_file_bytes}
        )
    document.save(force_insert=True)
    declaration = Declaration.objects.create(
        employer=worker.employer, document=document, service=CODE, state=DeclarationState.READY
    )
    audit.record("document.added", document, data={"name": document.name, "sha256": document.sha256})
    audit.record("declaration.created", declaration, data={"count": 1})
    return declaration


def check_may_send(channel: Channel, chosen: Service, employer: Employer | None) -> None:
    """Raises CannotDeclare, with what to do, when a document (of this employer, if given) could not leave today."""
    try:
        check_allowed(channel, chosen, channel.environment)
    except NotAllowed as refusal:
        raise CannotDeclare(str(refusal)) from None
    if employer is not None and employer.pk not in speaking_for(chosen):
        raise CannotDeclare(
            _(
                "There is no active mandate %(mandate)s for %(employer)s today. Propose it, then send the document."
            )
            % {"mandate": chosen.name, "employer": employer.name}
        )
