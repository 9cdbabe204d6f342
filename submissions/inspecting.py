"""Every check of a ready-made file, in a fixed order, each with the sentence for whoever handed it over.

Size, document type, encoding, well-formed; root and service; the permission of the channel; the employers and their
mandates; whether its answers will find their forms; the official schema; whether it, or its name, was used before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from channels.models import Channel, Envelope
from channels.naming import BadFileName, FileName, Prefix, parse_name
from mandates.catalogue import Service, mandate_service, service_of_root, services
from mandates.models import Employer
from mandates.numbers import format_enterprise_number, format_onss_number, mask_in_text
from portal import tenancy
from submissions import judging
from submissions.batching import today
from submissions.models import Declaration, RelayedFile
from submissions.wire import relayed
from submissions.wire.relayed import NamedEmployer, Opening, ReadForm
from submissions.wire.unreadable import Unreadable

MOST_FORMS: Final = 32_767
"""Positions of forms are kept in two bytes."""

_LONGEST_REFERENCE: Final = 64
_ELEVEN_DIGITS: Final = re.compile(r"\d{11}")


class Refused(ValueError):
    """A file that is not taken; `str()` says where, what is wrong and what to do. Nothing was stored.

    `earlier` is the file that was handed over before, when that is the reason.
    """

    permanent = True
    ambiguous = False

    def __init__(self, sentence: str, *, earlier: RelayedFile | None = None) -> None:
        super().__init__(sentence)
        self.earlier = earlier


class Read(NamedTuple):
    """A file that was read: its start tag, the service it is for, and its forms."""

    opening: Opening
    service: Service
    forms: list[ReadForm]


def read(channel: Channel, content: bytes, code: str) -> Read:
    """Size, document type, encoding, form, root and service."""
    limit = channel.max_file_bytes
    if len(content) > limit:
        raise Refused(
            _(
                "The file has %(size)d bytes; this channel sends files of at most %(limit)d. Split it into "
                "several files."
            )
            % {"size": len(content), "limit": limit}
        )
    try:
        opening = relayed.opening(content, max_bytes=limit)
        forms = list(relayed.forms(content, max_bytes=limit))
    except Unreadable as error:
        raise Refused(str(error)) from None
    service = _service(opening.root, code)
    _check_forms(forms, service, opening.root)
    return Read(opening, service, forms)


def _service(root: str, code: str) -> Service:
    found = service_of_root(root)
    if found is None:
        raise Refused(
            _(
                "The root element “%(root)s” belongs to no service that is relayed here. Hand over the "
                "content of one FI, such as a file that starts with “Dimona” or “DmfAOriginal”."
            )
            % {"root": root}
        )
    if code and code != found.code:
        chosen = services().get(code)
        raise Refused(
            _("You chose %(chosen)s, and the root element “%(root)s” is that of %(found)s. Choose %(found)s.")
            % {"chosen": chosen.name if chosen else code, "root": root, "found": found.name}
        )
    return found


def _check_forms(forms: Sequence[ReadForm], service: Service, root: str) -> None:
    if not forms:
        raise Refused(_("The file holds no form: nothing would be declared."))
    if len(forms) > MOST_FORMS:
        raise Refused(
            _("The file holds %(count)d forms; at most %(most)d are taken. Split it into several files.")
            % {"count": len(forms), "most": MOST_FORMS}
        )
    wanted = service.roots[root]
    for form in forms:
        if form.identification != wanted:
            raise Refused(
                _(
                    "Form %(position)d (line %(line)d) is “%(found)s”; a file “%(root)s” holds forms “%(wanted)s”."
                )
                % {**_where(form), "found": form.identification[:40], "root": root, "wanted": wanted}
            )
        if len(form.reference) > _LONGEST_REFERENCE:
            raise Refused(
                _("The reference of form %(position)d (line %(line)d) is longer than 64 characters.")
                % _where(form)
            )


def _where(form: ReadForm) -> dict[str, int]:
    return {"position": form.position, "line": form.line}


def check_permission(channel: Channel, service: Service) -> None:
    if service.code not in channel.services:
        raise Refused(
            _(
                "The channel “%(channel)s” does not carry %(service)s: its permission “%(permission)s” is missing. "
                "Tick it in Chaman, then here."
            )
            % {"channel": channel.name, "service": service.name, "permission": service.permission}
        )
    if refusal := service.refusal_on(today().date(), is_production=channel.environment == "R"):
        raise Refused(refusal)


def clients_of(read: Read, chosen: Employer | None) -> list[Employer]:
    """The client of each form, in order: the first employer it names. Every employer that it names must be a client."""
    find = _Clients(read.forms)
    found: list[Employer] = []
    for form in read.forms:
        clients = [find.client(form, named) for named in form.employers]
        if not clients and chosen is None:
            raise Refused(
                _(
                    "Form %(position)d (line %(line)d) names no employer. Choose the client it is for, then "
                    "hand the file over again."
                )
                % _where(form)
            )
        found.append(clients[0] if clients else chosen)  # type: ignore[arg-type]  # looked at just before
    return found


class _Clients:
    """The clients that the forms of a file name, looked up in two queries."""

    def __init__(self, forms: Iterable[ReadForm]) -> None:
        named = {employer for form in forms for employer in form.employers}
        rows = Employer.objects.filter(mandataire_id=tenancy.current())
        numbers = {one.company_id for one in named if one.company_id}
        self._by_number = {row.number: row for row in rows.filter(number__in=numbers)}
        alone = {one.nsso for one in named if not one.company_id}
        self._by_nsso: dict[str, list[Employer]] = {}
        for row in rows.filter(onss_number__in=alone) if alone else ():
            self._by_nsso.setdefault(row.onss_number, []).append(row)

    def client(self, form: ReadForm, named: NamedEmployer) -> Employer:
        """The client that a form names. Raises `Refused` for one nobody knows, and for numbers that do not match."""
        if not named.company_id:
            candidates = self._by_nsso.get(named.nsso, [])
            if len(candidates) == 1:
                return candidates[0]
            raise self._unknown(
                form, _("ONSS %(number)s") % {"number": _shown(named.nsso, format_onss_number)}
            )
        client = self._by_number.get(named.company_id)
        if client is None:
            raise self._unknown(form, _shown(named.company_id, format_enterprise_number))
        if named.nsso and client.onss_number and named.nsso != client.onss_number:
            raise Refused(
                _(
                    "Form %(position)d (line %(line)d) gives %(employer)s the ONSS number %(given)s; your "
                    "file of clients says %(known)s. Correct the one that is wrong."
                )
                % {
                    **_where(form),
                    "employer": client.name,
                    "given": _shown(named.nsso, format_onss_number),
                    "known": _shown(client.onss_number, format_onss_number),
                }
            )
        return client

    def _unknown(self, form: ReadForm, number: str) -> Refused:
        return Refused(
            _(
                "Form %(position)d (line %(line)d) is for the employer %(number)s, who is no client of yours. "
                "Add the client and its mandate first, or take the form out."
            )
            % {**_where(form), "number": number}
        )


def _shown(number: str, write: Callable[[str], str]) -> str:
    """A number as people write it; as it stands when it is none. It comes from a file, so it is cut."""
    with suppress(ValueError, IndexError):
        return write(number)
    return number[:20]


def speaking_for(service: Service) -> set[int]:
    """The ids of the employers for whom this service may be declared today."""
    return set(Employer.objects.spoken_for(today().date(), service.mandate).values_list("pk", flat=True))


def check_mandates(service: Service, employers: set[Employer]) -> None:
    allowed = speaking_for(service)
    for employer in sorted(employers, key=lambda one: (one.name, one.pk)):
        if employer.pk not in allowed:
            raise Refused(
                _(
                    "There is no active mandate %(mandate)s for %(employer)s (%(number)s) today: social "
                    "security would refuse these forms. Propose the mandate, or take the forms out."
                )
                % {
                    "mandate": mandate_service(service.mandate).name,
                    "employer": employer.name,
                    "number": format_enterprise_number(employer.number),
                }
            )


def check_answers_can_be_told_apart(forms: Sequence[ReadForm], employers: Sequence[Employer]) -> None:
    """An answer repeats reference, moment, employer and worker of a form: two forms must not share all of them."""
    seen: dict[tuple[object, ...], int] = {}
    for form, employer in zip(forms, employers, strict=True):
        marks = (form.reference, form.created_on, form.created_hour, employer.pk, form.inss)
        earlier = seen.setdefault(marks, form.position)
        if earlier != form.position:
            raise Refused(
                _(
                    "The answers to forms %(earlier)d and %(position)d (line %(line)d) could not be told "
                    "apart: give each form a reference of its own."
                )
                % {**_where(form), "earlier": earlier}
            )
    ours = Declaration.objects.filter(
        mandataire_id=tenancy.current(), reference__in={form.reference for form in forms} - {""}
    )
    if reference := ours.values_list("reference", flat=True).first():
        raise Refused(
            _("The reference “%(reference)s” is one of this portal's own.") % {"reference": reference}
        )


def judged_by(channel: Channel, content: bytes, opening: Opening) -> str:
    """The name of the official schema that found the file valid, "" when none was loaded for it."""
    judgement = judging.judge(content, opening, max_bytes=channel.max_file_bytes)
    if judgement.fault is None:
        return judgement.schema
    # The compiler quotes the value it refused, which may be a worker's number.
    message = _ELEVEN_DIGITS.sub("*" * 11, mask_in_text(judgement.fault.message))
    raise Refused(
        _(
            "Line %(line)d, column %(column)d: this is not what the official schema %(schema)s admits. %(message)s"
        )
        % {
            "line": judgement.fault.line,
            "column": judgement.fault.column,
            "schema": judgement.schema,
            "message": message,
        }
    )


def check_new(digest: str, name: FileName | None) -> None:
    """Refuses content that was handed over before, and the name of an exchange file that was used before."""
    earlier = RelayedFile.objects.filter(mandataire_id=tenancy.current(), is_withdrawn=False)
    same = earlier.filter(sha256=digest).first()
    if same:
        raise Refused(_("This very file was handed over before: it is not sent twice."), earlier=same)
    if name is None:
        return
    named = earlier.filter(exchange_name=str(name).partition(".")[2]).first()
    if named or Envelope.objects.filter(mandataire_id=tenancy.current(), stem=name.stem).exists():
        raise Refused(
            _(
                "The name %(name)s was used already, for another content: social security refuses a name that is used "
                "twice (133). Make sure that this is another declaration, and give it another name."
            )
            % {"name": name},
            earlier=named,
        )


def exchange_name(name: str) -> FileName | None:
    """The name of the file when it is that of an FI: by the rules it stands for one content only. Else None."""
    try:
        parsed = parse_name(PurePath(name.replace("\\", "/")).name)
    except BadFileName:
        return None
    return parsed if parsed.prefix is Prefix.DECLARATION else None
