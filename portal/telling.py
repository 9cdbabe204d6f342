"""Events in the reader's words: the sentences of `portal.tellings` with the names and values of an Event."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from portal.models import Application, Event, User, profile_of
from portal.tellings import TELLINGS
from portal.templatetags.presenting import day, duration, person_name, quarter

DETAILS: Final[Mapping[str, str | Promise]] = MappingProxyType(
    {
        "first_name": _("First name"),
        "last_name": _("Name"),
        "email": _("E-mail"),
        "language": _("Language"),
        "niss": _("NISS"),
        "family_name": _("Family name"),
        "given_name": _("Given name"),
        "joint_committee": _("Joint committee"),
        "regime": _("Work regime"),
        "day_minutes": _("Normal day of a full-timer"),
        "entered_on": _("Entered on"),
        "left_on": _("Left on"),
        "label": _("Name"),
        "issuer": _("Issuer"),
        "client_id": _("Client id"),
        "secret": _("Client secret"),
        "scopes": _("Scopes"),
        "acr_values": _("Ways of signing in that are asked for (acr)"),
        "vouches_for_second_factor": _("This provider always asks for a second factor"),
    }
)
"""The data of a person, a worker, a contract, or a provider for signing in, that Events name."""

HOW: Final[Mapping[str, str | Promise]] = MappingProxyType(
    {
        "password": _("password"),
        "app": _("code of the app"),
        "recovery": _("recovery code"),
        "passkey": _("passkey"),
        "provider": _("identity provider"),
    }
)
"""How somebody proved who he is."""

LISTS: Final[Mapping[str, str | Promise]] = MappingProxyType(
    {
        "employers": _("Employers"),
        "mandates": _("Mandates"),
        "declarations": _("Declarations"),
        "to-correct": _("To correct"),
        "workers": _("Workers"),
        "batches": _("Batches"),
        "relays": _("Ready-made files"),
        "documents": _("Documents"),
        "users": _("Users"),
    }
)
"""The lists that are exported."""

CHANNEL_FIELDS: Final[Mapping[str, str | Promise]] = MappingProxyType(
    {
        "name": _("Name of the channel"),
        "username": _("Technical user name"),
        "sender_number": _("Sender number"),
        "services": _("Secured permissions"),
        "host": _("Server"),
        "port": _("Port"),
        "max_file_bytes": _("Largest file (bytes)"),
        "files_at_once": _("Files under way at once"),
        "noted_permissions": _("Permissions held, under which this portal sends nothing"),
        "directories": _("Directories"),
        "allows_ssh_rsa": _("ssh-rsa allowed"),
        "can_list_in": _("Directory of uploads may be listed"),
        "signs_tests": _("Tests are signed"),
    }
)
"""The settings of a channel that Events name."""

_KEYS: Final[Mapping[str, str | Promise]] = MappingProxyType(
    {
        "ssh": _("SSH key"),
        "signing": _("Signing certificate"),
        "request": _("Certificate request"),
        "rest": _("Certificate of a REST account"),
    }
)
_ENVIRONMENTS: Final[Mapping[str, str | Promise]] = MappingProxyType(
    {"R": _("Production"), "T": _("Circuit test"), "S": _("Simulation")}
)


def actors_of(events: Collection[Event]) -> dict[int, User]:
    """Who acted, by id, as far as they are still users. One query."""
    return User.objects.in_bulk({event.actor_id for event in events if event.actor_id})


def actor_name(event: Event, actors: Mapping[int, User]) -> str:
    """The name of who acted, the user name of somebody deleted since, or nothing when the portal acted by itself."""
    actor = actors.get(event.actor_id or 0)
    return person_name(actor) if actor else event.actor_name


def sentence(event: Event, actor: str, what: str = "", labels: Mapping[str, str | Promise] = DETAILS) -> str:
    """The Event as one sentence. `what` names its object, `labels` the fields that its data may mention."""
    telling = TELLINGS.get(event.verb)
    values = _values(event, labels)
    values |= {"actor": actor or gettext("The portal"), "what": _what(event, what)}
    if telling is None:
        return gettext("%(actor)s: %(verb)s, %(what)s") % {**values, "verb": event.verb}
    return str(telling.sentence) % values


def short(event: Event, labels: Mapping[str, str | Promise]) -> str:
    """The Event in a few words, for the page of its object."""
    text, data = str(TELLINGS[event.verb].short), event.data
    if event.verb.startswith("problem."):
        return text % _values(event, labels)
    if event.verb == "record.changed":
        return gettext("%(what)s: %(detail)s") % {"what": text, "detail": _fields(event, labels)}
    if detail := _of_the_register(event):
        return gettext("%(what)s: %(detail)s") % {"what": text, "detail": detail}
    if event.verb in ("file.downloaded", "file.stored") and data.get("name"):
        return gettext("%(what)s: %(detail)s") % {"what": text, "detail": data["name"]}
    if event.verb == "file.applied":
        detail = _answers(int(data.get("moved", 0)))
        return f"{data.get('kind', '')}: {detail}" if data.get("kind") else detail
    return text


def _of_the_register(event: Event) -> str:
    """What an Event about a contract or a right says beside its verb; nothing for others."""
    values = _values(event, DETAILS)
    match event.verb:
        case "contract.changed" | "worker.changed":
            return values["fields"]
        case "contract.ended":
            return values["end"]
        case "right.recalculated":
            return values["rights"]
        case "right.decided" | "right.taken_back" if event.data.get("year"):
            return f"{values['year']}, {values['minutes']}"
    return ""


def _what(event: Event, what: str) -> str:
    return what or str(event.data.get("name") or gettext("no. %(number)s") % {"number": event.subject_id})


def _values(event: Event, labels: Mapping[str, str | Promise]) -> dict[str, str]:
    data = event.data
    plain = ("who", "username", "kind", "profile", "application", "service", "shown", "pinned")
    values = {name: str(data.get(name, "")) for name in (*plain, "title", "year", "fte", "committee")}
    values |= {name: str(data.get(name, "")) for name in ("annex", "version")}
    values["list"] = str(LISTS.get(data.get("list", ""), ""))
    values["format"] = str(data.get("format", "")).upper()
    values["times"] = ", ".join(data.get("times", ())) or gettext("no fixed time")
    if event.verb.startswith("grant."):
        values["profile"] = (
            str(profile_of(data["application"], data["profile"]).label).partition(":")[0].strip()
        )
        values["application"] = str(Application(data["application"]).label).lower()
    values["how"] = str(HOW.get(data.get("how", ""), ""))
    if data.get("provider"):
        values["how"] = gettext("account “%(provider)s”, then %(how)s") % {
            "provider": data["provider"],
            "how": values["how"],
        }
    until = data.get("until", "")
    shown = day(date.fromisoformat(until)) if until else ""
    values["until"] = pgettext("grant", ", until %(day)s") % {"day": shown} if shown else ""
    values["of"] = _of(data)
    values["at"] = (
        pgettext("member", ", who works at %(client)s") % {"client": data["of"]} if data.get("of") else ""
    )
    values["quarter"] = quarter(str(data["quarter"])) if data.get("quarter") else ""
    count = int(data.get("declarations", data.get("count", 1)) or 0) if event.verb != "batch.rejected" else 0
    counted = ngettext("%(count)d declaration", "%(count)d declarations", count) % {"count": count}
    values["count"] = f" ({counted})" if count > 1 else ""
    values["moved"] = f" ({_answers(int(data['moved']))})" if "moved" in data else ""
    values["fields"] = _fields(event, labels)
    rows, mandates, workers = (int(data.get(name) or 0) for name in ("rows", "mandates", "workers"))
    values["rows"] = ngettext("%(count)d row", "%(count)d rows", rows) % {"count": rows}
    values["mandates"] = ngettext("%(count)d mandate", "%(count)d mandates", mandates) % {"count": mandates}
    values["workers"] = ngettext("%(count)d worker", "%(count)d workers", workers) % {"count": workers}
    letters = int(data.get("letters") or 0)
    values["letters"] = ngettext("%(count)d letter", "%(count)d letters", letters) % {"count": letters}
    values["kept"] = pgettext("trainings", ", as drafts") if data.get("is_draft") else ""
    if event.verb.startswith("credential."):
        values["kind"] = str(_KEYS.get(values["kind"], values["kind"]))
    values["changes"] = _changes(event)
    values["end"] = day(date.fromisoformat(data["end"])) if data.get("end") else ""
    values["minutes"] = duration(data.get("minutes"))
    values["rights"] = _rights(event)
    values["fingerprint"] = str(data.get("fingerprint", ""))
    values |= {name: str(_ENVIRONMENTS.get(data.get(name, ""), "")) for name in ("before", "after")}
    return values


def _of(data: Mapping[str, Any]) -> str:
    """To whose matters a grant is limited: nothing for all clients, some by name, the others counted."""
    names, others = [str(name) for name in data.get("employers", ())], int(data.get("others", 0))
    if not names:
        return ""
    shown = ", ".join(names)
    if others:
        shown = ngettext("%(names)s and %(count)d other", "%(names)s and %(count)d others", others) % {
            "names": shown,
            "count": others,
        }
    return pgettext("grant", " of %(employers)s") % {"employers": shown}


def _rights(event: Event) -> str:
    """Each year whose right changed, with what it was and what it is."""
    return "; ".join(
        gettext("%(what)s: %(detail)s") % {"what": year, "detail": f"{duration(before)} → {duration(after)}"}
        for year, (before, after) in event.data.get("rights", {}).items()
    )


def _changes(event: Event) -> str:
    """Each setting that changed, with what it was and what it is."""
    return "; ".join(
        gettext("%(what)s: %(detail)s")
        % {"what": CHANNEL_FIELDS.get(name, name), "detail": f"{_setting(before)} → {_setting(after)}"}
        for name, (before, after) in event.data.get("changes", {}).items()
    )


def _setting(value: object) -> str:
    match value:
        case True:
            return gettext("yes")
        case False:
            return gettext("no")
        case list():
            return ", ".join(map(str, value)) or "–"
        case dict():
            return ", ".join("/".join(pair) for pair in value.values())
    return str(value) or "–"


def _fields(event: Event, labels: Mapping[str, str | Promise]) -> str:
    return ", ".join(str(labels.get(name, name)) for name in event.data.get("fields", ()))


def _answers(count: int) -> str:
    return ngettext("%(count)d answer applied", "%(count)d answers applied", count) % {"count": count}
