"""From a decomposition to steps with options. The figures are worked out by hand, from the priors:
a strong model is right in 0.8 of cases and a cheap one in 0.65, 0.605 where it has to reason, and
0.725 where it extracts. An executor has 0.7, and 0.6 where nobody named it. A reader reaches 0.95
of the weight of what a model would tell it, and 0.3 of what a tool finds."""

from dataclasses import replace

import pytest
from langchain_core.tools import tool

from tests.options.decomposition_mutations import spoilt_replies
from tests.options.decompositions import DOCUMENT, DOCUMENTS, EXECUTORS, GOOD, read
from thrifty import Executor, Model, Settings, Spend
from thrifty.budget import check_steps
from thrifty.executors.llm import useful_tokens
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.plain_json import plain_json
from thrifty.executors.protocol import Work
from thrifty.executors.registry import LLM, ExecutorRegistry
from thrifty.models.roles.asked import Asked
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options.decomposition import Decomposition, PlannedStep
from thrifty.options.direct_answer import DirectAnswer, who_answers
from thrifty.options.material_shares import share_out
from thrifty.options.reading_costs import reading_tiers
from thrifty.options.recipe import Recipe
from thrifty.options.ways import Ways

ROLES = ModelRoles(Settings("sk-test", models={"strong": "gpt-4o", "cheap": "gpt-4o-mini"}))
BARE = ExecutorRegistry()
ASKED = Asked(100)


def ways(executors=BARE, roles=ROLES):
    return Ways(who_answers(roles, executors), executors)


def steps_of(given, executors=EXECUTORS, **more):
    decomposition = given if isinstance(given, Decomposition) else read(given)
    steps = ways(executors, **more).steps(decomposition, ASKED, DOCUMENTS)
    check_steps(steps, executors.names)
    return {step.name: step for step in steps}


def values(step):
    return {option.name: round(option.value, 4) for option in step.options}


def test_an_answer_is_the_direct_one_and_reads_its_material_if_it_is_there():
    answer = steps_of(GOOD)["Answer"]
    assert (answer.role, answer.required, answer.requires) == ("answer", False, ())
    assert answer.reads == ("Find prices", "Find subsidies", "report.md", "Sales 2025")
    # Weights: 8, 6 and 10 of 24. Without what the searches find: 10/24 + 0.3 · 14/24 = 0.591667.
    # 750 tokens are 50 more than what is written as well as a short text: 1 - 0.2 · 50/2,300.
    assert values(answer) == {
        "Answer (strong)": 47.1275,  # 100 · 0.8 · 0.591667 · 0.995652
        "Answer (cheap)": 35.6402,  # 100 · 0.605 · 0.591667 · 0.995652
        "Answer (clerk)": 41.2366,  # 100 · 0.7 · 0.591667 · 0.995652
    }
    assert all(option.payload["prompt"] == "conversation" for option in answer.options[:2])


def test_material_is_worth_what_its_readers_lose_without_it():
    steps = steps_of(GOOD)
    # 100 · 0.7 · (1 - 0.3) · 8/24, and 6/24
    assert values(steps["Find prices"]) == {"Find prices (search)": 16.3333}
    assert values(steps["Find subsidies"]) == {"Find subsidies (search)": 12.25}
    (option,) = steps["Find prices"].options
    assert option.payload == {"input": {"query": "heat pump prices Austria"}}
    assert option.estimate == Spend(latency_ms=300, tool_calls=1)
    assert option.description == "Search for prices of heat pumps in Austria."


