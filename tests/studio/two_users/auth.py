"""Who asks, by a header, and that nobody opens the thread of another."""

from langgraph_sdk import Auth

USERS = ("ann", "bob", "eve")
auth = Auth()


@auth.authenticate
async def who(headers: dict[bytes, bytes]) -> dict[str, str]:
    user = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
    if user not in USERS:
        raise Auth.exceptions.HTTPException(status_code=401, detail="log in")
    return {"identity": user}


@auth.on.threads
async def own(ctx: Auth.types.AuthContext, value: dict) -> dict[str, str]:
    owner = {"owner": ctx.user.identity}
    value.setdefault("metadata", {}).update(owner)
    return owner
