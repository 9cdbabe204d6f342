from django.db import migrations

from portal.walls import NOTHING, KeepWithin, of_employer, through


class Migration(migrations.Migration):
    """The wall inside the house: a scope limited to some employers finds these, their people and their mandates."""

    dependencies = [
        ("mandates", "0003_imports"),
    ]

    operations = [
        KeepWithin("Employer", of_employer("id")),
        KeepWithin("Worker", of_employer("employer_id")),
        KeepWithin("Contract", through("mandates_worker", "worker_id", "mandates_contract")),
        KeepWithin("Mandate", of_employer("employer_id")),
        KeepWithin("MandateImport", NOTHING),
        KeepWithin("MandateImportRow", NOTHING),
        KeepWithin("Procuration", through("mandates_mandate", "mandate_id", "mandates_procuration")),
    ]
