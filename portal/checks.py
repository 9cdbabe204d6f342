"""Start-up checks: the application refuses to run where the walls between tenants would not hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections


@register(Tags.database)
def role_cannot_pass_the_walls(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The application's role is no superuser, cannot bypass row-level security and owns no table."""
    if "default" not in (databases or ()):
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT r.rolsuper, r.rolbypassrls, EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = "
            "c.relnamespace WHERE n.nspname = 'public' AND c.relowner = r.oid) FROM pg_roles r "
            "WHERE r.rolname = current_user"
        )
        is_superuser, can_bypass, owns_tables = cursor.fetchone()
    faults = {
        "is a superuser": is_superuser,
        "may bypass row-level security": can_bypass,
        "owns tables": owns_tables,
    }
    return [
        Error(
            f"The application's database role {fault}.",
            hint="Let DATABASE_URL name the application role and DATABASE_OWNER_URL the role that migrates.",
            id="portal.E001",
        )
        for fault, is_so in faults.items()
        if is_so
    ]


@register(Tags.security, deploy=True)
def master_key_is_given(**_: Any) -> list[CheckMessage]:
    """An installation sets its master key: one made in var/ is lost with that folder, and everything sealed with it."""
    if settings.CONFIG.master_key:
        return []
    return [
        Warning(
            "The master key was made by the portal and lies in var/secrets.",
            hint="Set PORTAL_MASTER_KEY or PORTAL_MASTER_KEY_FILE and keep a copy in a safe.",
            id="portal.W001",
        )
    ]
