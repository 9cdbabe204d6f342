"""Reads what came back and applies it: each answer at most once, in any order, never backwards.

Everything one file causes happens in one transaction with the file's own move, so a killed worker leaves the file
`stored` and nothing applied. What cannot be read or matched is kept and shown, and never stops the next file. What may
not be here at all (`addressing`) is an alarm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import batched
from typing import Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from channels.models import Envelope, EnvironmentCode, InboundFile
from channels.naming import BadFileName, is_file_name, same_set_key
from channels.states import INBOUND_MOVES
from mandates.models import NISS, Worker
from portal import audit, tenancy
from portal.models import cipher
from portal.moving import move
from submissions import addressing, merging, outcomes, sets
from submissions.addressing import Misdirected
from submissions.models import Batch
from submissions.wire import answers
from submissions.wire.answers import Acknowledgement, Notification
from submissions.wire.archives import unzip_single
from submissions.wire.unreadable import Unreadable

_CHUNK = 2000
ANOTHERS: Final = 0
"""Stands for the envelope of a set that somebody else sent: no declaration of ours lies in it."""
_CANCELLATION = 3  # AttestationStatus


@dataclass
class Effect:
    """What one file caused: counted while it is applied, told in its Event and on the files page.

    `batches` counts the contradictions of each set.
    """

    kind: str
    moved: int = 0
    repeated: int = 0
    contradicted: int = 0
    unmatched: int = 0
    batches: Counter[int] = field(default_factory=Counter)
    envelopes: set[int] = field(default_factory=set)

    def contradict(self, batch_id: int | None) -> None:
        """Counts an answer that contradicts another final one, about a set or something in it."""
        self.contradicted += 1
        if batch_id is not None:
            self.batches[batch_id] += 1

    @property
    def found_nothing(self) -> bool:
        """Whether not a single line of the file speaks of something of ours."""
        return not (self.moved or self.repeated or self.contradicted)

    def reason(self) -> str:
        """What a person should know about it, or nothing."""
        if self.contradicted:
            return _(
                "%(count)d answers contradict another final answer. What social security said first counts."
            ) % {"count": self.contradicted}
        if self.unmatched:
            return _("%(count)d answers match nothing that this portal sent.") % {"count": self.unmatched}
        return ""


def apply(mandataire: UUID, file_id: int) -> InboundFile.State | None:
    """Applies one stored answer. Returns its new state, or None when another worker has it or it was applied."""
    with tenancy.scope(mandataire):
        file = (
            InboundFile.objects.select_for_update(skip_locked=True)
            .filter(pk=file_id, state=InboundFile.State.STORED)
            .first()
        )
        if file is None:
            return None
        alarm = ""
        try:
            # A savepoint: a file that turns out unreadable in the middle must leave nothing of its first half.
            with tenancy.scope(mandataire):
                effect = _apply(file)
        except Unreadable as error:
            state, reason, effect = InboundFile.State.UNREADABLE, str(error), Effect(kind=file.kind)
        except Misdirected as error:
            state, reason, effect = InboundFile.State.UNMATCHED, str(error), Effect(kind=file.kind)
            alarm = error.alarm
        else:
            state = InboundFile.State.UNMATCHED if effect.found_nothing else InboundFile.State.APPLIED
            reason = effect.reason()
            sets.note_contradictions(effect.batches, file)
            alarm = InboundFile.Alarm.CONTRADICTION if effect.contradicted else ""
        envelope = effect.envelopes.pop() if len(effect.envelopes) == 1 else None
        move(
            file,
            INBOUND_MOVES,
            state,
            reason=reason,
            alarm=alarm,
            kind=effect.kind,
            envelope_id=envelope,
            applied_at=timezone.now(),
        )
        audit.record(
            f"file.{state}",
            file,
            reason=reason,
            data={"kind": effect.kind, "moved": effect.moved, "repeated": effect.repeated},
        )
        if alarm:
            audit.record("file.alarm", file, reason=reason, data={"alarm": alarm})
        return InboundFile.State(state)


def replay(file: InboundFile) -> None:
    """Puts a file that could not be read or matched back in the queue, after whatever stood in its way was mended.

    One that differs from an earlier one of its name is applied then: a person has compared them.
    """
    move(file, INBOUND_MOVES, InboundFile.State.STORED, reason="", alarm="")
    audit.record("file.replayed", file)


def _apply(file: InboundFile) -> Effect:
    addressing.check(file)
    content = unpacked(file.name, file.content)
    kind = answers.root_kind(content)
    reader = _READERS.get(kind)
    if reader is None:
        raise Unreadable(
            _("This is not an answer the portal knows: its root is “%(root)s”.") % {"root": kind}
        )
    return reader(file, content)


def unpacked(name: str, content: bytes) -> bytes:
    """The answer itself, where it came as an archive. Raises Unreadable."""
    return unzip_single(content)[1] if name.startswith("CO.") else content


def envelope_of(file: InboundFile, file_name: str | None) -> Envelope | None:
    """Our envelope that an answer speaks of, matched on what follows the first dot: answers quote GO, some FI.

    Raises Misdirected where that set is of another environment or sender.
    """
    if not file_name:
        return None
    try:
        stem = same_set_key(file_name)
    except BadFileName:
        return None
    found = Envelope.objects.filter(
        channel_id=file.channel_id, environment=file.environment, stem=stem
    ).first()
    addressing.check_quoted(file, file_name, found)
    return found


def _apply_acknowledgements(file: InboundFile, content: bytes) -> Effect:
    effect = Effect(kind="ACRF")
    for answer in answers.acknowledgements(content):
        envelope = envelope_of(file, answer.file_name)
        batch = Batch.objects.select_for_update().filter(envelope=envelope).first() if envelope else None
        # What says neither yes nor no is kept for a person to read, and moves nothing.
        if envelope is None or batch is None or not (answer.is_accepted or answer.is_refused):
            effect.unmatched += 1
            continue
        effect.envelopes.add(envelope.pk)
        _acknowledge(batch, answer, file, effect)
    return effect


def _acknowledge(batch: Batch, answer: Acknowledgement, file: InboundFile, effect: Effect) -> None:
    if not sets.prove_dropped(batch):
        effect.unmatched += 1
        return
    ticket = answers.usable_ticket(answer.ticket)
    if answer.is_accepted:
        verdict = sets.acknowledge(batch, ticket)
    else:
        verdict = sets.reject(batch, ticket, [code[: answers.CODE_LENGTH] for code in answer.error_ids], file)
    match verdict:
        case sets.Verdict.MOVED:
            effect.moved += 1
        case sets.Verdict.REPEATED:
            effect.repeated += 1
        case sets.Verdict.CONTRADICTED:
            effect.contradict(batch.pk)


def with_envelopes(file: InboundFile, content: bytes) -> Iterator[tuple[Notification, int | None]]:
    """Every form of a NOTI, with the id of our envelope that its file name speaks of.

    None when it names no file, or nothing that is a name; `ANOTHERS` when it names a set that is not of this channel.
    """
    known: dict[str | None, int | None] = {None: None}
    for answer in answers.notifications(content):
        name = answer.file_name
        if name is not None and name not in known:
            envelope = envelope_of(file, name)
            known[name] = envelope.pk if envelope else ANOTHERS if is_file_name(name) else None
        yield answer, known[name]


def _apply_notifications(file: InboundFile, content: bytes) -> Effect:
    effect = Effect(kind="NOTI")
    for chunk in batched(with_envelopes(file, content), _CHUNK):
        outcomes.settle(list(chunk), file, effect)
    sets.close_answered(effect.envelopes)
    return effect


def _apply_replacements(file: InboundFile, content: bytes) -> Effect:
    """A worker's number was replaced (IDFL): the register follows, and two rows of one person become one.

    AttestationStatus 3 undoes an earlier replacement. What a test environment says about people moves nothing.
    """
    effect = Effect(kind="IDFL")
    is_real = file.environment == EnvironmentCode.PRODUCTION
    for answer in answers.replacements(content):
        index = cipher().blind_index
        old, new = answer.outdated_inss, answer.valid_inss
        if answer.header.attestation == _CANCELLATION:
            old, new = new, old
        if not old or not new or not is_real:
            effect.unmatched += 1
            continue
        workers = Worker.objects.filter(niss_index=index(NISS, old))
        for worker in workers:
            try:
                merging.replace_number(worker, new, source=file.name)
            except merging.CannotSeparate:
                effect.contradicted += 1
            else:
                effect.moved += 1
        if not workers:
            known = Worker.objects.filter(niss_index=index(NISS, new)).exists()
            effect.repeated += known
            effect.unmatched += not known
    return effect


_READERS: Final[dict[str, Callable[[InboundFile, bytes], Effect]]] = {
    "ACRF": _apply_acknowledgements,
    "NOTIFICATION": _apply_notifications,
    "IDFLUX": _apply_replacements,
}

KINDS: Final = {"ACRF": "ACRF", "NOTIFICATION": "NOTI", "IDFLUX": "IDFL"}
"""What a file is, by its root: the `kind` of its row."""
