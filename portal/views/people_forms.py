"""The forms of the team: who somebody is, what he may do, and whom to look for."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mandates.numbers import NumberError, mask_niss, parse_niss
from portal import admitting, tenancy
from portal.models import OF_CLIENTS, PROFILES, AnyProfile, Application, Membership, User
from portal.views import reach


class NissField(forms.CharField):
    """A NISS as people write it. In Python: eleven digits, or nothing."""

    def clean(self, value: Any) -> Any:
        """Eleven digits; the sentence of the fault otherwise."""
        text = super().clean(value)
        try:
            return parse_niss(text) if text else ""
        except NumberError as error:
            raise ValidationError(str(error)) from error


class DetailsForm(forms.Form):
    """What everybody may change of himself."""

    email = forms.EmailField(label=_("E-mail"), max_length=254)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)


class NoticesForm(forms.Form):
    """What is mailed to oneself."""

    notices = forms.ChoiceField(label=_("Send me by e-mail"), choices=Membership.Notices)


PASSWORD_HINT = _("At least 12 characters; no common password, and none that resembles your name or e-mail.")


class OwnPasswordForm(PasswordChangeForm):
    """A new password, for who knows the old one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].help_text = PASSWORD_HINT
        # The form stands below another: a focus of its own would make phones jump past that one.
        del self.fields["old_password"].widget.attrs["autofocus"]


class FirstPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """A password, for who holds a link; with the first link also the user name, typed twice because it stays."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text=_(
            "For instance first name and name with a point between. It stays: it can never be changed."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    username_again = forms.CharField(
        label=_("User name, once more"),
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    field_order = ("username", "username_again")

    def __init__(self, user: User | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["new_password1"].help_text = PASSWORD_HINT
        if user is None or user.has_chosen_name:
            del self.fields["username"], self.fields["username_again"]

    def clean_username(self) -> str:
        """Small letters only, and a name that nobody has."""
        username: str = self.cleaned_data["username"].lower()
        if username.startswith(admitting.PROVISIONAL):
            raise ValidationError(
                _("Names that start with “new-” are given by the portal: choose another one.")
            )
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError(_("This user name is taken."))
        self.user.username = username  # the password must not resemble it
        return username

    def clean_username_again(self) -> str:
        """The same as above it."""
        again: str = self.cleaned_data["username_again"].lower()
        chosen = self.cleaned_data.get("username")
        if chosen and again != chosen:
            raise ValidationError(_("This is not the same user name."))
        return again

    def save(self, commit: bool = True) -> Any:
        """Keeps the password and, the first time, the user name. Raises IntegrityError for a name taken just now."""
        self.user.has_chosen_name = True
        return super().save(commit)


class MemberForm(forms.Form):
    """Who somebody is. An empty NISS leaves the one that is known."""

    first_name = forms.CharField(label=_("First name"), max_length=150)
    last_name = forms.CharField(label=_("Name"), max_length=150)
    niss = NissField(label=_("NISS"), max_length=20, required=False)
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def __init__(self, *args: Any, member: Membership | None = None, **kwargs: Any) -> None:
        self.member = member
        super().__init__(*args, **kwargs)
        niss = self.fields["niss"]
        niss.widget.attrs["autocomplete"] = "off"
        if member and member.niss:
            known = _("Known: %(niss)s. Leave this empty to keep it.")
            niss.help_text = known % {"niss": mask_niss(member.niss)}
        else:
            niss.required = niss.widget.is_required = True

    def clean_niss(self) -> str:
        """One user per person: two would share one face in the journal."""
        niss: str = self.cleaned_data["niss"]
        if niss:
            others = Membership.objects.filter(
                mandataire_id=tenancy.current(), niss_index=Membership.index_of(niss)
            )
            if others.exclude(pk=self.member.pk if self.member else 0).exists():
                raise ValidationError(_("A user with this NISS exists already: search for him."))
        return niss


class GrantsForm(forms.Form):
    """One profile, or none, for each application, and the last day of each. Offers what the actor may give."""

    def __init__(self, *args: Any, actor: Membership, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.member = actor, member
        found = {grant.application: grant for grant in member.grants.all()}
        # Who works at a client is given what is about clients, and nothing of the house.
        self.offered = tuple(PROFILES) if member.employer_id is None else OF_CLIENTS
        for application in self.offered:
            kind = PROFILES[application]
            known = found.get(application.value)
            offered = [p for p in kind if actor.may(p) or (known and known.profile == p.value)]
            self.fields[application.value] = forms.ChoiceField(
                label=application.label,
                choices=[("", pgettext_lazy("profile", "None")), *((p.value, p.label) for p in offered)],
                initial=known.profile if known else "",
                required=False,
            )
            self.fields[f"{application.value}_until"] = forms.DateField(
                label=_("%(application)s: last day") % {"application": application.label},
                initial=known.ends_on if known else None,
                required=False,
                widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
                input_formats=["%Y-%m-%d"],
            )

    def rows(self) -> list[dict[str, Any]]:
        """Per application: its name, the fields of the profile and of the last day, and for whom it holds.

        `url` leads to the choice of clients, "" where there is none to make.
        """
        limits = reach.limits_of(self.member)
        return [
            {
                "label": application.label,
                "profile": self[application.value],
                "until": self[f"{application.value}_until"],
                "clients": reach.told(limits, application),
                "url": reverse("member_grant", args=[self.member.pk, application.value])
                if application in OF_CLIENTS
                and self.member.employer_id is None
                and not self.member.is_manager
                else "",
            }
            for application in self.offered
        ]

    def clean(self) -> dict[str, Any]:
        """No grant that is over before it starts."""
        cleaned = super().clean() or {}
        for application in self.offered:
            name = f"{application.value}_until"
            until = cleaned.get(name)
            is_new = until != self.fields[name].initial
            if cleaned.get(application.value) and until and is_new and until < timezone.localdate():
                self.add_error(name, _("This day is past. To end a grant now, choose “None”."))
        return cleaned

    def apply(self) -> int:
        """Gives and takes what differs; returns how many applications it concerned. Raises admitting.Refused."""
        return sum(
            admitting.grant(self.actor, self.member, application, *self._wanted(application))
            for application in self.offered
        )

    def _wanted(self, application: Application) -> tuple[AnyProfile | None, date | None]:
        chosen = self.cleaned_data.get(application.value)
        if not chosen:
            return None, None
        return PROFILES[application](chosen), self.cleaned_data.get(f"{application.value}_until")


class SearchForm(forms.Form):
    """Whom to look for; with `others`, everybody who does not match."""

    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Name"), max_length=150, required=False)
    niss = NissField(label=_("NISS"), max_length=20, required=False)
    blocked = forms.ChoiceField(
        label=_("Blocked"),
        choices=[("", _("Either")), ("yes", _("Blocked")), ("no", _("Not blocked"))],
        required=False,
    )
    application = forms.ChoiceField(
        label=_("May use"), choices=[("", _("Anything")), *Application.choices], required=False
    )
    client = forms.CharField(label=_("Works at the client (name or number)"), max_length=200, required=False)
    others = forms.BooleanField(label=_("Show those who do not match (complementary search)"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["niss"].widget.attrs["autocomplete"] = "off"
