"""A run hands over one answer or sections, and does no material that nobody reads any more."""

from thrifty import Spend, Step, StepOption, create_budget_agent

BUDGET = {"max_tokens": 900}


def refuse(work):
    raise ConnectionError("503")


def step(name: str, executor: str = "write", value: float = 5.0, **fields: object) -> Step:
    option = StepOption(name, name, executor, "Do it.", Spend(tokens=50), value)
    return Step(name, (option,), **fields)


def run(*steps: Step, **context: object):
    """The result of a run, and for each line what it was and how it ended."""
    executors = {"write": lambda work: f"{work.option.step}.", "refuse": refuse}
    agent = create_budget_agent(catalog=steps, executors=executors)
    result = agent.invoke({"task": "Do it", "budget": BUDGET}, context=context)
    return result, {line["label"]: line["status"] for line in result["receipt"]["lines"]}


def test_an_answer_is_the_whole_result_and_a_run_with_it_is_done():
    result, ended = run(
        step("Answer", value=9.0, role="answer", reads=("Facts",)),
        step("Facts", role="material"),
        step("Body", value=3.0, required=True),
    )
    assert (result["status"], result["answer"]) == ("done", "Answer.")
    assert ended == {"Facts": "done", "Answer": "done"}
    reasons = {each["option"]: each["reason"] for each in result["plan"]["left_out"]}
    assert reasons["Body"] == "the plan has the answer 'Answer', which is the whole result"


def test_where_the_answer_fails_sections_take_its_place():
    result, ended = run(
        step("Answer", "refuse", 9.0, role="answer"), step("Body", value=3.0, required=True)
    )
    assert ended["Body"] == "done"
    assert "Body." in result["draft"]


def test_where_a_required_section_fails_an_answer_takes_its_place():
    result, ended = run(
        step("Answer", value=3.0, role="answer"), step("Body", "refuse", 9.0, required=True)
    )
    assert ended == {"Body": "failed", "Answer": "done"}
    assert result["answer"] == "Answer."


def test_a_required_section_that_needs_a_model_is_not_missed_beside_an_answer():
    result, ended = run(
        step("Answer", value=3.0, role="answer"), step("Body", "llm", 9.0, required=True)
    )
    assert (result["status"], ended) == ("done", {"Answer": "done"})


def test_material_is_not_done_when_its_reader_can_no_longer_be_done():
    """Not even where nothing else is left to be planned, and so the old plan goes on."""
    _, ended = run(
        step("Before", value=9.0),
        step("First", "refuse", 9.0, requires=("Before",)),
        step("Facts", value=0.1, role="material", requires=("Before",)),
        step("Reader", value=0.1, requires=("First",), reads=("Facts",)),
        max_concurrency=1,
    )
    assert ended == {"Before": "done", "First": "failed", "Reader": "skipped", "Facts": "skipped"}
