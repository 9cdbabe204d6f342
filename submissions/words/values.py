"""Codes of annex 30 about one value of a declaration: it is missing, of another form than wanted, or out of place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from submissions.words.saying import CHECK, Correction, Text, Words

_CORRECT_IT = _("Correct the value, then declare again.")
_CORRECT_DAYS = _("Correct the days, then declare again.")
_ONE_OF_TWO = _("Compare the two values, correct the one that is wrong, then declare again.")
_IF_RIGHT = _("Check the value. If it is right, nothing has to be done.")


def _value(title: Text, what: Text, todo: Text = _CORRECT_IT) -> Words:
    return Words(title, what, todo)


def _to_check(title: Text, what: Text) -> Words:
    return Words(title, what, _IF_RIGHT, CHECK, Correction.NOTHING)


VALUES: Mapping[str, Words] = MappingProxyType(
    {
        "001": _value(
            _("A value is missing"),
            _("Social security wants a value here, and the declaration has none."),
            _("Fill it in, then declare again."),
        ),
        "002": _value(_("Not a number"), _("Something other than digits stands where a number is wanted.")),
        "003": _value(
            _("A value that is not accepted"),
            _("The value has not the form that is wanted, or is none of those that are admitted."),
        ),
        "004": _value(
            _("A number with a typing mistake"),
            _("The control digits do not fit the rest of the number."),
            _("Compare the number with the document it comes from, correct it, then declare again."),
        ),
        "005": _value(
            _("A value that may not be there"),
            _("Social security admits no value here in this case."),
            _("Empty the field, then declare again."),
        ),
        "006": Words(
            _("Too many times the same"),
            _("The same thing is declared more often than social security admits."),
            _("Compare the declarations, keep the right one, and leave out or cancel the others."),
            correction=Correction.OTHER,
        ),
        "007": _value(
            _("A total that does not add up"),
            _("The declared total differs from the sum of its parts."),
            _ONE_OF_TWO,
        ),
        "008": _value(
            _("A value out of bounds"), _("The value lies outside of what social security admits here.")
        ),
        "012": _to_check(
            _("A combination to check"),
            _("Together with what was declared elsewhere, the value is unusually high."),
        ),
        "013": _value(
            _("Too much together"),
            _("Together with what was declared elsewhere, the value is more than is admitted."),
        ),
        "014": _value(
            _("Ends before it begins"), _("The last day lies before the first day."), _CORRECT_DAYS
        ),
        "021": _value(
            _("Does not fit the declared period"),
            _("The value cannot go with the period of the declaration."),
            _ONE_OF_TWO,
        ),
        "034": _value(
            _("Does not fit the quarter"),
            _("The value cannot go with the quarter of the declaration."),
            _ONE_OF_TWO,
        ),
        "043": _to_check(_("An amount to check"), _("The amount is unusual.")),
        "044": _value(
            _("Another amount was calculated"),
            _("The declared amount differs from the one that social security calculated."),
        ),
        "045": _value(_("The amount is too high"), _("The amount is more than is admitted.")),
        "046": _value(_("The amount is too low"), _("The amount is less than is admitted.")),
        "047": _value(_("The number is too high"), _("The number is more than is admitted.")),
        "063": _value(
            _("Does not fit the unit of time"),
            _("The value cannot go with the unit, hours or days, in which it is told."),
            _ONE_OF_TWO,
        ),
        "093": _value(
            _("Too long or too short"),
            _("The value has more or fewer characters than are admitted."),
        ),
        "098": _value(
            _("Does not fit the first day"), _("The value cannot go with the first day."), _ONE_OF_TWO
        ),
        "146": _value(
            _("A value that is not admitted"), _("Social security does not admit this value here.")
        ),
        "245": _to_check(_("A value to check"), _("Social security asks to check the value.")),
        "264": _value(
            _("A date that cannot be"), _("The date does not exist, or cannot be true."), _CORRECT_DAYS
        ),
        "274": _value(
            _("A part that is not accepted"), _("A part of the declaration has another form than is wanted.")
        ),
        "326": _to_check(
            _("A balance was calculated"), _("Social security tells the balance that it calculated.")
        ),
        "345": _value(
            _("Ends at an hour before it begins"),
            _("The hour of the end lies before the hour of the beginning."),
        ),
        "360": _value(
            _("A day is missing"),
            _("The first day or the last day is not in the declaration, and is wanted."),
            _("Fill in the days, then declare again."),
        ),
        "361": _value(
            _("A day or an hour is missing"),
            _("When it begins or ends is not in the declaration, and is wanted."),
            _("Fill in days and hours, then declare again."),
        ),
        "379": _value(
            _("Not admitted for this employer"),
            _("Social security does not admit this value for this employer."),
        ),
        "380": _value(
            _("Not admitted for this period"), _("Social security does not admit this value for this period.")
        ),
        "421": _value(
            _("Begins and ends in two quarters"),
            _("The first day and the last day have to lie in the same quarter."),
            _CORRECT_DAYS,
        ),
    }
)
