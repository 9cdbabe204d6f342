"""Every address of the portal."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path

from portal.views import (
    client,
    confirm,
    health,
    home,
    identity,
    journal,
    me,
    member,
    metrics,
    organisation,
    providers,
    reset,
    security,
    session,
    team,
    welcome,
)

# All that answers without a sign-in, beside the files under static/. Nothing else may use `login_not_required`.
open_to_all: list[URLPattern | URLResolver] = [
    path("sign-in/", login_not_required(session.SignInView.as_view()), name="login"),
    path("sign-in/code/", login_not_required(session.sign_in_code), name="sign_in_code"),
    path("sign-in/passkey/", login_not_required(session.sign_in_passkey), name="sign_in_passkey"),
    path("sign-in/passkey/options/", login_not_required(session.passkey_options), name="passkey_options"),
    path("language/", login_not_required(session.set_language), name="set_language"),
    path(
        "new-password/<uidb64>/<token>/",
        login_not_required(welcome.ChoosePasswordView.as_view()),
        name="choose_password",
    ),
    path("sign-in/organisation/", login_not_required(identity.find), name="identity_find"),
    path("sign-in/with/<uuid:handle>/", login_not_required(identity.start), name="identity_start"),
    path("sign-in/back/<uuid:handle>/", login_not_required(identity.back), name="identity_back"),
    path("livez", login_not_required(health.livez), name="livez"),
    path("readyz", login_not_required(health.readyz), name="readyz"),
    path("metrics", login_not_required(metrics.metrics), name="metrics"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    *open_to_all,
    path("", home.home, name="home"),
    path("sign-out/", session.SignOutView.as_view(), name="logout"),
    path("profile/", me.profile, name="profile"),
    path("profile/details/", me.details, name="profile_details"),
    path("profile/password/", me.password, name="profile_password"),
    path("profile/sessions/", me.end_sessions, name="profile_sessions"),
    path("organisation/", organisation.choose, name="organisation"),
    path("profile/accounts/<int:pk>/link/", identity.link, name="identity_link"),
    path("profile/accounts/<int:pk>/unlink/", identity.unlink, name="identity_unlink"),
    path("profile/sessions/<int:pk>/end/", me.end_session, name="session_end"),
    path("security/", security.security, name="security"),
    path("security/app/", security.totp, name="totp"),
    path("security/app/qr.svg", security.totp_qr, name="totp_qr"),
    path("security/app/remove/", security.totp_remove, name="totp_remove"),
    path("security/codes/", security.recovery_codes, name="recovery_codes"),
    path("security/passkeys/", security.passkey_add, name="passkey_add"),
    path("security/passkeys/options/", security.passkey_new_options, name="passkey_new_options"),
    path("security/passkeys/<int:pk>/remove/", security.passkey_remove, name="passkey_remove"),
    path("confirm/", confirm.confirm, name="confirm"),
    path("team/", team.team, name="team"),
    path("team/export/", team.export, name="users_export"),
    path("team/providers/", providers.providers, name="providers"),
    path("team/providers/new/", providers.new, name="provider_new"),
    path("team/providers/<int:pk>/", providers.provider, name="provider"),
    path("team/providers/<int:pk>/edit/", providers.edit, name="provider_edit"),
    path("team/providers/<int:pk>/test/", providers.test, name="provider_test"),
    path("team/providers/<int:pk>/on/", providers.switch_on, name="provider_on"),
    path("team/providers/<int:pk>/off/", providers.switch_off, name="provider_off"),
    path("team/new/", member.new, name="member_new"),
    path("team/<int:pk>/", member.member, name="member"),
    path("team/<int:pk>/edit/", member.edit, name="member_edit"),
    path("team/<int:pk>/grants/", member.grants, name="member_grants"),
    path("team/<int:pk>/grants/<str:application>/", member.grant, name="member_grant"),
    path("team/<int:pk>/link/", member.link, name="member_link"),
    path("team/<int:pk>/appoint/", member.appoint, name="member_appoint"),
    path("team/<int:pk>/dismiss/", member.dismiss, name="member_dismiss"),
    path("team/<int:pk>/block/", member.block, name="member_block"),
    path("team/<int:pk>/unblock/", member.unblock, name="member_unblock"),
    path("team/<int:pk>/delete/", member.delete, name="member_delete"),
    path("team/<int:pk>/second-factor/", reset.reset, name="member_reset"),
    path("journal/", journal.journal, name="journal"),
    path("journal/export/", journal.export, name="journal_export"),
    path("employers/<int:pk>/people/new/", member.new, name="client_person_new"),
    path("employers/<int:pk>/", client.client, name="employer"),
    path("", include("mandates.urls")),
    path("", include("submissions.urls")),
    path("", include("channels.urls")),
]

handler403 = "portal.views.refused.permission_denied"
