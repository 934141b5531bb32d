"""Wagtail's chooser widgets without inline scripts, as the content policy allows none."""

from __future__ import annotations

import json
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from wagtail.admin.widgets.chooser import BaseChooser
from wagtail.admin.widgets.workflows import AdminTaskChooser


def _render(self: BaseChooser, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
    """As BaseChooser.render of Wagtail 7.4, but the arguments are printed as data; static/admin/start.js calls the
    constructor, which must stand on its list."""
    value_data = self.get_value_data(value)
    html = self.render_html(name, value_data, attrs)
    start = "createTaskChooser" if isinstance(self, AdminTaskChooser) else self.js_constructor
    options = json.dumps(json.dumps(self.get_js_init_options(attrs["id"], name, value_data)))
    for sign, code in (("<", "\\u003C"), (">", "\\u003E"), ("&", "\\u0026")):
        options = options.replace(sign, code)
    script = format_html(
        '<script type="application/json" data-admin-start="{}" data-for="{}">{}</script>',
        start,
        attrs["id"],
        mark_safe(options),
    )
    return mark_safe(f"{html}{script}")


def install() -> None:
    """Called once at start."""
    BaseChooser.render = _render
