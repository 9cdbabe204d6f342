"""The secured permissions of a channel, as the service Chaman lists them, and the services each of them carries.

The one table of it: a channel keeps codes of services, its page ticks permissions, `mandates.catalogue` asks the name.
A permission without services is for what this portal does not send: ticked, it is only noted as held, because other
software of the same channel sends under it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Permission:
    """One box of Chaman, in its words, and the codes of the services for which it is ticked."""

    code: str
    name: str | Promise
    services: tuple[str, ...]


PERMISSIONS: Final = (
    Permission("FLA", "CareerPro - FLA", ("FLA",)),
    Permission("DIMONA", "Dimona V2", ("DIMN", "PFRQ")),
    Permission("DMFA", "DmfA", ("DMFA", "DMWA", "DMRQ")),
    Permission("RISKS", _("Social risks"), ("WECH", "ZIMA", "AOAT")),
    Permission("UNEMPLOYMENT", _("Temporary unemployment"), ("TWCT", "VBLV")),
    Permission("SINGLE_SITE", _("Single site declaration"), ("DDTN", "DUCN")),
    Permission("DOCUMENTS", "CareerPro - Documents", ("ATDO",)),
    Permission("ECARO", _("Ecaro batch"), ()),
    Permission("PUBLIATO", "Publiato", ()),
    Permission("PENSIONS", _("Pension cadastre"), ()),
)

_BY_SERVICE: Final = {service: found for found in PERMISSIONS for service in found.services}


def permission_for(service: str) -> Permission:
    """The permission that carries a service. Raises KeyError for a code that is not in the table."""
    return _BY_SERVICE[service]


def permissions_of(services: Collection[str]) -> list[Permission]:
    """The permissions that carry at least one of these services, in the order of the table."""
    return [found for found in PERMISSIONS if not set(services).isdisjoint(found.services)]


def noted() -> list[Permission]:
    """The permissions under which this portal sends nothing, in the order of the table."""
    return [found for found in PERMISSIONS if not found.services]


def services_of(permissions: Iterable[str]) -> list[str]:
    """The codes of the services that the permissions with these codes carry, in the order of the table."""
    ticked = set(permissions)
    return [service for found in PERMISSIONS if found.code in ticked for service in found.services]
