"""For which clients a grant holds: choosing them among thousands, and saying which they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from mandates import questions
from mandates.models import Employer
from portal import admitting, tenancy
from portal.access import reaching
from portal.models import OF_CLIENTS, PROFILES, AnyProfile, Application, Membership

ALL, ONLY = "all", "only"
FOUND: Final = 20
"""Clients that a search shows; a name or number narrows it."""
NAMED: Final = 3


def names_of(names: Collection[str]) -> str:
    """Some by name, the others counted."""
    shown, others = list(names)[:NAMED], len(names) - NAMED
    if others <= 0:
        return ", ".join(shown)
    return ngettext("%(names)s and %(count)d other", "%(names)s and %(count)d others", others) % {
        "names": ", ".join(shown),
        "count": others,
    }


def limits_of(member: Membership) -> dict[Application, str]:
    """For each application that a member holds for some clients only, these clients. At most one query."""
    if member.employer_id is not None or member.is_manager:
        return {}
    listed = {
        application: member.reach(application) for application in OF_CLIENTS if application in member.held
    }
    wanted = frozenset[int]().union(*(pks for pks in listed.values() if pks))
    if not wanted:
        return {}
    rows = Employer.objects.filter(mandataire_id=tenancy.current(), pk__in=wanted).order_by("name", "pk")
    found = list(rows.values_list("pk", "name"))
    return {
        application: names_of([name for pk, name in found if pk in pks])
        for application, pks in listed.items()
        if pks
    }


class ReachForm(forms.Form):
    """The grant of one application: which profile, until when, and for which clients.

    It may be sent several times before it is kept: to search, and to tick what was found.
    """

    profile = forms.ChoiceField(label=_("Profile"), required=False)
    until = forms.DateField(
        label=_("Last day (empty: no end)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )
    whose = forms.ChoiceField(
        label=_("For which clients"),
        choices=[
            (ALL, _("All clients, those to come too")),
            (ONLY, _("Only these: the clients ticked below")),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(
        self,
        data: Any = None,
        *,
        actor: Membership,
        member: Membership,
        application: Application,
    ) -> None:
        self.actor, self.member, self.application = actor, member, application
        known = next((grant for grant in member.grants.all() if grant.application == application), None)
        self.chosen = self._chosen(data) if data is not None else self._known(known)
        # A profile for some clients begins here: nothing is granted for all by forgetting to choose.
        whose = ALL if known and not self.chosen and actor.reach(application) is None else ONLY
        initial = {
            "profile": known.profile if known else "",
            "until": known.ends_on if known else None,
            "whose": whose,
        }
        super().__init__(data, initial=initial)
        offered = [p for p in PROFILES[application] if actor.may(p) or (known and known.profile == p.value)]
        self.fields["profile"].choices = [  # type: ignore[attr-defined]
            ("", pgettext_lazy("profile", "None")),
            *((p.value, p.label) for p in offered),
        ]
        if actor.reach(application) is not None:
            self.fields["whose"].choices = [(ONLY, _("Only these: the clients ticked below"))]  # type: ignore[attr-defined]
        self.query = str(data.get("q", "")).strip() if data is not None else ""

    def _chosen(self, data: Any) -> list[Employer]:
        ticked = {
            int(pk) for pk in data.getlist("employers") if pk.isascii() and pk.isdigit() and len(pk) < 19
        }
        with reaching(self.actor, self.application):
            rows = Employer.objects.filter(mandataire_id=tenancy.current(), pk__in=ticked)
            return list(rows.order_by("name", "pk"))

    def _known(self, known: Any) -> list[Employer]:
        limits = known.limits.all() if known else ()
        return sorted((limit.employer for limit in limits), key=lambda employer: (employer.name, employer.pk))

    def found(self) -> tuple[list[Employer], int]:
        """The first clients of the search that are not ticked yet, and how many more there are."""
        with reaching(self.actor, self.application):
            rows = questions.clients(self.query).exclude(pk__in=[employer.pk for employer in self.chosen])
            return list(rows[:FOUND]), max(rows.count() - FOUND, 0)

    def clean_until(self) -> date | None:
        """No grant that is over before it starts."""
        until: date | None = self.cleaned_data["until"]
        if until and until != self.initial["until"] and until < timezone.localdate():
            raise ValidationError(_("This day is past. To end a grant now, choose “None”."))
        return until

    def clean(self) -> dict[str, Any]:
        """Some clients, when it is for some, and none, when it is for all: nothing wide is granted by a slip."""
        given = self.cleaned_data
        if given.get("profile") and given.get("whose") == ONLY and not self.chosen:
            self.add_error("whose", _("Tick at least one client, or choose all clients."))
        if given.get("profile") and given.get("whose") == ALL and self.chosen:
            self.add_error(
                "whose",
                _("You ticked clients: choose “only these”, or untick them to grant it for all clients."),
            )
        return given

    def apply(self) -> bool:
        """Gives what was chosen; returns whether that changed anything. Raises admitting.Refused."""
        given = self.cleaned_data
        value = given.get("profile")
        profile: AnyProfile | None = PROFILES[self.application](value) if value else None
        employers = self.chosen if given["whose"] == ONLY else []
        return admitting.grant(
            self.actor, self.member, self.application, profile, given.get("until"), employers
        )


def application_of(name: str) -> Application | None:
    """The application in an address, if it can be limited to some clients."""
    return next((application for application in OF_CLIENTS if application.value == name), None)


def told(limits: Mapping[Application, str], application: Application) -> str:
    """For whom a grant holds, for a page: `for A, B and 3 others`, or nothing for all clients."""
    names = limits.get(application)
    return gettext("for %(employers)s") % {"employers": names} if names else ""
