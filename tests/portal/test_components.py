"""The components of the pages, each by itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.paginator import Paginator
from django.template import Context, RequestContext, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from channels.states import DROP_MOVES, INBOUND_MOVES
from portal.templatetags.components import BAR_UNITS, LEAST_UNITS, batch_sentence, proportions
from portal.templatetags.icons import SIGNS
from portal.templatetags.wording import KINDS, SIGN_OF_TONE, STATES, STEPS
from submissions.states import BatchState, DeclarationState

COUNTS = st.dictionaries(st.sampled_from(["accepted", "remarks", "refused", "rest"]), st.integers(0, 10**7))


def render(source: str, **context: Any) -> str:
    with translation.override("en"):
        return Template("{% load components icons presenting %}" + source).render(Context(context))


def text_of(source: str) -> str:
    return " ".join(html.fromstring(source).text_content().split())


# --- states -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("declaration", {*DeclarationState.values, "tested"}),
        ("batch", set(BatchState.values)),
        ("drop", {str(state) for state in DROP_MOVES}),
        ("inbound", {str(state) for state in INBOUND_MOVES}),
    ],
)
def test_every_state_that_exists_has_its_words_and_no_other(kind: str, states: set[str]) -> None:
    assert set(STATES[kind]) == states


@pytest.mark.parametrize(("kind", "state"), [(kind, state) for kind in STATES for state in STATES[kind]])
def test_a_state_is_a_word_a_sign_and_a_colour(kind: str, state: str) -> None:
    badge = html.fromstring(render("{% state_badge kind state %}", kind=kind, state=state))
    assert badge.text_content().strip()
    assert "_" not in badge.text_content()
    assert badge.find("svg").get("aria-hidden") == "true"
    assert badge.get("class") == f"badge badge-{STATES[kind][state].tone}"
    assert STATES[kind][state].sign in SIGNS


@pytest.mark.parametrize("kind", list(STATES))
def test_two_states_never_share_a_word(kind: str) -> None:
    words = [str(wording.word) for wording in STATES[kind].values()]
    assert len(set(words)) == len(words)


def test_a_state_without_words_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError, match="go_home"):
        render('{% state_badge "drop" "go_home" %}')


def test_every_tone_has_a_sign_that_is_drawn() -> None:
    tones = {wording.tone for table in STATES.values() for wording in table.values()}
    assert tones <= set(SIGN_OF_TONE)
    assert set(SIGN_OF_TONE.values()) <= set(SIGNS)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_declaration_says_what_it_is(kind: str) -> None:
    assert render("{% declaration_kind kind %}", kind=kind) == str(KINDS[kind])


# --- bars ---------------------------------------------------------------------------------------------


@given(COUNTS)
def test_the_pieces_of_a_bar_fill_it_exactly_and_in_order(counts: dict[str, int]) -> None:
    pieces = list(proportions(counts))
    present = [kind for kind, count in counts.items() if count]
    assert [piece.kind for piece in pieces] == present
    if present:
        assert sum(piece.width for piece in pieces) == BAR_UNITS
        assert all(piece.width >= LEAST_UNITS for piece in pieces)
        ends = [piece.x + piece.width for piece in pieces]
        assert [piece.x for piece in pieces] == [0, *ends[:-1]]


def test_one_refusal_among_millions_is_seen() -> None:
    pieces = {piece.kind: piece.width for piece in proportions({"accepted": 9_999_999, "refused": 1})}
    assert pieces == {"accepted": BAR_UNITS - LEAST_UNITS, "refused": LEAST_UNITS}


def test_a_bar_tells_its_figures_to_who_cannot_see_it() -> None:
    bar = html.fromstring(render("{% segments 475 25 12 308 %}"))
    assert bar.get("role") == "img"
    assert bar.get("aria-label") == "475 accepted, 25 with remarks, 12 refused, 308 waiting"
    kinds = [piece.get("class") for piece in bar.iter("rect")]
    assert kinds == ["segment-accepted", "segment-remarks", "segment-refused", "segment-rest"]


def test_a_bar_needs_no_style_attribute() -> None:
    assert "style" not in render("{% segments 1 2 3 4 large=True %}")


def test_what_has_no_answer_at_all_is_on_its_way() -> None:
    bar = html.fromstring(render("{% segments 0 0 0 420 %}"))
    assert [piece.get("class") for piece in bar.iter("rect")] == ["segment-waiting"]
    assert "legend-waiting" in render("{% legend 0 0 0 420 %}")


def test_a_bar_of_nothing_is_empty() -> None:
    assert "rect" not in render("{% segments 0 0 0 0 %}")


def test_the_legend_repeats_the_figures_in_words() -> None:
    assert (
        text_of(render("{% legend 12903 25 1 0 %}")) == "12 903 accepted 25 with remarks 1 refused 0 waiting"
    )


@pytest.mark.parametrize(
    ("state", "counts", "sentence"),
    [
        ("dropped", (0, 0, 0, 420), "420, no receipt yet"),
        ("acknowledged", (475, 25, 12, 308), "512 of 820 answered"),
        ("answered", (1850, 54, 11, 0), "1\u00a0904 accepted, 11 refused"),
        ("parked", (0, 0, 0, 12), "12 · Waits for your decision"),
    ],
)
def test_a_batch_says_where_it_stands(state: str, counts: tuple[int, ...], sentence: str) -> None:
    named = dict(zip(("accepted", "remarks", "refused", "waiting"), counts, strict=True))
    with translation.override("en"):
        assert batch_sentence({"state": state, "total": sum(counts), **named}) == sentence


# --- steps --------------------------------------------------------------------------------------------


def test_the_steps_of_a_batch_are_told_without_colours() -> None:
    keys = ("sealed", "dropped", "acknowledged", "answered", "closed")
    statuses = ("done", "failed", "current", "todo", "todo")
    steps = [
        {"key": key, "status": status, "proof": [f"proof of {key}"]}
        for key, status in zip(keys, statuses, strict=True)
    ]
    line = html.fromstring(render("{% timeline steps %}", steps=steps))
    titles = [" ".join(title.text_content().split()) for title in line.find_class("step-title")]
    assert titles == [
        "Sealed : done",
        str(STEPS["dropped"][1]),
        "Receipt",
        "Answers : still to come",
        "Closed : still to come",
    ]
    assert [item.get("aria-current") for item in line.iter("li")] == [None, None, "step", None, None]
    assert "proof of answered" in line.text_content()


# --- lists --------------------------------------------------------------------------------------------


def pagination(number: int, query: str = "?state=refused&q=a%26b", count: int = 200) -> Any:
    request = RequestFactory().get("/declarations" + query)
    page = Paginator(range(count), 10).page(number)
    with translation.override("en"):
        source = Template("{% load components %}{% pagination page %}")
        return html.fromstring(source.render(RequestContext(request, {"page": page})))


def test_pages_keep_the_rest_of_the_address() -> None:
    links = {link.text_content().split()[-1]: link.get("href") for link in pagination(3).iter("a")}
    assert links["Next"] == "?state=refused&q=a%26b&page=4"
    assert links["20"] == "?state=refused&q=a%26b&page=20"
    assert "3" not in links


def test_the_current_page_is_marked_and_is_no_link() -> None:
    current = pagination(3).xpath("//*[@aria-current='page']")
    assert [(item.tag, item.text_content().split()[-1]) for item in current] == [("span", "3")]


def test_the_ends_of_a_list_have_one_neighbour() -> None:
    assert [link.get("rel") for link in pagination(1).iter("a") if link.get("rel")] == ["next"]
    assert [link.get("rel") for link in pagination(20).iter("a") if link.get("rel")] == ["prev"]


def test_one_page_says_its_count_without_links() -> None:
    lone = pagination(1, count=7)
    assert " ".join(lone.text_content().split()) == "1 to 7 of 7"
    assert not list(lone.iter("a"))


def test_the_current_filter_is_marked() -> None:
    chips = [
        {"label": "All", "count": 1200, "url": "?", "is_current": False},
        {"label": "Refused", "count": None, "url": "?state=refused", "is_current": True},
    ]
    drawn = html.fromstring(render("{% filter_chips chips %}", chips=chips))
    assert [link.get("aria-current") for link in drawn.iter("a")] == [None, "true"]
    assert [len(link.find_class("chip-count")) for link in drawn.iter("a")] == [1, 0]


def test_a_figure_leads_to_its_list_and_zero_alarms_nobody() -> None:
    alarming = html.fromstring(render('{% counter_card "To correct" 23 "/x" tone="bad" %}'))
    assert "counter-bad" in alarming.get("class")
    assert alarming.find(".//a").get("href") == "/x"
    assert "counter-mute" in render('{% counter_card "To correct" 0 "/x" tone="bad" %}')


def test_an_empty_list_says_what_to_do() -> None:
    empty = render('{% nothing_here "No file" "Collect first." url="/collect" action="Collect" %}')
    assert text_of(empty) == "No file Collect first. Collect"
    assert "<a" not in render('{% nothing_here "No file" %}')


def test_the_action_of_a_thing_to_do_is_named_for_who_hears_only_the_links() -> None:
    item = {
        "tone": "bad",
        "title": "No mandate",
        "sentence": "S.",
        "count": 1,
        "url": "/m",
        "action": "Extend",
    }
    drawn = html.fromstring(render("{% todo_item item %}", item=item))
    assert drawn.find(".//a").text_content() == "Extend: No mandate"
    assert "1 declaration" in " ".join(drawn.text_content().split())
    assert "declaration" not in render("{% todo_item item %}", item={**item, "count": None})


# --- forms --------------------------------------------------------------------------------------------


def button(action: dict[str, Any]) -> Any:
    return html.fromstring(render("{% post_button action %}", action=action, csrf_token="t" * 32))


def test_a_button_that_changes_something_posts_with_its_token() -> None:
    form = button({"url": "/collect", "label": "Collect now", "is_main": True})
    assert (form.get("method"), form.get("action")) == ("post", "/collect")
    assert form.xpath("//input[@name='csrfmiddlewaretoken']/@value") == ["t" * 32]
    assert "button-main" in form.find(".//button").get("class")


def test_a_grave_button_asks_for_the_reason_first() -> None:
    action = {"url": "/again", "label": "Again", "reason_label": "Why?", "question": "All <12> go."}
    drawn = button({**action, "fields": {"batch": '4"2'}})
    assert drawn.tag == "details"
    assert drawn.xpath("//textarea/@name") == ["reason"]
    assert drawn.xpath("//textarea/@required")
    assert "All <12> go." in drawn.text_content()
    assert drawn.xpath("//input[@name='batch']/@value") == ['4"2']


@pytest.mark.parametrize(
    ("days", "words", "badge"),
    [
        (None, "none", ""),
        (-1, "expired", "badge-bad"),
        (0, "0 days left", "badge-bad"),
        (1, "1 day left", "badge-bad"),
        (7, "7 days left", "badge-bad"),
        (8, "8 days left", "badge-warn"),
        (60, "60 days left", "badge-warn"),
        (61, "61 days left", ""),
    ],
)
def test_a_certificate_warns_two_months_before_its_end(days: int | None, words: str, badge: str) -> None:
    with translation.override("en"):
        drawn = render_to_string("components/certificate_days.html", {"days": days})
    assert " ".join(html.fromstring(f"<p>{drawn}</p>").text_content().split()) == words
    assert (badge in drawn) if badge else ("badge" not in drawn)


def test_the_way_to_a_page_is_a_named_list() -> None:
    steps = '<li><a href="/b">Batches</a></li><li aria-current="page">{{ name }}</li>'
    drawn = html.fromstring(render(f"{{% breadcrumbs %}}{steps}{{% endbreadcrumbs %}}", name="a <b>"))
    assert drawn.get("aria-label") == "You are here"
    assert [item.text_content() for item in drawn.iter("li")] == ["Batches", "a <b>"]


def test_an_unknown_sign_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError, match="unicorn"):
        render('{% icon "unicorn" %}')
