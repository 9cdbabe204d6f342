"""Ready-made files of other services, as a client's payroll software would make them: a small Dimona and a small DmfA.

They fit the published schemas ``Dimona_20231`` and ``DmfAOriginal_20223`` (www.socialsecurity.be/docu_xml/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMED_COMMITTEES = frozenset({"124", "140", "144", "145", "149", "302", "320", "322"})
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@dataclass(frozen=True, slots=True)
class Hired:
    """A worker as a Dimona and a DmfA name him. `niss` has 11 digits; hours are those of a week, in hundredths."""

    niss: str
    family_name: str
    given_name: str
    joint_committee: str = "200"
    hours: int = 3800


def dimona(
    company: str, nsso: str, hired: Sequence[Hired], *, starts_on: date, made_on: date, reference: str
) -> bytes:
    """A Dimona with one IN per worker. Each form carries `reference`, a dash and its number."""
    forms = "".join(
        "<Form>\n"
        + _form_head("DIMONA", made_on, f"{reference}-{place}")
        + f"<DimonaIn>\n<StartingDate>{starts_on.isoformat()}</StartingDate>\n"
        f"<EmployerId><NOSSRegistrationNbr>{nsso}</NOSSRegistrationNbr><CompanyID>{company}</CompanyID></EmployerId>\n"
        f"<NaturalPerson><INSS>{worker.niss}</INSS><WorkerName>{escape(worker.family_name)}</WorkerName>"
        f"<WorkerFirstName>{escape(worker.given_name)}</WorkerFirstName></NaturalPerson>\n"
        f"<DimonaFeatures><JointCommissionNbr>{_committee(worker)}</JointCommissionNbr>"
        "<WorkerType>OTH</WorkerType></DimonaFeatures>\n</DimonaIn>\n</Form>"
        for place, worker in enumerate(hired, 1)
    )
    return (
        f'{_HEAD}<Dimona {_XSI} xsi:noNamespaceSchemaLocation="Dimona_20231.xsd">{forms}</Dimona>\n'.encode()
    )


def dmfa(
    company: str, nsso: str, hired: Sequence[Hired], *, quarter: date, made_on: date, reference: str
) -> bytes:
    """A DmfA of one employer for the quarter that starts on `quarter`, with one occupation per worker."""
    last_month = quarter.month + 2
    last_day = 31 if last_month in (3, 12) else 30
    ends_on = date(quarter.year, last_month, last_day)
    people = "".join(
        f"<NaturalPerson>\n<NaturalPersonSequenceNbr>{place}</NaturalPersonSequenceNbr><INSS>{worker.niss}</INSS>\n"
        "<WorkerRecord>\n<EmployerClass>000</EmployerClass><WorkerCode>495</WorkerCode>"
        f"<NOSSQuarterStartingDate>{quarter.isoformat()}</NOSSQuarterStartingDate>"
        f"<NOSSQuarterEndingDate>{ends_on.isoformat()}</NOSSQuarterEndingDate><Border>0</Border>\n"
        "<Occupation>\n<OccupationSequenceNbr>1</OccupationSequenceNbr>"
        f"<OccupationStartingDate>{quarter.isoformat()}</OccupationStartingDate>"
        f"<JointCommissionNbr>{worker.joint_committee[:3]}</JointCommissionNbr>"
        "<WorkingDaysSystem>500</WorkingDaysSystem><ContractType>0</ContractType>"
        f"<RefMeanWorkingHours>3800</RefMeanWorkingHours><MeanWorkingHours>{worker.hours:04}</MeanWorkingHours>"
        "<Retired>0</Retired>\n"
        "<Service><ServiceSequenceNbr>1</ServiceSequenceNbr><ServiceCode>1</ServiceCode>"
        "<ServiceNbrDays>6500</ServiceNbrDays></Service>\n"
        "<Remun><RemunSequenceNbr>1</RemunSequenceNbr><RemunCode>1</RemunCode><RemunAmount>900000</RemunAmount></Remun>\n"
        "</Occupation>\n"
        "<WorkerContribution><ContributionWorkerCode>495</ContributionWorkerCode><ContributionType>0</ContributionType>"
        "<ContributionCalculationBasis>900000</ContributionCalculationBasis>"
        "<ContributionAmount>342180</ContributionAmount></WorkerContribution>\n"
        "</WorkerRecord>\n</NaturalPerson>\n"
        for place, worker in enumerate(hired, 1)
    )
    year_and_quarter = f"{quarter.year}{(quarter.month + 2) // 3}"
    form = (
        "<Form>\n"
        + _form_head("DMFA", made_on, reference)
        + f"<EmployerDeclaration>\n<Quarter>{year_and_quarter}</Quarter>"
        f"<NOSSRegistrationNbr>{nsso}</NOSSRegistrationNbr><Trusteeship>0</Trusteeship><CompanyID>{company}</CompanyID>"
        f"<NetOwedAmount>{342180 * len(hired)}</NetOwedAmount>\n{people}</EmployerDeclaration>\n</Form>"
    )
    root = f'<DmfAOriginal {_XSI} xsi:noNamespaceSchemaLocation="DmfAOriginal_20223.xsd">'
    return f"{_HEAD}{root}{form}</DmfAOriginal>\n".encode()


def _committee(worker: Hired) -> str:
    """A Dimona names few joint committees; the others are XXX."""
    number = worker.joint_committee[:3]
    return number if number in _NAMED_COMMITTEES else "XXX"


def _form_head(identification: str, made_on: date, reference: str) -> str:
    return (
        f"<Identification>{identification}</Identification>"
        f"<FormCreationDate>{made_on.isoformat()}</FormCreationDate>"
        "<FormCreationHour>08:30:00.000</FormCreationHour>"
        "<AttestationStatus>0</AttestationStatus><TypeForm>SU</TypeForm>\n"
        "<Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>1</ReferenceOrigin>"
        f"<ReferenceNbr>{escape(reference)}</ReferenceNbr></Reference>\n"
    )
