"""The project's own nodes."""

from prompts import SIGNATURE


def sign(case):
    return {"answer": f"{SIGNATURE}\n\n{case['answer']}"}
