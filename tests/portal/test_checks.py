"""Start-up refuses a database role that the walls would not hold, and warns of a master key that is easily lost."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.db import connections

from portal.checks import master_key_is_given, role_cannot_pass_the_walls


def test_the_role_of_the_application_is_let_in(db: None) -> None:
    assert role_cannot_pass_the_walls(databases=["default"]) == []


def test_no_database_is_asked_unless_it_is_to_be_checked() -> None:
    """`manage.py check` runs without any server."""
    assert role_cannot_pass_the_walls() == []
    assert role_cannot_pass_the_walls(databases=["owner"]) == []


def test_the_role_that_owns_the_tables_is_refused(transactional_db: None) -> None:
    default = connections["default"]
    application = {key: default.settings_dict[key] for key in ("USER", "PASSWORD")}
    owner = django_settings.DATABASES["owner"]
    default.close()
    try:
        default.settings_dict.update(USER=owner["USER"], PASSWORD=owner["PASSWORD"])
        found = role_cannot_pass_the_walls(databases=["default"])
    finally:
        default.close()
        default.settings_dict.update(application)
    assert "The application's database role owns tables." in [message.msg for message in found]
    assert {message.id for message in found} == {"portal.E001"}


def test_a_master_key_of_our_own_making_is_warned_of(settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"master_key": None})
    (warning,) = master_key_is_given()
    assert warning.id == "portal.W001"
    settings.CONFIG = settings.CONFIG.model_copy(update={"master_key": "00" * 32})
    assert master_key_is_given() == []


def test_both_are_registered(db: None) -> None:
    assert run_checks(databases=["default"]) == []
    assert "portal.W001" in {message.id for message in run_checks(include_deployment_checks=True)} or (
        django_settings.CONFIG.master_key
    )
