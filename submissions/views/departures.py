"""The page on which the departures of a channel are set, service by service."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from channels.models import Channel, Departure
from mandates.catalogue import services
from portal.access import mine, needs
from portal.models import ChannelProfile
from submissions import departing

_TIME: Final = re.compile(r"([01]?\d|2[0-3])[:hH.]([0-5]\d)")
MOST_TIMES: Final = 24


class TimesField(forms.CharField):
    """Times of day as people write them: `10:30, 16:30` or `10h30 16h30`. In Python: minutes from midnight."""

    def to_python(self, value: object) -> Any:
        """Minutes; raises ValidationError with the text that is no time."""
        text = super().to_python(value) or ""
        minutes = set()
        for word in re.split(r"[\s,;]+", text.strip()) if text.strip() else ():
            match = _TIME.fullmatch(word)
            if match is None:
                raise ValidationError(
                    _("“%(word)s” is no time of day. Write times such as 10:30, 16:30.") % {"word": word[:20]}
                )
            minutes.add(int(match[1]) * 60 + int(match[2]))
        if len(minutes) > MOST_TIMES:
            raise ValidationError(_("At most %(count)d times a day.") % {"count": MOST_TIMES})
        return sorted(minutes)


class DeparturesForm(forms.Form):
    """Two fields for each service that the channel carries."""

    def __init__(self, channel: Channel, *args: Any) -> None:
        super().__init__(*args)
        rows = {row.service: row for row in Departure.objects.filter(channel=channel).order_by("service")}
        known = services()
        self.codes = sorted(channel.services)
        for code in self.codes:
            row, name = rows.get(code), known[code].name if code in known else code
            self.fields[f"times_{code}"] = TimesField(
                label=_("%(service)s: times of departure") % {"service": name},
                help_text=gettext_lazy(
                    "In Belgian time, such as 10:30, 16:30. Empty: every few minutes, as the installation has it."
                ),
                required=False,
                max_length=300,
                initial=", ".join(f"{minute // 60:02}:{minute % 60:02}" for minute in row.minutes)
                if row
                else "",
            )
            self.fields[f"working_{code}"] = forms.BooleanField(
                label=_("%(service)s: on working days only") % {"service": name},
                help_text=gettext_lazy(
                    "Neither on Saturdays and Sundays nor on the legal holidays of Belgium."
                ),
                required=False,
                initial=row.is_on_working_days if row else True,
            )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(ChannelProfile.OPERATE)
def departures(request: HttpRequest, pk: int) -> HttpResponse:
    """When each service leaves over a channel."""
    channel = mine(Channel, pk=pk)
    is_saving = request.method == "POST"
    form = DeparturesForm(channel, *((request.POST,) if is_saving else ()))
    if is_saving and form.is_valid():
        given = form.cleaned_data
        for code in form.codes:
            departing.set_cutoffs(
                channel, code, given[f"times_{code}"], is_on_working_days=given[f"working_{code}"]
            )
        messages.success(request, _("Kept: these are the departures from now on."))
        return redirect("channel_health", pk)
    context = {"nav": "channel", "channel": {"pk": channel.pk, "name": channel.name}, "form": form}
    return render(request, "channels/departures.html", context, status=422 if form.errors else 200)
