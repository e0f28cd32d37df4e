"""Texts that a model, or somebody who writes what it reads, may answer with, each with the steps
that must come out of it.

A step is written as `read` shows it: its name, its role, who does it, what it reads, and with
which input.
"""

# ruff: noqa: RUF001 - letters that pass for others are what is asked about

import json

from tests.options.decompositions import GOOD

FIND = 'Find prices (material by search) with {"query":"x"}'
NOTES, TEXT = "Notes (material)", "Answer (answer) < Notes"
DIRECT = ()
"""A direct answer is all that is left."""


def step(name="Notes", **fields):
    """A step as a model writes it. A field that is None is left out."""
    usual = {"id": str(name).casefold(), "name": name, "instruction": f"Do {name}.", "reads": []}
    return {k: v for k, v in {**usual, **fields}.items() if v is not None}


def steps(*members, **fields):
    return json.dumps({"steps": [*members], **fields})


def two(first=None, **answer):
    """Material, and an answer that reads it."""
    made = {"role": "answer", "reads": ["notes"], **answer}
    return steps(step(**(first or {})), step("Text", **made))


def tool(name="Find prices", executor="search", **fields):
    return step(name, **{"executor": executor, "input": '{"query": "x"}', **fields})


FOUND = "Answer (answer) < Find prices"
READS_FOUND = step("Text", role="answer", reads=["find prices"])
BOTH = (NOTES, TEXT)
DEEP = "[" * 30_000
LONG = "x" * 70_000

