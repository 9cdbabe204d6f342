"""The figures of a client, as a page and in print, and what across all clients wants somebody today."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_safe

from channels.models import EnvironmentCode
from mandates.catalogue import services
from mandates.models import Employer
from portal import lists, tenancy
from portal.access import membership, mine, needs
from portal.models import ChannelProfile, Profile
from portal.templatetags.presenting import duration, number, percent
from submissions import calling, charting, figures, printing, questions
from submissions.calling import Call, Pace
from submissions.figures import (
    ANSWERED,
    APPROVED,
    DECLARED,
    PARTS,
    Asked,
    Dashboard,
    Figures,
    Period,
)
from submissions.models import Batch
from submissions.views import due
from submissions.views.figure_words import LABELS, month_words, period_words
from submissions.words import heading

TONES: Final = {DECLARED: "mute", "accepted": "ok", "remarks": "warn", "refused": "bad", "waiting": "wait"}
SETS_SHOWN: Final = 20


# --- one client -----------------------------------------------------------------------------------


@require_safe
@needs(Profile.ENCODE)
def client_figures(request: HttpRequest, pk: int) -> HttpResponse:
    """What was declared for a client over the months asked for, what became of it, and how long it took."""
    employer = mine(Employer, pk=pk)
    over, found = _asked(request, employer)
    asked = found.total.asked
    kept = {name: value for name, value in asked.kept.items() if value}
    context = {
        "nav": "employers",
        **_told(employer, over, found),
        "cards": _cards(employer, found.total),
        "chips": _chips(over, kept),
        "choices": _months(over),
        "services": [
            (code, str(services()[code].name) if code in services() else code) for code in found.services
        ],
        "environments": [(code, EnvironmentCode(code).label) for code in found.environments],
        "due": due.of_client(employer),
        "pdf_url": reverse("client_figures_pdf", args=[employer.pk]) + lists.address(**kept),
    }
    return render(request, "submissions/figures.html", context)


@require_safe
@needs(Profile.ENCODE)
def client_figures_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The same as a PDF, to hand to the client."""
    employer = mine(Employer, pk=pk)
    over, found = _asked(request, employer)
    context = {
        **_told(employer, over, found, is_print=True),
        "today": timezone.localdate(),
        "mandataire": membership(request).mandataire.name,
    }
    name = f"figures-{pk}-{over.first:%Y-%m}-{over.last:%Y-%m}.pdf"
    return HttpResponse(
        printing.pdf("submissions/figures_pdf.html", context),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _asked(request: HttpRequest, employer: Employer) -> tuple[Period, Dashboard]:
    given = request.GET
    over = figures.period(given.get("from", ""), given.get("to", ""), timezone.localdate())
    asked = figures.asked(given)
    return over, figures.dashboard(employer, over, asked.service, asked.environment)


def _told(employer: Employer, over: Period, found: Dashboard, *, is_print: bool = False) -> dict[str, Any]:
    """What page and print show alike."""
    total = found.total
    whole = Asked(over, total.asked.service, total.asked.environment)
    return {
        "employer": employer,
        "period": period_words(over),
        "first": f"{over.first:%Y-%m}",
        "last": f"{over.last:%Y-%m}",
        "service": whole.service,
        "environment_asked": whole.environment,
        "is_test": whole.environment != EnvironmentCode.PRODUCTION,
        "headings": [
            *(LABELS[name] for name in (DECLARED, *PARTS)),
            _("Acceptance rate"),
            _("Days to acceptance"),
        ],
        "lines": [
            *(_line(employer, one, is_print=is_print) for one in found.months),
            _line(employer, total, is_total=True, is_print=is_print),
        ],
        "bars": _bars(employer, found.months, is_print=is_print),
        "rates": _rates(found.months),
        "causes": [
            {
                "title": heading(cause.asked.code, cause.label, cause.asked.tag),
                "code": cause.asked.code,
                "count": cause.count,
                "url": "" if is_print else _url(employer, cause.asked),
                "share": percent(100 * cause.count / total.counts[DECLARED])
                if total.counts[DECLARED]
                else "",
            }
            for cause in found.causes
        ],
    }


def _url(employer: Employer, asked: Asked, figure: str = "") -> str:
    kept = {"employer": str(employer.pk), **asked.kept}
    return reverse("declarations") + lists.address(**(kept | {"figure": figure} if figure else kept))


def _waiting_url(employer: int, state: str) -> str:
    """The list of what waits of a client, whenever it was encoded."""
    return reverse("declarations") + lists.address(employer=str(employer), state=state)


def _days(days: int | None) -> str:
    return "" if days is None else ngettext("%(days)s day", "%(days)s days", days) % {"days": number(days)}


def _line(employer: Employer, found: Figures, *, is_total: bool = False, is_print: bool) -> dict[str, Any]:
    """A row of the table; without addresses in print."""
    shown = [(name, number(found.counts[name]), LABELS[name]) for name in (DECLARED, *PARTS)]
    shown.append((ANSWERED, percent(found.rate), _("Acceptance rate")))
    shown.append((APPROVED, _days(found.within(0.5)) or percent(None), _("Days to acceptance")))
    return {
        "month": pgettext("figures", "Together") if is_total else _month_of(found),
        "is_total": is_total,
        "cells": [
            {
                "shown": text,
                "label": label,
                "url": "" if is_print or not found.counts[name] else _url(employer, found.asked, name),
            }
            for name, text, label in shown
        ],
    }


def _cards(employer: Employer, total: Figures) -> list[dict[str, Any]]:
    cards = [
        {
            "label": LABELS[name],
            "shown": number(total.counts[name]),
            "url": _url(employer, total.asked, name),
            "tone": TONES[name] if total.counts[name] else "mute",
            "note": "",
        }
        for name in (DECLARED, *PARTS)
    ]
    late = total.within(0.9)
    cards.append(
        {
            "label": _("Acceptance rate"),
            "shown": percent(total.rate),
            "url": _url(employer, total.asked, ANSWERED),
            "tone": "mute",
            "note": _("of what was answered"),
        }
    )
    cards.append(
        {
            "label": _("From encoding to acceptance"),
            "shown": _days(total.within(0.5)) or percent(None),
            "url": _url(employer, total.asked, APPROVED),
            "tone": "mute",
            "note": _("at most for half; nine in ten within %(days)s") % {"days": _days(late)}
            if late is not None
            else "",
        }
    )
    return cards


def _months(over: Period) -> list[tuple[str, str]]:
    """The months that may be chosen, the latest first: the last `MOST`, and those that are shown."""
    this = timezone.localdate().replace(day=1)
    found = {figures.months_on(this, -back) for back in range(figures.MOST)} | {over.first, over.last}
    return [(f"{first:%Y-%m}", month_words(first)) for first in sorted(found, reverse=True)]


def _chips(over: Period, kept: dict[str, str]) -> list[dict[str, Any]]:
    """The periods most asked for."""
    this = timezone.localdate().replace(day=1)
    last = figures.months_on(this, -1)
    periods = (
        (_("This month"), Period(this, this)),
        (_("Last month"), Period(last, last)),
        (_("This year"), Period(this.replace(month=1), this)),
        (_("Last 12 months"), Period(figures.months_on(this, 1 - figures.USUAL), this)),
    )
    return [
        {
            "label": label,
            "count": None,
            "url": lists.address(**{**kept, "from": f"{one.first:%Y-%m}", "to": f"{one.last:%Y-%m}"}),
            "is_current": one == over,
        }
        for label, one in periods
    ]


# --- its drawings ---------------------------------------------------------------------------------


def _bars(employer: Employer, months: list[Figures], *, is_print: bool) -> dict[str, Any]:
    """The drawing of what was declared, month by month; each column leads to its rows."""
    top = charting.top_of(max(one.counts[DECLARED] for one in months))
    parts = [{name: one.counts[name] for name in PARTS} for one in months]
    return {
        "ticks": [{"y": tick.y, "value": number(tick.value)} for tick in charting.ticks(top)],
        "columns": [
            {
                "middle": column.middle,
                "pieces": column.pieces,
                "title": _sentence(one),
                "url": "" if is_print or not column.pieces else _url(employer, one.asked, DECLARED),
            }
            for column, one in zip(charting.columns(parts, top), months, strict=True)
        ],
        "names": _names(months),
        "is_print": is_print,
    }


def _rates(months: list[Figures]) -> dict[str, Any]:
    """The drawing of the acceptance rate, month by month."""
    lines, places = charting.rates([one.rate for one in months])
    return {
        "ticks": [{"y": tick.y, "value": f"{tick.value} %"} for tick in charting.ticks(100)],
        "lines": lines,
        "dots": [
            {"x": place[0], "y": place[1], "title": f"{_month_of(one)}: {percent(one.rate)}"}
            for place, one in zip(places, months, strict=True)
            if place is not None
        ],
        "names": _names(months),
    }


def _names(months: list[Figures]) -> list[dict[str, Any]]:
    """The names under the columns, as far as there is room for them."""
    every = -(-len(months) // 12)
    return [
        {"x": middle, "label": f"{one.asked.period.first:%m/%y}" if one.asked.period else ""}
        for place, (middle, one) in enumerate(zip(charting.middles(len(months)), months, strict=True))
        if place % every == 0
    ]


def _month_of(one: Figures) -> str:
    return month_words(one.asked.period.first) if one.asked.period else ""


def _sentence(one: Figures) -> str:
    parts = ", ".join(f"{LABELS[name]} {number(one.counts[name])}" for name in PARTS if one.counts[name])
    return f"{_month_of(one)}: {LABELS[DECLARED]} {number(one.counts[DECLARED])}" + (
        f" ({parts})" if parts else ""
    )


# --- across clients -------------------------------------------------------------------------------


@require_safe
@needs(Profile.ENCODE)
def calls(request: HttpRequest) -> HttpResponse:
    """Which clients need a call today, which channel is slow, and what is overdue."""
    now, me = timezone.now(), membership(request)
    if me.employer_id is not None:
        raise PermissionDenied(_("This is about all clients, and your access is limited to some."))
    waiting = calling.waiting(now)
    page = lists.page_of(request, calling.calls(waiting, now))
    page.object_list = [_call(call, now) for call in calling.name(list(page.object_list))]
    sees_sets = tenancy.limit() is None
    late = calling.overdue(now) if sees_sets else []
    context = {
        "nav": "calls",
        "todo_count": sum(call.to_correct for call in waiting),
        "waited_days": calling.WAITED.days,
        "page": page,
        "sees_sets": sees_sets,
        "may_see_channels": me.may(ChannelProfile.SEE),
        "paces": [_pace(pace, calling.first_day(now)) for pace in calling.paces(now)] if sees_sets else [],
        "overdue": [_set(batch) for batch in late[:SETS_SHOWN]],
        "overdue_count": len(late),
    }
    return render(request, "submissions/calls.html", context)


def _call(call: Call, now: Any) -> dict[str, Any]:
    return {
        "employer": call.employer,
        "name": call.name,
        "number": call.number,
        "to_correct": {"count": call.to_correct, "url": _waiting_url(call.employer, questions.TO_CORRECT)},
        "drafts": {"count": call.drafts, "url": _waiting_url(call.employer, "draft")},
        "since": call.since,
        "days": (now - call.since).days,
    }


def _spell(took: timedelta | None) -> str:
    return duration(None if took is None else int(took.total_seconds() // 60))


def _pace(pace: Pace, since: date) -> dict[str, Any]:
    return {
        "pk": pace.channel.pk,
        "name": pace.channel.name,
        "environment": pace.channel.environment,
        "sets": pace.sets,
        "url": reverse("batches")
        + lists.address(**{"channel": str(pace.channel.pk), "from": since.isoformat()}),
        "receipt": _spell(pace.receipt),
        "receipt_before": _spell(pace.receipt_before),
        "answers": _spell(pace.answers),
        "answers_before": _spell(pace.answers_before),
        "is_slow": pace.is_slow,
    }


def _set(batch: Batch) -> dict[str, Any]:
    return {
        "pk": batch.pk,
        "state": batch.state,
        "environment": batch.environment,
        "since": batch.acknowledged_at or batch.dropped_at or batch.sealed_at or batch.created_at,
        "total": batch.declarations_count,
    }
