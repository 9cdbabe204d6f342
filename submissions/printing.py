"""Documents as PDF/UA, from templates of their own: readable by people, by screen readers and by archives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.template.loader import render_to_string

_SHEET: Final = Path(__file__).with_suffix(".css")


def pdf(template: str, context: Mapping[str, Any]) -> bytes:
    """The bytes of the PDF that a template gives, in the active language.

    Nothing is fetched: what a document may load are the fonts of the house, which its sheet names.
    """
    # Loading it takes half a second and the libraries of Pango: only who prints waits for them.
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    fetcher = _fonts_only()
    sheet = CSS(
        string=_SHEET.read_text(encoding="utf-8"),
        base_url=(Path(settings.BASE_DIR) / "static/fonts").as_uri() + "/",
        font_config=fonts,
        url_fetcher=fetcher,
    )
    page = HTML(string=render_to_string(template, dict(context)), url_fetcher=fetcher)
    content: bytes = page.write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/ua-1")
    return content


def _fonts_only() -> Any:
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    home = (Path(settings.BASE_DIR) / "static/fonts").as_uri() + "/"

    class Fonts(URLFetcher):  # type: ignore[misc]
        """Reads the fonts of the house and nothing else, neither from this machine nor from elsewhere."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            """The font, or FatalURLFetchingError."""
            if not url.startswith(home) or ".." in url:
                raise FatalURLFetchingError(f"a document asked for {url[:100]}")
            return super().fetch(url, headers)

    return Fonts(allowed_protocols=["file"])