TEXTS = {
    # No plan
    "empty": ("", DIRECT),
    "blank": (" \n\t ", DIRECT),
    "prose": ("I would simply write the answer.", DIRECT),
    "no steps": ('{"steps": []}', DIRECT),
    "an empty list": ("[]", DIRECT),
    "null": ("null", DIRECT),
    "a number": ("42", DIRECT),
    "a text in quotes": ('"steps"', DIRECT),
    "steps are a number": ('{"steps": 3}', DIRECT),
    "steps are words": ('{"steps": ["search", "write"]}', DIRECT),
    "steps are null": ('{"steps": null}', DIRECT),
    "one step": (steps(step("Text", role="answer")), DIRECT),
    "one section": (steps(step("Text", role="section")), DIRECT),
    "one section and its revision": (
        steps(step("Text", role="section"), step("Polish", role="revision")), DIRECT
    ),
    "only brackets": ("{[{[{[", DIRECT),
    "only open brackets": (DEEP, DIRECT),
    "only open braces": ("{" * 60_000, DIRECT),
    "nested objects": ('{"a":' * 20_000 + "1" + "}" * 20_000, DIRECT),
    "HTML": ("<html><body>502 Bad Gateway</body></html>", DIRECT),
    "Python": ("[Step(name='Notes'), Step(name='Text')]", DIRECT),
    "a refusal": ("I can't help with that {sorry}.", DIRECT),
    "nothing said in any step": (
        steps({}, {"id": "a"}, {"name": "\u200b", "reads": ["a"]}), DIRECT
    ),
    # Around the plan
    "a fence": (f"```json\n{two()}\n```", BOTH),
    "prose around": (f"Sure! Here is the plan:\n\n{two()}\n\nShall I go on?", BOTH),
    "brackets in the prose": (f"As [you] said, for {{all}} of us: {two()}", BOTH),
    "another value before": (f'{{"budget": {{"tokens": 5}}}} {two()}', BOTH),
    "a thought before": (f"<think>[1, 2] or {{}}?</think>{two()}", BOTH),
    "two plans": (two() + steps(step("Other"), step("Third", role="answer")), BOTH),
    "a byte order mark": ("\ufeff" + two(), BOTH),
    "a bare list": (json.dumps(json.loads(two())["steps"]), BOTH),
    "a call in a text": (f'{{"name": "plan_steps", "arguments": {two()}}}', BOTH),
    "arguments as a text": (json.dumps({"name": "plan_steps", "arguments": two()}), BOTH),
    "steps as a text": (json.dumps({"steps": json.dumps(json.loads(two())["steps"])}), BOTH),
    "steps by their ids": (
        json.dumps({"steps": {"a": {"instruction": "Take notes."},
                              "b": {"name": "Text", "role": "answer", "reads": ["a"],
                                    "instruction": "Write it."}}}),
        ("Take notes (material)", "Answer (answer) < Take notes"),
    ),
    "wrapped twice": (f'{{"plan": {{"result": {two()}}}}}', BOTH),
    "another name for the list": (two().replace('"steps"', '"plan"'), BOTH),
    "wrapped too deep": ('{"a":' * 9 + two() + "}" * 9, DIRECT),
    "cut in the last step": (two()[:-30], BOTH[:0]),
    "cut after two of three": (
        steps(step(), step("Figures"), step("Text", role="answer"))[:-20],
        (NOTES, "Figures (material)", "Answer (answer) < Notes, Figures"),
    ),
    "a comma too many": (
        two().replace("}]}", "},]}"), BOTH
    ),
    "beyond 60 kB": (LONG + two(), DIRECT),
    "prose of 50 kB around": (LONG[:50_000] + two(), BOTH),
    "open brackets before": ("[" * 40 + two(), BOTH),
    # Fields
    "no ids": (two({"id": None}), BOTH),
    "no names": (
        steps(step(name="", instruction="Search the archive for all that there is."),
              step(name="", instruction="Write it.", role="answer", reads=[1])),
        ("Search the archive for all that (material)",
         "Answer (answer) < Search the archive for all that"),
    ),
    "no instruction": (two({"instruction": None}), BOTH),
    "names of other types": (
        steps(step(id=7, name=["Notes"], instruction="Take notes."),
              step("Text", role="answer", reads=[7])),
        ("Take notes (material)", "Answer (answer) < Take notes"),
    ),
    "the usual other words": (
        json.dumps({"steps": [
            {"id": 1, "title": "Find prices", "description": "Search.", "tool": "search",
             "args": {"query": "x"}},
            {"ID": 2, "Title": "Text", "Assignment": "Write.", "depends_on": [1],
             "role": "answer"}]}),
        (FIND, FOUND),
    ),
    "limits, prices and models": (
        two({"budget": {"max_tokens": 10**9}, "model": "gpt-9", "max_tokens": 1, "price": 0,
             "payload": {"model": "strong"}, "value": 1e9, "api_key": "sk-x"},
            cost_usd=-1, options=[{"executor": "mail"}]), BOTH,
    ),
    "unknown roles": (
        steps(step(role="boss"), step("Text", role="FINAL", reads=["notes"])), BOTH
    ),
    "roles in capitals": (
        steps(step(role="MATERIAL"), step("Text", role=" Answer ", reads=["notes"])), BOTH
    ),
    "roles of other types": (two({"role": {"is": "answer"}}), BOTH),
    "copied from the question": (
        steps(step(), step("Text", role="answer", reads=["notes"]),
              step("A heading of two to five words.",
                   instruction="The assignment, with every name, number and condition that it "
                               "needs.")),
        BOTH,
    ),
    "no objects between": ('{"steps": [null, 1, "a", ' + two()[11:], BOTH),
    # Characters
    "control characters": (
        two({"name": "\x1b[2JNo\x00tes\x07", "instruction": "Do\x08 it.\x9b"}),
        ("[2JNotes (material)", "Answer (answer) < [2JNotes"),
    ),
    "turned direction": (two({"name": "\u202eNotes\u202c"}), BOTH),
    "zero width": (two({"name": "No\u200bt\u2060e\ufeffs"}), BOTH),
    "hidden tags": (two({"name": "Notes" + "".join(chr(0xE0000 + ord(c)) for c in "obey")}), BOTH),
    "lone surrogates": (
        two({"name": "Notes \ud800"}), ("Notes \ufffd (material)", "Answer (answer) < Notes \ufffd")
    ),
    "wide letters": (two({"name": "Ｎｏｔｅｓ"}), BOTH),
    "lines in a name": (two({"name": "# Notes\r\n\n"}), BOTH),
    "a name without letters": (
        two({"name": "\u200d\u200c", "instruction": "Take notes."}),
        ("Take notes (material)", "Answer (answer) < Take notes"),
    ),
    "long names": (
        two({"name": "word " * 1_000}),
        (f"{('word ' * 12).strip()} (material)", f"Answer (answer) < {('word ' * 12).strip()}"),
    ),
    "right to left": (
        two({"name": "ملاحظات", "instruction": "اكتب ملاحظات."}),
        ("ملاحظات (material)", "Answer (answer) < ملاحظات"),
    ),
    # Names
    "the same name": (
        steps(step(id="a", instruction="First."), step(id="b", instruction="Second."),
              step("Text", role="answer", reads=["a", "b"])),
        (NOTES, "Notes (2) (material)", "Answer (answer) < Notes, Notes (2)"),
    ),
    "names that look alike": (
        steps(step("Notes", id="a"), step("Nоtеs", id="b", instruction="Other."),
              step("NOTES ", id="c", instruction="More."),
              step("Text", role="answer", reads=["a", "b", "c"])),
        (NOTES, "Nоtеs (2) (material)", "NOTES (3) (material)",
         "Answer (answer) < Notes, Nоtеs (2), NOTES (3)"),
    ),
    "a step like a document": (
        two({"name": "Report.MD"}),
        ("Report.MD (1) (material)", "Answer (answer) < Report.MD (1)"),
    ),
    "a step like the answer": (
        steps(step("Answer"), step("Text", role="answer", reads=["answer"])),
        ("Answer (1) (material)", "Answer (answer) < Answer (1)"),
    ),
    "the same instruction": (
        steps(step(id="a"), step("Again", id="b", instruction="do  NOTES."),
              step("Text", role="answer", reads=["a", "b"])), BOTH
    ),
    "sections with one instruction": (
        steps(step("One", role="section", instruction="Write it."),
              step("Two", role="section", instruction="Write it.")),
        ("One (section)", "Two (section)"),
    ),
    # Reads
    "by name": (two(reads=["NOTES"]), BOTH),
    "by number": (two(reads=[1]), BOTH),
    "by number in words": (two(reads=["step 1"]), BOTH),
    "by reference": (two(reads=["${notes}"]), BOTH),
    "by an object": (two(reads=[{"id": "notes"}]), BOTH),
    "by a text alone": (two(reads="notes"), BOTH),
    "by a text with commas": (
        steps(step(), step("Figures"), step("Text", role="answer", reads="notes, figures")),
        (NOTES, "Figures (material)", "Answer (answer) < Notes, Figures"),
    ),
    "documents": (
        two(reads=["notes", "REPORT.md", "sales 2025", "other.md"]),
        (NOTES, "Answer (answer) < Notes, report.md, Sales 2025"),
    ),
    "unknown and strange ones": (
        two(reads=["notes", "s9", 99, -1, 0, True, None, 1.5, [], {}, "\x00", "a" * 5_000]), BOTH
    ),
    "itself": (two({"reads": ["notes", 1]}), BOTH),
    "twice": (two(reads=["notes", "Notes", 1]), BOTH),
    "a circle of two": (
        steps(step("A", reads=["b"]), step("B", reads=["a"]),
              step("Text", role="answer", reads=["a", "b"])),
        ("A (material) < B", "B (material)", "Answer (answer) < A, B"),
    ),
    "a circle of three with the answer": (
        steps(step("A", reads=["text"]), step("B", reads=["a"]),
              step("Text", role="answer", reads=["b"])),
        ("A (material)", "B (material) < A", "Answer (answer) < B"),
    ),
    "ids that are names of others": (
        steps(step("B", id="A"), step("A", id="B"), step("Text", role="answer", reads=["A"])),
        ("B (material)", "A (material)", "Answer (answer) < B, A"),
    ),
    "a hundred reads": (two(reads=["nobody"] * 19 + ["notes"] + ["nobody"] * 80), BOTH),
    # Roles
    "nothing but material": (
        steps(step(role="material"), step("Figures", role="material", reads=["notes"])),
        (NOTES, "Figures (material) < Notes", "Answer (answer) < Figures"),
    ),
    "no role at all": (steps(step(), step("Text", reads=["notes"])), BOTH),
    "two answers": (
        steps(step(), step("Draft", role="answer", reads=["notes"]),
              step("Text", role="answer", reads=["notes"])), BOTH
    ),
    "two answers, one of which the other reads": (
        steps(step("Notes", role="answer"), step("Text", role="answer", reads=["notes"])), BOTH
    ),
    "sections beside an answer": (
        steps(step(role="section"), step("Text", role="answer")), BOTH
    ),
    "unread material": (steps(step(), step("Text", role="answer")), BOTH),
    "unread material beside sections": (
        steps(step(), step("One", role="section"), step("Two", role="section", reads=["one"])),
        (NOTES, "One (section) < Notes", "Two (section) < One, Notes"),
    ),
    "material after the answer": (
        steps(step(), step("Text", role="answer", reads=["notes"]),
              step("Echo", reads=["text"])), BOTH
    ),
    "two revisions": (
        steps(step("One", role="section"), step("Two", role="section"),
              step("Polish", role="revision"), step("Polish again", role="revision")),
        ("One (section) < Polish", "Two (section) < Polish", "Polish (material)",
         "Polish again (revision)"),
    ),
    "a revision that is read": (
        steps(step("One", role="section", reads=["polish"]), step("Two", role="section"),
              step("Polish", role="revision", reads=["one"])),
        ("One (section)", "Two (section)", "Polish (revision)"),
    ),
    "a revision of an answer": (
        steps(step(), step("Text", role="answer", reads=["notes"]),
              step("Polish", role="revision", reads=["text"])), BOTH
    ),
    "a dozen steps": (
        steps(*(step(f"Part {n}", role="section") for n in range(12))),
        tuple(f"Part {n} (section)" for n in range(10)),
    ),
    # Executors and their input
    "an executor that nobody registered": (
        steps(tool(executor="shell"), READS_FOUND), ("Find prices (material)", FOUND)
    ),
    "names of modules": (
        steps(tool(executor="os.system"), READS_FOUND), ("Find prices (material)", FOUND)
    ),
    "our own executors": (
        steps(tool(executor="local"), step("Text", executor="llm", role="answer",
                                           reads=["find prices"])),
        ("Find prices (material)", FOUND),
    ),
    "an executor in other letters": (steps(tool(executor="Ｓearсh"), READS_FOUND), (FIND, FOUND)),
    "an executor of another type": (
        steps(tool(executor=["search"]), READS_FOUND), ("Find prices (material)", FOUND)
    ),
    "input as an object": (steps(tool(input={"query": "x"}), READS_FOUND), (FIND, FOUND)),
    "input as a bare text": (
        steps(tool(input="x"), READS_FOUND),
        ('Find prices (material by search) with "x"', FOUND),
    ),
    "no input where one text is taken": (
        steps(tool(input=None), READS_FOUND),
        ('Find prices (material by search) with {"query":"Do Find prices."}', FOUND),
    ),
    "an argument too many": (
        steps(tool(input={"query": "x", "url": "http://169.254.169.254"}), READS_FOUND),
        ("Find prices (material)", FOUND),
    ),
    "an argument of the wrong type": (
        steps(tool(input={"query": {"$ne": 1}}), READS_FOUND), ("Find prices (material)", FOUND)
    ),
    "an argument missing": (
        steps(tool(executor="weather", input={"city": "Graz"}), READS_FOUND),
        ("Find prices (material)", FOUND),
    ),
    "a truth value for a number": (
        steps(tool(executor="weather", input={"city": "Graz", "days": True}), READS_FOUND),
        ("Find prices (material)", FOUND),
    ),
    "input that is no JSON": (
        steps(tool(executor="weather", input="{'city': 'Graz'}"), READS_FOUND),
        ("Find prices (material)", FOUND),
    ),
    "input too long": (
        steps(tool(input={"query": "x" * 5_000}), READS_FOUND),
        ('Find prices (material by search) with {"query":"Do Find prices."}', FOUND),
    ),
    "input too deep": (
        steps(tool(executor="weather", input=json.loads("[" * 30 + "]" * 30)), READS_FOUND),
        ("Find prices (material)", FOUND),
    ),
    "input for a function": (steps(tool(executor="archive"), READS_FOUND),
                             ("Find prices (material by archive)", FOUND)),
    "a result for an argument": (
        steps(step(), tool("Count", "count", input={"rows": "$notes"}),
              step("Text", role="answer", reads=["count"])),
        (NOTES, 'Count (material by count) < Notes with {"rows":"${Notes}"}',
         "Answer (answer) < Count"),
    ),
    "a result within a text": (
        steps(step(), tool(input={"query": "price of ${NOTES} for $5"}),
              READS_FOUND),
        (NOTES, 'Find prices (material by search) < Notes'
         ' with {"query":"price of ${Notes} for $5"}', FOUND),
    ),
    "a result by its number": (
        steps(step(), tool("Count", "count", input={"rows": "$1", "unit": "$1 coins"}),
              step("Text", role="answer", reads=["count"])),
        (NOTES, 'Count (material by count) < Notes'
         ' with {"rows":"${Notes}","unit":"${Notes} coins"}',
         "Answer (answer) < Count"),
    ),
    "an amount of money": (
        steps(step(), tool(input={"query": "less than $1 a day"}), READS_FOUND),
        (NOTES, 'Find prices (material by search) with {"query":"less than $1 a day"}',
         "Answer (answer) < Find prices, Notes"),
    ),
    "its own result": (
        steps(tool(input={"query": "$find prices"}), READS_FOUND), ("Find prices (material)", FOUND)
    ),
    "a result that comes later": (
        steps(tool(input={"query": "${text}"}), READS_FOUND), ("Find prices (material)", FOUND)
    ),
    "a document for an argument": (
        steps(tool(input={"query": "${REPORT.md}"}), READS_FOUND),
        ('Find prices (material by search) < report.md with {"query":"${report.md}"}', FOUND),
    ),
    "references without end": (
        steps(step("N" * 60, id="a"), tool(input={"query": "$a " * 1_000}), READS_FOUND),
        (f"{'N' * 60} (material)", f"Find prices (material) < {'N' * 60}", FOUND),
    ),
    "a tool as the answer": (
        steps(tool("Text", role="answer")),
        ('Text (material by search) with {"query":"x"}', "Answer (answer) < Text"),
    ),
    "an executor that answers": (
        steps(step(), step("Text", role="answer", executor="clerk", reads=["notes"])),
        (NOTES, "Answer (answer by clerk) < Notes"),
    ),
    # Effects
    "a mail": (
        steps(step("Text", role="answer"),
              tool("Send", "mail", input={"to": "a@b.c", "text": "$text"}, reads=["text"])),
        ("Answer (answer)",
         'Send (material by mail) < Answer with {"to":"a@b.c","text":"${Answer}"}'),
    ),
    "a mail as the answer": (
        steps(step(), tool("Send", "mail", role="answer", reads=["notes"],
                           input={"to": "a@b.c", "text": "$notes"})),
        (NOTES, 'Send (material by mail) < Notes with {"to":"a@b.c","text":"${Notes}"}',
         "Answer (answer) < Send"),
    ),
    "a mail without a receiver": (
        steps(step(), step("Text", role="answer", reads=["notes"]),
              tool("Send", "mail", input={"text": "Hello"})), BOTH
    ),
    "a mail of what could not be sent": (
        steps(step(), step("Text", role="answer", reads=["notes"]),
              tool("Send", "mail", input={"to": 3}),
              tool("Tell", "mail", input={"to": "a@b.c", "text": "$send"})), BOTH
    ),
    "the same mail twice": (
        steps(step("Text", role="answer"),
              tool("Send", "mail", input={"to": "a@b.c", "text": "Hi"}, instruction="Send it."),
              tool("Resend", "mail", input={"to": "a@b.c", "text": "Hi"}, instruction="Send it.")),
        ("Answer (answer) < Send", 'Send (material by mail) with {"to":"a@b.c","text":"Hi"}'),
    ),
    # Numbers
    "no numbers": (
        '{"steps": [{"name": "Notes", "importance": NaN, "words": Infinity},'
        ' {"name": "Text", "role": "answer", "reads": [1], "importance": -1e999, "words": 1e400}]}',
        BOTH,
    ),
    "an integer of 50,000 digits": (
        '{"steps": [{"name": "Notes", "words": ' + "9" * 50_000 + "},"
        ' {"name": "Text", "role": "answer", "reads": [1]}]}', BOTH,
    ),
    "numbers of other types": (
        two({"importance": True, "words": [300]}, importance={"a": 1}, words="many"), BOTH
    ),
}  # fmt: skip

GOOD_TEXT = json.dumps(GOOD)
