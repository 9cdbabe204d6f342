"""A correction or promotion stays with the employer of what it is about, also where no record says whose it is."""

from typing import ClassVar

from django.db import migrations


def _tie(column: str, name: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER TABLE submissions_declaration ADD CONSTRAINT {name} "
        f"FOREIGN KEY (mandataire_id, employer_id, {column}) "
        "REFERENCES submissions_declaration (mandataire_id, employer_id, id) DEFERRABLE INITIALLY DEFERRED",
        f"ALTER TABLE submissions_declaration DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies: ClassVar = [("submissions", "0008_rights")]

    operations: ClassVar = [
        migrations.RunSQL(
            "ALTER TABLE submissions_declaration ADD CONSTRAINT declaration_and_employer "
            "UNIQUE (mandataire_id, employer_id, id)",
            "ALTER TABLE submissions_declaration DROP CONSTRAINT declaration_and_employer",
        ),
        _tie("replaces_id", "correction_of_that_employer"),
        _tie("promotes_id", "promotion_of_that_employer"),
    ]