def test_sections_stand_beside_the_direct_answer_and_one_has_to_be_there():
    steps = steps_of(DOCUMENT)
    assert [(step.role, step.required) for step in steps.values()] == [
        *(("material", False), ("section", True), ("material", False), ("section", False)),
        *(("material", False), ("revision", False), ("answer", False)),
    ]
    # The mail comes on top of the whole, which has the importance 5 + 9 + 5 + 7 = 26.
    assert values(steps["Figures"]) == {
        "Figures (strong)": 0.7692,  # 100 · 0.8 · 0.05 · 5/26
        "Figures (cheap)": 0.6971,  # 100 · 0.725 · 0.05 · 5/26
        "Figures (clerk)": 0.5769,  # 100 · 0.6 · 0.05 · 5/26
    }
    assert values(steps["Where we stand"]) == {
        "Where we stand (strong)": 31.3077,  # 74 · 0.8 · (9 + 0.95 · 5)/26
        "Where we stand (cheap)": 25.4375,
        "Where we stand (clerk)": 23.4808,
    }
    # What it reads of another section is no material: 74 · 0.8 · (7 + 0.3 · 5)/26
    assert values(steps["What comes next"])["What comes next (strong)"] == 19.3538
    assert values(steps["Weather"]) == {"Weather (weather)": 9.4231}  # 100 · 0.7 · 0.7 · 5/26
    assert values(steps["Polish"]) == {
        "Polish (strong)": 4.8,  # 6 · 0.8
        "Polish (cheap)": 3.9,
        "Polish (local)": 1.2,
    }
    # 3,000 words are 4,500 tokens: 1 - 0.2 · 3,800/2,300 = 0.669565 of the quality. The weather is
    # missing: 1 - 0.7 · 5/26 = 0.865385.
    assert values(steps["Answer"])["Answer (strong)"] == 46.3545
    assert steps["Answer"].reads is None


def test_what_comes_before_a_step_and_what_it_may_do_without():
    steps = steps_of(DOCUMENT)
    assert (steps["Where we stand"].requires, steps["Where we stand"].reads) == ((), ("Figures",))
    assert steps["Tell the boss"].requires == ("What comes next",)
    assert (steps["Polish"].requires, steps["Polish"].reads) == (("Where we stand",), ())
    assert (steps["Figures"].requires, steps["Figures"].reads) == ((), ("Sales 2025",))


def test_a_section_of_a_tool_requires_what_its_input_refers_to():
    given = Decomposition(
        (
            PlannedStep("Rows", "List rows.", executor="search", input={"query": "x"}),
            PlannedStep("Hints", "List hints."),
            PlannedStep("Count", "Count.", ("Rows", "Hints"), "section", "tool",
                        executor="count", input={"rows": "${Rows}"}),
            PlannedStep("Text", "Write.", ("Rows",), "section"),
        )
    )  # fmt: skip
    steps = steps_of(given)
    assert steps["Count"].requires == ("Rows",)
    assert steps["Count"].reads == ("Rows", "Hints")
    assert steps["Text"].requires == ()


def test_the_worth_of_what_material_reads_goes_on_to_its_reader():
    steps = (
        PlannedStep("Search", "Search.", importance=4, executor="search"),
        PlannedStep("Digest", "Digest.", ("Search", "report.md"), importance=2),
        PlannedStep("Answer", "Write.", ("Digest",), "answer", importance=4),
    )
    shares = share_out(steps, {"Search": 0.3, "Digest": 0.95})
    # 0.2 · 0.05 and what the search finds, 0.4 · 0.7: nothing of it arrives without the digest.
    assert shares.worth == pytest.approx({"Search": 0, "Digest": 0.29, "Answer": 0.71})
    # The answer reads the search as well, so half of its worth is its own: 0.4 · 0.7 / 2.
    both = (*steps[:2], replace(steps[2], reads=("Digest", "Search")))
    shares = share_out(both, {"Search": 0.3, "Digest": 0.95})
    assert shares.worth == pytest.approx({"Search": 0.14, "Digest": 0.15, "Answer": 0.71})


def test_all_parts_of_a_result_are_worth_the_whole():
    for reply in spoilt_replies(3, 200, GOOD, DOCUMENT):
        steps = read(reply).steps
        kept = {
            step.name: 0.3 if step.executor else 0.95 for step in steps if step.role == "material"
        }
        is_read = {name for step in steps for name in step.reads}
        outside = {name for name in kept if name not in is_read}
        shares = share_out(steps, kept)
        assert all(worth >= 0 for worth in shares.worth.values())
        if steps and not outside:
            assert sum(shares.worth.values()) == pytest.approx(1)


