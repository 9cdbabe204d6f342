"""The WSGI door for granian."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()
# What is loaded by now stays: looking through it for garbage would hold up a request now and then.
gc.freeze()
