"""The pages as a whole: nothing undefined, nothing inline, everything named, looks only from the sheets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template.backends.django import DjangoTemplates
from django.test import RequestFactory, override_settings
from django.utils import translation
from lxml import html

from tests.portal.sample_courses import COURSE_PAGES
from tests.portal.sample_due import DUE_PAGES
from tests.portal.sample_figures import FIGURE_PAGES
from tests.portal.sample_files import FILE_PAGES
from tests.portal.sample_first_set import FIRST_SET_PAGES
from tests.portal.sample_imports import IMPORT_PAGES
from tests.portal.sample_letters import LETTERS_PAGES
from tests.portal.sample_pages import NISS, TITLE, Operator
from tests.portal.sample_pages import PAGES as OTHER_PAGES
from tests.portal.sample_problems import PROBLEM_PAGES
from tests.portal.sample_records import RECORD_PAGES
from tests.portal.sample_register import REGISTER_PAGES
from tests.portal.sample_relays import RELAY_PAGES
from tests.portal.sample_security import SECURITY_PAGES

PAGES = (
    OTHER_PAGES
    | SECURITY_PAGES
    | PROBLEM_PAGES
    | RELAY_PAGES
    | RECORD_PAGES
    | FIRST_SET_PAGES
    | FILE_PAGES
    | REGISTER_PAGES
    | COURSE_PAGES
    | DUE_PAGES
    | FIGURE_PAGES
    | IMPORT_PAGES
    | LETTERS_PAGES
)

STATIC = Path(settings.BASE_DIR) / "static"
TEMPLATES = Path(settings.BASE_DIR) / "templates"
SHEETS = sorted((STATIC / "css").glob("*.css"))
every_page = pytest.mark.parametrize("name", list(PAGES))


class Undefined(str):
    """What a template shows for a variable that the view did not give: the name, as a fault."""

    __slots__ = ()

    def __contains__(self, item: object) -> bool:
        return item == "%s"

    def __mod__(self, name: object) -> str:
        raise AssertionError(f"the page uses {name}, which its contract does not name")


@pytest.fixture(autouse=True, scope="module")
def _addresses() -> Iterator[None]:
    """Once for all: with every change Django forgets all addresses that it had read."""
    with override_settings(ROOT_URLCONF="tests.portal.sample_urls"):
        yield


@pytest.fixture(scope="module")
def engine() -> DjangoTemplates:
    options = deepcopy(settings.TEMPLATES[0])
    del options["BACKEND"]
    options |= {"NAME": "strict", "OPTIONS": {**options["OPTIONS"], "string_if_invalid": Undefined("%s")}}
    options["OPTIONS"]["context_processors"] = [
        processor
        for processor in options["OPTIONS"]["context_processors"]
        if processor.startswith("django.template.")
    ]
    return DjangoTemplates(options)


@pytest.fixture(scope="module")
def draw(engine: DjangoTemplates) -> Any:
    """Draws a page; once, where nothing of it is changed."""

    def drawing(name: str, language: str = "en", **changes: Any) -> str:
        template, data = PAGES[name]
        request = RequestFactory().get("/somewhere?state=refused")
        context = {
            "mandataire": "Secrétariat <social> Exemple",
            "quality": "Secrétariat social",
            "organisations": [],
            "sender_number": "104217",
            "environment": "S",
            "todo_count": 23,
            "company": "",
            "must_set_up": False,
            "may": dict.fromkeys(
                ("declarations", "batches", "files", "channel", "mandates", "journal"), True
            ),
            "messages": [],
            **data,
            **changes,
        }
        request.user = context.pop("user", Operator())
        with translation.override(language):
            return str(engine.get_template(template).render(context, request))

    as_it_is = cache(drawing)
    return lambda *which, **changes: (drawing if changes else as_it_is)(*which, **changes)


@pytest.fixture(scope="module")
def tree(draw: Any) -> Any:
    return lambda name, **changes: html.document_fromstring(draw(name, **changes))


# --- every page ---------------------------------------------------------------------------------------


@every_page
@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
def test_a_page_stands_in_every_language(draw: Any, name: str, language: str) -> None:
    drawn = draw(name, language)
    assert f'<html lang="{language}">' in drawn
    assert "{%" not in drawn
    assert "{{" not in drawn


@every_page
def test_a_page_has_nothing_that_a_strict_policy_refuses(tree: Any, name: str) -> None:
    drawn = tree(name)
    assert not drawn.xpath("//@style")
    assert not drawn.xpath("//style")
    assert not drawn.xpath("//script[not(@src)]")
    assert not [attribute for attribute in drawn.xpath("//@*") if attribute.attrname.startswith("on")]
    assert not drawn.xpath("//a[starts-with(@href, 'javascript:')]")
    sources = [*drawn.xpath("//script/@src"), *drawn.xpath("//link/@href"), *drawn.xpath("//img/@src")]
    assert all(source.startswith("/static/") or source == "/totp_qr" for source in sources)


@every_page
def test_a_page_has_one_title_and_headings_in_order(tree: Any, name: str) -> None:
    drawn = tree(name)
    assert len(drawn.xpath("//main//h1")) == 1
    levels = [
        int(heading.tag[1])
        for heading in drawn.xpath("//main//*[self::h1 or self::h2 or self::h3 or self::h4]")
    ]
    if not name.endswith(", wrongly"):  # the faults come before everything, so that they are heard first
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
    title = " ".join(drawn.findtext(".//title").split())
    assert re.fullmatch(r".+ · Mandataire", title)


@every_page
def test_names_of_things_are_unique_and_point_somewhere(tree: Any, name: str) -> None:
    drawn = tree(name)
    ids = drawn.xpath("//@id")
    assert len(set(ids)) == len(ids)
    pointed = drawn.xpath("//@aria-labelledby | //label/@for") + drawn.xpath("//@aria-describedby")
    assert {one for many in pointed for one in many.split()} <= set(ids)
    anchors = {link[1:] for link in drawn.xpath("//a/@href") if link.startswith("#") and link != "#"}
    assert anchors <= set(ids)


@every_page
def test_every_form_that_changes_something_carries_its_token(tree: Any, name: str) -> None:
    for form in tree(name).xpath("//form[@method='post']"):
        assert form.xpath(".//input[@name='csrfmiddlewaretoken']"), html.tostring(form)


@every_page
def test_everything_that_is_used_has_a_name(tree: Any, name: str) -> None:
    drawn = tree(name)
    for control in drawn.xpath("//input[not(@type='hidden' or @hidden)] | //textarea | //select"):
        labels = drawn.xpath("//label[@for=$id]", id=control.get("id", "")) or control.xpath(
            "ancestor::label"
        )
        assert labels, html.tostring(control)
    for thing in drawn.xpath("//a | //button | //summary"):
        assert thing.text_content().strip(), html.tostring(thing)
    for button in drawn.xpath("//button"):
        assert button.get("type") in {"submit", "button"}, html.tostring(button)
    for head in drawn.xpath("//th"):
        assert head.get("scope") in {"col", "row", "rowgroup"}, html.tostring(head)


@every_page
def test_a_personal_number_is_masked_on_every_page(draw: Any, name: str) -> None:
    drawn = draw(name)
    assert NISS not in drawn
    assert "033.28" not in drawn


@every_page
def test_what_others_wrote_is_never_taken_for_the_page(draw: Any, name: str) -> None:
    drawn = draw(name)
    for raw in (TITLE, "<avancé>", "<asks>", "<social>", '"><i>', "<0897223670>"):
        assert raw not in drawn


@every_page
def test_every_row_of_a_phone_says_what_its_cells_are(tree: Any, name: str) -> None:
    for table in tree(name).xpath("//table[contains(@class, 'table-cards')]"):
        heads = len(table.xpath("./thead/tr/th"))
        for line in table.xpath("./tbody/tr[not(th/@scope = 'rowgroup')]"):
            assert len(line) == heads
            unnamed = [cell for cell in line if not cell.get("data-label")]
            assert all(cell.get("scope") == "row" or cell.get("class") == "cell-action" for cell in unnamed)


# --- the frame ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "words"),
    [("S", "Simulation: nothing goes to production"), ("T", "Circuit test"), ("R", "")],
)
def test_only_production_has_no_bar(tree: Any, environment: str, words: str) -> None:
    bars = tree("batches", environment=environment).find_class("environment")
    assert [words in bar.text_content() for bar in bars] == ([True] if words else [])


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("home", "home"),
        ("to correct", "to_correct"),
        ("batch", "batches"),
        ("channel", "channel"),
        ("fields", "fields"),
    ],
)
def test_the_menu_shows_where_one_is(tree: Any, name: str, place: str) -> None:
    drawn = tree(name)
    for menu in (drawn.find_class("sidebar")[0], drawn.find_class("header-narrow")[0]):
        assert menu.xpath(".//a[@aria-current='page']/@href") == [f"/{place}"]


def test_the_menu_counts_what_is_to_correct_and_hides_zero(tree: Any) -> None:
    assert [
        item.text_content() for item in tree("batches").find_class("sidebar")[0].find_class("nav-count")
    ] == ["23"]
    assert not tree("batches", todo_count=0).find_class("nav-count")


def test_the_language_is_a_choice_that_posts(tree: Any) -> None:
    form = tree("batches").xpath("//header//form[@action='/i18n/setlang/']")[0]
    assert form.get("method") == "post"
    assert form.xpath(".//button[@name='language']/@value") == ["fr", "nl", "de", "en"]
    assert form.xpath(".//button[@aria-current]/@value") == ["en"]
    assert form.xpath(".//input[@name='next']/@value") == ["/somewhere?state=refused"]


def test_signing_out_is_a_post(tree: Any) -> None:
    assert {form.get("method") for form in tree("batches").xpath("//form[@action='/logout']")} == {"post"}


def test_who_did_not_sign_in_sees_no_menu(tree: Any) -> None:
    drawn = tree("sign in")
    assert not drawn.find_class("sidebar")
    assert not drawn.xpath("//form[@action='/logout']")
    assert drawn.xpath("//button[@name='language']")


def test_the_first_stop_of_the_keyboard_leads_to_the_content(tree: Any) -> None:
    drawn = tree("home")
    first = drawn.xpath("//body//*[self::a or self::button or self::summary]")[0]
    assert first.get("href") == "#content"
    assert drawn.get_element_by_id("content").tag == "main"


def test_htmx_is_told_to_keep_nothing_and_evaluate_nothing(tree: Any) -> None:
    told = json.loads(tree("home").xpath("//meta[@name='htmx-config']/@content")[0])
    assert told == {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
    }


def test_every_shortcut_of_the_help_exists(tree: Any) -> None:
    drawn = tree("home")
    goes = set(drawn.find_class("sidebar")[0].xpath(".//@data-go"))
    helped = {line.xpath("string(.//kbd[2])") for line in drawn.xpath("//dialog//dt[kbd[1]='g']")}
    assert helped == goes


# --- pages by themselves ------------------------------------------------------------------------------


def test_the_faults_of_a_form_lead_to_their_fields(tree: Any) -> None:
    drawn = tree("sign in, wrongly")
    summary = drawn.find_class("error-summary")[0]
    assert summary.xpath(".//a/@href") == ["#id_username", "#id_password"]
    field = drawn.get_element_by_id("id_password")
    assert field.get("aria-describedby").split() == ["id_password_helptext", "id_password_error"]
    assert field.get("aria-invalid") == "true"
    assert not tree("sign in").find_class("error-summary")


def test_a_batch_asks_for_news_until_it_is_over(tree: Any) -> None:
    fragment = tree("batch").get_element_by_id("progress")
    assert fragment.get("hx-get") == "/batch/42?seen=acknowledged"
    assert fragment.get("hx-trigger") == "every 4s"
    assert tree("batch", is_over=True).get_element_by_id("progress").get("hx-get") is None


def test_the_news_of_a_batch_are_a_part_of_its_page(engine: DjangoTemplates) -> None:
    _template, data = PAGES["batch"]
    with translation.override("en"):
        drawn = html.fromstring(engine.get_template("submissions/batch_detail.html#progress").render(data))
    assert drawn.get("id") == "progress"
    assert not drawn.xpath("//header | //main | //nav")
    assert drawn.find_class("timeline")


def test_the_batch_page_gives_every_file_with_its_digest(tree: Any) -> None:
    rows = tree("batch").xpath("//*[@aria-label='Table of files']//tbody/tr")
    assert [row.find(".//a").text_content()[:2] for row in rows] == ["FI", "FS", "FO", "FO"]
    assert all(len(row.find_class("hash")[0].text_content()) == 64 for row in rows)
    assert "Matches nothing sent" in rows[3].text_content()


def test_a_record_tells_cause_remedy_and_raw_line(tree: Any) -> None:
    problems = tree("record").find_class("anomaly")
    assert len(problems) == 2
    assert [
        " ".join(part.text_content().split())
        for part in problems[0].find_class("anomaly-parts")[0].iter("dt")
    ] == [
        "What happened",
        "What to do",
        "What to correct",
    ]
    assert "<0897223670>" in problems[0].find_class("raw")[0].text_content()


def test_a_search_keeps_the_filter_and_shows_what_was_typed(tree: Any) -> None:
    search = tree("declarations").find_class("search")[0]
    assert search.xpath(".//input[@name='state']/@value") == ["refused"]
    assert search.xpath(".//input[@name='q']/@value") == ['"><i>']
    kept = tree("to correct").find_class("search")[0]
    assert kept.xpath(".//input[@name='code']/@value") == ["99004-152"]


def test_a_file_that_fits_nothing_can_be_read_again(tree: Any) -> None:
    forms = tree("files").xpath("//tbody//form/@action")
    assert forms == ["/replay/3", "/replay/4"]


def test_a_broken_house_needs_nothing_to_say_so(engine: DjangoTemplates) -> None:
    drawn = html.document_fromstring(engine.get_template("500.html").render({}))
    assert drawn.xpath("//h1")
    assert not drawn.xpath("//script")


# --- looks --------------------------------------------------------------------------------------------


@cache
def rules() -> str:
    return "\n".join(re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL) for sheet in SHEETS)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_sheet_is_short_and_fetches_nothing_from_elsewhere(sheet: Path) -> None:
    text = sheet.read_text()
    assert len(text.splitlines()) < 200
    for target in re.findall(r'url\("([^"]+)"\)', text):
        assert (sheet.parent / target).is_file(), target


def test_every_sheet_is_part_of_the_one_that_pages_link() -> None:
    whole = (STATIC / "css" / "portal.css").read_text()
    imported = set(re.findall(r'@import url\("([^"]+)"\)', whole))
    assert imported == {sheet.name for sheet in SHEETS} - {"portal.css"}


@cache
def ruled() -> set[str]:
    return set(re.findall(r"\.([\w-]+)", rules()))


@every_page
def test_every_class_of_a_page_has_its_rule_or_its_reason(tree: Any, name: str) -> None:
    used = {word for value in tree(name).xpath("//@class") for word in value.split()}
    plain = {"anomaly-parts", "counter-mute"}
    assert used - plain <= ruled()


@cache
def tokens() -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", (STATIC / "css" / "tokens.css").read_text()))


def contrast(one: str, other: str) -> float:
    """Contrast of two colours `#rrggbb` as WCAG 2.2 defines it (www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *[(text, "paper") for text in ("ink", "ink-2", "ink-3", "accent", "ok", "warn", "bad", "wait")],
        *[(text, "ground") for text in ("ink", "ink-2", "accent", "bad")],
        *[(tone, f"{tone}-soft") for tone in ("ok", "warn", "bad", "wait", "accent")],
        *[("paper", ground) for ground in ("accent", "accent-deep", "environment", "ink")],
        ("ink-2", "accent-soft"),
    ],
)
def test_text_can_be_read(text: str, ground: str) -> None:
    assert contrast(tokens()[text], tokens()[ground]) >= 4.5