def test_a_model_is_estimated_by_what_it_writes_and_thinks():
    roles = ModelRoles(
        Settings(
            "sk-test", models={"strong": Model("gpt-5", reasoning_factor=2.0), "cheap": "gpt-4o"}
        )
    )
    figures = steps_of(DOCUMENT, roles=roles)["Figures"]
    strong, cheap, _ = figures.options
    # 300 words are 450 tokens, and 900 with the reasoning: 180 + 900, and 300 ms + 3 ms a token.
    assert (strong.estimate, strong.output_tokens) == (Spend(1_080, 0, 3_000, 1), 900)
    assert (cheap.estimate, cheap.output_tokens) == (Spend(630, 0, 1_650, 1), 450)
    assert (strong.payload, strong.spread) == ({"model": "strong"}, 0.5)
    # A revision is sent both sections, 1,700 words or 2,550 tokens, and writes them again.
    polish = steps_of(DOCUMENT, roles=roles)["Polish"]
    assert polish.options[0].estimate.tokens == 180 + 2_550 + 2 * 2_550
    assert polish.options[1].output_tokens == 2_550
    answer = steps_of(DOCUMENT, roles=roles)["Answer"]
    assert answer.options[1].output_tokens == 4_500
    assert answer.options[1].estimate.tokens == 4_680


def test_a_model_is_told_how_long_a_section_is_where_the_task_says_how_long_all_is():
    told = steps_of(DOCUMENT)["Where we stand"].options[0]
    assert told.payload == {"model": "strong", "words": 800}
    untold = steps_of({**DOCUMENT, "words": 0})["Where we stand"].options[0]
    assert untold.payload == {"model": "strong"}


def test_an_answer_that_a_model_cannot_write_whole_is_worth_what_it_can_write():
    long = steps_of({**GOOD, "words": 40_000})["Answer"]
    # 40,000 words are 60,000 tokens, and gpt-4o surely writes 16,000: 47.3333 · 16/60
    assert values(long)["Answer (strong)"] == 12.6222
    assert values(long)["Answer (clerk)"] == 20.7083  # 41.4167 · 0.5


@pytest.mark.parametrize("words", [500, 4_000, 100_000])
def test_however_long_an_answer_is_to_be_what_fits_of_it_is_of_use(words):
    (answer,) = steps_of({**GOOD, "words": words})["Answer"].options[:1]
    usual = DirectAnswer(tuple(ROLES)).steps(ASKED)[0].options[0]
    least = useful_tokens(Work("Hi", usual), ROLES["strong"])
    assert useful_tokens(Work("Hi", answer), ROLES["strong"]) == least == 200


def test_a_section_is_told_its_heading():
    section = steps_of(DOCUMENT)["What comes next"]
    assert section.options[0].description == "What comes next: Say what to do next."


def test_without_steps_there_is_the_direct_answer_alone():
    steps = steps_of(Decomposition(kind="reason"))
    assert [*steps] == ["Answer"]
    assert values(steps["Answer"]) == {
        "Answer (strong)": 80.0,
        "Answer (cheap)": 60.5,
        "Answer (clerk)": 70.0,
    }
    (usual,) = DirectAnswer(tuple(ROLES)).steps(ASKED)
    (same,) = Ways(DirectAnswer(tuple(ROLES)), BARE).steps(Decomposition(), ASKED)
    assert same == usual


@tool
def lookup(query: str) -> str:
    """Searches the archive of the web for pages."""
    return query


@tool
def translate(query: str) -> str:
    """Translates a text into German."""
    return query


def names_of_ways(executors, step, *more):
    taken = Decomposition((step, *more, PlannedStep("Answer", "Write.", (step.name,), "answer")))
    return [option.executor for option in steps_of(taken, executors)[step.name].options]


SEARCH = PlannedStep("Find", "Find pages.", executor="lookup", input={"query": "tea"})


def test_another_tool_fits_that_takes_the_same_input_and_does_the_like():
    @tool
    def find(query: str, most: int = 3) -> str:
        """Searches the web."""
        return query

    @tool
    def crawl(url: str) -> str:
        """Searches the web for pages."""
        return url

    executors = ExecutorRegistry.of(
        {
            **{"lookup": lookup, "translate": translate, "find": find, "crawl": crawl},
            "send": Executor(find, effects=True, description="Searches the web for pages."),
        }
    )
    assert names_of_ways(executors, SEARCH) == ["lookup", "find"]
    acting = replace(SEARCH, executor="send")
    assert names_of_ways(executors, acting) == ["send"]


