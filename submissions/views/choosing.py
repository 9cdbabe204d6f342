"""Choosing one client among thousands: a field for a name or a number, which needs no script."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import reverse_lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from mandates import questions
from mandates.catalogue import Service, services
from mandates.models import Employer
from mandates.numbers import format_enterprise_number
from portal.access import needs
from portal.models import Application, Profile
from submissions.batching import today

type Search = Callable[[str], QuerySet[Employer]]
"""The clients, by name, that a name or a number finds; all of them for nothing."""

SHOWN: Final = 20
"""Clients that are offered at once; more of the name narrows it."""
_CHOSEN: Final = re.compile(r"\((\d{4}\.\d{3}\.\d{3})\)\s*$")


def label(employer: Employer) -> str:
    """A client as it is offered, and as it is understood again: `Boulangerie Delvaux (0897.223.670)`."""
    return f"{employer.name} ({format_enterprise_number(employer.number)})"


def spoken_for(service: Service) -> Search:
    """A search among the clients for whom this service may be declared today."""
    allowed = Employer.objects.spoken_for(today().date(), service.mandate).values("pk")
    return lambda text: questions.clients(text).filter(pk__in=allowed)


def _meant(text: str, search: Search) -> list[Employer]:
    """The one client that is meant: by what was offered, a number, or a whole name; else SHOWN + 1 of those found."""
    if chosen := _CHOSEN.search(text):
        return list(search("").filter(number=chosen[1].replace(".", "")))
    whole = list(search("").filter(name__iexact=text)[:2])
    return whole if len(whole) == 1 else list(search(text)[: SHOWN + 1])


class ClientInput(forms.TextInput):
    """Text, with a list of clients under it while somebody types (`static/js/clients.js`)."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """What was chosen among those found for an unclear text, or the text."""
        given = data.getlist(name) if hasattr(data, "getlist") else [data.get(name)]
        return next((value for value in reversed(given) if value and value.strip()), "")


class ClientField(forms.CharField):
    """One client of the mandataire, by name or number. `found` are those to choose from after an unclear text."""

    widget = ClientInput

    def __init__(self, *, service: str = "", **kwargs: Any) -> None:
        self.service, self.found = service, list[str]()
        super().__init__(max_length=250, **kwargs)
        where = format_lazy("{}?service={}", reverse_lazy("client_suggestions"), service)
        self.widget.attrs |= {"data-clients": where, "autocomplete": "off", "spellcheck": "false"}

    def clean(self, value: Any) -> Employer | None:
        """The client, or None for nothing. Several that may be meant are a fault, and are offered."""
        text = str(super().clean(value))
        if not text:
            return None
        meant = _meant(text, _search(self.service))
        if len(meant) == 1:
            return meant[0]
        self.found = [label(employer) for employer in meant[:SHOWN]]
        if not meant:
            raise ValidationError(_("No client here has this name or number."))
        if len(meant) > SHOWN:
            raise ValidationError(
                _("Many clients have this in their name: write more of it, or choose among the first below.")
            )
        raise ValidationError(_("Several clients have this in their name: choose one below."))


def _search(code: str) -> Search:
    known = services().get(code)
    return spoken_for(known) if known else questions.clients


@require_safe
@needs(Profile.ENCODE, everywhere=[Application.DECLARATIONS])
def suggestions(request: HttpRequest) -> JsonResponse:
    """The first clients that a text finds, of those a service may be declared for if one is named.

    `clients` are labels, `status` is the sentence that a screen reader says.
    """
    search = _search(request.GET.get("service", ""))
    found = list(search(request.GET.get("q", ""))[: SHOWN + 1])
    if len(found) > SHOWN:
        status = _("The first %(count)d clients: write more of the name to see others.") % {"count": SHOWN}
    elif found:
        status = ngettext("%(count)d client found.", "%(count)d clients found.", len(found)) % {
            "count": len(found)
        }
    else:
        status = _("No client here has this name or number.")
    return JsonResponse({"clients": [label(employer) for employer in found[:SHOWN]], "status": status})
