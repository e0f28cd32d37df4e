"""An HTTP service in which every user has a budget a day and a month, in PostgreSQL.

pip install "thrifty[postgres]" fastapi uvicorn
DATABASE_URL=postgresql://… uvicorn fastapi_app:app --workers 4

A user is named in a header here; put your own authentication in `account`. Any number of
processes may serve, and no two can spend a budget twice. A client that disconnects leaves nothing
reserved. When a user's day is spent, the receipt says when it resets.
"""

import json
import os
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from thrifty import Budget, PostgresLedger, create_budget_agent

A_USER = os.environ.get("A_USER", "50k tokens a day, $1 a day, 200k tokens a month, $5 a month")
A_TASK = Budget(max_tokens=6_000, max_cost_usd=0.10, max_latency_ms=60_000)

ledger = PostgresLedger(os.environ["DATABASE_URL"])
ledger.open("service", "$100 a day")
agent = create_budget_agent(
    ledger=ledger, account=lambda config: config["configurable"]["account"], budget=A_TASK
)
app = FastAPI(title="Drafts within a budget")


class Asked(BaseModel):
    task: str = Field(min_length=1, max_length=4_000)


def account(x_user: Annotated[str, Header(pattern=r"^[a-z0-9_-]{1,40}$")]) -> str:
    """The user's account, below that of the service; the first request opens it."""
    ledger.open(f"user:{x_user}", A_USER, parent="service")
    return f"user:{x_user}"


@app.post("/drafts")
async def draft(asked: Asked, account: Annotated[str, Depends(account)]) -> StreamingResponse:
    """A line of JSON for each step as it ends, the last with the draft and the receipt."""
    config: Any = {"configurable": {"account": account}}

    async def lines() -> AsyncIterator[str]:
        async for update in agent.astream({"task": asked.task}, config, stream_mode="updates"):
            yield json.dumps(update, default=str) + "\n"

    return StreamingResponse(lines(), media_type="application/jsonl")


@app.get("/budget")
def budget(account: Annotated[str, Depends(account)]) -> dict[str, Any]:
    balance = ledger.balance(account)
    spent = {each.period: each.spent.to_state() for each in balance.periods[:3]}
    left = balance.left.to_state()
    return {"spent": spent, "reserved": balance.reserved.to_state(), "left": left}
