"""The WSGI entry that gunicorn loads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.base")
# A page's statement must end in time, a command's may run as long as it needs (settings.database).
os.environ.setdefault("MARKET_ROLE", "web")
application = get_wsgi_application()
