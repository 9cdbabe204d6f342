"""What everybody may change of himself: password, e-mail, language, messages and open sessions; see also `security`."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal import admitting, audit, factors, limits, sessions, tenancy
from portal.access import for_members, membership
from portal.models import Membership, User
from portal.views import reach
from portal.views.people_forms import DetailsForm, NoticesForm, OwnPasswordForm
from portal.views.session import remember
from portal.views.team import brief
from submissions import digesting, noticing, tasks
from submissions.views.asking import ask


@require_safe
@for_members
def profile(request: HttpRequest) -> HttpResponse:
    """The own data, what one may do here, and the forms."""
    return _page(request)


def _page(
    request: HttpRequest,
    details: DetailsForm | None = None,
    password: OwnPasswordForm | None = None,
    notices: NoticesForm | None = None,
) -> HttpResponse:
    me = membership(request)
    initial = {name: getattr(me.user, name) for name in admitting.OWN_DETAILS}
    faulty, limits = details or password or notices, reach.limits_of(me)
    context = {
        "nav": "",
        "me": me,
        "held": [
            {
                "label": application.label,
                "profile": brief(held.label),
                "until": until,
                "clients": reach.told(limits, application),
            }
            for application, (held, until) in sorted(me.held.items())
        ],
        "details": details or DetailsForm(initial=initial),
        "password": password or OwnPasswordForm(me.user),
        "notices": None
        if me.employer_id
        else notices or NoticesForm(initial={"notices": noticing.wish_of(me)}),
        "sends_mail": settings.SENDS_MAIL,
        "digest_at": settings.CONFIG.digest_at,
        "faulty": faulty,
        "sessions": sessions.of(me.user, request),
        "factors": [factors.label(factor) for factor in factors.held_by(me.user)],
    }
    return render(request, "portal/profile.html", context, status=422 if faulty else 200)


@require_POST
@for_members
def details(request: HttpRequest) -> HttpResponse:
    """Changes e-mail and language."""
    me, form = membership(request), DetailsForm(request.POST)
    if not form.is_valid():
        return _page(request, details=form)
    changed = [name for name in admitting.OWN_DETAILS if getattr(me.user, name) != form.cleaned_data[name]]
    answer = redirect("profile")
    if changed:
        User.objects.filter(pk=me.user_id).update(**{name: form.cleaned_data[name] for name in changed})
        audit.record("member.details_changed", me, data={"fields": changed})
        remember(answer, form.cleaned_data["language"])
        messages.success(request, _("Changed."))
    return answer


@require_POST
@for_members
def notices(request: HttpRequest) -> HttpResponse:
    """Changes what is mailed to oneself."""
    me, form = _told_by_mail(request), NoticesForm(request.POST)
    if not form.is_valid():
        return _page(request, notices=form)
    wish = form.cleaned_data["notices"]
    if me.notices != wish:
        Membership.objects.filter(mandataire_id=tenancy.current(), pk=me.pk).update(notices=wish)
        audit.record("member.notices_changed", me, data={"notices": wish})
        messages.success(request, _("Changed."))
    return redirect("profile")


@require_POST
@for_members
def digest(request: HttpRequest) -> HttpResponse:
    """Mails the digest of today now: what waits at this minute, once per minute at most."""
    me = _told_by_mail(request)
    if not settings.SENDS_MAIL:
        messages.error(request, _("This installation sends no mail. What waits is on the home page."))
    elif not me.user.email:
        messages.error(request, _("Fill in your e-mail address first."))
    elif digesting.write(me, f"asked:{timezone.now():%Y-%m-%dT%H:%M}"):
        audit.record("notice.asked", me)
        ask(tasks.tell, 0)
        messages.success(request, _("Your digest is on its way to %(email)s.") % {"email": me.user.email})
    else:
        messages.info(request, _("Nothing waits for you, or this was sent just now: no message is sent."))
    return redirect("profile")


def _told_by_mail(request: HttpRequest) -> Membership:
    """Oneself; 404 for who works at a client, to whom nothing is mailed."""
    me = membership(request)
    if me.employer_id is not None:
        raise Http404
    return me


@require_POST
@for_members
def password(request: HttpRequest) -> HttpResponse:
    """Changes the password, for who knows the old one; every other session ends."""
    me = membership(request)
    form = OwnPasswordForm(me.user, request.POST)
    counted = limits.attempt(request, "confirm", str(me.user_id))
    if counted is None:
        messages.error(request, limits.wait(request, "confirm", str(me.user_id)))
        return redirect("profile")
    form.is_valid()
    if "old_password" not in form.errors:
        counted.rollback()
    if form.errors:
        return _page(request, password=form)
    sessions.renew(request, form.save())
    audit.record("member.password_changed", me)
    messages.success(request, _("Your password was changed; your other sessions ended."))
    return redirect("profile")


@require_POST
@for_members
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Ends every session but this one."""
    me = membership(request)
    me.user.end_sessions()
    sessions.renew(request, me.user)
    audit.record("member.sessions_ended", me)
    messages.success(request, _("All your other sessions ended."))
    return redirect("profile")


@require_POST
@for_members
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends one other session of one's own."""
    me = membership(request)
    others = UserSession.objects.exclude(session_key=request.session.session_key)
    chosen = get_object_or_404(others, user=me.user, pk=pk)
    device = sessions.device(chosen.user_agent)
    chosen.end()
    audit.record("member.session_ended", me, data={"name": device})
    messages.success(request, _("The session was ended: %(device)s.") % {"device": device})
    return redirect("profile")
