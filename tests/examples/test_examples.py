"""Every example runs as a user runs it: a process of its own, offline, with what it prints."""

import re

import pytest

from tests.examples.running import EXAMPLES, run
from tests.harness.llm_server import Answer, LLMServer, ToolCall
from tests.long_cases import long_but

PRINTED = {
    "python_use": [
        "## Clarify deliverables … and so on",
        "not chosen: Outline plan (LLM) (offline: no key and no server)",
        "within budget: True",
        "run_local: Risk register (local) is done",
        "Draft a project plan for a book launch: done",
    ],
    "own_recipe": [
        "Known risks: llm (worth 8), local (worth 4)",
        "left out: Known risks (LLM), offline",
        "done: worth 12, 0 tokens",
        "## Known risks",
    ],
    "own_executors": [
        "| North | 14 |",
        "Nothing was published on “optimizing our fleet”",
        "In short: Nothing was published on “optimizing our fleet” this year.",
        "Fleet: 1 calls, 1500000 nano-USD",
    ],
    "approved_mail": [
        "Is 'mail' to be called for the step 'Tell the depot'? {'to': 'north@depots.example'",
        "sent before anybody answered: 0",
        "A mail went to north@depots.example.",
        "sent: ['north@depots.example: The lorry comes at six.']",
    ],
    "guarded_agent": [
        "research: done, 3 calls",
        "endless: failed, 4 calls; FakeMessagesListChatModel does not fit: 1 call short",
        "within budget: True",
    ],
    "metered_model": [
        "not sent: gpt-4o-mini does not fit: ",
        "left: 600 tokens, 3 calls",
    ],
    "subgraph": [
        "  agent: generate_options",
        "parent: write_mail",
        "Dear customer,\n\n## Clarify deliverables",
        "tokens left: 4000",
    ],
    "supervisor": [
        "ai thrifty: '## Clarify deliverables",
        "ai supervisor: 'The proposal is ready.'",
    ],
    "react_tool": [
        "tool: '## Clarify deliverables",
        "ai: 'Here is your proposal.'",
        "tokens left for writing: 10000",
    ],
    "retriever": [
        "## Sources\n\n- The depot in the north has 14 vehicles",
        "## Findings",
        "Search: 1 calls, 2000000 nano-USD",
    ],
    "three_tiers": [
        "$0.03: worth 7.2, $0.000000",
        "  done Risks (local)",
    ],
    "batch": [
        "Template: 100 tasks",
        "replies: 100",
        "left: 20000 tokens, 60 calls",
    ],
    "research_agent": [
        "“Are electric vans cheaper?”: a third less to run, says the Fleet Gazette.",
        "7 vans are old.",
        "left: 6000 tokens",
    ],
    "chat_approval": [],  # it says nothing before it is asked; what it says: below
}
NEED_A_MODEL = {  # test_steps.py
    "trip_in_steps",
    "comparison_with_search",
    "questions_over_documents",
    "code_with_tests",
}
NEED_A_SERVER = {
    "remote_graph",  # tests/studio
    "budget_middleware",
    "openai_compatible_server",
    "three_vendors",
    "studio_client",  # tests/studio
    "assistants",  # tests/studio
    "fastapi_app",  # test_fastapi.py
}
LINES_MAX = 60


def test_every_example_is_run_listed_and_short():
    programs = {path.stem: path.read_text("utf-8") for path in EXAMPLES.glob("*.py")}
    assert set(programs) == set(PRINTED) | NEED_A_SERVER | NEED_A_MODEL
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    for name, text in programs.items():
        assert f"[{name}.py]({name}.py)" in listed
        assert len(text.splitlines()) <= LINES_MAX, name


