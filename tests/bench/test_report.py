import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import msgspec
import pytest
from helpers.invented_result import JUDGE, NASTY, empty_result, estimate, rich_result
from helpers.invented_result import difference as compared
from markdown_it import MarkdownIt

from billy_mlx.bench.report import to_json, write_html, write_markdown
from billy_mlx.bench.report.document import Section, document, laid_out
from billy_mlx.bench.report.figures import differences_figure, sweep_figures
from billy_mlx.bench.report.findings import findings
from billy_mlx.bench.report.markdown import escaped, fenced, to_markdown
from billy_mlx.bench.report.numbers import difference, interval, marked, plain, side
from billy_mlx.bench.report.page import to_html
from billy_mlx.bench.report.tables import (
    ReportTable,
    cost_table,
    differences_table,
    pairs_of,
    ratio_table,
    ratios,
    reliability_table,
    spread_table,
    sweep_tables,
    vectors_sentence,
)
from billy_mlx.bench.result import ArmNote, Estimate, Example, GroupCost, Reliability, Result, VectorCost

VOID = {"meta", "br", "hr", "img", "path", "use", "rect"}


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def result():
    return rich_result(("ideas", "rarity", "self-bleu", "words", "persona: futurist", "judge: originality"))


@pytest.fixture(scope="module")
def html(result):
    return to_html(result)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def answer(question, **parts) -> str:
    return " ".join(next(found.sentences for found in findings(empty_result(**parts)) if question in found.question))


def test_the_json_holds_the_whole_result(result):
    assert msgspec.json.decode(to_json(result), type=Result) == result


def test_the_page_is_well_formed_and_every_link_leads_somewhere(page):
    assert page.open == []
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    assert {attrs["href"].removeprefix("#") for tag, attrs in page.tags if tag == "a"} <= ids


