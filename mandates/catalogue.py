"""The services that can be declared: codes, mandate rule and dates of opening and closing. Data, not branches.

The relayed services are those of PROTOCOL 6: application codes from the naming rules of batch files
(www.socialsecurity.be/site_fr/general/helpcentre/batch/files/directives), forms from the annex "Identification of
forms" (www.socialsecurity.be/docu_xml/). What no public text confirms stands in `Service.inferred`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import Final

from django.conf import settings
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.permissions import permission_for

type Text = str | Promise


class Source(Enum):
    """What the declarations of a service are made from."""

    RECORDS = "records"
    """The register of trainings: this portal writes the forms."""
    DOCUMENTS = "documents"
    """PDFs handed over with their data: this portal writes the forms."""
    FILES = "files"
    """Ready-made files: this portal checks, names, signs and sends their bytes as they are."""


@dataclass(frozen=True)
class MandateService:
    """A group of applications for which one mandate speaks (service MAHIS).

    `is_exclusive`: one mandataire per employer at a time, over all tenants. No mandate starts before `opens_on`.
    """

    code: str
    name: Text
    is_exclusive: bool = False
    opens_on: date | None = None


@dataclass(frozen=True)
class Service:
    """One service of social security, as the portal declares it.

    `application_code` stands in file names, `form_code` in each form, `namespace` is that of the payload.
    `is_exclusive`: one mandataire per employer at a time, over all tenants.
    `opens_on` and `closes_on` bound the days on which production accepts anything; both inclusive.
    `mandate` is the code of the mandate it needs. `roots` are the root elements of ready-made files, each with the
    identification of its forms. `inferred` names the facts of this row that were concluded, not read.
    """

    code: str
    name: Text
    application_code: str
    form_code: str
    namespace: str
    is_exclusive: bool
    opens_on: date | None = None
    closes_on: date | None = None
    is_reopened: bool = False
    mandate: str = "FLA"
    source: Source = Source.RECORDS
    roots: Mapping[str, str] = field(default_factory=dict)
    inferred: frozenset[str] = frozenset()

    @property
    def permission(self) -> Text:
        """The secured permission, ticked in Chaman, of a channel that carries it, in the words of that service."""
        return permission_for(self.code).name

    def refusal_on(self, day: date, *, is_production: bool) -> str | None:
        """Why nothing of this service may leave on `day`, in the user's language; None when it may.

        Circuit tests and simulations are never bound by the dates: they exist to try things.
        """
        if not is_production or self.is_reopened:
            return None
        if self.opens_on and day < self.opens_on:
            return _("%(service)s opens on %(day)s: nothing can be declared before.") % {
                "service": self.name,
                "day": date_format(self.opens_on, "DATE_FORMAT"),
            }
        if self.closes_on and day > self.closes_on:
            return _(
                "%(service)s closed on %(day)s: social security registers nothing any more. "
                "An administrator can reopen the service."
            ) % {"service": self.name, "day": date_format(self.closes_on, "DATE_FORMAT")}
        return None


def mandate_services() -> dict[str, MandateService]:
    """Every kind of mandate by its code. FLA comes first: it alone allows one mandataire per employer."""
    return {
        "FLA": MandateService("FLA", _FLA, is_exclusive=True, opens_on=settings.CONFIG.fla_opens_on),
        **_MANDATES,
    }


def mandate_service(code: str) -> MandateService:
    """The kind of mandate with this code. Raises KeyError for one the installation does not know."""
    return mandate_services()[code]


def services() -> dict[str, Service]:
    """Every service of this installation by its code, FLA first.

    The three codes of FLA are settings because its schema was never widely published: the defaults are ours. Its dates
    are those of the law of 14 January 2026, which repealed it.
    """
    config = settings.CONFIG
    fla = Service(
        code="FLA",
        name=_FLA,
        application_code=config.fla_application_code,
        form_code=config.fla_form_code,
        namespace=config.fla_namespace,
        is_exclusive=True,
        opens_on=config.fla_opens_on,
        closes_on=config.fla_closes_on,
        is_reopened=config.fla_is_reopened,
    )
    return {fla.code: fla, **_OTHERS}


def service(code: str) -> Service:
    """The service with this code. Raises KeyError for one the installation does not know."""
    return services()[code]


# --- the table ------------------------------------------------------------------------------------

_FLA: Final = gettext_lazy("Federal Learning Account")
ATHENA: Final = "http://socialsecurity.be/xml/ns/athenadocument"
"""Namespace of what is said of a CareerPro document (manual "CareerPro Documents, envoi par batch", 01/09/2021)."""

_MANDATES: Final[Mapping[str, MandateService]] = MappingProxyType(
    {
        found.code: found
        for found in (
            MandateService("DIMONA", "Dimona"),
            MandateService("DMFA", "DmfA"),
            MandateService("SOCIAL_RISKS", gettext_lazy("Social risks")),
            MandateService("UNEMPLOYMENT", gettext_lazy("Temporary unemployment")),
            MandateService("WORKS", gettext_lazy("Construction sites and works")),
            MandateService("DOCUMENTS", gettext_lazy("CareerPro Documents")),
        )
    }
)


def _numbered(prefix: str, *numbers: int) -> dict[str, str]:
    """Scenarios: root and form share their name."""
    return {f"{prefix}{number:03}": f"{prefix}{number:03}" for number in numbers}


def _relayed(
    code: str,
    name: Text,
    mandate: str,
    roots: Mapping[str, str],
    *inferred: str,
) -> Service:
    return Service(
        code=code,
        name=name,
        application_code=code,
        form_code=next(iter(roots.values())),
        namespace="",
        is_exclusive=False,
        mandate=mandate,
        source=Source.FILES,
        roots=MappingProxyType(dict(roots)),
        inferred=frozenset(inferred),
    )


_OTHERS: Final[Mapping[str, Service]] = MappingProxyType(
    {
        found.code: found
        for found in (
            _relayed("DIMN", "Dimona", "DIMONA", {"Dimona": "DIMONA"}),
            _relayed("DMFA", "DmfA", "DMFA", {"DmfAOriginal": "DMFA"}),
            _relayed("DMWA", gettext_lazy("DmfA, change"), "DMFA", {"DmfAUpdate": "DMFAUPD"}, "permission"),
            _relayed(
                "DMRQ",
                gettext_lazy("DmfA, consultation"),
                "DMFA",
                {"DmfAConsultationRequest": "DMFAREQ"},
                "permission",
            ),
            _relayed(
                "PFRQ",
                gettext_lazy("Personnel file, consultation"),
                "DIMONA",
                {"PersonnelFileConsultationRequest": "PFREQ"},
                "permission",
                "mandate",
            ),
            _relayed(
                "TWCT",
                gettext_lazy("Temporary unemployment, announcement"),
                "UNEMPLOYMENT",
                {"TWCT001": "TWCT001"},
                "mandate",
            ),
            _relayed(
                "VBLV",
                gettext_lazy("Temporary unemployment, validation book"),
                "UNEMPLOYMENT",
                {"VBLV001": "VBLV001"},
                "mandate",
            ),
            _relayed(
                "WECH",
                gettext_lazy("Social risks: unemployment"),
                "SOCIAL_RISKS",
                _numbered("WECH", *range(1, 12)),
                "mandate",
            ),
            _relayed(
                "ZIMA",
                gettext_lazy("Social risks: sickness and maternity"),
                "SOCIAL_RISKS",
                _numbered("ZIMA", 1, 2, 3, 5, 6),
                "mandate",
            ),
            _relayed(
                "AOAT",
                gettext_lazy("Social risks: accidents at work"),
                "SOCIAL_RISKS",
                _numbered("AOAT", 1, 2, 3),
                "mandate",
            ),
            _relayed(
                "DDTN",
                gettext_lazy("Declaration of works"),
                "WORKS",
                {"AVWDDT": "AVWDDT"},
                "permission",
                "mandate",
            ),
            _relayed(
                "DUCN",
                gettext_lazy("Single site declaration"),
                "WORKS",
                {"UWDUC": "UWDUC"},
                "root",
                "mandate",
            ),
            Service(
                code="ATDO",
                name=gettext_lazy("CareerPro Documents"),
                application_code="ATDO",
                form_code="ATDO001",
                namespace=ATHENA,
                is_exclusive=False,
                mandate="DOCUMENTS",
                source=Source.DOCUMENTS,
                inferred=frozenset({"permission", "mandate"}),
            ),
        )
    }
)


def service_of_root(root: str) -> Service | None:
    """The service whose ready-made files start with this element, or None."""
    return next((found for found in services().values() if root in found.roots), None)
