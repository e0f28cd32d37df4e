"""An HTTP service in which every user has a budget a month, in PostgreSQL.

pip install "thrifty[postgres]" fastapi uvicorn
DATABASE_URL=postgresql://… uvicorn fastapi_app:app --workers 4

A user is named in a header here; put your own authentication in `user`. Any number of
processes may serve: the account is a row of the database, and no two can spend it twice. When
it runs short, local executors do what can be done.
"""

import os
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header
from pydantic import BaseModel, Field

from thrifty import Budget, PostgresLedger, create_budget_agent

A_MONTH = Budget(max_tokens=int(os.environ.get("TOKENS_A_MONTH", "200000")), max_cost_usd=5)
A_TASK = Budget(max_tokens=6_000, max_cost_usd=0.10, max_latency_ms=60_000)

ledger = PostgresLedger(os.environ["DATABASE_URL"])
agent = create_budget_agent(
    ledger=ledger, account=lambda config: config["configurable"]["account"], budget=A_TASK
)
app = FastAPI(title="Drafts within a budget")


class Asked(BaseModel):
    task: str = Field(min_length=1, max_length=4_000)


def user(x_user: Annotated[str, Header(pattern=r"^[a-z0-9_-]{1,40}$")]) -> str:
    return x_user


def account(name: Annotated[str, Depends(user)]) -> str:
    """The user's account of this month; the first request of a month opens it."""
    of_month = f"{name} {datetime.now(UTC):%Y-%m}"
    try:
        ledger.balance(of_month)
    except KeyError:
        ledger.open(of_month, A_MONTH)
    return of_month


Account = Annotated[str, Depends(account)]


@app.post("/drafts")
async def draft(asked: Asked, account: Account) -> dict[str, Any]:
    result: Any = await agent.ainvoke({"task": asked.task}, {"configurable": {"account": account}})
    return {name: result[name] for name in ("draft", "status", "spend")}


@app.get("/budget")
def budget(account: Account) -> dict[str, Any]:
    balance = ledger.balance(account)
    return {"spent": balance.spent.to_state(), "left": balance.left.to_state()}
