"""The bytes of the answers: ACRF (about a set) and NOTI (about its forms).

Source: www.socialsecurity.be/docu_xml/ (schemas ACRF and NOTIFICATION) and
www.socialsecurity.be/site_fr/general/helpcentre/batch/ (received).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from simulator.content import Form
from simulator.moments import form_stamp
from simulator.names import Refusal
from simulator.registry import Registry
from simulator.verdicts import LABELS, Anomaly, Verdict

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MAX_REFERENCES = 4  # the notification schema allows no more
GARBAGE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<NOTIFICATION><Form><Identification>NOTI001</Identific\x00\xff'
)


@dataclass(frozen=True)
class Handled:
    """A form with its ticket and its verdict."""

    form: Form
    ticket: str
    verdict: Verdict


@dataclass(frozen=True)
class Subject:
    """What an answer is about: the file name it quotes and the ticket of the set."""

    file_name: str
    ticket: str


def render_acrf(subject: Subject, refusals: Sequence[Refusal], moment: datetime) -> bytes:
    """The acknowledgement of a set: accepted without refusals, refused with their codes."""
    day, hour = form_stamp(moment)
    codes = dict.fromkeys(refusal.code for refusal in refusals)
    errors = "".join(f"<ErrorID>ACRF-{code}</ErrorID>" for code in codes)
    return (
        f"{_HEAD}<ACRF><Form><Identification>ACRF001</Identification>"
        f"<FormCreationDate>{day}</FormCreationDate><FormCreationHour>{hour}</FormCreationHour>"
        f"<AttestationStatus>0</AttestationStatus><TypeForm>FA</TypeForm>{_file_reference(subject)}"
        f"<ReceptionResult><ResultCode>{0 if codes else 1}</ResultCode>{errors}</ReceptionResult>"
        "</Form></ACRF>\n"
    ).encode()


def render_noti(
    subject: Subject,
    handled: Iterable[Handled],
    registry: Registry,
    moment: datetime,
    *,
    with_file_reference: bool,
) -> bytes:
    """The notification of the outcome of forms, one block per form in the order given."""
    day, hour = form_stamp(moment)
    file_reference = file_ticket = ""
    if with_file_reference:
        file_reference = _file_reference(subject)
    else:
        file_ticket = _reference("Reference", "4", "2", subject.ticket)
    opening = (
        "<Form><Identification>NOTI001</Identification>"
        f"<FormCreationDate>{day}</FormCreationDate><FormCreationHour>{hour}</FormCreationHour>"
        f"<AttestationStatus>0</AttestationStatus><TypeForm>FA</TypeForm>{file_reference}"
    )
    forms = "".join(opening + _render_form(one, registry, file_ticket) for one in handled)
    return f"{_HEAD}<NOTIFICATION>{forms}</NOTIFICATION>\n".encode()


def _file_reference(subject: Subject) -> str:
    return (
        f"<FileReference><FileName>{_text(subject.file_name)}</FileName><ReferenceOrigin>2</ReferenceOrigin>"
        f"<ReferenceNbr>{subject.ticket}</ReferenceNbr></FileReference>"
    )


def _render_form(handled: Handled, registry: Registry, file_ticket: str) -> str:
    form = handled.form
    own = [one for one in form.references if one.origin != "2"] + [
        one for one in form.references if one.origin == "2"
    ]
    room = MAX_REFERENCES - (1 if file_ticket else 0)
    references = "".join(_reference("Reference", one.kind, one.origin, one.number) for one in own[:room])
    anomalies = "".join(_render_anomaly(anomaly, form, registry) for anomaly in handled.verdict.anomalies)
    return (
        f"<HandledOriginalForm><Identification>{_text(form.identification)}</Identification>"
        f"<FormCreationDate>{form.created_on}</FormCreationDate><FormCreationHour>{form.created_at}</FormCreationHour>"
        f"<AttestationStatus>{form.status}</AttestationStatus><TypeForm>{form.type_form}</TypeForm>"
        f"</HandledOriginalForm>{references}{file_ticket}{_render_parties(form, registry)}"
        f"{_reference('HandledReference', '1', '2', handled.ticket)}"
        f"<HandlingResult><ResultCode>{1 if handled.verdict.is_accepted else 0}</ResultCode>{anomalies}"
        "</HandlingResult></Form>"
    )


def _render_parties(form: Form, registry: Registry) -> str:
    if not form.company:
        return ""
    nsso = _nsso(form, registry)
    employer = ""
    if nsso:  # the schema wants an ONSS number before the enterprise number
        employer = (
            f"<EmployerId><NOSSRegistrationNbr>{nsso}</NOSSRegistrationNbr>"
            f"<CompanyID>{form.company}</CompanyID></EmployerId>"
        )
    person = (
        f"<NaturalPerson><INSS>{form.workers[0]}</INSS></NaturalPerson>" if len(form.workers) == 1 else ""
    )
    return f"{employer}{person}"


def _nsso(form: Form, registry: Registry) -> str:
    employer = registry.employers.get(form.company)
    return form.nsso or (employer.nsso if employer else "")


def _render_anomaly(anomaly: Anomaly, form: Form, registry: Registry) -> str:
    path = ""
    if form.company and len(form.workers) == 1:
        nsso = _nsso(form, registry)
        number = f"<NOSSRegistrationNbr>{nsso}</NOSSRegistrationNbr>" if nsso else ""
        path = f"<Path>{number}<CompanyID>{form.company}</CompanyID><INSS>{form.workers[0]}</INSS></Path>"
    return (
        f"<AnomalyReport><ErrorID>{anomaly.code}</ErrorID><TagName>{anomaly.tag}</TagName>"
        f"<Value>{_text(anomaly.value)}</Value><AnomalyClass>{anomaly.kind}</AnomalyClass>"
        f"<AnomalyLabel>{LABELS[anomaly.code[-3:]]}</AnomalyLabel>"
        f"<AnomalyLocation><LineNbr>{anomaly.line}</LineNbr><Location>{anomaly.location}</Location>"
        f"</AnomalyLocation>{path}</AnomalyReport>"
    )


def _reference(element: str, kind: str, origin: str, number: str) -> str:
    return (
        f"<{element}><ReferenceType>{kind}</ReferenceType><ReferenceOrigin>{origin}</ReferenceOrigin>"
        f"<ReferenceNbr>{_text(number)}</ReferenceNbr></{element}>"
    )


def _text(value: str) -> str:
    """`value` as XML text. A file name may hold characters that XML cannot: they become question marks."""
    return escape(_NOT_XML.sub("?", value))
