"""An HTTP service in which every user has a budget a day and a month, in PostgreSQL.

pip install "thrifty[postgres]" fastapi uvicorn
DATABASE_URL=postgresql://… uvicorn fastapi_app:app --workers 4

A user is named in a header here; put your own authentication in `user`. Any number of
processes may serve: the accounts are rows of the database, and no two can spend them twice. A
client that disconnects leaves nothing reserved. When a user's day is spent, local executors do
what can be done, and the receipt says when the day resets.
"""

import json
import os
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from thrifty import Budget, PostgresLedger, create_budget_agent

A_USER = {
    "day": os.environ.get("A_DAY", "50k tokens, $1"),
    "month": os.environ.get("A_MONTH", "200k tokens, $5"),
}
A_TASK = Budget(max_tokens=6_000, max_cost_usd=0.10, max_latency_ms=60_000)

ledger = PostgresLedger(os.environ["DATABASE_URL"])
ledger.open("service", "$100 a day")
agent = create_budget_agent(
    ledger=ledger, account=lambda config: config["configurable"]["account"], budget=A_TASK
)
app = FastAPI(title="Drafts within a budget")


class Asked(BaseModel):
    task: str = Field(min_length=1, max_length=4_000)


def user(x_user: Annotated[str, Header(pattern=r"^[a-z0-9_-]{1,40}$")]) -> str:
    return x_user


def account(name: Annotated[str, Depends(user)]) -> str:
    """The user's account, below that of the service; the first request opens it."""
    of_user = f"user:{name}"
    ledger.open(of_user, A_USER, parent="service", zone=os.environ.get("ZONE", "UTC"))
    return of_user


Account = Annotated[str, Depends(account)]


@app.post("/drafts")
async def draft(asked: Asked, account: Account) -> dict[str, Any]:
    result: Any = await agent.ainvoke({"task": asked.task}, {"configurable": {"account": account}})
    return {name: result[name] for name in ("draft", "status", "spend")}


@app.post("/drafts/stream")
async def draft_as_it_grows(asked: Asked, account: Account) -> StreamingResponse:
    """A line of JSON for each step, as it ends. Who disconnects pays for what was begun."""

    async def lines() -> AsyncIterator[str]:
        config: Any = {"configurable": {"account": account}}
        async for update in agent.astream({"task": asked.task}, config, stream_mode="updates"):
            yield json.dumps({"done": sorted(update)}) + "\n"

    return StreamingResponse(lines(), media_type="application/jsonl")


@app.get("/budget")
def budget(account: Account) -> dict[str, Any]:
    balance = ledger.balance(account)
    periods = {
        each.period: {"spent": each.spent.to_state(), "reserved": each.reserved.to_state()}
        for each in balance.periods
        if each.account == account
    }
    return {"periods": periods, "left": balance.left.to_state()}
