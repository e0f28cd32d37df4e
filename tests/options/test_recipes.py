"""Which recipe a run follows, which steps it has by that, and what is refused."""

import pytest

from thrifty import (
    Budget,
    InvalidInput,
    Recipe,
    Settings,
    Spend,
    Step,
    StepOption,
    create_budget_agent,
    proposal_recipe,
)
from thrifty.budget.limits import BUDGET_DEFAULT
from thrifty.executors.registry import ExecutorRegistry
from thrifty.models.roles.asked import Asked
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options.direct_answer import who_answers
from thrifty.options.phrases import find_phrase
from thrifty.options.recipes import Recipes

ROLES = {"strong": "gpt-5", "cheap": "gpt-5-mini", "local": "llama3", "odd": "x"}
AIMS = {
    "name": "Aims",
    "options": [{"executor": "local", "description": "Say why.", "value": 1.0}],
}
STEP = Step("Aims", (StepOption("Aims (x)", "Aims", "local", "Say why.", Spend(), 1.0),))


def recipes(source=None, **roles):
    settings = Settings("sk-test", models=roles or ROLES)
    return Recipes.of(source, who_answers(ModelRoles(settings), ExecutorRegistry()))


@pytest.mark.parametrize(
    "task",
    [
        "Draft a 1-page project proposal for a logistics dashboard + fleet optimization pilot",
        "write a   project\nPLAN for our move",
        "Hello! Please DRAFT A PROJECT PROPOSAL, two pages.",
        "I need a project plan for May.",
        "Hi, could you please prepare a project plan",
        "I\u2019d like you to write a project plan: we move in May.",
    ],
)
def test_a_task_that_plainly_asks_for_a_proposal_or_plan_follows_the_recipe(task):
    chosen = recipes().choose(task)
    assert chosen.name == "proposal"
    assert chosen.reason.startswith("'proposal', as the task says '")
    assert chosen.reason.endswith('recipe="answer" in the context, or --recipe answer')


@pytest.mark.parametrize(
    "task",
    [
        "Plan a tea party",
        "Translate this project proposal into German",
        "Review our project plan",
        "Draft a project planner's job description",
        "Write a poem",
        "How do I write a project proposal?",
        "Do not write a project plan. Do I need one?",
        "Translate into German: “We need a project plan.”",
        "Summarise this.\n\nWe need a project plan by Friday.",
        "“Draft a project plan” is what he said. What did he mean?",
        "",
    ],
)
def test_any_other_task_is_answered(task):
    assert recipes().choose(task) == ("answer", "")


def test_a_recipe_is_taken_when_it_is_named():
    assert recipes().choose("Plan a tea party", "proposal").name == "proposal"
    assert recipes().choose("Draft a project plan", "answer").name == "answer"
    assert recipes("proposal").choose("Plan a tea party") == ("proposal", "")
    assert recipes("answer").choose("Draft a project plan") == ("answer", "")


def test_a_recipe_of_ones_own_without_phrases_is_for_every_task():
    own = recipes([STEP])
    assert own.choose("Draft a project plan") == ("own", "")
    assert own.steps("own", Asked(0)) == (STEP,)


def test_a_recipe_of_ones_own_with_phrases_is_for_those_tasks():
    own = recipes(Recipe((STEP,), "minutes", ("write the minutes of",)))
    assert own.choose("Write the minutes of today").name == "minutes"
    assert own.choose("Write a poem") == ("answer", "")
    assert own.choose("Write a poem", "minutes").name == "minutes"


