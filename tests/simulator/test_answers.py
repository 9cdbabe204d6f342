"""The answers themselves: against the official schemas, signed, in triples, and quick."""

import re
import time
from pathlib import Path

import pytest
from lxml import etree

from simulator.signatures import verify_detached
from tests.simulator import people
from tests.simulator.conftest import Scene

OFFICIAL = Path(__file__).parents[2] / ".." / "shared" / "onss" / "official"


@pytest.fixture(scope="module")
def schemas() -> dict[str, etree.XMLSchema]:
    if not OFFICIAL.is_dir():
        pytest.skip("the official schemas are not beside the project")
    return {
        "ACRF": etree.XMLSchema(etree.parse(OFFICIAL / "ACRF_20231.xsd")),
        "NOTI": etree.XMLSchema(etree.parse(OFFICIAL / "NOTIFICATION_20223.xsd")),
    }


EVERY_VERDICT = (
    people.form("GOOD & <own>"),
    people.form("DUPLICATE"),
    people.form("OVERLAP", Title="Other"),
    people.form("NOBODY", INSS=people.NOBODY),
    people.form("NO-MANDATE", CompanyID=people.BAKERY),
    people.form("NO-EMPLOYER", CompanyID=people.UNKNOWN),
    people.form("LEFT", INSS=people.BRAM, StartDate="2025-07-01", EndDate="2025-07-02"),
    people.form("BACKWARDS", INSS=people.BRAM, StartDate="2025-02-02", EndDate="2025-02-01"),
    people.form("REMARKS", StartDate="2025-05-05", EndDate="2025-05-05", ChargedMinutes="2280"),
    people.form("OLD", Title="Old", created_on="2020-01-01"),
    people.form("MODIFIES-NOTHING", status="1", earlier="0000000000000"),
    people.form("CANCELS-NOTHING", status="3"),
)


def check(schemas: dict[str, etree.XMLSchema], outbox: Path) -> int:
    count = 0
    for kind, schema in schemas.items():
        for name, root in people.answers(outbox, kind):
            schema.assertValid(root)
            signature = (outbox / f"FS{name[2:]}").read_bytes()
            verify_detached(signature, (outbox / name).read_bytes())
            count += 1
    return count


@pytest.mark.parametrize("with_reference", [True, False])
def test_every_verdict_is_valid(
    scene: Scene, schemas: dict[str, etree.XMLSchema], *, with_reference: bool
) -> None:
    scene.simulator.set_switches(no_file_reference=not with_reference)
    assert scene.exchange(people.document(*EVERY_VERDICT)).result == "1"
    assert check(schemas, scene.out) == 2
    results = {one.own: one.result for one in scene.outcomes()}
    assert [own for own, result in results.items() if result == "1"] == ["GOOD & <own>", "REMARKS"]
    anomalies = {anomaly[0] for one in scene.outcomes() for anomaly in one.anomalies}
    assert anomalies == {
        *("99000-272", "99000-334", "00024-179", "00011-155", "00014-017", "99003-152", "99004-152"),
        *("99004-003", "99005-420", "99008-326", "00218-003", "00022-003"),
    }


def test_many_references_are_cut_to_what_the_schema_allows(
    scene: Scene, schemas: dict[str, etree.XMLSchema]
) -> None:
    one = people.form("OWN-1", status="3", earlier="0000000000000")
    reference = re.search("<Reference>.*?</Reference>", one)
    assert reference is not None
    more = "".join(reference.group().replace("OWN-1", f"MORE-{number}") for number in range(6))
    scene.exchange(people.document(one.replace("<Data>", f"{more}<Data>")))
    assert check(schemas, scene.out) == 2
    (outcome,) = scene.outcomes()
    assert outcome.own == "OWN-1"
    assert len(outcome.references) == 4


@pytest.mark.parametrize("name", ["GO.X", "GO.<&>.1.2.3.4", "GO." + "long" * 30, "GX.<a>.b.c.d.e"])
def test_refusals_of_odd_names_are_valid(
    scene: Scene, schemas: dict[str, etree.XMLSchema], name: str
) -> None:
    scene.client.put(scene.client.sftp(), f"IN/{name}", b"")
    scene.simulator.settle()
    (acrf,) = people.acrfs(scene.out)
    assert acrf.file_name == name
    assert acrf.result == "0"
    assert check(schemas, scene.out) == 1


def test_another_application_is_only_acknowledged_and_accepted(
    scene: Scene, schemas: dict[str, etree.XMLSchema]
) -> None:
    scene.senders[0]["applications"].append("ATDO")
    people.write_senders(scene.root, scene.senders)
    document = people.document(
        people.form(
            identification="ATDO001", payload='<AthenaDocument xmlns="urn:athena"><A/></AthenaDocument>'
        )
    )
    scene.client.send(document, key=people.key(code="ATDO"))
    scene.simulator.settle()
    assert check(schemas, scene.out) == 2
    assert [(one.own, one.result) for one in scene.outcomes()] == [("OWN-1", "1")]


def test_names_of_answers_are_unique_and_come_in_both_styles(scene: Scene) -> None:
    for number in range(3):
        scene.client.send(people.document(people.form(f"OWN-{number}")), key=people.key(f"A000{number + 1}"))
    scene.simulator.settle()
    names = [path.name for path in scene.out.iterdir()]
    assert len(names) == 18
    pattern = r"(FO|FS)\.(ACRF\.999999\.\d{8}\.[0-9A-Z]{5}\.R|NOTI\.999999\.\d{8}\.[0-9A-Z]{5}\.R\.1\.1)"
    assert len([name for name in names if re.fullmatch(pattern, name)]) == 12
    pattern = r"GO\.(ACRF\.999999\.\d{8}\.[0-9A-Z]{5}\.R|NOTI\.999999\.\d{8}\.[0-9A-Z]{5}\.R\.1)"
    assert len([name for name in names if re.fullmatch(pattern, name)]) == 6


def test_500_forms_are_answered_in_well_under_a_second(scene: Scene) -> None:
    forms = [people.form(f"OWN-{number}", INSS=people.BRAM, Title=f"T{number}") for number in range(500)]
    scene.client.send(people.document(*forms), key=people.key("WARM1"), is_signed=True)
    started = time.perf_counter()
    scene.simulator.settle()
    elapsed = time.perf_counter() - started
    assert len(scene.outcomes()) == 500
    assert elapsed < 2, "generous for a machine with other work; 0.2 s when idle"
