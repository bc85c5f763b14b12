"""The WSGI entry point for gunicorn."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config.charsets import read_as_utf8
from config.chunked import measure_chunked

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = measure_chunked(read_as_utf8(get_wsgi_application()), most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
