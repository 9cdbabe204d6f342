"""What a person does with one thing to do: correct, declare again, give it to somebody, put it off, close it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from mandates.models import Employer, Worker
from portal.access import membership, mine, needs
from portal.models import Membership, Profile
from portal.templatetags.presenting import quarter
from submissions import deciding, departing, problems, redeclaring
from submissions.deciding import CannotDecide
from submissions.problems import Key
from submissions.redeclaring import Outcome
from submissions.views.correct_form import ALL, CorrectForm
from submissions.views.problems import form_of, page_of, posted_rows

type Act = Callable[[HttpRequest, Key], HttpResponse | None]


def _act(profile: Profile, *, is_for_office: bool = True) -> Callable[[Act], Any]:
    """A button on the page of a problem: a POST, for who holds `profile`, that leads back to the page."""

    def decorate(act: Act) -> Any:
        @require_POST
        @needs(profile)
        @wraps(act)
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            if is_for_office and membership(request).employer_id is not None:
                raise PermissionDenied(_("This is decided by the people of the office."))
            key = Key.asked(mine(Employer, pk=pk).pk, request.GET)
            if not problems.one(key) and problems.decided(key) is None:
                messages.info(request, _("Nothing waits here any more."))
                return redirect("to_correct")
            try:
                with transaction.atomic():
                    answer = act(request, key)
            except CannotDecide as refusal:
                messages.error(request, str(refusal))
                answer = None
            return answer or redirect(key.url())

        return view

    return decorate


# --- redeclaring -----------------------------------------------------------------------------------


@_act(Profile.ADMINISTRATIVE, is_for_office=False)
def correct(request: HttpRequest, key: Key) -> HttpResponse | None:
    """Changes the fields that were refused and declares again: each its own value, or all of them one."""
    is_for_all = request.POST.get("how") == ALL
    rows = posted_rows(request, key)
    if not rows:
        raise CannotDecide(_("Nothing is left to decide here: somebody else was faster."))
    form = form_of(rows, key, request.POST, is_for_all=is_for_all)
    if form is None:
        raise CannotDecide(_("The correction lies elsewhere: mend it there, then declare again."))
    if not form.is_valid():
        return page_of(request, mine(Employer, pk=key.employer), key, form, status=422)
    if form.column is None:
        return _correct_numbers(request, key, form)
    if is_for_all:
        chosen = list(redeclaring.each(problems.refused(key)))
        outcome = redeclaring.declare_again(chosen, for_all=form.for_all())
    else:
        changes = form.changes()
        if not changes:
            raise CannotDecide(
                _("Nothing was changed. If the training is right as it is, choose “Declare again as it is”.")
            )
        outcome = redeclaring.declare_again(changes, changes)
        for pk, sentence in outcome.wrong.items():
            form.add_error(f"value_{pk}", sentence)
    _note(key, "problem.corrected", outcome)
    _tell(request, key, outcome)
    if form.errors and not is_for_all:
        if outcome.made:
            return None  # What went is gone from the page; the others are there with their old value, and told above.
        return page_of(request, mine(Employer, pk=key.employer), key, form, status=422)
    return None


def _correct_numbers(request: HttpRequest, key: Key, form: CorrectForm) -> HttpResponse | None:
    """Gives workers the numbers that were typed; what was refused about them here is declared again."""
    workers: dict[int, tuple[Worker, str]] = {}
    for row in form.rows:
        number = form.numbers().get(row.pk)
        if number is None or row.record is None:
            continue
        worker = row.record.worker
        try:
            redeclaring.judge_number(worker, number)
        except redeclaring.CannotCorrect as refusal:
            form.add_error(f"value_{row.pk}", str(refusal))
        if workers.setdefault(worker.pk, (worker, number))[1] != number:
            form.add_error(f"value_{row.pk}", _("This worker stands here twice, with two numbers."))
    if form.errors:
        return page_of(request, mine(Employer, pk=key.employer), key, form, status=422)
    if not workers:
        raise CannotDecide(_("Nothing was changed. Type the right number beside at least one worker."))
    for worker, number in workers.values():
        redeclaring.correct_number(worker, number)
    # One number mends everything that was refused about this worker for it.
    chosen = problems.refused(key).filter(record__worker__in=workers).values_list("pk", flat=True)
    outcome = redeclaring.declare_again(list(chosen))
    _note(key, "problem.corrected", outcome)
    _tell(request, key, outcome)
    return None


@_act(Profile.ADMINISTRATIVE, is_for_office=False)
def again(request: HttpRequest, key: Key) -> HttpResponse | None:
    """Declares everything again as it is: what was wrong was mended elsewhere."""
    outcome = redeclaring.declare_again(list(redeclaring.each(problems.refused(key))))
    _note(key, "problem.sent_again", outcome)
    _tell(request, key, outcome)
    return None


def _note(key: Key, verb: str, outcome: Outcome) -> None:
    if outcome.made:
        deciding.note(key, verb, count=outcome.made)


def _tell(request: HttpRequest, key: Key, outcome: Outcome) -> None:
    if outcome.declared:
        text = ngettext(
            "%(count)d declaration is corrected and ready. %(leaves)s",
            "%(count)d declarations are corrected and ready. %(leaves)s",
            outcome.declared,
        )
        messages.success(request, text % {"count": outcome.declared, "leaves": departing.told(key.service)})
    if outcome.drafts:
        text = ngettext(
            "%(count)d is kept as a draft: something else in it is missing or wrong.",
            "%(count)d are kept as drafts: something else in them is missing or wrong.",
            outcome.drafts,
        )
        messages.warning(request, text % {"count": outcome.drafts})
    if outcome.wrong:
        text = ngettext(
            "%(count)d cannot take this value and stays as it was: %(sentence)s",
            "%(count)d cannot take this value and stay as they were: %(sentence)s",
            len(outcome.wrong),
        )
        first = next(iter(outcome.wrong.values()))
        messages.error(request, text % {"count": len(outcome.wrong), "sentence": first})
    if outcome.left:
        text = ngettext(
            "%(count)d was left: somebody else declared it meanwhile, or its file is to be corrected.",
            "%(count)d were left: somebody else declared them meanwhile, or their file is to be corrected.",
            outcome.left,
        )
        messages.info(request, text % {"count": outcome.left})
    for code in sorted(outcome.quarters):
        messages.warning(
            request,
            _("%(quarter)s had been signed off: the employer is asked to sign it off anew.")
            % {"quarter": quarter(code)},
        )


# --- deciding -------------------------------------------------------------------------------------


@_act(Profile.EXTENDED)
def accept(request: HttpRequest, key: Key) -> HttpResponse | None:
    """Leaves what was accepted with remarks as it is."""
    count = deciding.accept(key, request.POST.get("reason", ""))
    text = ngettext("%(count)d stays as it is.", "%(count)d stay as they are.", count)
    messages.success(request, text % {"count": count})
    return None


@_act(Profile.ADMINISTRATIVE)
def assign(request: HttpRequest, key: Key) -> HttpResponse | None:
    """Takes it, leaves it, or gives it to somebody else, which is for who works the task list."""
    me, asked = membership(request), request.POST.get("owner", "")
    owner = mine(Membership, pk=int(asked)) if asked.isascii() and asked.isdigit() else None
    decided = problems.decided(key)
    is_own = (owner is None or owner.pk == me.pk) and (decided is None or decided.owner_id in (None, me.pk))
    if not is_own and not me.may(Profile.EXTENDED):
        raise PermissionDenied(_("You may take what nobody has, and leave what is yours."))
    deciding.assign(key, owner)
    return None


@_act(Profile.EXTENDED)
def snooze(request: HttpRequest, key: Key) -> HttpResponse | None:
    """Puts it off until a day, or without one brings it back."""
    asked = request.POST.get("until", "")
    if not asked:
        deciding.wake(key)
        return None
    try:
        until = date.fromisoformat(asked)
    except ValueError:
        raise CannotDecide(_("Choose a day from tomorrow on, within a year.")) from None
    deciding.snooze(key, until)
    messages.success(request, _("Put off: it is in the list again on that day."))
    return redirect("to_correct")


@_act(Profile.EXTENDED)
def close(request: HttpRequest, key: Key) -> HttpResponse | None:
    """Nothing more is done about these refusals, for a reason."""
    count = deciding.close(key, request.POST.get("reason", ""))
    text = ngettext(
        "Closed: %(count)d refusal is settled. A new one brings it back.",
        "Closed: %(count)d refusals are settled. A new one brings it back.",
        count,
    )
    messages.success(request, text % {"count": count})
    return None


@_act(Profile.EXTENDED)
def reopen(request: HttpRequest, key: Key) -> HttpResponse | None:
    """Takes a closing back."""
    deciding.reopen(key)
    messages.success(request, _("Opened again."))
    return None


@_act(Profile.ENCODE, is_for_office=False)
def comment(request: HttpRequest, key: Key) -> HttpResponse | None:
    """Says something about it."""
    deciding.comment(key, request.POST.get("text", ""))
    return None
