"""Addresses of clients and mandates."""

from __future__ import annotations

from django.urls import URLPattern, path

from mandates.views import employers, imports, mandates, steps

urlpatterns: list[URLPattern] = [
    path("employers/", employers.employers, name="employers"),
    path("employers/export/", employers.export, name="employers_export"),
    path("employers/new/", employers.add, name="employer_add"),
    path("employers/<int:pk>/mandates/new/", mandates.propose, name="mandate_propose"),
    path("mandates/", mandates.mandates, name="mandates"),
    path("mandates/export/", mandates.export, name="mandates_export"),
    path("mandates/<int:pk>/", mandates.mandate, name="mandate"),
    path("mandates/<int:pk>/edit/", mandates.edit, name="mandate_edit"),
    path("mandates/<int:pk>/finalise/", steps.finalise, name="mandate_finalise"),
    path("mandates/<int:pk>/validate/", steps.validate, name="mandate_validate"),
    path("mandates/<int:pk>/accept/", steps.accept, name="mandate_accept"),
    path("mandates/<int:pk>/procuration/", steps.procuration, name="mandate_procuration"),
    path("mandates/<int:pk>/refuse/", steps.refuse, name="mandate_refuse"),
    path("mandates/<int:pk>/withdraw/", steps.withdraw, name="mandate_withdraw"),
    path("mandates/<int:pk>/close/", steps.close, name="mandate_close"),
    path("mandates/imports/", imports.imports, name="mandate_imports"),
    path("mandates/imports/template/", imports.template, name="mandate_import_template"),
    path("mandates/imports/<int:pk>/", imports.mandate_import, name="mandate_import"),
    path("mandates/imports/<int:pk>/apply/", imports.apply, name="mandate_import_apply"),
    path("mandates/imports/<int:pk>/discard/", imports.discard, name="mandate_import_discard"),
    path("mandates/imports/<int:pk>/to-correct/", imports.bad_rows, name="mandate_import_bad"),
    path("mandates/procurations/<int:pk>/", steps.download, name="procuration"),
]