def test_the_page_needs_no_script_and_no_network(page):
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.tags}
    links = [value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href", "xlink:href")]
    assert all(link.startswith("#") for link in links)


def test_every_color_of_the_figures_is_said_by_the_page(html):
    light, dark, paper = re.findall(r":root \{(.*?)\}", html, re.DOTALL)
    used = set(re.findall(r"var\((--[\w-]+)\)", html))
    assert all(used <= set(re.findall(r"(--[\w-]+):", theme)) for theme in (light, dark, paper))


def test_the_limits_and_the_judge_come_before_any_answer(html):
    places = [html.index(text) for text in ("billy bench run", "it is no judge", "judge: tiny", "Does blending steer?")]
    assert places == sorted(places)


def test_text_of_a_model_shows_as_it_is(page):
    assert NASTY.replace("\x1b", "␛").replace("\u202e", "⇄") in page.words


@pytest.mark.slow
def test_the_same_result_gives_the_same_page(tmp_path):
    small = empty_result(comparisons=(compared("rarity", 0.3),), made_with={"model": "starter"})
    write_html(small, tmp_path / "a.html")
    write_html(small, tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_everything_has_its_figure(html):
    drawn = set(re.findall(r'<svg role="img" aria-label="([^"]*)"', html))
    steered = "Steered layer (arithmetic: what was put in; of prompts measured)"
    swept = "rarity, cell − dose-0 (share of the other groups without the idea)"
    assert {"rarity", "Difference in rarity", "Time", "Tokens", steered, swept} <= drawn


def test_without_matplotlib_there_are_tables_and_how_to_get_plots(monkeypatch):
    monkeypatch.setattr("billy_mlx.bench.report.document.can_draw", lambda: False)
    html = to_html(empty_result(comparisons=(compared("rarity", 0.3), compared("rarity", 0.3, matched=True))))
    assert "<svg" not in html
    assert "billy-mlx[plot]" in html
    assert "better in 1 (rarity +0.30 [+0.20, +0.40])" in html


def test_nothing_found_makes_a_page_all_the_same(tmp_path):
    write_html(empty_result(), tmp_path / "a.html")
    write_markdown(empty_result(), tmp_path / "a.md")
    assert "nothing can be said" in (tmp_path / "a.html").read_text("utf-8")
    assert "nothing can be said" in (tmp_path / "a.md").read_text("utf-8")


def test_markdown_holds_what_the_page_holds(result):
    text = to_markdown(result)
    mean = next(m.estimate for m in result.means if (m.arm, m.metric, m.task) == ("billy-balanced", "rarity", None))
    assert interval(mean) in text
    assert "arithmetic: what was put in" in text
    assert "about 190" in text


@pytest.mark.slow
def test_the_page_has_every_table_of_the_plain_text(result):
    page, text = ([*tables(laid_out(document(result), page=page))] for page in (True, False))
    assert [table for table in page if table in text] == text
    assert len(page) > len(text) > 30


def tables(blocks):
    for block in blocks:
        if isinstance(block, ReportTable):
            yield block
        elif isinstance(block, Section):
            yield from tables(block.blocks)


def test_what_nothing_was_found_of_is_no_section_and_no_link():
    page = Page(to_html(empty_result()))
    assert [attrs["id"] for tag, attrs in page.tags if tag == "section"] == ["limits", "answer"]
    assert [attrs["href"] for tag, attrs in page.tags if tag == "a"] == ["#limits", "#answer"]
    assert re.findall(r"^## (.*)", to_markdown(empty_result()), re.MULTILINE) == [
        "What these numbers can and cannot support",
        "The short answer",
    ]


@pytest.mark.slow
def test_every_table_in_markdown_is_a_table(result):
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(to_markdown(result))
    assert not [t for t in tokens if t.type == "inline" and t.content.startswith("|")]


NASTY_LINES = [
    "<script>alert(1)</script>", "a | b", "*a* _b_ __c__ snake_case", "`code` and ``more``", "# no heading",
    "- no list", "1. no list", "12) none either", "[a](http://b) ![c](d) [e][f]", "> no quote", "~~a~~", "$x$",
    "&amp; &#60; & so on", "\\* \\", "---", "+0.42 [+0.31, +0.53]", "=", "[ ] no box", "a\nb",
]  # fmt: skip


@pytest.mark.parametrize("line", NASTY_LINES)
def test_a_line_shows_in_markdown_as_it_is(line):
    [_, paragraph, _] = MarkdownIt("gfm-like", {"linkify": False}).parse(escaped(line))
    shown = "".join(part.content for part in paragraph.children)
    assert shown == " ".join(line.split())
    assert {part.type for part in paragraph.children} <= {"text", "text_special"}


@pytest.mark.parametrize("text", [NASTY, "```\n````\n# a", "", "a\n\n    b"])
def test_a_text_shows_in_markdown_letter_by_letter(text):
    [block] = MarkdownIt().parse(fenced(text))
    assert block.content == f"{text}\n".replace("\x1b", "␛").replace("\u202e", "⇄")


def test_a_difference_that_the_interval_allows_is_claimed():
    said = answer("help", comparisons=(compared("rarity", 0.3), compared("rarity", 0.3, matched=True)))
    assert "against dose-0, in 1 measure, over 30 items: better in 1 (rarity +0.30 [+0.20, +0.40])" in said


def test_nothing_is_claimed_where_the_interval_holds_0():
    said = answer("help", comparisons=(compared("rarity", 0.05),))
    assert "cannot be told apart in 1 (rarity)" in said
    assert "better" not in said
    assert "worse" not in said


def test_less_is_better_where_the_metric_says_so():
    assert "worse in 1 (self-bleu +0.30" in answer("help", comparisons=(compared("self-bleu", 0.3),))


def test_a_metric_that_is_better_neither_way_is_not_praised():
    said = answer("help", comparisons=(compared("rarity", 0.0), compared("words", 3.0)))
    assert "better in" not in said
    assert "Neither better nor worse by itself: words +3.00" in said


@pytest.mark.parametrize(("mean", "says"), [(0.0, "but not at"), (-0.3, "but less at"), (0.3, "+0.40])")])
def test_what_matched_length_takes_back_is_said(mean, says):
    assert says in answer("help", comparisons=(compared("rarity", 0.3), compared("rarity", mean, matched=True)))


def test_a_judge_that_cannot_be_relied_on_is_left_out():
    scores = (compared("rarity", 0.3), compared("judge: originality", 0.9))
    said = answer("help", comparisons=scores, reliability=(JUDGE,))
    assert "because judge: tiny, originality cannot be relied on: judge: originality" in said
    assert "originality +" not in said


def test_the_scores_of_such_a_judge_are_marked_wherever_they_stand():
    found = empty_result(comparisons=(compared("judge: originality", 0.9),), reliability=(JUDGE,))
    assert "| judge: originality (not reliable) | ▲ +0.90 [+0.80, +1.00] |" in to_markdown(found)
    assert "Not reliable: judge: tiny, originality cannot be relied on." in to_html(found)


def test_a_judge_of_whom_nothing_is_known_is_left_out():
    said = answer("help", comparisons=(compared("judge: originality", 0.9),))
    assert "nobody has measured how far the judge can be relied on" in said


def test_a_judge_that_can_be_relied_on_counts():
    said = answer("help", comparisons=(compared("judge: originality", 0.9),), reliability=(TRUSTED,))
    assert "better in 1 (judge: originality +0.90" in said


TRUSTED = Reliability("judge: big, originality", "originality", {"AUC": Estimate(0.9, 0.8, 1, 40)}, True, "Good.")
FAILED = Reliability("judge: big, adherence", "adherence", {"AUC": Estimate(0.5, 0.4, 0.6, 40)}, False, "It guesses.")


def test_a_judge_is_not_condemned_for_what_it_fails_at_in_another_criterion():
    scores = (compared("judge: originality", 0.9), compared("judge: adherence", 0.9))
    said = answer("help", comparisons=scores, reliability=(FAILED, TRUSTED))
    assert "better in 1 (judge: originality +0.90" in said
    assert "because judge: big, adherence cannot be relied on: judge: adherence." in said


def test_a_judge_that_was_tried_and_not_asked_is_told_of():
    said = answer("help", comparisons=(compared("rarity", 0.3),), reliability=(FAILED, TRUSTED))
    assert "No judge scored adherence: judge: big, adherence cannot be relied on, and so was not asked." in said
    assert "No judge scored originality" not in said


def test_a_person_who_was_held_against_nobody_is_unchecked():
    bob = Reliability("human: Bob, elaboration", "elaboration", {}, True, "Bob rated 3 ideas.")
    found = empty_result(comparisons=(compared("human Bob: elaboration", 0.9),), reliability=(bob,))
    assert "human Bob: elaboration (unchecked) +0.90" in answer(
        "help", comparisons=found.comparisons, reliability=(bob,)
    )
    assert reliability_table(found).rows == (("human: Bob, elaboration", "none", "–", "–", "not known"),)


def test_a_difference_over_few_items_has_no_sign_and_is_not_claimed():
    found = empty_result(comparisons=(compared("rarity", 0.3, items=4), compared("ideas", 0.3, items=5)))
    assert [row[1] for row in differences_table(found, "billy-balanced", "dose-0").rows] == [
        *("+0.30 [+0.20, +0.40] n=4", "▲ +0.30 [+0.20, +0.40]")
    ]
    said = answer("help", comparisons=found.comparisons)
    assert "better in 1 (ideas +0.30" in said
    assert "too few items to tell, fewer than 5, in 1 (rarity)" in said


def test_a_column_says_over_how_many_items_it_is():
    found = empty_result(comparisons=(compared("rarity", 0.3), compared("rarity", 0.3, matched=True, items=8)))
    columns = differences_table(found, "billy-balanced", "dose-0").columns
    assert columns == ("metric", "as written (n=30)", "at matched length (n=8)")


def test_a_difference_over_few_items_is_not_drawn():
    assert differences_figure(empty_result(comparisons=(compared("rarity", 0.3, items=4),)), "rarity") is None
    assert differences_figure(empty_result(comparisons=(compared("rarity", 0.3, items=5),)), "rarity") is not None


def test_what_matched_length_leaves_too_little_of_was_not_measured():
    few = (compared("rarity", 0.3), compared("rarity", 0.3, matched=True, items=3))
    for comparisons in (few, few[:1]):
        assert "+0.40], but not measured at matched length: too little is left)" in answer(
            "help", comparisons=comparisons
        )


def test_the_cells_of_a_sweep_are_told_by_how_they_differ_from_the_control(result):
    tables = {table.title: table for table in sweep_tables(result, "sweep layers")}
    [cell, written, matched] = tables["rarity, cell − dose-0"].rows[0]
    assert cell.startswith("layer=")
    assert {written[0], matched[0]} <= {*"▲▼≈"}
    assert not any("layer=" in arm for arm, _ in pairs_of(result))


def test_the_papers_ablation_is_drawn_as_a_field_of_layers_and_coefficients():
    cells = [f"layer={layer},alpha={alpha}" for layer in (11, 15) for alpha in ("0.1", "5")]
    comparisons = tuple(compared("rarity", 0.3, arm=cell) for cell in cells)
    arms = tuple(ArmNote(cell, "sweep paper", "says", "noir:1@2a/paper") for cell in cells)
    [drawn] = sweep_figures(empty_result(arms=arms, comparisons=comparisons), "sweep paper")
    assert "α, the paper" in drawn


def test_the_cells_of_a_sweep_say_which_blends_they_are(html, result):
    assert ("personas=4", "futurist:1@4") in sweep_tables(result, "sweep personas")[0].rows
    assert re.search(r"\| personas=4 +\| futurist:1@4 +\|", to_markdown(result))
    assert "<td>futurist:1@4</td>" in html


def test_steering_is_claimed_only_beyond_random_directions_too():
    beyond = [compared("persona: noir", 0.3), compared("persona: bard", 0.3)]
    beyond += [compared("persona: noir", 0.3, against="random directions")]
    said = answer("steer", comparisons=(*beyond, compared("persona: bard", 0.0, against="random directions")))
    assert "than those of dose-0 and than those of random directions for noir." in said


def test_steering_is_held_against_another_persona_where_one_was_steered_to():
    others = [compared("persona: noir", mean, against="another persona") for mean in (0.3, 0.0)]
    for further, whose in zip(others, ("noir", "no persona"), strict=True):
        said = answer("steer", comparisons=(compared("persona: noir", 0.3), further))
        assert f"than those of dose-0 and than those of another persona for {whose}." in said


def test_steering_that_was_not_measured_is_not_claimed():
    assert "was not measured" in answer("steer", comparisons=(compared("rarity", 0.3),))


def cost(group, seconds, tokens, queries=10) -> GroupCost:
    return GroupCost(group, (group,), queries, queries, seconds, tokens, tokens, 2 * tokens, 1.0, 8)


COSTS = (cost("discussion", 270.0, 9500), replace(cost("billy", 20.0, 200, 20), arms=("billy-balanced",)))


def test_a_discussion_is_held_against_a_blend_by_the_query():
    assert ratios(empty_result(costs=COSTS), "discussion", "billy-balanced") == (27.0, 95.0)


def test_what_a_query_took_is_told_of_each_arm_or_of_several_that_do_the_same_work():
    several = replace(cost("billy", 20.0, 200, 20), arms=("billy-paper", "billy-balanced"))
    rows = cost_table(empty_result(costs=(cost("dose-0", 5.0, 50, 5), several))).rows
    assert [row[0] for row in rows] == ["dose-0", "billy (2 arms)"]
    assert rows[1][1:5] == ("20", "1.00", "1.00", "10.0")


def test_the_ratios_stand_beside_those_of_the_paper():
    rows = ratio_table(empty_result(costs=COSTS)).rows
    assert rows[0] == ("discussion ÷ billy", "27.0", "95.0", "95.0", "8 and 8")
    assert rows[1] == ("discussion ÷ BILLY in the paper (arXiv 2510.10157)", "27", "about 190", "–", "–")


def test_the_cost_of_the_vectors_is_spread_over_queries():
    rows = spread_table(empty_result(costs=COSTS, vectors=VectorCost(("noir",), 100_000, 99.0, "here"))).rows
    assert rows[0] == ("billy, N = 1", "100", "100,020", "0.270", "0.0190")
    assert rows[1][1:3] == ("1.99", "1,020")
    assert rows[2][1:3] == ("1.01", "30.0")


def test_a_cost_that_nobody_knows_is_not_made_up():
    ready = empty_result(costs=COSTS, vectors=VectorCost(("noir",), None, None, "bundled"))
    assert spread_table(ready).rows == ()
    assert "not known here (bundled)" in vectors_sentence(ready)


def test_a_run_of_no_time_divides_by_nothing():
    assert ratios(empty_result(costs=(COSTS[0], cost("billy", 0.0, 0))), "discussion", "billy") is None


@pytest.mark.parametrize(
    ("found", "reads"),
    [
        (Estimate(0.4216, 0.3111, 0.5321, 9), "0.42 [0.31, 0.53]"),
        (Estimate(-12.34, -20.0, 3.0, 9), "−12 [−20, 3]"),
        (Estimate(0.0012, 0.0010, 0.0014, 9), "0.00120 [0.00100, 0.00140]"),
        (Estimate(1.0, 1.0, 1.0, 9), "1.00 [1.00, 1.00]"),
        (Estimate(0.0, 0.0, 0.0, 9), "0.00 [0.00, 0.00]"),
        (Estimate(0.12, 0.12, 0.12 + 1e-9, 9), "0.120 [0.120, 0.120]"),
        (None, "–"),
    ],
)
def test_a_number_has_the_digits_that_its_interval_gives(found, reads):
    assert interval(found) == reads


@pytest.mark.parametrize(("mean", "sign"), [(0.3, "▲"), (-0.3, "▼"), (0.05, "≈"), (math.nan, "≈")])
def test_a_sign_says_which_side_of_0_the_interval_is_on(mean, sign):
    assert marked(estimate(mean)) == f"{sign} {difference(estimate(mean))}"


def test_a_sign_never_contradicts_what_is_printed():
    assert marked(Estimate(11.3, 0.3, 23.2, 9)) == "▲ +11.3 [+0.3, +23.2]"
    assert marked(Estimate(-0.142, -0.297, -0.0016, 9)) == "▼ −0.142 [−0.297, −0.002]"
    assert marked(Estimate(0.5, 1e-6, 1.0, 9)) == "≈ +0.50 [+0.00, +1.00]"


def test_over_few_items_neither_side_is_taken():
    assert (side(estimate(0.3, items=4)), side(estimate(0.3, items=5))) == (0, 1)


@pytest.mark.parametrize(
    ("value", "reads"), [(None, "–"), (8, "8"), (10_000, "10,000"), (27.04, "27.0"), (1234.5, "1,234"), (99.96, "100")]
)
def test_a_count_is_whole_and_an_amount_has_three_digits(value, reads):
    assert plain(value) == reads


def test_examples_stand_in_their_order_with_their_arms(result):
    html = to_html(
        empty_result(examples=(*result.examples, Example("uses-02", "Another prompt.", {"dose-0": "a text"})))
    )
    places = [
        html.index(text) for text in ("A doorstop (dose-0)", "A doorstop (billy-paper)", "Another prompt.", "a text")
    ]
    assert places == sorted(places)
