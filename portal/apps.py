"""The portal's app: wires what must hold before the first migration and at every start."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import pre_migrate


class PortalConfig(AppConfig):
    """The house the rooms live in."""

    name = "portal"

    def ready(self) -> None:
        """Registers the start-up checks and lets the application role reach every table that migrations make."""
        from portal import celery, checks, sessions  # noqa: F401  the first two register themselves
        from portal.identity import models  # noqa: F401  as do the tables outside of portal.models
        from portal.walls import let_the_application_in

        def before_migrating(using: str, **_: Any) -> None:
            let_the_application_in(using)

        pre_migrate.connect(before_migrating, sender=self, weak=False)
        user_logged_in.connect(sessions.begin)
        user_logged_out.connect(sessions.finish)
