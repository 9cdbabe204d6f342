"""Records, forms and answers for these tests.

The people and enterprises do not exist; their numbers pass the checks.
"""

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from submissions.fields import FIELDS
from submissions.wire.fla import FlaForm, FlaWriter
from submissions.wire.schemas import FLA_NAMESPACE, SYSTEM_FLUX, source

OFFICIAL = Path(__file__).parents[4] / "shared" / "onss" / "official"
GOLDEN = Path(__file__).parents[2] / "golden"
CREATED_AT = datetime(2025, 10, 1, 8, 9, 10, 123456, tzinfo=UTC)
"""10:09:10.123 in Belgium, where summer time still holds."""

FULL: dict[str, Any] = {
    "title": "Premiers secours & “sécurité” <niveau 1>",
    "kind": "formal",
    "starts_on": date(2025, 3, 3),
    "ends_on": date(2025, 3, 4),
    "duration_unit": "days",
    "duration_minutes": 912,
    "day_minutes": 456,
    "status": "followed",
    "charged_minutes": 456,
    "nature": "Sécurité",
    "result": "Réussi",
    "certificate": "Secouriste",
    "certificate_valid_until": date(2028, 3, 4),
    "funding": "sector_fund",
    "provider": "L'école d'été",
    "working_hours": "during",
    "cost_cents": 12505,
    "domain": "Prévention",
}
BARE: dict[str, Any] = FULL | {
    "result": "",
    "certificate": "",
    "certificate_valid_until": None,
    "provider": "",
    "working_hours": "",
    "cost_cents": None,
    "domain": "",
}


def form(record: dict[str, Any] = FULL, **changes: Any) -> FlaForm:
    """An original form about `record`; `changes` replace the form's own fields."""
    given: dict[str, Any] = {
        "reference": "P-7K2M",
        "attestation": 0,
        "earlier_ticket": None,
        "company_id": "0897223670",
        "nsso": "130387593",
        "inss": "85073003328",
        "family_name": "D'Hondt",
        "given_name": "Zoë",
        "values": tuple(record[item.name] for item in FIELDS),
    }
    return FlaForm(**(given | changes))


def writer(**changes: Any) -> FlaWriter:
    return FlaWriter(**({"form_code": "FLAD001", "created_at": CREATED_AT} | changes))


def three_forms() -> list[FlaForm]:
    """An original, a modification and a cancellation."""
    return [
        form(),
        form(BARE, reference="P-8B3C", attestation=1, earlier_ticket="0A1B2C3D4E5F6", nsso=None),
        form(
            FULL | {"status": "not_followed", "charged_minutes": 0, "cost_cents": 0},
            reference="P-9Q4T",
            attestation=3,
            earlier_ticket="0A1B2C3D4E5F7",
            company_id="0477472701",
            nsso="5000000120",
            inss="98472899765",
        ),
    ]


@cache
def official_schema() -> etree.XMLSchema | None:
    """The partner's GenericXmlDocument, where it is at hand.

    What stands in its DocumentXML must be valid too, so a driver schema brings ours along.
    """
    path = OFFICIAL / "GenericXmlDocument_20231.xsd"
    if not path.exists():
        return None

    class Folder(etree.Resolver):
        def resolve(self, url: str, public_id: str, context: object) -> object:
            content = path.read_bytes() if url.endswith("official.xsd") else source("fla.xsd")
            return self.resolve_string(content, context)

    parser = etree.XMLParser()
    parser.resolvers.add(Folder())
    driver = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f'<xs:import namespace="{FLA_NAMESPACE}" schemaLocation="fla.xsd"/>'
        f'<xs:import namespace="{SYSTEM_FLUX}" schemaLocation="official.xsd"/></xs:schema>'
    )
    return etree.XMLSchema(etree.fromstring(driver, parser))
