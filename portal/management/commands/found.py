"""`manage.py found`: opens the portal for an enterprise in one quality, with its first manager."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.urls import reverse
from django.utils import translation

from mandates.numbers import NumberError, format_enterprise_number, parse_enterprise_number, parse_niss
from portal import admitting, founding
from portal.models import Mandataire, User


class Command(BaseCommand):
    """Makes an organisation, or another quality of one that exists, and prints the link for its first manager."""

    help = (
        "Open the portal for an enterprise in one quality, with its first manager. The NISS of the manager is read "
        "from the standard input, where no list of processes and no history of commands keeps it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Who it is, in which quality, and who decides there."""
        parser.add_argument("name", help="the name of the organisation, as its people call it")
        parser.add_argument("number", help="its enterprise number (BCE), in any spelling")
        parser.add_argument("quality", choices=Mandataire.Quality.values)
        manager = parser.add_argument_group(
            "first manager",
            "A user who exists already becomes manager here too, and needs only his user name.",
        )
        manager.add_argument("--manager-username", required=True, metavar="USER")
        manager.add_argument("--manager-first-name", default="", metavar="TEXT")
        manager.add_argument("--manager-last-name", default="", metavar="TEXT")
        manager.add_argument("--manager-email", default="", metavar="ADDRESS")
        manager.add_argument(
            "--manager-language", default="fr", choices=[code for code, _ in settings.LANGUAGES]
        )
        parser.add_argument(
            "--address", default=_address(), help="where people reach the portal (%(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Does all of it or nothing; a fault is one sentence, in the language of the commands."""
        with translation.override("en"):
            self._found(options)

    def _found(self, options: dict[str, Any]) -> None:
        details = {key: options[f"manager_{key}"] for key in ("first_name", "last_name", "email", "language")}
        username = options["manager_username"].lower()
        number = _read("Enterprise number", parse_enterprise_number, options["number"])
        niss = _read("NISS of the manager", parse_niss, self._niss())
        try:
            User.username_validator(username)
            if details["email"]:
                validate_email(details["email"])
            manager, arguments = founding.found(
                name=options["name"],
                number=number,
                quality=options["quality"],
                username=username,
                niss=niss,
                **details,
            )
        except (ValidationError, admitting.Refused) as fault:
            raise CommandError(fault.message if isinstance(fault, ValidationError) else str(fault)) from fault
        quality = Mandataire.Quality(options["quality"]).label
        self.stdout.write(f"{options['name']} ({format_enterprise_number(number)}, {quality}) is open.")
        if arguments is None:
            self.stdout.write(f"{manager.user.username} manages it, and signs in as before.")
            return
        link = options["address"].rstrip("/") + reverse("choose_password", kwargs=arguments)
        hours = settings.PASSWORD_RESET_TIMEOUT // 3600
        self.stdout.write(
            f"{manager.user.username} manages it, and chooses a password here, once, within {hours} hours:\n{link}"
        )

    def _niss(self) -> str:
        if sys.stdin.isatty():
            self.stderr.write("NISS of the manager: ", ending="")
            self.stderr.flush()
        return sys.stdin.readline().strip()


def _read(what: str, parse: Callable[[str], str], text: str) -> str:
    try:
        return parse(text)
    except NumberError as fault:
        raise CommandError(f"{what}: {fault}") from fault


def _address() -> str:
    scheme = "https" if settings.CONFIG.is_behind_https else "http"
    return f"{scheme}://{settings.ALLOWED_HOSTS[0].lstrip('.')}"
