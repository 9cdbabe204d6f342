"""What is due, for all clients or the own company, and the way of what is chosen there to a test or to production."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from channels.models import EnvironmentCode
from mandates.models import Employer
from portal import lists
from portal.access import membership, needs
from portal.models import Application, Membership, Profile
from portal.templatetags.presenting import number
from submissions import deadlines, due, questions, selecting, tasks
from submissions.deadlines import Deadline
from submissions.due import Key, Line
from submissions.views.asking import ask, confirmation
from submissions.views.signing_off import quarters as quarter_lines

CHIPS: Final[Sequence[tuple[str, str | Promise]]] = (
    ("", pgettext_lazy("due", "To do")),
    ("ready", pgettext_lazy("due", "Ready to send")),
    ("draft", pgettext_lazy("due", "Fields missing")),
    ("refused", pgettext_lazy("due", "To correct")),
    (questions.TESTED, pgettext_lazy("due", "Only tested")),
    (due.UNSIGNED, pgettext_lazy("due", "Not signed off")),
    ("on_its_way", pgettext_lazy("due", "On its way")),
)
DECLARED_CHIP: Final = pgettext_lazy("due", "All declared")
SOON: Final = 14
"""Days before the last one from which a line is marked."""
_TARGETS: Final = {
    "S": EnvironmentCode.SIMULATION,
    "T": EnvironmentCode.TEST,
    "R": EnvironmentCode.PRODUCTION,
}
_MOST_PICKS: Final = 100
"""Keys that are read from an address: those of one page and some more."""


@require_safe
@needs(Profile.ENCODE)
def dues(request: HttpRequest) -> HttpResponse:
    """Per client and quarter what is ready, what is missing and by when; the most urgent first."""
    me, today, asked = membership(request), timezone.localdate(), _asked(request.GET)
    found = due.lines(today)
    behind = _behind(found, asked)
    page = lists.page_of(request, behind)
    shown_lines = list(page.object_list)
    due.complete(shown_lines, today)
    may_send = me.may(Profile.EXTENDED) and me.reach(Application.DECLARATIONS) is None
    context = {
        "nav": "due",
        "chips": _chips(found, asked),
        "quarters": _quarters(found, asked["quarter"]),
        "query": asked["q"],
        "state": asked["state"],
        "kept": {name: value for name, value in asked.items() if value},
        "page": page,
        "rows": [shown(line) for line in shown_lines],
        "may_send": may_send and any(line.figures["ready"] for line in behind),
        "rules": [rule for rule in deadlines.RULES if rule.subject is deadlines.Subject.TRAINING],
        "other_rules": [rule for rule in deadlines.RULES if rule.subject is not deadlines.Subject.TRAINING],
        "sign_offs": _own_quarters(me),
    }
    return render(request, "submissions/due_list.html", context)


def of_client(employer: Employer) -> list[dict[str, Any]]:
    """What is due for one client, as a block of its page: every line of which anything is open or on its way."""
    today = timezone.localdate()
    found = due.lines(today, employer=employer)
    due.complete(found, today)
    return [shown(line) for line in found]


def shown(line: Line) -> dict[str, Any]:
    """One line as the pages show it, each figure with the address of its rows."""
    today, deadline = timezone.localdate(), line.deadline
    counts = {**{name: line.figures[name] for name in due.FIGURES}, "accepted": line.declared}
    counts[questions.UNDER_WAY] = counts["ready"] + counts["on_its_way"]
    figures = {name: _figure(line, name, count) for name, count in counts.items()}
    return {
        "key": f"{line.employer}-{line.quarter}",
        "employer": line.employer,
        "name": line.name,
        "number": line.number,
        "quarter": line.quarter,
        "due_on": deadline.day if deadline else None,
        "working_day": _earlier(deadline, today) if deadline else None,
        "is_ours": deadline.rule.is_ours if deadline else False,
        # Where nothing waits to be declared nothing is late, signed off or not.
        "left": _left(deadline.days_left(today))
        if deadline and any(line.figures[name] for name in due.OPEN)
        else None,
        "figures": figures,
        "brief": [{**figures[state], "label": label} for state, label in CHIPS if counts.get(state)],
        "is_unsigned": line.is_unsigned,
        "signed": line.signed,
        "may_leave": line.may_leave,
        "is_ready": bool(counts["ready"]),
    }


def _figure(line: Line, name: str, count: int) -> dict[str, Any]:
    if not count:  # Most are: nothing to open.
        return {"count": 0, "url": ""}
    state = questions.TO_CORRECT if name == "refused" else name
    where = lists.address(employer=str(line.employer), quarter=line.quarter, state=state)
    return {"count": count, "url": reverse("declarations") + where}


def _earlier(deadline: Deadline, today: date) -> date | None:
    """The last working day, where it comes before the last day and that is not over yet."""
    is_told = deadline.working_day != deadline.day and deadline.days_left(today) >= 0
    return deadline.working_day if is_told else None


def _left(days: int) -> dict[str, str]:
    """How much time there is, in words, with its tone."""
    if days < 0:
        text = ngettext("%(count)s day late", "%(count)s days late", -days) % {"count": number(-days)}
        return {"text": text, "tone": "bad"}
    if days == 0:
        return {"text": _("last day today"), "tone": "bad"}
    text = ngettext("%(count)s day left", "%(count)s days left", days) % {"count": number(days)}
    return {"text": text, "tone": "warn" if days <= SOON else "mute"}


def _own_quarters(me: Membership) -> list[dict[str, Any]]:
    """The quarters that an employer user may sign off, on his own page of what is due."""
    return quarter_lines(me, me.employer) if me.employer else []


# --- filters --------------------------------------------------------------------------------------


def _asked(parameters: QueryDict) -> dict[str, str]:
    """The filters of the list: `state`, `quarter` (`YYYYQ`) and `q`, a name or a number of a client."""
    state = parameters.get("state", "")
    quarter = parameters.get("quarter", "")
    return {
        "state": state if state == due.DECLARED or state in dict(CHIPS) else "",
        "quarter": quarter if _is_quarter(quarter) else "",
        "q": parameters.get("q", "").strip(),
    }


def _is_quarter(text: str) -> bool:
    return len(text) == 5 and text.isascii() and text.isdigit() and text[0] == "2" and text[4] in "1234"


def _behind(found: Sequence[Line], asked: dict[str, str]) -> list[Line]:
    """The lines behind the filters. What is all declared is looked up only when it is asked for."""
    if asked["state"] == due.DECLARED:
        found = due.declared_lines(timezone.localdate(), found, quarter=asked["quarter"])
    return [line for line in _narrowed(found, asked) if line.is_behind(asked["state"])]


def _narrowed(found: Sequence[Line], asked: dict[str, str]) -> list[Line]:
    text = asked["q"].casefold()
    digits = "".join(filter(str.isdigit, text))
    return [
        line
        for line in found
        if asked["quarter"] in ("", line.quarter)
        and (not text or text in line.name.casefold() or (digits and digits in line.number))
    ]


def _chips(found: Sequence[Line], asked: dict[str, str]) -> list[dict[str, Any]]:
    kept = {**asked, "state": ""}
    chips = lists.chips(CHIPS, due.counted(_narrowed(found, asked)), asked["state"], kept)
    url = lists.address(**{**asked, "state": due.DECLARED})
    chips.append(
        {"label": DECLARED_CHIP, "count": None, "url": url, "is_current": asked["state"] == due.DECLARED}
    )
    return chips


def _quarters(found: Sequence[Line], chosen: str) -> list[str]:
    """The quarters to choose from, the latest first: those shown everywhere, and whatever is still open."""
    known = {*due.quarters(timezone.localdate()), *(line.quarter for line in found), chosen} - {""}
    return sorted(known, reverse=True)


# --- sending --------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.EXTENDED, everywhere=[Application.DECLARATIONS])
def send(request: HttpRequest) -> HttpResponse:
    """What leaves of the chosen lines and what does not; posted, it leaves. The address holds the choice."""
    given = request.POST if request.method == "POST" else request.GET
    asked, target = _asked(given), _TARGETS.get(given.get("to", ""), EnvironmentCode.SIMULATION)
    whole = [*due.lines(timezone.localdate())]
    is_everything = given.get("everybody") == "1"
    chosen = _behind(whole, asked) if is_everything else _picked(whole, given.getlist("pick"))
    back = reverse("due") + lists.address(**asked)
    if not chosen:
        messages.error(request, _("Tick the lines that are to leave, or all of them."))
        return redirect(back)
    keys = [line.key for line in chosen]
    is_all_the_same = given.get("unsigned") == "1" or target != EnvironmentCode.PRODUCTION
    unsigned: list[Key] = [] if is_all_the_same else [line.key for line in chosen if line.is_unsigned]
    again = _address(asked, target, keys, is_everything=is_everything, is_all=given.get("unsigned") == "1")
    if request.method == "POST":
        if asked_first := confirmation(request, [target], again):
            return asked_first
        return _send(request, keys, target, unsigned, back)
    obstacle, report = "", selecting.report(keys, target, unsigned)
    try:
        selecting.check(selecting.channel(), target)
    except selecting.CannotSend as refusal:
        obstacle = str(refusal)
    context = {
        "nav": "due",
        "target": target.value,
        "is_production": target == EnvironmentCode.PRODUCTION,
        "tests": [_test(one, asked, keys, target, is_everything=is_everything) for one in ("S", "T")],
        "lines_count": len(chosen),
        "taken": report.taken,
        "clients": report.clients.get(selecting.Fate.GOOD, 0),
        "left_out": [
            {"reason": fate.label, "todo": selecting.TODO[fate], "count": report.declarations[fate]}
            for fate in report.left_out
        ],
        "obstacle": obstacle,
        "fields": [
            *[(name, value) for name, value in asked.items() if value],
            *([("everybody", "1")] if is_everything else [("pick", _pick(key)) for key in keys]),
        ],
        "asks_unsigned": target == EnvironmentCode.PRODUCTION and any(line.is_unsigned for line in chosen),
        "is_all_the_same": given.get("unsigned") == "1",
        "back": back,
    }
    return render(request, "submissions/due_send.html", context)


def _send(
    request: HttpRequest, keys: Sequence[Key], target: EnvironmentCode, unsigned: Sequence[Key], back: str
) -> HttpResponse:
    try:
        with transaction.atomic():
            found = selecting.check(selecting.channel(), target)
            report, chosen = selecting.take(found, keys, target, unsigned)
            ask(tasks.leave_chosen, found.pk, environment=target.value, chosen=chosen)
    except selecting.CannotSend as refusal:
        messages.error(request, str(refusal))
        return redirect(back)
    messages.success(
        request,
        ngettext(
            "%(count)d declaration is sealed and leaves in a moment, %(where)s: see the new batches.",
            "%(count)d declarations are sealed and leave in a moment, %(where)s: see the new batches.",
            report.taken,
        )
        % {"count": report.taken, "where": _where(target)},
    )
    if report.left_out:
        reasons = [f"{fate.label} ({number(report.declarations[fate])})" for fate in report.left_out]
        messages.warning(request, _("Left out: %(reasons)s.") % {"reasons": ", ".join(reasons)})
    return redirect(back)


def _where(target: EnvironmentCode) -> str:
    return {
        EnvironmentCode.SIMULATION: _("in the simulation"),
        EnvironmentCode.TEST: _("in the circuit test"),
        EnvironmentCode.PRODUCTION: _("in production"),
    }[target]


def _test(
    code: str, asked: dict[str, str], keys: Sequence[Key], target: EnvironmentCode, *, is_everything: bool
) -> dict[str, Any]:
    """One of the two kinds of test, as a filter chip on the page that asks."""
    found = _TARGETS[code]
    url = _address(asked, found, keys, is_everything=is_everything, is_all=False)
    return {"label": found.label, "count": None, "url": url, "is_current": found == target}


def _address(
    asked: dict[str, str], target: EnvironmentCode, keys: Sequence[Key], *, is_everything: bool, is_all: bool
) -> str:
    """The address of the choice: so a confirmation leads back to it."""
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in asked.items() if value})
    query["to"] = target.value
    if is_all:
        query["unsigned"] = "1"
    if is_everything:
        query["everybody"] = "1"
    else:
        query.setlist("pick", [_pick(key) for key in keys])
    return f"{reverse('due_send')}?{query.urlencode()}"


def _pick(key: Key) -> str:
    return f"{key[0]}-{key[1]}"


def _picked(found: Sequence[Line], picks: Sequence[str]) -> list[Line]:
    """The lines that were ticked, as far as they still exist."""
    wanted = set(picks[:_MOST_PICKS])
    return [line for line in found if _pick(line.key) in wanted]
