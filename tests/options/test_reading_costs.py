"""The producer pays for being read, at the price of those who read. The figures are by hand."""

from decimal import Decimal

from thrifty import Model, Settings, Spend, Step, StepOption, TokenPrice
from thrifty.executors.model_access import ModelAccess
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options.reading_costs import reading_tiers

ROLES = ModelRoles(
    Settings(
        "sk-test",
        models={
            "strong": Model("a", price=TokenPrice(Decimal(2), Decimal(10)), reasoning_factor=2.0),
            "cheap": Model("b", price=TokenPrice(Decimal("0.5"), Decimal(2))),
        },
    )
)
MONEY, NO_MONEY = ModelAccess(ROLES, is_cost_limited=True), ModelAccess(ROLES, False)


def step(name, *roles, executor="llm", output=400, role="material", **fields):
    options = tuple(
        StepOption(f"{name} ({who})", name, executor, "Do it.", Spend(600, 1_000, 900, 1), 9.0,
                   payload={"model": who} if executor == "llm" else {}, output_tokens=output)
        for who in roles
    )  # fmt: skip
    return Step(name, options, role=role, **fields)


FOUND = step("Found", "search", executor="search", output=300)
DIGEST = step("Digest", "strong", "cheap", requires=("Found",), reads=("Found",))
ANSWER = step("Answer", "strong", "cheap", role="answer", reads=("Found", "Digest", "report.md"))


def estimates(steps):
    return {
        option.name: (option.estimate.tokens, option.estimate.cost_nano_usd)
        for each in steps
        for option in each.options
    }


def test_there_is_a_set_of_steps_for_each_price_of_those_who_read():
    cheap, strong = reading_tiers((FOUND, DIGEST, ANSWER), MONEY)
    assert estimates(cheap) == {
        # Two read 300 tokens at half a dollar for a million: 500 nano-USD each.
        "Found (search)": (600 + 600, 1_000 + 300_000),
        "Digest (cheap)": (600 + 400, 1_000 + 200_000),
        "Answer (cheap)": (600, 1_000),
    }
    assert estimates(strong) == {
        "Found (search)": (600 + 600, 1_000 + 1_200_000),
        "Digest (strong)": (600 + 200, 1_000 + 400_000),  # half of its 400 tokens is reasoning
        "Digest (cheap)": (600 + 400, 1_000 + 800_000),
        "Answer (strong)": (600, 1_000),
        "Answer (cheap)": (600, 1_000),
    }
    written = [option.expected_output_tokens for each in strong for option in each.options]
    assert written == [300, 400, 400, 400, 400]


def test_without_a_limit_of_money_there_is_one_price():
    (steps,) = reading_tiers((FOUND, DIGEST, ANSWER), NO_MONEY)
    assert estimates(steps)["Found (search)"] == (1_200, 1_000)
    assert len(steps[2].options) == 2


def test_what_nobody_reads_costs_nothing_to_be_read():
    alone = step("Answer", "strong", "cheap", role="answer")
    assert reading_tiers((alone,), MONEY) == ((alone,),)
    mail = step("Mail", "mail", executor="mail", requires=("Answer",), reads=("Answer",))
    assert reading_tiers((alone, mail), MONEY) == ((alone, mail),)
    # What is done is no step any more, and was measured.
    assert reading_tiers((ANSWER,), MONEY) == ((ANSWER,),)


def test_who_has_no_price_makes_no_set_of_its_own():
    odd = ModelRoles(Settings("sk-test", models={"strong": "nobody-knows", "cheap": "gpt-4o-mini"}))
    (steps,) = reading_tiers((FOUND, ANSWER), ModelAccess(odd, is_cost_limited=True))
    assert [*estimates(steps)] == ["Found (search)", "Answer (strong)", "Answer (cheap)"]
    none = ModelRoles(Settings("sk-test", models={"strong": "nobody-knows"}))
    access = ModelAccess(none, is_cost_limited=True)
    answer = step("Answer", "strong", role="answer", reads=("Found",))
    assert reading_tiers((FOUND, answer), access) == ((FOUND, answer),)