def test_an_executor_fits_a_models_step_by_what_it_says_of_itself():
    chain = Executor(lambda work: "x", description="Writes SQL queries for PostgreSQL.")
    other = Executor(lambda work: "x", description="Draws a chart of figures.")
    executors = ExecutorRegistry.of({"sql": chain, "chart": other, "mute": lambda work: "x"})
    step = PlannedStep("Query", "Write one SQL query for our PostgreSQL server.", kind="code")
    assert names_of_ways(executors, step) == [LLM, LLM, "sql"]
    able = ExecutorRegistry.of({"clerk": Executor(lambda work: "x", answers=True)})
    assert names_of_ways(able, step) == [LLM, LLM, "clerk"]
    acting = ExecutorRegistry.of({"clerk": Executor(lambda w: "x", answers=True, effects=True)})
    assert names_of_ways(acting, step) == [LLM, LLM]


def test_who_says_how_long_its_results_are_is_read_at_that_length():
    """Three steps of models read it, so it pays for that three times."""
    named = PlannedStep("Find", "Find pages.", executor="lookup", input={"query": "tea"}, words=100)
    texts = [PlannedStep(f"Text {n}", "Write.", ("Find",), "section") for n in range(3)]
    taken = Decomposition((named, *texts))

    def found(**terms):
        executors = ExecutorRegistry.of({"lookup": Executor(lookup, **terms)})
        steps = ways(executors).steps(taken, ASKED)
        (read,) = reading_tiers(steps, ModelAccess(ROLES, is_cost_limited=False))
        made = next(step for step in read if step.name == "Find").options[0]
        return made.output_tokens, made.estimate.tokens

    assert found() == (150, 3 * 150)
    assert found(output_tokens=20_000) == (20_000, 3 * 20_000)
    assert found(output_tokens=0) == (0, 0)


def test_an_agent_that_says_how_long_its_answers_are_is_expected_to_write_that_much():
    class Agent:
        def invoke(self, given):
            return "done"

    def answer(**terms):
        executors = ExecutorRegistry.of({"agent": Executor(Agent(), answers=True, **terms)})
        (step,) = who_answers(ROLES, executors).steps(ASKED)
        return step.options[-1]

    usual, long = answer(), answer(output_tokens=3_000)
    # 400 tokens are what an answer has of which nobody says more.
    assert long.estimate.tokens - usual.estimate.tokens == 3_000 - 400
    assert long.value == usual.value


def test_names_of_options_stay_apart_and_short():
    long = "x" * 119
    executors = ExecutorRegistry.of(
        {
            name: Executor(lambda work: "x", answers=True)
            for name in ("cheap", f"{long}1", f"{long}2")
        }
    )
    step = PlannedStep("N" * 60, "Take notes.")
    taken = Decomposition((step, PlannedStep("Text", "Write.", (step.name,), "section"),
                           PlannedStep("More", "Write on.", (), "section")))  # fmt: skip
    made = Ways(DirectAnswer(tuple(ROLES)), executors).steps(taken, ASKED)
    names = [option.name for option in made[0].options]
    assert len({*names}) == 5
    assert all(len(name) <= 120 for name in names)
    assert names[1:3] == [f"{'N' * 60} (cheap)", f"{'N' * 60} (cheap) (2)"]


def test_a_tool_without_input_is_not_called_with_the_task():
    @tool
    def today(zone: str = "UTC") -> str:
        """Says which day it is."""
        return zone

    executors = ExecutorRegistry.of({"today": today})
    step = PlannedStep("Date", "Say which day it is.", executor="today")
    taken = Decomposition((step, PlannedStep("Answer", "Write.", ("Date",), "answer")))
    assert steps_of(taken, executors)["Date"].options[0].payload == {"input": {}}


def test_whatever_was_read_can_be_planned():
    for reply in spoilt_replies(7, 200, GOOD, DOCUMENT):
        taken = read(reply)
        steps = steps_of(taken)
        assert {*steps} == {step.name for step in taken.steps} | {"Answer"}
        Recipe(tuple(steps.values()))  # which refuses what no plan can use
        for step in steps.values():
            assert all(option.value >= 0 for option in step.options)
            plain_json("payload", [dict(option.payload) for option in step.options])
            planned = next((each for each in taken.steps if each.name == step.name), None)
            if planned and not planned.executor:
                assert len(step.options) >= 2
            acting = [o for o in step.options if EXECUTORS.has_effects(o.executor)]
            assert not acting or step.options == (acting[0],)
