"""The people of the organisation: who decides, who may enter, and who may do what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Exists, F, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from mandates import questions
from portal import sheets, tenancy
from portal.access import for_members, membership, needs
from portal.models import (
    PROFILES,
    Application,
    Grant,
    Membership,
    MembershipQuerySet,
    UserProfile,
)
from portal.sheets import Listing, Value
from portal.views.people_forms import SearchForm

PER_PAGE: Final = 50


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def team(request: HttpRequest) -> HttpResponse:
    """The managers, for everybody; all users and the search, for who may see them.

    The search is a POST that changes nothing: a personal number has no place in an address.
    """
    me = membership(request)
    may_see = me.may(UserProfile.SEE)
    is_search = request.method == "POST"
    if is_search and not may_see:
        raise PermissionDenied(_("Your profile does not allow this. Ask your local manager."))
    everybody = Membership.objects.filter(mandataire_id=tenancy.current()).select_related("user", "employer")
    managers = everybody.managers().order_by("user__last_name", "user__first_name", "pk")
    context: dict[str, Any] = {
        "nav": "team",
        "me": me,
        "managers": managers,
        "may_see": may_see,
        "page": None,
    }
    if may_see:
        form = SearchForm(request.POST if is_search else None)
        rows = _search(everybody, form.cleaned_data) if is_search and form.is_valid() else everybody
        rows = rows.holding().order_by("user__last_name", "user__first_name", "pk")
        asked = request.POST if is_search else request.GET
        page: Page[Any] = Paginator(rows, PER_PAGE).get_page(asked.get("page"))
        labels = _labels()
        page.object_list = [_row(member, labels) for member in page.object_list]
        context |= {
            "form": form,
            "page": page,
            "is_search": is_search,
            "may_manage": me.may(UserProfile.MANAGE),
        }
    return render(request, "portal/team.html", context)


@require_POST
@needs(UserProfile.SEE)
def export(request: HttpRequest) -> HttpResponseBase:
    """The list of users, as searched, as a file. The journal keeps what was asked, but for a personal number."""
    form = SearchForm(request.POST)
    rows = Membership.objects.filter(mandataire_id=tenancy.current()).select_related("user", "employer")
    asked: dict[str, Any] = {}
    if form.is_valid():
        asked = form.cleaned_data
        rows = _search(rows, asked)
    named = rows.holding().annotate(last_name=F("user__last_name"), first_name=F("user__first_name"))
    listing = Listing(named, ("last_name", "first_name", "pk"), _headings, _lines)
    kept = {name: str(value) for name, value in asked.items() if value and name != "niss"}
    return sheets.export(request, listing, "users", kept)


def _headings() -> list[str]:
    return [
        _("Name"),
        _("First name"),
        _("User name"),
        _("E-mail"),
        _("Works at the client"),
        _("Manager"),
        _("Blocked"),
        _("Profiles"),
        _("Last sign-in"),
    ]


def _lines(chunk: Sequence[Membership]) -> list[list[Value]]:
    labels = _labels()
    return [_line(member, _row(member, labels)) for member in chunk]


def _line(member: Membership, shown: dict[str, Any]) -> list[Value]:
    yes, no = _("yes"), _("no")
    held = "; ".join(f"{one['application']}: {one['profile']}" for one in shown["held"])
    return [
        member.user.last_name,
        member.user.first_name,
        member.user.username,
        member.user.email,
        member.employer.name if member.employer else "",
        yes if member.is_manager else no,
        yes if member.is_blocked else no,
        _("All applications") if member.is_manager else held,
        member.user.last_login,
    ]


def _labels() -> dict[tuple[str, str], str]:
    return {(app.value, held.value): brief(held.label) for app, kind in PROFILES.items() for held in kind}


def _search(rows: MembershipQuerySet, asked: dict[str, Any]) -> MembershipQuerySet:
    """Those who match everything that was asked, or all the others."""
    match = Q()
    if asked["first_name"]:
        match &= Q(user__first_name__icontains=asked["first_name"])
    if asked["last_name"]:
        match &= Q(user__last_name__icontains=asked["last_name"])
    if asked["niss"]:
        match &= Q(niss_index=Membership.index_of(asked["niss"]))
    if asked["blocked"]:
        match &= Q(is_blocked=asked["blocked"] == "yes")
    if asked["application"]:
        held = Grant.objects.filter(member=OuterRef("pk"), application=asked["application"]).running()
        match &= Q(is_manager=True) | Q(Exists(held))
    if asked["client"]:
        match &= Q(employer__in=questions.clients(asked["client"]))
    if not asked["others"]:
        return rows.filter(match)
    matching = Membership.objects.filter(match, mandataire_id=tenancy.current())
    return rows.exclude(pk__in=matching.values("pk"))


def _row(member: Membership, labels: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    return {
        "pk": member.pk,
        "user": member.user,
        "is_manager": member.is_manager,
        "is_blocked": member.is_blocked,
        "employer": member.employer,
        "held": [
            {
                "application": application.label,
                "profile": labels[application.value, member.held[application][0].value],
            }
            for application in Application
            if application in member.held
        ],
    }


def brief(label: object) -> str:
    """The name of a profile without its explanation."""
    return str(label).partition(":")[0].strip()
