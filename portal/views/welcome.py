"""Choosing a password by the link that a manager handed over: a forgotten one, or the first, with a user name."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from portal import admitting, audit, entering, tenancy
from portal.models import Membership, User
from portal.views.people_forms import FirstPasswordForm


class ChoosePasswordView(PasswordResetConfirmView):
    """Lets whoever holds a valid link choose a password; the token leaves the address before the page is shown."""

    template_name = "registration/choose_password.html"
    form_class = FirstPasswordForm
    token_generator = admitting.password_link
    success_url = reverse_lazy("login")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The page of a link that no longer works has no form; somebody new has no user name yet."""
        context = super().get_context_data(**kwargs)
        user = self.user if self.validlink else None
        return {"username": user.username if user and user.has_chosen_name else "", **context}

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        """Keeps the password, and the name the first time, with Events at each organisation of the user."""
        is_new = "username" in form.fields
        try:
            with transaction.atomic():
                answer = super().form_valid(form)
        except IntegrityError:  # Somebody else chose the same name in this very moment.
            form.add_error("username", _("This user name is taken."))
            return self.form_invalid(form)
        for mandataire in entering.homes_of(form.user.pk):
            with tenancy.scope(mandataire, actor=form.user.pk):
                member = Membership.objects.get(user=form.user)
                if is_new:
                    audit.record("member.name_chosen", member, data={"username": form.user.username})
                audit.record("member.password_chosen", member)
        messages.success(self.request, _("Your password is chosen. Sign in with your user name."))
        return answer
