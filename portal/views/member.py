"""One user: who he is, what he may do, and what a manager does for him."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mandates.models import Employer
from portal import admitting, factors, telling, tenancy
from portal.access import confirmed, for_managers, membership, mine, needs, typed
from portal.models import PROFILES, Event, Membership, UserProfile
from portal.templatetags.presenting import person_name
from portal.views import reach
from portal.views.people_forms import GrantsForm, MemberForm
from portal.views.team import brief

EVENTS = 20


def _member(pk: int) -> Membership:
    rows = Membership.objects.select_related("user", "employer")
    return mine(rows.prefetch_related("grants__limits__employer"), pk=pk)


def administered(request: HttpRequest, pk: int) -> Membership:
    """The member that the address names, if whoever asks may change him; else 404 or 403."""
    found = _member(pk)
    if not admitting.may_administer(membership(request), found):
        raise PermissionDenied(
            _(
                "You may not change this user: nobody changes his own access, nor that of who may do more than he."
            )
        )
    return found


@require_safe
@needs(UserProfile.SEE)
def member(request: HttpRequest, pk: int) -> HttpResponse:
    """What is known of a user, his profiles, and the latest of his events."""
    me, found = membership(request), _member(pk)
    if not admitting.may_administer(me, found):
        return _page(request, found, None)
    # What was chosen before a confirmation was asked stands there again.
    chosen = typed(request, reverse("member_grants", args=[pk]))
    return _page(request, found, GrantsForm(chosen, actor=me, member=found))


def _page(
    request: HttpRequest, found: Membership, form: GrantsForm | None, status: int = 200
) -> HttpResponse:
    me = membership(request)
    about = Event.objects.filter(
        mandataire_id=tenancy.current(), subject_type="membership", subject_id=str(found.pk)
    )
    events = list(about.order_by("-id")[:EVENTS])
    actors = telling.actors_of(events)
    limits = reach.limits_of(found)
    context = {
        "nav": "team",
        "member": found,
        "form": form,
        "is_me": found.pk == me.pk,
        "held": [
            {
                "label": application.label,
                "profile": brief(held[0].label),
                "until": held[1],
                "clients": reach.told(limits, application),
            }
            for application in PROFILES
            if (held := found.held.get(application))
        ],
        "factors": [factors.label(factor) for factor in factors.held_by(found.user)],
        "actions": _actions(me, found, may_change=form is not None),
        "events": [
            {
                "at": event.at,
                "text": telling.sentence(event, telling.actor_name(event, actors)),
                "actor": "",
                "reason": event.reason,
            }
            for event in events
        ],
    }
    return render(request, "portal/member.html", context, status=status)


def _actions(me: Membership, found: Membership, *, may_change: bool) -> list[dict[str, Any]]:
    """The buttons of the page: only what would be allowed."""

    def button(name: str, label: str) -> dict[str, Any]:
        return {"url": reverse(name, args=[found.pk]), "label": label}

    actions = []
    if may_change and not found.is_blocked:
        actions.append(button("member_link", _("New-password link")))
    if me.is_manager and found.is_manager:
        actions.append(button("member_dismiss", _("End the management")))
    elif me.is_manager and not found.is_blocked and found.employer_id is None:
        actions.append(button("member_appoint", _("Make manager")))
    if may_change:
        actions.append(
            button("member_unblock", _("Unblock")) if found.is_blocked else button("member_block", _("Block"))
        )
    return actions


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _client(request: HttpRequest, pk: int) -> Employer:
    """The client that the address names, if whoever asks may bring in its people; else 404 or 403."""
    found = mine(Employer, pk=pk)
    if not admitting.may_admit_for(membership(request), found.pk):
        raise PermissionDenied(_("This client is beyond what you hold yourself."))
    return found


# --- who he is ------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs(UserProfile.MANAGE)
def new(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Creates a user, of ours or at the client `pk`; what he may do is chosen on the page that follows."""
    employer = None if pk is None else _client(request, pk)
    form = MemberForm(_posted(request), initial={"language": membership(request).user.language})
    if form.is_valid():
        try:
            with transaction.atomic():
                made = admitting.admit(**form.cleaned_data, employer=employer)
        except IntegrityError:  # Somebody else took the NISS in this very moment.
            form.add_error(None, _("This NISS was taken a moment ago."))
        else:
            messages.success(
                request,
                _("Created. Now grant the profiles, then hand over the link for the first sign-in."),
            )
            return redirect("member", made.pk)
    context = {"nav": "team", "form": form, "member": None, "employer": employer}
    return render(request, "portal/member_edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(UserProfile.MANAGE)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes name, NISS, e-mail and language; the user name stays what it is."""
    found = administered(request, pk)
    names = ("first_name", "last_name", "email", "language")
    initial = {name: getattr(found.user, name) for name in names}
    form = MemberForm(_posted(request), initial=initial, member=found)
    if form.is_valid():
        try:
            with transaction.atomic():
                changed = admitting.change(found, **form.cleaned_data)
        except (IntegrityError, admitting.Refused) as refusal:
            is_taken = isinstance(refusal, IntegrityError)
            form.add_error(None, _("This NISS was taken a moment ago.") if is_taken else str(refusal))
        else:
            if changed:
                messages.success(request, _("Changed."))
            return redirect("member", found.pk)
    context = {"nav": "team", "form": form, "member": found, "employer": found.employer}
    return render(request, "portal/member_edit.html", context, status=422 if form.errors else 200)


# --- what he may do -------------------------------------------------------------------------------


@require_POST
@needs(UserProfile.MANAGE)
@confirmed("people", back="member")
def grants(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives and takes profiles; they hold from the next page that the user asks for."""
    found = administered(request, pk)
    form = GrantsForm(request.POST, actor=membership(request), member=found)
    if form.is_valid():
        try:
            with transaction.atomic():
                changed = form.apply()
        except admitting.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if changed:
                messages.success(request, _("Granted as chosen; it holds at once."))
            return redirect("member", found.pk)
    return _page(request, found, form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(UserProfile.MANAGE)
@confirmed("people")
def grant(request: HttpRequest, pk: int, application: str) -> HttpResponse:
    """The grant of one application with the clients it is for; a search shows the form again, with what was ticked."""
    chosen = reach.application_of(application)
    found = administered(request, pk)
    if chosen is None or found.employer_id is not None or found.is_manager:
        raise Http404
    form = reach.ReachForm(_posted(request), actor=membership(request), member=found, application=chosen)
    is_keeping = request.POST.get("do") == "keep"
    if is_keeping and form.is_valid():
        try:
            with transaction.atomic():
                is_changed = form.apply()
        except admitting.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if is_changed:
                messages.success(request, _("Granted as chosen; it holds at once."))
            return redirect("member", found.pk)
    rows, others = form.found()
    context = {
        "nav": "team",
        "member": found,
        "application": chosen.label,
        "form": form,
        "is_keeping": is_keeping,
        "found": rows,
        "others": others,
    }
    is_wrong = is_keeping and bool(form.errors)
    return render(request, "portal/member_grant.html", context, status=422 if is_wrong else 200)


def _act(
    request: HttpRequest, found: Membership, act: Callable[[Membership], None], done: str
) -> HttpResponse:
    """Does one thing for a member, or says why not, and goes back to his page."""
    try:
        with transaction.atomic():
            act(found)
    except admitting.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done % {"who": person_name(found.user)})
    return redirect("member", found.pk)


@require_POST
@for_managers
@confirmed("people", back="member")
def appoint(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a user a co-manager."""
    return _act(request, administered(request, pk), admitting.appoint, _("%(who)s is a manager now."))


@require_POST
@for_managers
@confirmed("people", back="member")
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Lets a manager, who may be oneself, be a user again; never the last one."""
    found = _member(pk)
    done = _("%(who)s is no manager any more.")
    answer = _act(request, found, admitting.dismiss, done)
    return redirect("team") if found.pk == membership(request).pk else answer


@require_POST
@needs(UserProfile.MANAGE)
@confirmed("people", back="member")
def block(request: HttpRequest, pk: int) -> HttpResponse:
    """Keeps a user out at once."""
    return _act(
        request, administered(request, pk), admitting.block, _("%(who)s is blocked; all sessions ended.")
    )


@require_POST
@needs(UserProfile.MANAGE)
@confirmed("people", back="member")
def unblock(request: HttpRequest, pk: int) -> HttpResponse:
    """Lets a blocked user in again."""
    return _act(request, administered(request, pk), admitting.unblock, _("%(who)s may sign in again."))


@require_POST
@needs(UserProfile.MANAGE)
@confirmed("people", back="member")
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows, this once, the link at which the user chooses a password."""
    found = administered(request, pk)
    try:
        with transaction.atomic():
            arguments = admitting.issue_link(found)
    except admitting.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("member", found.pk)
    address = request.build_absolute_uri(reverse("choose_password", kwargs=arguments))
    return render(request, "portal/member_link.html", {"nav": "team", "member": found, "address": address})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(UserProfile.MANAGE)
@confirmed("people")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows what goes and what stays; deletes on the second click."""
    found = administered(request, pk)
    if request.method == "POST":
        who = person_name(found.user)
        try:
            with transaction.atomic():
                admitting.remove(found)
        except admitting.Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("member", found.pk)
        messages.success(request, _("%(who)s was deleted.") % {"who": who})
        return redirect("team")
    acts = Event.objects.filter(mandataire_id=tenancy.current(), actor_id=found.user_id).count()
    context = {"nav": "team", "member": found, "acts": acts, "grants": found.grants.count()}
    return render(request, "portal/member_delete.html", context)
