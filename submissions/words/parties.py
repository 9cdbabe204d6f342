"""Causes beyond one value: the worker, the employer, the mandate, the employment, another declaration, the time."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from submissions.words.saying import (
    CHECK,
    COMPARE,
    LOOK_AT_EMPLOYER,
    SEE_REFUSALS,
    Correction,
    Text,
    Words,
)

BY_CODE: Mapping[str, Words] = MappingProxyType(
    {
        "00024-179": Words(
            _("Worker unknown to social security"),
            _("Social security knows nobody under this personal number."),
            _("Compare the number with the worker's identity card, correct it, then declare again."),
            correction=Correction.WORKER,
        ),
        "00014-017": Words(
            _("Employer unknown to social security"),
            _("The enterprise number is not in the directory of employers."),
            _(
                "Compare the number with the Crossroads Bank for Enterprises. A new employer may need a few days."
            ),
            LOOK_AT_EMPLOYER,
            correction=Correction.EMPLOYER,
        ),
        "00011-155": Words(
            _("No active mandate for the service"),
            _(
                "On the day of sending, social security knew no mandate between you and this employer for this service."
            ),
            _("Have the mandate confirmed or extended in Mahis, then declare again."),
            SEE_REFUSALS,
            correction=Correction.MANDATE,
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
            correction=Correction.OTHER,
        ),
        "99000-272": Words(
            _("Already registered"),
            _("A training with the same worker, title and days is on the account already."),
            _(
                "If it is the same training, leave it: there is nothing to declare. Otherwise make the titles differ."
            ),
            COMPARE,
            correction=Correction.OTHER,
        ),
        "99005-420": Words(
            _("Longer than the days allow"),
            _("The duration is more than the normal working days between the first and the last day."),
            _("Check the duration and the days. If they are right, the training stays registered as it is."),
            CHECK,
            correction=Correction.NOTHING,
        ),
        "99008-326": Words(
            _("More than the worker's training right"),
            _("More is charged than social security knows as the worker's right of the year."),
            _("Check what is charged, and the right. If both are right, nothing has to be done."),
            CHECK,
            correction=Correction.NOTHING,
        ),
        "00022-003": Words(
            _("The earlier declaration is not known"),
            _("Social security does not find the declaration that this one modifies or cancels."),
            _(
                "Look up the ticket of the accepted declaration. If there is none, declare the training as an original."
            ),
            SEE_REFUSALS,
            correction=Correction.OTHER,
        ),
    }
)


_COMPARE_IDENTITY = _(
    "Compare number, names and date of birth with the worker's identity card, correct them, then declare again."
)
_COMPARE_NUMBER = _(
    "Compare the number with the Crossroads Bank for Enterprises, correct it, then declare again."
)
_MAHIS = _("Have the mandate confirmed or extended in Mahis, then declare again.")
_DIMONA_FIRST = _(
    "Compare with the Dimona of the worker. Correct what is wrong, there or here, then declare again."
)
_LOOK_UP_EARLIER = _(
    "Look at what was declared before and at its answer. If nothing is wrong there, there is nothing to declare."
)
_ASK = _("Ask the contact centre of social security before you declare again.")


def _worker(title: Text, what: Text, todo: Text = _COMPARE_IDENTITY) -> Words:
    return Words(title, what, todo, correction=Correction.WORKER)


def _employer(title: Text, what: Text, todo: Text = _COMPARE_NUMBER) -> Words:
    return Words(title, what, todo, LOOK_AT_EMPLOYER, Correction.EMPLOYER)


def _mandate(title: Text, what: Text) -> Words:
    return Words(title, what, _MAHIS, SEE_REFUSALS, Correction.MANDATE)


def _employment(title: Text, what: Text, todo: Text = _DIMONA_FIRST) -> Words:
    return Words(title, what, todo, correction=Correction.EMPLOYMENT)


def _earlier(title: Text, what: Text, todo: Text = _LOOK_UP_EARLIER) -> Words:
    return Words(title, what, todo, COMPARE, Correction.OTHER)


def _too_late(title: Text, what: Text) -> Words:
    return Words(title, what, _ASK, SEE_REFUSALS, Correction.NOTHING)


PARTIES: Mapping[str, Words] = MappingProxyType(
    {
        # the employer and who speaks for him
        "016": _mandate(
            _("Not your client, says social security"),
            _("Social security does not know this employer as a client of a recognised social secretariat."),
        ),
        "017": BY_CODE["00014-017"],
        "041": _employer(
            _("A wrong ONSS number"), _("Social security knows no employer under this ONSS number.")
        ),
        "051": _employer(
            _("Employer not known in this quarter"),
            _("In the quarter of the declaration the employer was not in the directory of employers."),
            _("Compare the quarter and the employer's data. A new employer may need a few days."),
        ),
        "155": BY_CODE["00011-155"],
        "230": _mandate(
            _("You are not known as the mandataire"),
            _("Social security does not know you as the mandataire of this employer."),
        ),
        "235": _employer(
            _("Not in the directory"), _("Social security does not find the number in its directory.")
        ),
        "343": _employer(
            _("Employer not active"),
            _("In the directory of employers this employer does not exist, or not any more."),
            _(
                "Compare the number and the days with the Crossroads Bank for Enterprises, then declare again."
            ),
        ),
        "364": _employer(
            _("The number of the employer is missing"),
            _("Neither an ONSS number nor an enterprise number is in the declaration."),
            _("Fill in the number of the employer, then declare again."),
        ),
        "427": _mandate(
            _("No authorisation"),
            _("Social security knows no authorisation for this act by your organisation."),
        ),
        # the worker
        "024": _worker(
            _("Does not fit the worker"),
            _("The value cannot go with what social security knows of this worker."),
        ),
        "031": _worker(
            _("Name and number differ"), _("Under this personal number social security knows another name.")
        ),
        "070": _worker(
            _("Worker unknown at the source"),
            _("The authentic source knows nobody under this personal number."),
        ),
        "179": BY_CODE["00024-179"],
        "252": _worker(
            _("The worker has a new number"),
            _("The personal number of the worker was replaced by another one."),
            _("Correct the number in the worker's data; what was accepted under the former one stays."),
        ),
        "348": _worker(
            _("Does not fit the personal number"),
            _("The value cannot go with the personal number of the worker."),
        ),
        "363": _worker(
            _("The worker is not identified"),
            _("Neither a personal number nor the data that stand for it are in the declaration."),
            _("Fill in the personal number of the worker, then declare again."),
        ),
        # the employment
        "105": _employment(
            _("Employment in the future"), _("The employment lies after the present quarter.")
        ),
        "152": _employment(
            _("No employment found"),
            _("Social security finds no employment of the worker on that day or in that period."),
        ),
        "208": _employment(
            _("Not found in Dimona"),
            _("Dimona has no employment of this worker with this employer in this period."),
        ),
        "269": _employment(
            _("Does not fit Dimona"), _("The declaration and the Dimona of the worker contradict each other.")
        ),
        "354": _employment(
            _("Dimona period unknown"),
            _("Social security knows no Dimona period of this number."),
        ),
        "355": _employment(
            _("Dimona cancelled already"), _("The Dimona period was cancelled already."), _LOOK_UP_EARLIER
        ),
        "356": _employment(
            _("Dimona closed already"), _("The Dimona period was closed already."), _LOOK_UP_EARLIER
        ),
        "362": _employment(
            _("Dimona period locked"),
            _("Social security admits no declaration about this Dimona period any more."),
            _ASK,
        ),
        "369": _employment(
            _("More than the worker may work"),
            _("The days or hours that the worker may work in this status are used up."),
            _("Look up what is left, lower the days or hours, or change the status, then declare again."),
        ),
        # other declarations
        "166": _earlier(
            _("Ticket unknown"),
            _("Social security knows no declaration under the ticket that this one names."),
        ),
        "174": _earlier(
            _("Not admitted"), _("Social security does not admit what was asked for this declaration."), _ASK
        ),
        "180": _earlier(
            _("Not the latest situation"),
            _("Something newer was declared than what this one modifies or cancels."),
            _("Look at the latest declaration, and modify or cancel that one."),
        ),
        "181": _earlier(
            _("May not be changed"),
            _("Social security does not admit that the earlier declaration is modified or cancelled."),
            _ASK,
        ),
        "182": _earlier(
            _("The earlier declaration is not there"),
            _("Social security does not find what this one modifies or cancels."),
            _("Look up the ticket of the accepted declaration. If there is none, declare anew."),
        ),
        "234": _earlier(
            _("The earlier form is not there"),
            _("Social security does not find the form that this one names."),
        ),
        "241": _earlier(
            _("Cancelled already"), _("The declaration that this one names was cancelled before.")
        ),
        "272": _earlier(_("Declared already"), _("The same was declared or handled before.")),
        "333": _earlier(_("Dimona period twice"), _("The same Dimona period was declared before.")),
        "334": _earlier(
            _("Overlaps another period"),
            _("Another declaration covers some of these days."),
            _("Compare the two declarations: correct the days of this one, or cancel the other one."),
        ),
        "444": _earlier(
            _("Nothing changed"), _("This modification says the same as what social security knows already.")
        ),
        # the time
        "270": _too_late(_("Too late"), _("The time in which this could be declared is over.")),
        "313": Words(
            _("A quarter that is nearly or wholly lapsed"),
            _("What concerns this quarter lapses soon, or has lapsed."),
            _(
                "If it is accepted, nothing has to be done. Otherwise ask the contact centre of social security."
            ),
            CHECK,
            Correction.NOTHING,
        ),
        "325": _too_late(_("A lapsed quarter"), _("The quarter of the declaration has lapsed.")),
        "420": Words(
            _("More days than the period has"),
            _("More days are declared than there are between the first and the last day."),
            _("Correct the number of days or the period, then declare again."),
        ),
        "450": _too_late(
            _("Not admitted for the moment"),
            _("Social security admits no declaration of this kind for this period for the moment."),
        ),
        "460": Words(
            _("A late declaration"),
            _("The declaration came after its time."),
            _("If it is accepted, nothing has to be done. Declare the next ones in time."),
            CHECK,
            Correction.NOTHING,
        ),
    }
)