def test_borders_of_controls_can_be_seen() -> None:
    assert contrast(tokens()["line-strong"], tokens()["paper"]) >= 3


def test_colours_have_names() -> None:
    loose = [
        (sheet.name, colour)
        for sheet in SHEETS
        if sheet.name != "tokens.css"
        for colour in re.findall(r"#[0-9a-f]{3,6}\b", sheet.read_text())
    ]
    assert loose == []


def test_what_others_made_keeps_its_licence() -> None:
    assert "OFL" in (STATIC / "fonts" / "inter-OFL.txt").read_text()
    assert (STATIC / "js" / "vendor" / "htmx-LICENSE.txt").read_text().strip()
    script = (STATIC / "js" / "vendor" / "htmx-2.0.10.min.js").read_text()
    assert 'version:"2.0.10"' in script
    assert all(font.read_bytes()[:4] == b"wOF2" for font in (STATIC / "fonts").glob("*.woff2"))


def test_our_own_script_writes_no_markup_and_evaluates_nothing() -> None:
    script = (STATIC / "js" / "portal.js").read_text()
    assert not re.search(
        r"\beval\(|innerHTML|insertAdjacentHTML|document\.write|new Function|https?:", script
    )
    assert len(script.splitlines()) < 200


def test_templates_use_only_sentences_that_can_be_translated() -> None:
    bare = re.compile(r">\s*([A-Z][a-z]+(?: [a-z]+)+)\s*<")
    for template in TEMPLATES.rglob("*.html"):
        body = re.sub(r"{%\s*comment\s*%}.*?{%\s*endcomment\s*%}", "", template.read_text(), flags=re.DOTALL)
        body = re.sub(r"{%\s*blocktranslate.*?{%\s*endblocktranslate\s*%}", "", body, flags=re.DOTALL)
        assert not bare.search(body), template
