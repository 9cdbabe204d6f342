"""The search in the frame of every page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mandates.numbers import NumberError, mask_in_text, mask_niss, parse_niss
from portal import lists
from portal.access import for_members, membership, reaching
from portal.models import Application, MandateProfile, Membership, Profile
from submissions import searching
from submissions.searching import Group


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def search(request: HttpRequest) -> HttpResponse:
    """Clients, workers, trainings, declarations, sets and files that a text finds, by group.

    The frame posts what is sought. What may be a NISS is answered at once and is never part of an address; anything
    else becomes an address, which can be kept and gone back to.
    """
    me = membership(request)
    if not (me.may(Profile.ENCODE) or me.may(MandateProfile.SEE)):
        raise PermissionDenied(
            _("Your profile sees no clients and no declarations, so there is nothing to search.")
        )
    typed = request.POST if request.method == "POST" else request.GET
    text = typed.get("q", "").replace("\0", "").strip()[: searching.LONGEST]
    is_personal = searching.is_personal(text) or mask_in_text(text) != text
    if request.method == "POST":
        return (
            _person(request, me, text) if is_personal else redirect(reverse("search") + lists.address(q=text))
        )
    if is_personal:
        messages.warning(
            request,
            _("A personal number does not belong in an address. Type it in the field: it finds the worker."),
        )
        return redirect("search")
    if typed.get("of") == "workers" and text and me.may(Profile.ENCODE):
        return _workers(request, me, text)
    return _show(request, query=text, groups=_groups(me, text) if text else [])


def _groups(me: Membership, text: str) -> list[Group]:
    """Every group that the person may see; each asked within his limit for it."""
    groups = list[Group]()
    if (
        me.may(MandateProfile.SEE) and me.employer_id is None
    ):  # who works at a client has one, and it is his home
        with reaching(me, Application.MANDATES):
            groups.append(searching.of_clients(text))
    if me.may(Profile.ENCODE):
        with reaching(me, Application.DECLARATIONS):
            groups += [
                searching.of_workers(text),
                searching.of_trainings(text),
                searching.of_declarations(text),
            ]
        if me.reach(Application.DECLARATIONS) is None:
            groups += searching.of_files(text)
    return groups


def _person(request: HttpRequest, me: Membership, text: str) -> HttpResponse:
    """What is known of the person whose number was typed."""
    if not me.may(Profile.ENCODE):
        return _show(
            request, refusal=_("Your profile does not see workers, so a personal number finds nobody.")
        )
    try:
        niss = parse_niss(text)
    except NumberError as fault:
        return _show(request, refusal=str(fault))
    with reaching(me, Application.DECLARATIONS):
        groups = searching.of_person(niss)
    return _show(request, shown=mask_niss(niss), groups=groups)


def _workers(request: HttpRequest, me: Membership, text: str) -> HttpResponse:
    """All workers of this name, by pages."""
    with reaching(me, Application.DECLARATIONS):
        page = lists.page_of(request, searching.workers(text))
        page.object_list = [searching.worker_hit(row) for row in page.object_list]
    return _show(request, query=text, groups=[Group(_("Workers"), list(page.object_list))], page=page)


def _show(request: HttpRequest, **context: Any) -> HttpResponse:
    blank: dict[str, Any] = {"query": "", "shown": "", "refusal": "", "groups": [], "page": None}
    status = 422 if context.get("refusal") else 200
    found = [group for group in context.get("groups", []) if group.hits]
    shown = {"nav": "search", **blank, **context, "groups": found}
    return render(request, "submissions/search.html", shown, status=status)
