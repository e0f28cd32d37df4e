"""Forms to fill in, for tasks in a language that local code does not write."""

from thrifty.executors.offline.quoting import table
from thrifty.executors.offline.sections import MILESTONE_COLUMNS, RISK_COLUMNS

NOTE = "*A form to fill in: local code writes sentences only where a task is clearly in English.*"
GAP = "…"
FORM_ROWS = 5


def blank_form(template: str, time: str) -> str:
    """The structure of a section, and the time that the task states, without a sentence."""
    columns = {"risks": RISK_COLUMNS, "timeline": MILESTONE_COLUMNS}.get(template)
    if columns:
        form = table(columns, [[GAP] * len(columns)] * FORM_ROWS)
        return f"**{time}**\n\n{form}" if time and template == "timeline" else form
    return "\n".join(f"{number}. {GAP}" for number in range(1, FORM_ROWS + 1))
