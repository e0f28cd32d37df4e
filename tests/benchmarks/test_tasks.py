"""The tasks of the benchmark: whole, answerable from what they hand over, and not given away."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from langchain_core.tools import BaseTool

from benchmarks.tasks.facts import Fact, numbers_in, share_of_facts
from benchmarks.tasks.load import FIRST, GROUPS, HELD_OUT, load_tasks
from benchmarks.tasks.python_process import run_python
from benchmarks.tasks.tools import CORPORA, has_search, make_tool, make_tools, read_corpus

SOLUTIONS = Path(__file__).parent / "solutions"
OURS = load_tasks(FIRST)
TASKS = [task for group in GROUPS for task in load_tasks(group)]
"""With those that somebody wrote who knew none of the rules of this file."""
WITH_TESTS = [task for task in OURS if "run_tests" in task.tools]
WITHOUT_TEXTS = {"calculator", "run_tests"}
"""Tools that find nothing to read."""
WITHOUT_STEPS = "short_answer"
"""The kind that is answered from what a model knows."""
LONG = "report"


def squeezed(text):
    return " ".join(text.split())


def sayable(fact):
    """What an answer may say."""
    (first, *_) = fact.accepts
    return f"Here it is: {json.dumps([[first]])}" if isinstance(first, dict) else fact.says


def solution(task):
    """Code that is right for a task, as an answer has it."""
    code = (SOLUTIONS / f"{task.id}.py").read_text("utf-8")
    return f"```python\n{code}```\n\nTry it:\n\n```\n1 / 0\n```"


def found(task, source):
    """Where a source says that its quote is."""
    if source.document:
        return task.documents[source.document]
    assert source.tool in task.tools
    return make_tool(source.tool, task.documents).invoke({"query": source.query})


@pytest.mark.parametrize(
    ("group", "count", "of_a_kind"), [(FIRST, 22, {2, 3}), (HELD_OUT, 12, {1, 2})]
)
def test_there_are_so_many_of_ten_kinds(group, count, of_a_kind):
    tasks = load_tasks(group)
    kinds = Counter(task.kind for task in tasks)
    assert (len(tasks), len(kinds)) == (count, 10)
    assert set(kinds.values()) == of_a_kind
    assert {task.language for task in tasks} == {"en", "de", "fr", "es"}


def test_no_two_tasks_have_one_name():
    assert len({task.id for task in TASKS}) == len(TASKS)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_a_task_has_all_that_it_needs(task):
    assert len(task.text.split()) > 20
    assert len(task.facts) >= (3 if task.kind == WITHOUT_STEPS else 6)
    assert (task.words is not None) >= (task.kind == LONG)
    assert all(isinstance(tool, BaseTool) for tool in make_tools(task))
    assert [tool.name for tool in make_tools(task)] == list(task.tools)


@pytest.mark.parametrize("task", OURS, ids=lambda task: task.id)
def test_its_documents_are_as_long_as_people_hand_over(task):
    for name, text in task.documents.items():
        words_min = 80 if name.endswith(".py") else 150 if name == "Glossaire" else 300
        assert words_min <= len(text.split()) <= 1_500, name


def test_each_corpus_is_searched_by_a_task():
    corpora = {file.stem for file in CORPORA.glob("*.yaml")}
    used = {name for task in TASKS for name in task.tools}
    assert corpora == used - WITHOUT_TEXTS


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_its_facts_follow_from_what_is_handed_over_or_found(task):
    has_something_to_read = task.documents or has_search(task)
    for fact in task.facts:
        assert fact.sources or not has_something_to_read, fact.says
        for source in fact.sources:
            assert squeezed(source.quote) in squeezed(found(task, source)), source


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_its_facts_are_not_given_away(task):
    for fact in task.facts:
        assert bool(fact.check) != bool(fact.accepts)
        assert not fact.accepts or not fact.is_in(task.text), fact.says


@pytest.mark.parametrize("task", OURS, ids=lambda task: task.id)
def test_its_facts_can_be_said(task):
    for fact in task.facts:
        if fact.accepts:  # code is proven by the solutions below
            assert fact.is_in(sayable(fact)), fact.says


@pytest.mark.parametrize("task", WITH_TESTS, ids=lambda task: task.id)
def test_right_code_passes_and_no_code_does_not(task):
    (run_tests,) = make_tools(task)
    assert run_tests.invoke({"code": solution(task)}).startswith("All tests passed")
    assert share_of_facts(task.facts, solution(task)) == 1.0
    assert run_tests.invoke({"code": "pass"}).startswith("The tests failed")
    assert share_of_facts(task.facts, "I would write a module.") == 0.0
    assert share_of_facts(task.facts, task.documents.get("reparto.py", "")) == 0.0


@pytest.mark.parametrize("task", WITH_TESTS, ids=lambda task: task.id)
def test_what_tests_say_is_the_same_each_time(task):
    (run_tests,) = make_tools(task)
    module = task.documents.get("reparto.py", "")
    first, second = (run_tests.invoke({"code": f"print(object())\n{module}"}) for _ in range(2))
    assert first == second
    assert first.startswith("The tests failed")


def test_a_search_finds_the_same_each_time_and_only_what_there_is():
    search = make_tool("search_storage", {})
    found = search.invoke({"query": "Corvo express price"})
    assert found == make_tool("search_storage", {}).invoke({"query": "Corvo express price"})
    assert found.count("## ") == 3
    assert found.startswith("## Corvo Cold Archive")
    assert search.invoke({"query": "xylophone"}) == "Nothing was found for 'xylophone'."


@pytest.mark.parametrize("name", sorted({n for t in OURS for n in t.tools} - WITHOUT_TEXTS))
def test_each_document_is_found_first_by_its_own_name(name):
    search = make_tool(name, {})
    for title in read_corpus(name)["documents"]:
        assert search.invoke({"query": title}).startswith(f"## {title}\n"), title


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("(1200 - 35.5) * 1.19", "1385.755"),
        ("35200 * 0.0045 / (1 - 1.0045 ** -48)", "817.024702817"),
        ("round(2 / 3, 2)", "0.67"),
        ("max(1, min(5, 3)) + 7 // 2 - 7 % 4", "3"),
        ("-sqrt(16) + abs(-1)", "-3"),
        ("1 / 0", "That cannot be worked out: float division by zero."),
        ("9 ** 9 ** 9", "That cannot be worked out: use exponents up to 1,000."),
        (
            "(-8) ** 0.5",
            "That cannot be worked out: the power of a negative number is no real one.",
        ),
        ("__import__('os')", "That cannot be worked out: \"__import__('os')\" is no arithmetic."),
        ("1 +", "That cannot be worked out: invalid syntax"),
    ],
)
def test_the_calculator(expression, said):
    assert make_tool("calculator", {}).invoke({"expression": expression}).startswith(said)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "socket.* is refused here"),
        ("import subprocess\nsubprocess.run(['true'])", "subprocess.Popen is refused here"),
        ("import os\nos.system('true')", "os.system is refused here"),
        ("import os\nos.fork()", "os.fork is refused here"),
        ("open('../outside.txt', 'w')", "writing ../outside.txt is refused here"),
        ("while True: pass", "It was ended: CPU time limit exceeded"),
        ("'x' * 10 ** 10", "MemoryError"),
    ],
)
def test_code_reaches_nothing_outside_and_ends(code, said):
    run = run_python({"main.py": code}, "main.py")
    assert not run.passed
    assert re.search(said, run.output)


def test_code_may_write_in_its_own_folder():
    code = "from pathlib import Path\nPath('a.txt').write_text('b')"
    assert Fact("it is written", check="assert open('a.txt').read() == 'b'").is_in(code)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("8.580 €", {8580, 8.58}),
        ("€1,234.50 or 1.234,50 €", {1234.5}),
        ("2 501,50 €", {2501.5, 2, 501.5}),
        ("478,1 and 478.10", {478.1}),
        ("in 2026 450 people", {2026, 450}),
        ("VM220x and v2.10b", set()),
    ],
)
def test_numbers_are_read_however_they_are_written(text, numbers):
    assert set(numbers_in(text)) == numbers


def test_a_number_may_be_rounded_and_no_more():
    fact = Fact("the sum", (2501.5,))
    assert fact.is_in("about 2 502 €")
    assert not fact.is_in("about 2 520 €")
    assert share_of_facts([fact, Fact("a word", ("w[o0]rd",))], "one WORD") == 0.5
