from django.db import migrations

from portal.walls import ANYTHING, NOTHING, KeepWithin


class Migration(migrations.Migration):
    """The wall inside the house: files and sets mix employers, so a scope limited to some employers finds none."""

    dependencies = [
        ("channels", "0001_initial"),
    ]

    operations = [
        # The frame of every page says in which environment it is; keys are elsewhere.
        KeepWithin("Channel", ANYTHING, NOTHING),
        KeepWithin("Credential", NOTHING),
        KeepWithin("ReservedName", NOTHING),
        KeepWithin("Envelope", NOTHING),
        KeepWithin("EnvelopePart", NOTHING),
        KeepWithin("Drop", NOTHING),
        KeepWithin("InboundFile", NOTHING),
    ]
