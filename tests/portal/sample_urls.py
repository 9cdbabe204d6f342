"""The addresses that the sample pages point to; nobody goes there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def nowhere(request: HttpRequest, **kwargs: object) -> HttpResponse:
    """A place to point to; nobody goes there."""
    raise NotImplementedError


urlpatterns = [
    *[
        path(name, nowhere, name=name)
        for name in ("home", "declarations", "to_correct", "batches", "due", "due_send", "calls")
    ],
    *[
        path(name, nowhere, name=name)
        for name in (
            "channel",
            "files",
            "channel_setup",
            "channel_environment",
            "fields",
            "login",
            "logout",
            "team",
            "journal",
            "profile",
            "security",
            "confirm",
            "identity_find",
        )
    ],
    *[path(name, nowhere, name=name) for name in ("employers", "employer_add", "mandates", "course_new")],
    *[
        path(f"{name}/<int:pk>", nowhere, name=name)
        for name in (
            "employer",
            "mandate",
            "mandate_propose",
            "client_person_new",
            "mandate_close",
            "mandate_procuration",
            "procuration",
        )
    ],
    *[
        path(f"{name}/<int:pk>", nowhere, name=name)
        for name in (
            *("workers", "worker_new", "worker", "contract_new", "contract", "employer_size"),
            *("account", "account_pdf", "client_figures", "worker_change"),
            *("letters", "letters_job", "corrections", "correction", "correction_new", "correction_accept"),
        )
    ],
    path("right/<int:pk>/<int:year>", nowhere, name="right"),
    *[path(name, nowhere, name=name) for name in ("agreements", "agreement_add", "search")],
    *[path(name, nowhere, name=name) for name in ("employers_export", "mandates_export", "users_export")],
    *[path(name, nowhere, name=name) for name in ("batches_export", "relays_export", "documents_export")],
    path("workers_export/<int:pk>", nowhere, name="workers_export"),
    *[
        path(name, nowhere, name=name)
        for name in ("relays", "relay_new", "documents", "document_new", "client_suggestions")
    ],
    *[path(f"{name}/<int:pk>", nowhere, name=name) for name in ("relay", "declaration")],
    *[path(name, nowhere, name=name) for name in ("sign_in_code", "sign_in_passkey", "passkey_options")],
    *[path(name, nowhere, name=name) for name in ("totp", "totp_qr", "totp_remove", "recovery_codes")],
    *[path(name, nowhere, name=name) for name in ("passkey_add", "passkey_new_options")],
    path("problem/<int:pk>", nowhere, name="problem"),
    path("imports", nowhere, name="register_imports"),
    *[path(name, nowhere, name=name) for name in ("archive", "archive_download")],
    *[
        path(f"{name}/<int:pk>", nowhere, name=name)
        for name in ("register_import", "register_import_columns")
    ],
    path("passkey/<int:pk>", nowhere, name="passkey_remove"),
    path("member/<int:pk>", nowhere, name="member"),
    *[path(f"{name}/<int:pk>", nowhere, name=name) for name in ("channel_health", "departures")],
    path("health", nowhere, name="channels_health"),
    path("batch/<int:pk>", nowhere, name="batch"),
    path("record/<int:pk>", nowhere, name="record"),
    path("trainings/<int:pk>", nowhere, name="course"),
    path("i18n/", include("django.conf.urls.i18n")),
]
