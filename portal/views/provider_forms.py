"""The form of a provider: what the mandataire types over from the page of its own identity service."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import tenancy
from portal.identity import fetching
from portal.identity.faults import Unreachable
from portal.identity.models import IdentityProvider


class ProviderForm(forms.Form):
    """A provider; client id and secret may wait until the provider is told where it sends people back to."""

    label = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy(
            "What your people call it, for instance: Microsoft account of our office. Whoever knows your enterprise "
            "number sees it."
        ),
    )
    issuer = forms.CharField(
        label=gettext_lazy("Issuer"),
        max_length=255,
        help_text=gettext_lazy(
            "Exactly as the provider writes it, for instance https://sso.example.be/realms/office"
        ),
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_id = forms.CharField(
        label=gettext_lazy("Client id"),
        max_length=255,
        required=False,
        help_text=gettext_lazy("Given by the provider when the portal is registered there."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    secret = forms.CharField(
        label=gettext_lazy("Client secret"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("Kept sealed, and never shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    scopes = forms.CharField(
        label=gettext_lazy("Scopes"),
        max_length=255,
        initial="openid",
        help_text=gettext_lazy("Words with spaces between; “openid” is one of them."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    acr_values = forms.CharField(
        label=gettext_lazy("Ways of signing in that are asked for (acr)"),
        max_length=255,
        required=False,
        help_text=gettext_lazy(
            "Empty for most providers. When filled in, who signed in another way is refused."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    vouches_for_second_factor = forms.BooleanField(
        label=gettext_lazy("This provider always asks for a second factor"),
        required=False,
        help_text=gettext_lazy(
            "Then none is asked here. Tick it only if nobody gets in there with a password alone."
        ),
    )

    def __init__(self, *args: Any, provider: IdentityProvider | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider
        if provider and provider.secret_sealed:
            self.fields["secret"].help_text = _(
                "One is kept. Leave this empty to keep it; for another issuer it has to be typed anew."
            )

    def clean_label(self) -> str:
        """No two with one name: people choose by it."""
        label: str = self.cleaned_data["label"]
        others = IdentityProvider.objects.filter(mandataire_id=tenancy.current(), label__iexact=label)
        if others.exclude(pk=self.provider.pk if self.provider else 0).exists():
            raise ValidationError(_("You have a provider of this name already."))
        return label

    def clean_issuer(self) -> str:
        """An address that may be asked."""
        try:
            return fetching.checked(self.cleaned_data["issuer"])
        except Unreachable as fault:
            raise ValidationError(str(fault)) from fault

    def clean_scopes(self) -> str:
        """Words, with `openid` among them: without it there is no ID token."""
        words = self.cleaned_data["scopes"].split()
        if "openid" not in words:
            raise ValidationError(
                _("Add the word “openid”: without it the provider does not say who signs in.")
            )
        return " ".join(words)

    def clean(self) -> dict[str, Any]:
        """A provider that is in use keeps what it needs."""
        cleaned = super().clean() or {}
        if self.provider and self.provider.is_enabled and not cleaned.get("client_id"):
            self.add_error(
                "client_id", _("This provider is in use and needs its client id. Switch it off first.")
            )
        return cleaned
