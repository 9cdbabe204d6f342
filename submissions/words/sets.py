"""Codes of annex 30 that a whole set comes back with: its name, its parts, its signature, its channel, its content."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from submissions.words.saying import LOOK_AT_BATCH, Correction, Text, Words

_SEND_AGAIN = _("Nothing in the declarations is wrong: send the set again under a new name.")
TELL_US = _(
    "This cannot be mended in the declarations. Note the name of the file, tell whoever runs this portal, "
    "and send the set again once it is settled."
)
_CHAMAN = _(
    "Compare the channel with what is registered in Chaman, mend it there or here, then send the set again."
)


def _name_fault(what: Text, todo: Text = TELL_US) -> Words:
    correction = Correction.PORTAL if todo is TELL_US else Correction.SET
    return Words(_("The name of the file was not accepted"), what, todo, LOOK_AT_BATCH, correction)


def _set_fault(what: Text) -> Words:
    return Words(_("The set was not complete"), what, _SEND_AGAIN, LOOK_AT_BATCH, Correction.SET)


def _channel_fault(title: Text, what: Text, todo: Text = _CHAMAN) -> Words:
    return Words(title, what, todo, LOOK_AT_BATCH, Correction.CHANNEL)


def _content_fault(title: Text, what: Text, correction: Correction = Correction.PORTAL) -> Words:
    return Words(title, what, TELL_US, LOOK_AT_BATCH, correction)


_UNREADABLE = _("The file could not be read")
_ENVIRONMENT = _("The set was put in a directory of another environment than its name says.")

SETS: Mapping[str, Words] = MappingProxyType(
    {
        "101": Words(
            _("Sender not allowed for this employer"),
            _("Your sender number may not declare for one of the employers in the file."),
            _("Check the mandates of the employers in this set, then send it again."),
            LOOK_AT_BATCH,
            Correction.MANDATE,
        ),
        "102": _content_fault(_UNREADABLE, _("Its XML is not correct.")),
        "088": _content_fault(_UNREADABLE, _("It follows a schema that social security does not know.")),
        "089": _content_fault(_UNREADABLE, _("Its first element is none that social security knows.")),
        "103": _channel_fault(
            _("Sender not allowed"), _("Social security does not admit your sender number here.")
        ),
        "107": _name_fault(_("The name of the GO file is not built as it should be.")),
        "108": _channel_fault(
            _("Sender and directory differ"),
            _("The sender number in the name is not that of the directory in which the file was put."),
        ),
        "109": _name_fault(_("The date in the name has not eight digits.")),
        "110": _name_fault(_("The date in the name does not exist.")),
        "111": _name_fault(_("The date in the name lies in the future."), _SEND_AGAIN),
        "112": _name_fault(_("The sequence in the name has not five characters.")),
        "113": _name_fault(_("The sequence in the name is no number.")),
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
        "131": _name_fault(_("The name of an FI file is not built as it should be.")),
        "132": _name_fault(_("The name of an FS file is not built as it should be.")),
        "133": _name_fault(
            _("A file of this name was sent before, maybe by other software with the same sender number."),
            _(
                "Make sure that nobody else sent these declarations, then send the set again under a new name."
            ),
        ),
        "134": _content_fault(_("An empty file"), _("There were no data in the file.")),
        "135": _content_fault(
            _UNREADABLE, _("Its forms and the schema that it names do not belong together.")
        ),
        "138": _content_fault(_UNREADABLE, _("Its character encoding is not accepted.")),
        "153": _channel_fault(
            _("Certificate of somebody else"),
            _("The certificate that signed is not the one registered for this sender."),
        ),
        "154": _channel_fault(
            _("Sender not allowed for this service"),
            _("Your channel does not have the permission for this service."),
            _("Tick the permission of the service in Chaman, then send the set again."),
        ),
        "157": _content_fault(_("An empty file"), _("Social security found no declaration in the file.")),
        "158": _content_fault(
            _("Name and content differ"), _("The forms in the file are not those that its name announces.")
        ),
        "172": _content_fault(
            _("Too many declarations"), _("The file holds more declarations than a file of this size may.")
        ),
        "184": _content_fault(
            _("The file is too large"),
            _("Social security accepts smaller files only: lower the size limit of the channel."),
        ),
        "205": _content_fault(_UNREADABLE, _("It holds something that is not a form.")),
        "257": _channel_fault(_("Wrong directory"), _ENVIRONMENT),
        "275": _content_fault(_("Too many declarations"), _("The file holds more forms than are allowed.")),
        "255": _content_fault(
            _UNREADABLE, _("A form in it does not follow the data model of social security.")
        ),
        "280": _content_fault(_UNREADABLE, _("The ZIP file is not valid.")),
        "281": _content_fault(_UNREADABLE, _("The ZIP file must hold exactly one file.")),
        "312": _content_fault(
            _("The file could not be read"), _("Its content does not follow the schema of social security.")
        ),
        "430": _set_fault(_("Social security removed files of this set that it could not handle.")),
        "509": _content_fault(
            _("The file is too large"),
            _("FI and FS together are larger than is allowed: lower the size limit of the channel."),
            Correction.CHANNEL,
        ),
        "367": _name_fault(_("The sequence in the name holds a character other than 0 to 9 and A to Z.")),
    }
)
