"""The services as data: their codes, and the days between which production takes anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.utils import translation
from lxml import etree

from mandates.catalogue import (
    Service,
    Source,
    mandate_service,
    mandate_services,
    service,
    service_of_root,
    services,
)
from portal.permissions import PERMISSIONS, permission_for, permissions_of, services_of
from tests.submissions.wire.samples import OFFICIAL

OPENS, CLOSES = date(2024, 4, 1), date(2025, 12, 31)


@pytest.fixture
def fla() -> Service:
    return replace(service("FLA"), opens_on=OPENS, closes_on=CLOSES, is_reopened=False)


@pytest.mark.parametrize("day", [OPENS, date(2025, 3, 1), CLOSES])
def test_production_takes_declarations_from_the_first_day_to_the_last(fla: Service, day: date) -> None:
    assert fla.refusal_on(day, is_production=True) is None


@pytest.mark.parametrize(
    ("day", "sentence"), [(date(2024, 3, 31), "opens on"), (date(2026, 1, 1), "closed on")]
)
def test_outside_of_them_it_refuses_with_a_reason(fla: Service, day: date, sentence: str) -> None:
    refusal = fla.refusal_on(day, is_production=True)
    assert refusal is not None
    assert sentence in refusal
    assert "Federal Learning Account" in refusal


@pytest.mark.parametrize("day", [date(2020, 1, 1), date(2026, 1, 1), date(2090, 1, 1)])
def test_tests_and_simulations_are_never_bound_by_dates(fla: Service, day: date) -> None:
    assert fla.refusal_on(day, is_production=False) is None


@pytest.mark.parametrize("day", [date(2020, 1, 1), date(2026, 1, 1)])
def test_a_reopened_service_refuses_nothing(fla: Service, day: date) -> None:
    assert replace(fla, is_reopened=True).refusal_on(day, is_production=True) is None


def test_a_service_without_dates_is_always_open(fla: Service) -> None:
    always = replace(fla, opens_on=None, closes_on=None)
    assert always.refusal_on(date.min, is_production=True) is None
    assert always.refusal_on(date.max, is_production=True) is None


def test_the_reason_is_told_in_the_language_of_the_reader(fla: Service) -> None:
    with translation.override("nl"):
        refusal = fla.refusal_on(date(2026, 1, 1), is_production=True)
    assert refusal is not None
    assert "31 december 2025" in refusal


def test_the_law_closed_fla_at_the_end_of_2025() -> None:
    fla = service("FLA")
    assert fla.closes_on == date(2025, 12, 31)
    assert fla.is_exclusive
    assert not fla.is_reopened


def test_codes_and_dates_are_settings(settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(
        update={
            "fla_application_code": "FLAX",
            "fla_form_code": "FLAX002",
            "fla_namespace": "urn:other:2",
            "fla_opens_on": date(2027, 1, 1),
            "fla_closes_on": date(2027, 12, 31),
            "fla_is_reopened": True,
        }
    )
    fla = service("FLA")
    assert (fla.application_code, fla.form_code, fla.namespace) == ("FLAX", "FLAX002", "urn:other:2")
    assert (fla.opens_on, fla.closes_on, fla.is_reopened) == (date(2027, 1, 1), date(2027, 12, 31), True)


def test_services_are_found_by_their_code() -> None:
    assert all(service(code) == each and each.code == code for code, each in services().items())
    with pytest.raises(KeyError):
        service("NONE")


def test_an_application_code_fits_a_file_name() -> None:
    for each in services().values():
        assert len(each.application_code) == 4
        assert each.application_code.isalnum()
        assert each.application_code.isupper()
        assert len(each.form_code) <= 7


# --- the other services ---------------------------------------------------------------------------

RELAYED = {
    "DIMN": ("DIMONA", {"Dimona": "DIMONA"}),
    "DMFA": ("DMFA", {"DmfAOriginal": "DMFA"}),
    "DMWA": ("DMFA", {"DmfAUpdate": "DMFAUPD"}),
    "DMRQ": ("DMFA", {"DmfAConsultationRequest": "DMFAREQ"}),
    "PFRQ": ("DIMONA", {"PersonnelFileConsultationRequest": "PFREQ"}),
    "TWCT": ("UNEMPLOYMENT", {"TWCT001": "TWCT001"}),
    "VBLV": ("UNEMPLOYMENT", {"VBLV001": "VBLV001"}),
    "DDTN": ("WORKS", {"AVWDDT": "AVWDDT"}),
    "DUCN": ("WORKS", {"UWDUC": "UWDUC"}),
}


@pytest.mark.parametrize("code", RELAYED)
def test_a_relayed_service_has_the_codes_of_the_partner(code: str) -> None:
    found, (mandate, roots) = service(code), RELAYED[code]
    assert (found.application_code, found.mandate, dict(found.roots)) == (code, mandate, roots)
    assert found.source is Source.FILES


def test_the_scenarios_of_social_risks_are_roots_of_their_own() -> None:
    for code, count in (("WECH", 11), ("ZIMA", 5), ("AOAT", 3)):
        roots = service(code).roots
        assert len(roots) == count
        assert all(root == form and root.startswith(code) for root, form in roots.items())
        assert service(code).mandate == "SOCIAL_RISKS"


def test_a_root_belongs_to_one_service() -> None:
    roots = [root for found in services().values() for root in found.roots]
    assert len(roots) == len(set(roots))
    for found in services().values():
        for root in found.roots:
            assert service_of_root(root) == found
    assert service_of_root("ACRF") is None


def test_every_service_needs_a_mandate_that_exists_and_only_fla_is_exclusive() -> None:
    for found in services().values():
        mandate = mandate_service(found.mandate)
        assert mandate.is_exclusive == found.is_exclusive == (found.code == "FLA")
        assert len(found.code) <= 16
        assert found.permission == permission_for(found.code).name
    assert {found.mandate for found in services().values()} == set(mandate_services())
    assert next(iter(services())) == next(iter(mandate_services())) == "FLA"


def test_the_forms_are_those_of_the_official_annex_where_it_is_at_hand() -> None:
    annex = OFFICIAL / "FormIdentifications_2020-1_11.xml"
    if annex.is_file():
        official = {code.text for code in etree.parse(annex).iter("code")}
        forms = {form for found in services().values() for form in found.roots.values()}
        assert forms <= official


def test_a_permission_carries_known_services_and_each_service_has_one() -> None:
    carried = services_of(found.code for found in PERMISSIONS)
    assert sorted(carried) == sorted(services())


def test_what_is_ticked_and_what_is_carried_agree() -> None:
    carried = services_of(["DIMONA", "DOCUMENTS"])
    assert carried == ["DIMN", "PFRQ", "ATDO"]
    assert [found.code for found in permissions_of(carried)] == ["DIMONA", "DOCUMENTS"]
    assert permissions_of(["DMWA", "UNKNOWN"]) == [permission_for("DMFA")]