@pytest.mark.parametrize(
    ("source", "name", "known"),
    [
        (None, "minutes", "answer, proposal"),
        ("proposal", "answer", "proposal"),
        ("answer", "proposal", "answer"),
        ([STEP], "answer", "own"),
    ],
)
def test_a_recipe_that_the_deployment_does_not_know_is_refused(source, name, known):
    with pytest.raises(InvalidInput, match=f"use one of: {known}") as refused:
        recipes(source).choose("t", name)
    assert refused.value.field == "recipe"
    with pytest.raises(InvalidInput, match=f"use one of: {known}") as refused:
        recipes(source).steps(name, Asked(0))
    assert refused.value.field == "run.recipe"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"phrases": ("?!",)}, "a phrase with a word in it"),
        ({"phrases": ("",)}, "catalog.phrases"),
        ({"phrases": ("x",) * 101}, "at most 100 phrases"),
        ({"phrases": (5,)}, "catalog.phrases"),
        ({"name": "answer"}, "choose another name"),
        ({"name": " "}, "catalog.name"),
        ({"max_steps": -1}, "catalog.max_steps"),
    ],
    ids=str,
)
def test_a_recipe_that_makes_no_sense_is_refused(given, said):
    with pytest.raises(InvalidInput) as refused:
        Recipe((STEP,), **given)
    assert said in str(refused.value)


def test_a_recipe_is_plain_data_and_back():
    recipe = Recipe((STEP,), "minutes", ("minutes of",), 3, Budget(max_tokens=900))
    assert Recipe.from_state(recipe.to_state()) == recipe


@pytest.mark.parametrize(
    ("wanted", "name", "most"),
    [(None, "proposal", 6), (None, "answer", 12), (0, "proposal", 0), (9, "proposal", 9)],
)
def test_a_proposal_has_six_steps_and_other_plans_twelve(wanted, name, most):
    assert recipes().max_steps(name, wanted) == most


def test_a_recipe_may_say_what_its_runs_spend_that_nobody_gave_a_budget():
    own = recipes({"steps": [AIMS], "phrases": ["aims of"], "budget": "900 tokens, 2 calls"})
    assert own.budget("own") == Budget(max_tokens=900, max_tool_calls=2)
    assert own.budget("answer") == recipes().budget("proposal") == BUDGET_DEFAULT
    for wrong in ("", "much", 900, {"max_tokens": 900}):
        with pytest.raises(InvalidInput, match="catalog: budget"):
            recipes({"steps": [AIMS], "budget": wrong})


@pytest.mark.parametrize(
    ("given", "context", "agents", "tokens"),
    [
        ({}, {}, None, 900),
        ({}, {}, Budget(max_tokens=800), 800),
        ({}, {"max_tokens": 700}, Budget(max_tokens=800), 700),
        ({"budget": {"max_tokens": 600}}, {"max_tokens": 700}, None, 600),
    ],
)
def test_what_a_run_or_an_agent_says_goes_before_its_recipe(given, context, agents, tokens):
    catalog = {"steps": [AIMS], "budget": "900 tokens"}
    agent = create_budget_agent(settings=Settings(), catalog=catalog, budget=agents)
    result = agent.invoke({"task": "Say why", **given}, context=context)
    assert result["receipt"]["budget"]["max_tokens"] == tokens


def test_phrases_are_whole_words_in_any_case_and_width():
    assert find_phrase("\uff24RAFT A Project Plan.", ["draft a project plan"])
    assert not find_phrase("redraft a project plan", ["draft a project plan"])
    assert not find_phrase("draft a project plans", ["draft a project plan"])


def test_every_model_can_answer_and_the_better_is_worth_more():
    (step,) = recipes().steps("answer", Asked(100))
    assert (step.name, step.role) == ("Answer", "answer")
    assert [(option.name, option.value) for option in step.options] == [
        ("Answer (strong)", 80.0),
        ("Answer (cheap)", 65.0),
        ("Answer (local)", 50.0),
        ("Answer (odd)", 60.0),
    ]
    assert [option.payload["model"] for option in step.options] == list(ROLES)


def test_an_answer_is_declared_by_how_hard_it_is_thought_about_for_every_task_alike():
    """What is asked is added when it is sent, so that one bill says what the next comes to."""
    (step,) = recipes(strong="gpt-5", plain="llama3").steps("answer", Asked(1_000))
    strong, plain = (option.estimate.tokens for option in step.options)
    assert plain == 180 + 400
    assert strong == 180 + round(400 * 1.5)  # gpt-5 thinks, at low effort


def test_the_proposal_has_the_tutorials_steps():
    assert recipes().steps("proposal", Asked(10**6)) == proposal_recipe().steps
