"""The catalog: the tutorial's nine options, any source of it, one clear error for each mistake."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrifty.budget import InvalidInput, Spend, Step, StepOption
from thrifty.executors.payload import CONVERSATION, PROMPTS
from thrifty.nodes.context import Context
from thrifty.options.recipe import Recipe, load_recipe, proposal_recipe, proposal_text

TUTORIAL = {
    "Clarify deliverables (local)": (60, 20, 0, 6.0),
    "Outline plan (LLM)": (600, 1200, 1, 10.0),
    "Outline plan (local)": (120, 40, 0, 5.5),
    "Risk register (LLM)": (700, 1400, 1, 9.0),
    "Risk register (local)": (160, 60, 0, 5.0),
    "Timeline (LLM)": (650, 1300, 1, 8.5),
    "Timeline (local)": (150, 60, 0, 4.8),
    "Quality pass (LLM)": (900, 1600, 1, 8.0),
    "Quality pass (local)": (120, 50, 0, 3.5),
}
OPTION = {
    "executor": "local",
    "description": "Do it.",
    "tokens": 1,
    "latency_ms": 2,
    "tool_calls": 0,
    "value": 3,
}


def a_step(name="Step", **changes):
    return {"name": name, "options": [{**OPTION, **changes}]}


def an_option(name="Step (x)", step="Step", **changes):
    given = {"executor": "local", "description": "Do it.", "estimate": Spend(1), "value": 1.0}
    return StepOption(name=name, step=step, **(given | changes))


def refusal(source):
    with pytest.raises(InvalidInput) as caught:
        Recipe.of(source)
    return str(caught.value)


def test_the_proposal_recipe_is_the_tutorials():
    read = {
        o.name: (o.estimate.tokens, o.estimate.latency_ms, o.estimate.tool_calls, o.value)
        for o in proposal_recipe().options
    }
    assert read == TUTORIAL
    assert [step.role for step in proposal_recipe().steps] == ["section"] * 4 + ["revision"]


def test_the_printed_text_is_a_catalog_to_copy(tmp_path):
    (tmp_path / "my.yaml").write_text(proposal_text(), "utf-8")
    assert load_recipe(tmp_path / "my.yaml") == proposal_recipe()


def test_every_source_gives_the_same_catalog(tmp_path):
    (tmp_path / "my.yaml").write_text(proposal_text(), "utf-8")
    built_in = proposal_recipe()
    assert Recipe.of("proposal") is built_in
    assert Recipe.of(built_in) is built_in
    assert Recipe.of(str(tmp_path / "my.yaml")) == built_in
    assert Recipe.of(iter(built_in.steps)).steps == built_in.steps
    assert Recipe.of({"steps": [a_step()]}).steps[0].options[0].name == "Step (local)"
    assert Recipe.of([an_option()]).steps == (Step("Step", (an_option(),)),)


def test_money_is_rounded_up_to_a_nano_dollar():
    option = Recipe.of({"steps": [a_step(cost_usd=0.0000000011)]}).options[0]
    assert option.estimate.cost_nano_usd == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("tokens: 600", "tokens: '600'", "steps[1].options[0].tokens (line 111): got '600'; use"),
        ("tokens: 600", "tokens: true", "tokens (line 111): got True; use a whole number"),
        ("tokens: 600", "tokens: 6.0", "got 6.0; use a whole number"),
        ("tokens: 600", "tokens: -1", "got -1; use a whole number"),
        ("tokens: 600", f"tokens: {2**70}", "use a whole number"),
        ("tokens: 600", f"tokens: {'9' * 5000}", "(line 111): got"),
        ("tokens: 600", "token: 600", "options[0].token (line 111): got 600; did you mean tokens?"),
        ("tokens: 600", "model: gpt", "options[0].model (line 111): got 'gpt'; known fields: "),
        ("tokens: 600\n", "\n", "options[0].tokens (line 107): got nothing; add it: a whole"),
        ("tokens: 600", "tokens: 1\n        tokens: 2", "the key 'tokens' is given twice"),
        ("value: 10.0", "value: .nan", "value (line 114): got nan; use a number from 0"),
        ("value: 10.0", "value: .inf", "got inf; use a number from 0"),
        ("value: 10.0", "cost_usd: -1\n        value: 1", "cost_usd (line 114): got -1"),
        ("prompt: outline", "prompt: 2024-01-01", "payload.prompt: got datetime.date(2024, 1, 1)"),
        ("prompt: outline", "prompt: .nan", "payload.prompt: got nan"),
        ("template: outline", "template: x", "payload.template: got 'x'; use one of: deliverables"),
        ("name: Timeline", "name: \uff2fUTLINE plan", "from 'Outline plan'"),
        ("name: Timeline", "name: No", "steps[3].name (line 146): got False; use a text"),
        ("name: Timeline", "name: T\n    requires: [X]", "requires: got 'X'; name another step"),
        ("name: Timeline", "name: T\n    requires: [T]", "break this circle"),
        (
            "role: revision",
            "role: x",
            "steps[4].role (line 167): got 'x'; use section, answer, material or",
        ),
    ],
)
def test_a_mistake_in_a_file_gets_one_error_with_its_place(tmp_path, old, new, said):
    path = tmp_path / "my.yaml"
    path.write_text(proposal_text().replace(old, new), "utf-8")
    message = refusal(path)
    assert said in message
    assert message.startswith(f"recipe {path}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "root (line 1): got None; use a mapping with the fields steps"),
        ("[1, 2]", "got [1, 2]; use a mapping"),
        ("steps: []", "use a list of at least one step"),
        ("steps: [x]", "steps[0] (line 1): got 'x'; use a mapping"),
        ("a: &a [1]\nb: *a", "(line 2): got '*a'; write it out in full"),
        ("[" * 1000, "nest at most"),
        ("!!python/object:os.system {}", "could not determine a constructor"),
        ("a: b: c", "mapping values are not allowed"),
        ("a: \x00", "control characters"),
        ("? [a]\n: 1", "unhashable key"),
        ("a: 2024-13-45", "month must be"),
    ],
)
def test_what_is_no_catalog_is_refused(tmp_path, text, said):
    path = tmp_path / "my.yaml"
    path.write_text(text, "utf-8")
    assert said in refusal(path)


def test_files_that_cannot_be_read_are_refused(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff")
    (tmp_path / "huge.yaml").write_bytes(b"#" * 5_000_001)
    assert "No such file" in refusal(tmp_path / "none.yaml")
    assert "directory" in refusal(tmp_path)
    assert "save it as UTF-8" in refusal(tmp_path / "latin.yaml")
    assert "at most 5,000,000 bytes" in refusal(tmp_path / "huge.yaml")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ([], "give at least one step"),
        (5, "give a path, a mapping"),
        ([an_option(), Step("A", (an_option("A (x)", "A"),))], "all Steps, or all StepOptions"),
        ([an_option("a"), an_option("A", "B")], "differs more from 'a'"),
        ([an_option(payload={"x": object()})], "payload.x"),
        ([an_option(payload={"x": 2**64})], "payload.x"),
        ([an_option(executor="llm", payload={"model": 5})], "payload.model"),
        ([an_option(executor="llm", payload={"model": " "})], "payload.model"),
        ([an_option(payload={1: 2})], "use texts as keys"),
        ([an_option(executor="llm", payload={"promt": "risks"})], "payload.promt"),
        ([an_option(executor="llm", payload={"prompt": "nope"})], "payload.prompt"),
        ([an_option(executor="local", payload={"templte": "risks"})], "payload.templte"),
        ({"steps": [a_step(payload=[1])]}, "catalog: steps[0].options[0].payload"),
    ],
)
def test_wrong_sources_are_refused(source, said):
    assert said in refusal(source)


@pytest.mark.long
def test_ten_thousand_options_load(tmp_path):
    option = "{{executor: local, name: {0}-{1}, description: d, tokens: 1, latency_ms: 1, "
    option += "tool_calls: 0, value: 1.5}}"
    steps = [
        f"- name: S{i}\n  options:\n" + "".join(f"  - {option.format(i, j)}\n" for j in range(5))
        for i in range(2000)
    ]
    (tmp_path / "big.yaml").write_text("steps:\n" + "".join(steps), "utf-8")
    assert len(load_recipe(tmp_path / "big.yaml").options) == 10_000


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["steps", "name", "options", *OPTION, "x"]), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(json)
def test_no_mapping_ends_in_another_error(document):
    if isinstance(document, dict):
        refusal(document)


@pytest.mark.parametrize("module", ["thrifty.executors", "thrifty.options.recipe"])
def test_importing_stays_light(module):
    heavy = "{'pydantic', 'yaml', 'jinja2', 'langchain_core'}"
    code = f"import sys, {module}; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


def test_loading_and_writing_never_import_langchain():
    code = (
        "import sys\n"
        "from thrifty.options.recipe import proposal_recipe\n"
        "from thrifty.executors.protocol import Work\n"
        "from thrifty.executors.registry import ExecutorRegistry\n"
        "option = proposal_recipe().options[0]\n"
        "ExecutorRegistry()[option.executor](Work('Write about tea', option))\n"
        "print([m for m in sys.modules if m.startswith('langchain')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_payload_may_name_every_prompt_that_steps_are_written_with():
    assert {*Context().prompts} - {"propose", "decompose"} == {*PROMPTS} - {CONVERSATION}


def test_local_code_that_declares_nothing_uses_nothing():
    common = {"description": "does it", "value": 1}
    options = [
        {"executor": "mine", **common},
        {"executor": "local", **common, "latency_ms": 20},
        {"executor": "llm", **common, "tokens": 9, "latency_ms": 8, "tool_calls": 1},
        {"executor": "llm", **common, "tokens": 9, "latency_ms": 8, "tool_calls": 1,
         "name": "knows", "output_tokens": 9},
    ]  # fmt: skip
    (step,) = Recipe.of({"steps": [{"name": "A", "options": options}]}).steps
    mine, local, llm, knows = step.options
    assert mine.estimate == Spend()
    assert local.estimate == Spend(latency_ms=20)
    assert (llm.output_tokens, llm.expected_output_tokens) == (None, 4)
    assert knows.expected_output_tokens == 9
    with pytest.raises(InvalidInput, match="tokens"):
        Recipe.of({"steps": [{"name": "A", "options": [{"executor": "llm", **common}]}]})


@pytest.mark.parametrize("how", ["reads", "requires"])
def test_a_section_that_an_answer_reads_is_refused_with_what_it_should_be(how):
    look, say = (
        StepOption(f"{name} (mine)", name, "mine", "does it", Spend(5), 1.0)
        for name in ("Facts", "Say")
    )
    steps = [Step("Facts", (look,)), Step("Say", (say,), role="answer", **{how: ("Facts",)})]
    with pytest.raises(InvalidInput, match="use role='material', as the answer 'Say' reads it"):
        Recipe.of(steps)
