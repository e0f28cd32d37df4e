"""Code with tests as a tool: the model that writes it runs your tests, and mends what fails. An
answer that does not pass them is none. OPENAI_API_KEY=… python examples/code_with_tests.py
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, field_validator

from thrifty import Receipt, create_budget_agent, receipt_text

TASK = (
    "Write durations.py with `seconds(text: str) -> int`, which reads '1h 30m', '45m' or '20s'. "
    "Anything else is a ValueError. Run the tests on it, and mend it until they pass."
)
TESTS = """
import unittest
from durations import seconds
class Seconds(unittest.TestCase):
    def test_each_unit(self):
        self.assertEqual([seconds("2h"), seconds("45m"), seconds("20s")], [7200, 2700, 20])
    def test_several(self):
        self.assertEqual([seconds("1h 30m"), seconds("1h 0m 5s")], [5400, 3605])
    def test_anything_else(self):
        for text in ("", "1", "h", "1h x", "30m 1h"):
            self.assertRaises(ValueError, seconds, text)
"""
COMMAND = [sys.executable, "-m", "unittest", "test_durations"]


def run_tests(code: str) -> str:
    """Runs the tests on the whole text of durations.py, and says which of them fail."""
    with TemporaryDirectory() as folder:  # no sandbox: for code of strangers use a container
        Path(folder, "durations.py").write_text(code, "utf-8")
        Path(folder, "test_durations.py").write_text(TESTS, "utf-8")
        try:  # in a process of its own, which is not handed your keys
            done = subprocess.run(COMMAND, cwd=folder, env={}, capture_output=True, timeout=20)
        except subprocess.TimeoutExpired:
            return "FAILED: still at work after 20 seconds"
    return done.stderr.decode()[-2_000:].strip()


class Module(BaseModel):
    code: str

    @field_validator("code")
    @classmethod
    def passes_the_tests(cls, code: str) -> str:
        if not run_tests(code).endswith("OK"):
            raise ValueError("it does not pass the tests")
        return code


if __name__ == "__main__":
    agent = create_budget_agent(tools=[run_tests], response_format=Module)
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 60_000}})
    print((result["structured"] or {"code": "There is no code that passes the tests."})["code"])
    print("\n" + receipt_text(Receipt.from_state(result["receipt"])))
