"""Anomaly codes in words: what happened, and what to do about it.

An ErrorID is five digits of a zone (or `ACRF`), a dash and three digits of annex 30, the list of error codes that
social security publishes (www.socialsecurity.be/docu_xml/). The three digits carry the meaning, so a code of a zone
that this table does not name still gets the words of its number. A code that nobody here knows is shown as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

type Text = str | Promise

CORRECT = _("Correct")

NOT_BLOCKING = ("W", "NB", "I")
"""Classes of anomalies that never cause a refusal by themselves: warning, non-blocking, investigation."""


@dataclass(frozen=True, slots=True)
class Words:
    """One cause: a title, what happened, what to do, and the label of the link that starts doing it."""

    title: Text
    what: Text
    todo: Text
    action: Text = CORRECT


_SEND_AGAIN = _("Nothing in the declarations is wrong: send the set again under a new name.")
_TELL_US = _(
    "This cannot be mended in the declarations. Note the name of the file, tell whoever runs this portal, "
    "and send the set again once it is settled."
)
_CHAMAN = _(
    "Compare the channel with what is registered in Chaman, mend it there or here, then send the set again."
)


def _name_fault(what: Text, todo: Text = _TELL_US) -> Words:
    return Words(_("The name of the file was not accepted"), what, todo, _("Look at the batch"))


def _set_fault(what: Text) -> Words:
    return Words(_("The set was not complete"), what, _SEND_AGAIN, _("Look at the batch"))


def _channel_fault(title: Text, what: Text, todo: Text = _CHAMAN) -> Words:
    return Words(title, what, todo, _("Look at the batch"))


def _content_fault(title: Text, what: Text) -> Words:
    return Words(title, what, _TELL_US, _("Look at the batch"))


_ENVIRONMENT = _("The set was put in a directory of another environment than its name says.")

BY_CODE: Mapping[str, Words] = MappingProxyType(
    {
        "00024-179": Words(
            _("Worker unknown to social security"),
            _("Social security knows nobody under this personal number."),
            _("Compare the number with the worker's identity card, correct it, then declare again."),
        ),
        "00014-017": Words(
            _("Employer unknown to social security"),
            _("The enterprise number is not in the directory of employers."),
            _(
                "Compare the number with the Crossroads Bank for Enterprises. A new employer may need a few days."
            ),
            _("Look at the employer"),
        ),
        "00011-155": Words(
            _("No active mandate for the service"),
            _(
                "On the day of sending, social security knew no mandate between you and this employer for this service."
            ),
            _("Have the mandate confirmed or extended in Mahis, then declare again."),
            _("See the refusals"),
        ),
        "99003-152": Words(
            _("Training before or outside the employment"),
            _("On the first day of the training the worker was not employed there, says social security."),
            _("If the first day is wrong, correct it. If the employment is wrong, correct the Dimona first."),
        ),
        "99004-152": Words(
            _("Training after the worker left"),
            _(
                "On the last day of the training the worker was no longer employed there, says social security."
            ),
            _(
                "If the last day is wrong, correct it. If the date of leaving is wrong, correct the Dimona first."
            ),
        ),
        "99000-334": Words(
            _("Overlaps another training"),
            _("Another training on the worker's account covers some of these days."),
            _("Compare the two trainings: correct the days of this one, or cancel the other one."),
        ),
        "99000-272": Words(
            _("Already registered"),
            _("A training with the same worker, title and days is on the account already."),
            _(
                "If it is the same training, leave it: there is nothing to declare. Otherwise make the titles differ."
            ),
            _("Compare"),
        ),
        "99005-420": Words(
            _("Longer than the days allow"),
            _("The duration is more than the normal working days between the first and the last day."),
            _("Check the duration and the days. If they are right, the training stays registered as it is."),
            _("Check"),
        ),
        "99008-326": Words(
            _("More than the worker's training right"),
            _("More is charged than social security knows as the worker's right of the year."),
            _("Check what is charged, and the right. If both are right, nothing has to be done."),
            _("Check"),
        ),
        "00022-003": Words(
            _("The earlier declaration is not known"),
            _("Social security does not find the declaration that this one modifies or cancels."),
            _(
                "Look up the ticket of the accepted declaration. If there is none, declare the training as an original."
            ),
            _("See the refusals"),
        ),
    }
)

BY_NUMBER: Mapping[str, Words] = MappingProxyType(
    {
        "017": BY_CODE["00014-017"],
        "101": _channel_fault(
            _("Sender not allowed for this employer"),
            _("Your sender number may not declare for one of the employers in the file."),
            _("Check the mandates of the employers in this set, then send it again."),
        ),
        "102": _content_fault(_("The file could not be read"), _("Its XML is not correct.")),
        "107": _name_fault(_("The name of the GO file is not built as it should be.")),
        "108": _channel_fault(
            _("Sender and directory differ"),
            _("The sender number in the name is not that of the directory in which the file was put."),
        ),
        "109": _name_fault(_("The date in the name has not eight digits.")),
        "110": _name_fault(_("The date in the name does not exist.")),
        "111": _name_fault(_("The date in the name lies in the future."), _SEND_AGAIN),
        "112": _name_fault(_("The sequence in the name has not five characters.")),
        "114": _name_fault(_("The number of parts in the name has not one digit.")),
        "115": _name_fault(_("The number of parts in the name is not a number.")),
        "116": _name_fault(_("The number of parts in the name is zero.")),
        "117": _name_fault(_("The letter of the environment in the name is none of R, T and S.")),
        "118": _channel_fault(_("Wrong directory"), _ENVIRONMENT),
        "119": _channel_fault(_("Wrong directory"), _ENVIRONMENT),
        "120": _set_fault(_("The number of FI files is not the number that their names announce.")),
        "121": _channel_fault(
            _("A signature that is not wanted"), _("This way of sending takes no signature file.")
        ),
        "122": _set_fault(_("The number of FS files is not the number that their names announce.")),
        "123": _set_fault(_("The FI files are not numbered one after the other.")),
        "124": _set_fault(_("The FS files are not numbered one after the other.")),
        "125": _channel_fault(
            _("Signature not valid"),
            _("The signature does not fit the file, or social security does not trust the certificate."),
        ),
        "126": _name_fault(_("The date in the name is too long ago."), _SEND_AGAIN),
        "127": _name_fault(_("The sequence in the name is zero.")),
        "128": _name_fault(_("The name announces more parts than are allowed.")),
        "129": _name_fault(_("The first letters of the name are none that social security knows.")),
        "130": _set_fault(_("The GO file did not arrive.")),
        "133": _name_fault(
            _("A file of this name was sent before, maybe by other software with the same sender number."),
            _(
                "Make sure that nobody else sent these declarations, then send the set again under a new name."
            ),
        ),
        "138": _content_fault(_("The file could not be read"), _("Its character encoding is not accepted.")),
        "152": BY_CODE["99003-152"],
        "153": _channel_fault(
            _("Certificate of somebody else"),
            _("The certificate that signed is not the one registered for this sender."),
        ),
        "154": _channel_fault(
            _("Sender not allowed for this service"),
            _("Your channel does not have the permission for this service."),
            _("Tick the permission of the service in Chaman, then send the set again."),
        ),
        "155": BY_CODE["00011-155"],
        "157": _content_fault(_("An empty file"), _("Social security found no declaration in the file.")),
        "158": _content_fault(
            _("Name and content differ"), _("The forms in the file are not those that its name announces.")
        ),
        "172": _content_fault(
            _("Too many declarations"), _("The file holds more declarations than a file of this size may.")
        ),
        "179": BY_CODE["00024-179"],
        "184": _content_fault(
            _("The file is too large"),
            _("Social security accepts smaller files only: lower the size limit of the channel."),
        ),
        "205": _content_fault(_("The file could not be read"), _("It holds something that is not a form.")),
        "257": _channel_fault(_("Wrong directory"), _ENVIRONMENT),
        "272": BY_CODE["99000-272"],
        "275": _content_fault(_("Too many declarations"), _("The file holds more forms than are allowed.")),
        "280": _content_fault(_("The file could not be read"), _("The ZIP file is not valid.")),
        "281": _content_fault(_("The file could not be read"), _("The ZIP file must hold exactly one file.")),
        "312": _content_fault(
            _("The file could not be read"), _("Its content does not follow the schema of social security.")
        ),
        "326": BY_CODE["99008-326"],
        "334": BY_CODE["99000-334"],
        "367": _name_fault(_("The sequence in the name holds a character other than 0 to 9 and A to Z.")),
        "420": BY_CODE["99005-420"],
    }
)

NO_CAUSE = Words(
    _("Refused without a cause"),
    _("Social security refused the declaration and did not say why."),
    _("Look at the answer as it came, and ask the contact centre of social security."),
    _("See the refusals"),
)


def words(code: str, label: str = "") -> Words:
    """The words of an ErrorID; those of an unknown one repeat it and the `label` that came with it.

    An empty `code` means a refusal that came without any anomaly.
    """
    if not code:
        return NO_CAUSE
    return BY_CODE.get(code) or BY_NUMBER.get(code.rpartition("-")[2]) or _unknown(code, label)


def _unknown(code: str, label: str) -> Words:
    title = label or gettext("Code %(code)s") % {"code": code}
    return Words(
        title,
        gettext("Social security answered with the code %(code)s, for which this portal has no words.")
        % {"code": code},
        gettext("Look at the raw line, and look the code up in annex 30 of social security."),
        gettext("Look"),
    )


def is_blocking(anomaly_class: str) -> bool:
    """Whether an anomaly of this class may be the cause of a refusal; an absent class is taken seriously."""
    return anomaly_class not in NOT_BLOCKING