@pytest.mark.parametrize("name", long_but(PRINTED, "python_use", "subgraph", "research_agent"))
def test_an_example_runs_offline(name, tmp_path):
    done = run(name, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for text in PRINTED[name]:
        assert text in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.long
def test_the_example_for_ones_own_server_asks_it_and_prices_it(tmp_path):
    with LLMServer(models=["our-model"]) as server:
        environment = {"OPENAI_BASE_URL": server.base_url, "MODEL": "our-model"}
        done = run("openai_compatible_server", tmp_path, **environment)
        bill, requests = server.bill, server.requests
    assert (done.returncode, done.stderr) == (0, "")
    assert 1 <= len(requests) <= 3
    # 0.20 and 0.80 dollars a million tokens are 200 and 800 nano-USD a token.
    nano_usd = bill.input_tokens * 200 + bill.output_tokens * 800
    assert f"done: {len(requests)} calls for ${nano_usd / 10**9:.9f}".rstrip("0") in done.stdout
    assert "## Outline plan" in done.stdout


@pytest.mark.long
def test_the_example_of_a_metered_model_asks_and_counts(tmp_path):
    with LLMServer() as server:
        done = run("metered_model", tmp_path, OPENAI_BASE_URL=server.base_url)
        bill, requests = server.bill, server.requests
    assert (done.returncode, done.stderr) == (0, "")
    assert len(requests) == 2
    assert f"left: {600 - bill.total_tokens} tokens, 1 calls" in done.stdout


@pytest.mark.long
def test_the_example_of_the_middleware_has_an_agent_answer_that_would_go_on(tmp_path):
    with LLMServer() as server:
        wants = ToolCall("search", {"topic": "tea"})  # for as long as there is anything to call
        server.script(
            Answer(wants, times=None, when=lambda request: "tools" in request.body),
            Answer("Nothing is new in tea."),
        )
        done = run("budget_middleware", tmp_path, OPENAI_BASE_URL=server.base_url)
        requests = server.requests
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("tool: tea: nothing new today.") == 3  # half a cent each, of two
    assert "tool: Not called: search does not fit: $" in done.stdout
    assert "ai: Nothing is new in tea.\n" in done.stdout
    assert f"spent: {len(requests) + 3} calls; within budget: True" in done.stdout


def test_the_example_for_ones_own_server_says_what_it_needs(tmp_path):
    done = run("openai_compatible_server", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Set OPENAI_BASE_URL to your server's address")


@pytest.mark.long
def test_a_hundred_tasks_do_not_spend_more_than_they_share(tmp_path):
    with LLMServer() as server:
        done = run("batch", tmp_path, OPENAI_BASE_URL=server.base_url)
        bill, requests = server.bill, server.requests
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Model: {len(requests)} tasks, Template: {100 - len(requests)} tasks" in done.stdout
    assert 0 < len(requests) <= 60
    assert "replies: 100" in done.stdout
    assert f"spent together: {bill.total_tokens} tokens, {len(requests)} calls" in done.stdout
    assert bill.total_tokens <= 20_000


@pytest.mark.long
def test_each_budget_buys_its_own_mix_of_models(tmp_path):
    with LLMServer() as server:
        done = run("three_tiers", tmp_path, OPENAI_BASE_URL=server.base_url)
        asked = [request.model for request in server.requests]
    assert (done.returncode, done.stderr) == (0, "")
    rich, middle, poor = re.split(r"(?m)^(?=\$)", done.stdout)[1:]
    did = [re.findall(r"done .+ \((.+)\)", part) for part in (rich, middle, poor)]
    models = {"strong": "gpt-5", "middle": "gpt-5-mini", "cheap": "gpt-5-nano"}
    assert asked == [models[role] for part in did for role in part if role != "local"]
    assert set(did[0]) == {"strong"}
    assert "middle" in did[1]
    assert {"cheap", "local"} == set(did[2])
    for part in (rich, middle, poor):
        limit, spent = re.findall(r"\$([\d.]+)", part)
        assert 0 < float(spent) <= float(limit)


@pytest.mark.long
def test_three_vendors_do_one_run_on_one_bill(tmp_path):
    with LLMServer() as openai, LLMServer() as claude, LLMServer() as ollama:
        at = {
            "OPENAI_BASE_URL": openai.base_url,
            "ANTHROPIC_BASE_URL": claude.root_url,
            "OLLAMA_HOST": ollama.root_url,
        }
        done = run("three_vendors", tmp_path, **at)
        servers = openai, claude, ollama
        asked = [[request.api for request in each.requests] for each in servers]
        bills = [each.bill for each in servers]
    assert (done.returncode, done.stderr) == (0, "")
    assert asked == [["chat"], ["messages"], ["ollama"]]
    labels = ("Risks (strong)", "Costs (cheap)", "Next steps (local)")
    for label, bill in zip(labels, bills, strict=True):
        assert f"done {label}: {bill.total_tokens} tokens, $" in done.stdout
    prices = (1_250, 10_000), (1_000, 5_000), (0, 0)  # nano-USD a token; nothing at home
    pairs = zip(bills, prices, strict=True)
    nano_usd = sum(b.input_tokens * i + b.output_tokens * o for b, (i, o) in pairs)
    assert f"done: ${nano_usd / 10**9:.6f} of $0.015" in done.stdout


@pytest.mark.long
def test_three_vendors_without_a_key_say_why_nothing_was_done_and_what_to_do(tmp_path):
    done = run("three_vendors", tmp_path, OLLAMA_HOST="http://127.0.0.1:9")
    assert (done.returncode, done.stderr) == (0, "")
    why, remedy, end = done.stdout.splitlines()[-3:]
    assert why == "why: no model answered: qwen3: the server cannot be reached"
    assert "OPENAI_API_KEY or ANTHROPIC_API_KEY, or start Ollama" in remedy
    assert end == "halted: $0.000000 of $0.015"


def test_what_a_retriever_found_is_given_to_the_model(tmp_path):
    with LLMServer() as server:
        done = run("retriever", tmp_path, OPENAI_BASE_URL=server.base_url)
        (request,) = server.requests
    assert (done.returncode, done.stderr) == (0, "")
    assert "six of them are older than ten years" in request.prompt
    assert "soup" not in request.prompt


@pytest.mark.long
def test_the_research_agent_and_its_report_are_on_one_bill(tmp_path):
    with LLMServer() as server:
        done = run("research_agent", tmp_path, OPENAI_BASE_URL=server.base_url)
        bill, requests = server.bill, server.requests
    assert (done.returncode, done.stderr) == (0, "")
    query, *_, answer = requests
    assert "\n# Task\nAre electric vans cheaper?\n" in answer.prompt  # and not its query
    assert query.model == "gpt-5-mini"
    assert answer.model == "gpt-5"
    assert "a third less to run, says the Fleet Gazette." in answer.prompt
    assert 'Two depots have vans.\n\n[{"vans":14,"old":6},{"vans":9,"old":1}]' in answer.prompt
    assert f"left: {6_000 - bill.total_tokens} tokens" in done.stdout


def test_a_plan_is_approved_changed_and_paid_for_in_a_chat(tmp_path):
    said = [
        "Draft a project plan for a tea party",
        "hm",
        "without Timeline",
        "5k tokens, 3 calls",
        "without Sky",
        "go",
    ]
    done = run("chat_approval", tmp_path, "".join(f"{line}\n" for line in said))
    assert (done.returncode, done.stderr) == (0, "")
    # The draft at the end has a line of that form too: the task that it quotes.
    heard = re.split(r"(?m)^> .*\n", done.stdout, maxsplit=len(said))
    task, unclear, without, raised, unknown, go = heard[1:]
    assert "Is this plan to be carried out?" in task
    assert "- Timeline (local)" in task
    assert "I did not understand: budget: got 'hm'" in unclear
    assert "Is this plan to be carried out?" in without
    assert "- Timeline" not in without
    assert "Is this plan to be carried out?" in raised
    assert "leave_out: got 'Sky'; name a step: " in unknown
    assert go.startswith("## Clarify deliverables")
    assert "## Timeline" not in go
    assert "(done, 0 tokens)" in go
