"""The one table of the sentences of the journal: what each verb says. `portal.telling` fills in the names.

A new verb gets its line here; a test collects the verbs of the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Telling(NamedTuple):
    """How a verb reads. `sentence` stands alone; `short` stands on the page of its object, beside the actor."""

    sentence: str | Promise
    short: str | Promise = ""


# %(actor)s is who did it, %(what)s the name of the object; other names come from the Event's data, see `_values`.
TELLINGS: Final[Mapping[str, Telling]] = MappingProxyType(
    {
        # people
        "member.admitted": Telling(_("%(actor)s created the user %(who)s%(at)s")),
        "member.received": Telling(
            _("%(actor)s gave %(who)s (%(username)s), who has a user already, a place in the organisation")
        ),
        "member.changed": Telling(_("%(actor)s changed the data of %(who)s: %(fields)s")),
        "member.link_issued": Telling(_("%(actor)s issued a link for a new password of %(who)s")),
        "member.blocked": Telling(_("%(actor)s blocked %(who)s")),
        "member.unblocked": Telling(_("%(actor)s unblocked %(who)s")),
        "member.removed": Telling(_("%(actor)s deleted the user %(who)s (%(username)s)")),
        "member.appointed": Telling(_("%(actor)s made %(who)s a manager")),
        "member.dismissed": Telling(_("%(actor)s ended the management of %(who)s")),
        "member.name_chosen": Telling(_("%(actor)s chose the user name %(username)s")),
        "member.password_chosen": Telling(_("%(actor)s chose a password through the link")),
        "member.password_changed": Telling(_("%(actor)s changed their own password")),
        "member.details_changed": Telling(_("%(actor)s changed their own data: %(fields)s")),
        "member.notices_changed": Telling(_("%(actor)s changed what is mailed to them")),
        "notice.sent": Telling(_("A message was mailed to %(what)s")),
        "notice.failed": Telling(_("A message to %(what)s could not be mailed yet")),
        "notice.asked": Telling(_("%(actor)s asked for the digest of today")),
        "member.sessions_ended": Telling(_("%(actor)s ended all their other sessions")),
        "member.session_ended": Telling(_("%(actor)s ended one of their other sessions: %(what)s")),
        "member.signed_in": Telling(_("%(actor)s signed in (%(how)s)")),
        "member.signed_out": Telling(_("%(actor)s signed out")),
        "member.sign_in_failed": Telling(_("An attempt to sign in as %(who)s failed (%(how)s)")),
        "factor.added": Telling(_("%(actor)s added a second factor (%(how)s)")),
        "factor.removed": Telling(_("%(actor)s removed a second factor (%(how)s)")),
        "factor.reset": Telling(_("%(actor)s took away the second factor of %(who)s")),
        "recovery.used": Telling(_("%(actor)s used a recovery code to confirm")),
        "recovery.made": Telling(_("%(actor)s had new recovery codes made")),
        "grant.given": Telling(
            _("%(actor)s granted %(who)s the profile “%(profile)s” for %(application)s%(of)s%(until)s")
        ),
        "grant.changed": Telling(
            _("%(actor)s changed the profile of %(who)s for %(application)s%(of)s to “%(profile)s”%(until)s")
        ),
        "grant.withdrawn": Telling(
            _("%(actor)s withdrew from %(who)s the profile “%(profile)s” for %(application)s")
        ),
        # signing in with the account of the organisation
        "provider.added": Telling(_("%(actor)s entered the provider %(what)s for signing in")),
        "provider.changed": Telling(_("%(actor)s changed the provider %(what)s: %(fields)s")),
        "provider.tested": Telling(_("%(actor)s tested the provider %(what)s")),
        "provider.switched_on": Telling(_("%(actor)s switched on signing in with %(what)s")),
        "provider.switched_off": Telling(_("%(actor)s switched off signing in with %(what)s")),
        "identity.linked": Telling(_("%(actor)s linked their account “%(what)s”")),
        "identity.unlinked": Telling(_("%(actor)s unlinked their account “%(what)s”")),
        "identity.entered": Telling(_("%(actor)s signed in with their account “%(what)s”")),
        # the organisation and its clients
        "mandataire.founded": Telling(_("%(actor)s opened the portal for the organisation")),
        "list.exported": Telling(_("%(actor)s exported a list: %(list)s (%(format)s)")),
        "journal.exported": Telling(_("%(actor)s exported the journal")),
        "employer.added": Telling(_("%(actor)s added the employer %(what)s")),
        "employer.size_set": Telling(_("%(actor)s set the size of %(what)s for %(year)s: %(fte)s FTE")),
        # workers, contracts and rights to training
        "worker.added": Telling(_("%(actor)s added the worker %(what)s"), _("Worker added")),
        "worker.number_replaced": Telling(
            _("%(actor)s replaced the personal number of %(what)s, as the answer asked"),
            _("Personal number replaced"),
        ),
        "worker.file_exported": Telling(
            _("%(actor)s took the complete file of %(what)s, with the personal number in full"),
            _("Complete file exported"),
        ),
        "employer.file_exported": Telling(
            _(
                "%(actor)s took the complete file of %(what)s and its workers, with the personal numbers in full"
            )
        ),
        "employer.archive_taken": Telling(
            _("%(actor)s took the archive of %(what)s, with the personal numbers in full")
        ),
        "archive.taken": Telling(
            _("%(actor)s took the archive of the whole register, with the personal numbers in full")
        ),
        "archive.completed": Telling(_("The archive that %(actor)s took was written to its end")),
        "worker.merged": Telling(
            _("Two rows of %(what)s, under a former and a present number, became one"),
            _("Two rows of this person, under a former and a present number, became one"),
        ),
        "worker.changed": Telling(
            _("%(actor)s corrected the data of %(what)s: %(fields)s"), _("Data of the worker corrected")
        ),
        "contract.signed": Telling(_("%(actor)s added a contract of %(what)s"), _("Contract added")),
        "contract.changed": Telling(
            _("%(actor)s changed a contract of %(what)s: %(fields)s"), _("Contract changed")
        ),
        "contract.ended": Telling(
            _("%(actor)s ended a contract of %(what)s on %(end)s"), _("Contract ended")
        ),
        "right.recalculated": Telling(
            _("The right to training of %(what)s changed: %(rights)s"), _("Right to training changed")
        ),
        "right.decided": Telling(
            _("%(actor)s decided by hand on the right of %(what)s for %(year)s: %(minutes)s"),
            _("Right decided by hand"),
        ),
        "right.taken_back": Telling(
            _(
                "%(actor)s took back what was decided by hand on the right of %(what)s for %(year)s: %(minutes)s"
            ),
            _("Decision on the right taken back"),
        ),
        # what workers are told of their account, and what they ask
        "letters.asked": Telling(
            _("%(actor)s asked for the balance letters of %(year)s of %(what)s: %(letters)s")
        ),
        "letters.resumed": Telling(
            _("%(actor)s asked to go on with the balance letters of %(year)s of %(what)s")
        ),
        "letters.made": Telling(_("The balance letters of %(year)s of %(what)s were made: %(letters)s")),
        "letters.failed": Telling(
            _("The balance letters of %(year)s of %(what)s could not all be made: %(letters)s ready")
        ),
        "letters.downloaded": Telling(
            _("%(actor)s downloaded the balance letters of %(year)s of %(what)s: %(letters)s")
        ),
        "letters.deleted": Telling(
            _("The balance letters of %(year)s of %(what)s were deleted: they had been kept long enough")
        ),
        "correction.noted": Telling(
            _("%(actor)s noted that %(what)s asks for a correction of the training account"),
            _("Correction of the account asked for"),
        ),
        "correction.accepted": Telling(
            _("%(actor)s accepted the correction that %(what)s asked for"), _("Correction accepted")
        ),
        "correction.declined": Telling(
            _("%(actor)s declined the correction that %(what)s asked for"), _("Correction declined")
        ),
        "agreement.added": Telling(_("%(actor)s entered the sector agreement %(what)s (%(committee)s)")),
        "agreement.removed": Telling(_("%(actor)s removed the sector agreement %(what)s (%(committee)s)")),
        # mandates
        "mandate.created": Telling(_("%(actor)s began a mandate for %(what)s")),
        "mandate.changed": Telling(_("%(actor)s changed the quarters of the mandate for %(what)s")),
        "mandate.proposed": Telling(_("%(actor)s proposed a mandate to %(what)s")),
        "mandate.validated": Telling(_("%(actor)s noted that the mandate for %(what)s was validated")),
        "mandate.activated": Telling(_("The mandate for %(what)s became active")),
        "mandate.refused": Telling(_("%(actor)s noted that the mandate for %(what)s was refused")),
        "mandate.withdrawn": Telling(_("%(actor)s took back the proposal of a mandate to %(what)s")),
        "mandate.closed": Telling(_("%(actor)s closed the mandate for %(what)s at the end of a quarter")),
        "import.uploaded": Telling(_("%(actor)s uploaded %(what)s to import mandates: %(rows)s")),
        "import.started": Telling(_("%(actor)s had the import %(what)s applied")),
        "import.resumed": Telling(_("%(actor)s asked to go on with the import %(what)s")),
        "import.applied": Telling(_("The import %(what)s was applied: %(mandates)s")),
        "import.stopped": Telling(
            _("Nothing of the import %(what)s was applied, because of %(rows)s to correct")
        ),
        # files for the register
        "register.uploaded": Telling(_("%(actor)s uploaded %(what)s for the register")),
        "register.refused": Telling(_("The file %(what)s could not be read")),
        "register.checked": Telling(_("The file %(what)s was looked at: %(rows)s")),
        "register.mapped": Telling(_("%(actor)s pointed out the columns of %(what)s")),
        "register.started": Telling(_("%(actor)s had %(rows)s of %(what)s imported")),
        "register.resumed": Telling(_("%(actor)s asked to go on with %(what)s")),
        "register.rows_imported": Telling(_("%(rows)s of %(what)s came into the register for %(actor)s")),
        "register.applied": Telling(_("The file %(what)s was imported: %(rows)s")),
        "register.stopped": Telling(
            _("Nothing of the file %(what)s was imported, because of %(rows)s to correct")
        ),
        "register.undo_asked": Telling(_("%(actor)s had the import of %(what)s undone")),
        "register.rows_undone": Telling(_("What %(what)s had made was taken back for %(actor)s")),
        "register.undone": Telling(_("The import of %(what)s was undone")),
        "register.discarded": Telling(_("%(actor)s threw away the file %(what)s")),
        "register.downloaded": Telling(_("%(actor)s downloaded the rows to correct of %(what)s: %(rows)s")),
        "import.discarded": Telling(_("%(actor)s threw away the preview of the import %(what)s")),
        "mandate.accepted": Telling(_("%(actor)s validated the mandate for the employer %(what)s")),
        "mandate.declined": Telling(_("%(actor)s refused the mandate for the employer %(what)s")),
        "mandate.ended": Telling(
            _("%(actor)s closed the mandate for the employer %(what)s at the end of a quarter")
        ),
        "quarter.signed_off": Telling(_("%(actor)s signed off %(quarter)s for %(what)s")),
        "quarter.outdated": Telling(
            _(
                "%(actor)s changed a training of %(what)s after %(quarter)s was signed off: to be signed off anew"
            )
        ),
        "quarter.reopened": Telling(_("%(actor)s opened %(quarter)s of %(what)s again")),
        "procuration.downloaded": Telling(_("%(actor)s downloaded the procuration of %(what)s")),
        # declarations
        "declaration.created": Telling(_("%(actor)s declared %(what)s%(count)s"), _("Declared")),
        "declaration.completed": Telling(
            _("%(actor)s made %(what)s ready to leave"), _("Made ready to leave")
        ),
        "declaration.withdrawn": Telling(_("%(actor)s withdrew the declaration %(what)s"), _("Withdrawn")),
        "declaration.sent_back": Telling(
            _("%(actor)s sent back %(what)s to be completed: it could not be written"),
            _("Could not be written, sent back to be completed"),
        ),
        "record.changed": Telling(_("%(actor)s changed %(what)s: %(fields)s"), _("Changed")),
        "record.cancellation_asked": Telling(
            _("%(actor)s asked for the cancellation of %(what)s"), _("Cancellation asked for")
        ),
        # what waits for somebody
        "problem.assigned": Telling(_("%(actor)s gave %(what)s to %(who)s"), _("Given to %(who)s")),
        "problem.released": Telling(_("%(actor)s left %(what)s to whoever takes it"), _("Given to nobody")),
        "problem.snoozed": Telling(_("%(actor)s put off %(what)s%(until)s"), _("Put off%(until)s")),
        "problem.woken": Telling(_("%(actor)s brought %(what)s back at once"), _("Brought back")),
        "problem.commented": Telling(_("%(actor)s wrote about %(what)s"), _("Comment")),
        "problem.closed": Telling(_("%(actor)s closed %(what)s%(count)s"), _("Closed%(count)s")),
        "problem.accepted": Telling(
            _("%(actor)s left what was accepted with %(what)s as it is%(count)s"),
            _("Left as it is%(count)s"),
        ),
        "problem.reopened": Telling(
            _("%(actor)s opened %(what)s again%(count)s"), _("Opened again%(count)s")
        ),
        "problem.corrected": Telling(
            _("%(actor)s corrected %(what)s and declared again%(count)s"),
            _("Corrected and declared again%(count)s"),
        ),
        "problem.sent_again": Telling(
            _("%(actor)s declared again what %(what)s refused%(count)s"), _("Declared again%(count)s")
        ),
        # trainings encoded for many at once
        "course.encoded": Telling(_("%(actor)s encoded “%(title)s” for %(workers)s of %(what)s%(kept)s")),
        "course.completed": Telling(
            _("%(actor)s made “%(title)s” ready to leave for %(workers)s of %(what)s")
        ),
        "template.kept": Telling(_("%(actor)s kept the training template “%(title)s”")),
        "template.removed": Telling(_("%(actor)s removed the training template “%(title)s”")),
        # ready-made files and documents
        "relay.handed_over": Telling(
            _("%(actor)s handed over the file %(what)s%(count)s"), _("File handed over")
        ),
        "relay.withdrawn": Telling(_("%(actor)s withdrew the file %(what)s%(count)s"), _("File withdrawn")),
        "document.added": Telling(_("%(actor)s added the document %(what)s"), _("Document added")),
        # sets
        "batch.sealed": Telling(_("%(actor)s sealed the batch %(what)s%(count)s"), _("Sealed")),
        "batch.dropped": Telling(_("%(actor)s dropped the batch %(what)s"), _("Dropped")),
        "batch.acknowledged": Telling(
            _("Social security acknowledged the batch %(what)s"), _("Acknowledged by social security")
        ),
        "batch.rejected": Telling(
            _("Social security refused the batch %(what)s as a whole"),
            _("Refused as a whole by social security"),
        ),
        "batch.answered": Telling(
            _("Every declaration of the batch %(what)s has its answer"), _("Every declaration has its answer")
        ),
        "batch.parked": Telling(
            _("%(actor)s stopped the batch %(what)s until somebody decides"),
            _("Stopped until somebody decides"),
        ),
        "batch.released": Telling(
            _("%(actor)s released the batch %(what)s to leave again"), _("Released to leave again")
        ),
        "batch.drop_asked": Telling(_("%(actor)s asked to drop the batch %(what)s"), _("Drop asked for")),
        "batch.sent_again": Telling(
            _("%(actor)s declared the batch %(what)s again in a new set"), _("Declared again in a new set")
        ),
        "batch.promoted": Telling(
            _("%(actor)s sent what the batch %(what)s tested to production%(count)s"), _("Sent to production")
        ),
        "envelope.sealed": Telling(_("%(actor)s wrote and signed the files of %(what)s")),
        "drop.started": Telling(_("%(actor)s began to send %(what)s"), _("Sending began")),
        "drop.restarted": Telling(
            _("%(actor)s began again to send %(what)s: nothing had been taken"),
            _("Sending began again: nothing had been taken"),
        ),
        "drop.interrupted": Telling(
            _("The sending of %(what)s was interrupted"), _("Sending was interrupted")
        ),
        "drop.go_intended": Telling(
            _("FI and FS of %(what)s are whole on the server"), _("FI and FS are whole on the server")
        ),
        "drop.confirmed": Telling(_("%(actor)s put the GO of %(what)s: it left"), _("GO put, sending ended")),
        "drop.failed": Telling(_("The sending of %(what)s failed"), _("Sending failed")),
        "drop.in_doubt": Telling(
            _("It is not known whether %(what)s left"), _("It is not known whether it left")
        ),
        "drop.proven": Telling(_("An answer proved that %(what)s left"), _("An answer proved that it left")),
        "drop.released": Telling(
            _("%(actor)s gave up the attempt to send %(what)s"), _("The attempt was given up")
        ),
        "drop.by_hand": Telling(
            _("%(actor)s brought %(what)s over by hand, outside of the portal"), _("Brought over by hand")
        ),
        "batch.delivered_by_hand": Telling(
            _("%(actor)s noted that the batch %(what)s was delivered by hand"), _("Delivered by hand")
        ),
        "batch.contradicted": Telling(
            _("Social security contradicted what it said about the batch %(what)s"),
            _("Social security contradicted itself"),
        ),
        # answers
        "file.stored": Telling(_("The answer %(what)s came in"), _("An answer came in")),
        "file.applied": Telling(
            _("The answer %(what)s was processed%(moved)s"), _("An answer was processed")
        ),
        "file.unmatched": Telling(_("The answer %(what)s matched nothing"), _("An answer matched nothing")),
        "file.unreadable": Telling(
            _("The answer %(what)s could not be read"), _("An answer could not be read")
        ),
        "file.replayed": Telling(
            _("%(actor)s had the answer %(what)s read again"), _("An answer is read again")
        ),
        "file.repeated": Telling(
            _("The answer %(what)s came a second time"), _("An answer came a second time")
        ),
        "file.contradicts": Telling(
            _("The answer %(what)s differs from an earlier one of the same name"),
            _("An answer differs from an earlier one of the same name"),
        ),
        "file.alarm": Telling(
            _("The answer %(what)s is an alarm: it, or a line of it, was not applied"),
            _("The answer is an alarm and was not applied"),
        ),
        "file.deleted_there": Telling(
            _("%(actor)s removed the answer %(what)s from the server"),
            _("An answer was removed from the server"),
        ),
        "file.taken_there": Telling(
            _("Somebody else took the answer %(what)s away from the server"),
            _("Somebody else took an answer away from the server"),
        ),
        "file.downloaded": Telling(_("%(actor)s downloaded the file %(what)s"), _("File downloaded")),
        # the channel
        "channel.opened": Telling(_("%(actor)s opened the channel %(what)s")),
        "channel.departure_asked": Telling(_("%(actor)s asked for a departure at once")),
        "channel.selection_asked": Telling(_("%(actor)s let what was chosen leave at once%(count)s")),
        "channel.collection_asked": Telling(_("%(actor)s asked to collect the answers at once")),
        "channel.check_asked": Telling(_("%(actor)s asked to look after what waits for an answer")),
        "channel.failed": Telling(_("The channel %(what)s lost contact with social security")),
        "channel.recovered": Telling(_("The channel %(what)s is in contact with social security again")),
        "channel.probed": Telling(_("%(actor)s tested the contact of the channel %(what)s")),
        "channel.paused": Telling(_("%(actor)s paused the channel %(what)s")),
        "channel.resumed": Telling(_("%(actor)s put the channel %(what)s in service again")),
        "channel.breaker_opened": Telling(_("The channel %(what)s stopped trying after too many failures")),
        "channel.breaker_closed": Telling(_("The channel %(what)s succeeded, and tries again by itself")),
        "channel.made_exclusive": Telling(
            _("%(actor)s declared that only this portal collects through the channel %(what)s")
        ),
        "channel.made_shared": Telling(
            _("%(actor)s declared that other software collects through the channel %(what)s too")
        ),
        "channel.host_key_changed": Telling(
            _("The server of the channel %(what)s showed another key: %(shown)s instead of %(pinned)s")
        ),
        "channel.host_key_proposed": Telling(
            _("%(actor)s proposed to accept the server key %(shown)s for the channel %(what)s")
        ),
        "channel.host_key_accepted": Telling(
            _("%(actor)s accepted the server key %(shown)s for the channel %(what)s")
        ),
        "channel.host_key_kept": Telling(
            _("%(actor)s kept the server key %(pinned)s for the channel %(what)s")
        ),
        "channel.cutoffs_set": Telling(_("%(actor)s set the departures of %(service)s: %(times)s")),
        "channel.alarm_raised": Telling(_("An alarm began for the channel %(what)s")),
        "channel.alarm_ended": Telling(_("An alarm ended for the channel %(what)s")),
        "channel.alarm_told": Telling(_("An alarm about the channel %(what)s was mailed to the managers")),
        "channel.changed": Telling(_("%(actor)s changed the settings of the channel %(what)s: %(changes)s")),
        "channel.environment_changed": Telling(
            _("%(actor)s let the channel %(what)s send to another environment: %(before)s, now %(after)s")
        ),
        "channel.host_key_pinned": Telling(
            _("%(actor)s accepted the key of the server of %(what)s: %(fingerprint)s")
        ),
        "channel.chaman_told": Telling(_("%(actor)s noted that Chaman knows the channel %(what)s")),
        "channel.verified": Telling(_("%(actor)s verified the channel %(what)s: every check held")),
        "channel.put_in_service": Telling(_("%(actor)s put the channel %(what)s in service")),
        "credential.stored": Telling(_("%(actor)s stored a key of the channel (%(kind)s)")),
        "credential.requested": Telling(_("%(actor)s made a certificate request for the channel")),
        "credential.switched": Telling(
            _("%(actor)s set when a key of the channel (%(kind)s) takes over: %(fingerprint)s")
        ),
        "credential.removed": Telling(
            _("%(actor)s removed a key of the channel (%(kind)s): %(fingerprint)s")
        ),
        # the keys of the installation
        "mandataire.keys_rewrapped": Telling(
            _("The keys of the organisation were put under a new master key")
        ),
        # what social security publishes
        "annex.loaded": Telling(_("Version %(version)s of annex %(annex)s of social security was loaded")),
    }
)
"""What an Event is called. A verb without words shows itself in the journal; a test asks for the words of each."""

SHORT: Final = frozenset(verb for verb, telling in TELLINGS.items() if telling.short)
"""Verbs that the page of an object tells."""
