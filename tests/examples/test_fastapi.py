"""The example of an HTTP service: real uvicorn with two workers, real PostgreSQL, real requests."""

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.examples.running import EXAMPLES
from tests.harness.llm_server import LLMServer
from tests.harness.server_process import STOP_TIMEOUT_S, ServerProcess


@pytest.fixture
def models() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


class Service(ServerProcess):
    """The example, with two workers."""

    name = "the service"

    def __init__(self, folder: Path, given: dict[str, str]) -> None:
        super().__init__(folder)
        self._given = given

    def command(self) -> list[str]:
        """As its first lines say."""
        command = [sys.executable, "-W", "error", "-m", "uvicorn", "fastapi_app:app"]
        return [*command, "--app-dir", str(EXAMPLES), "--port", str(self.port), "--workers", "2"]

    def environment(self) -> dict[str, str]:
        """Where its database and its models are, and what its users may spend."""
        return self._given

    def is_ready(self) -> bool:
        """Whether it tells what it takes."""
        return httpx.get(f"{self.url}/openapi.json", timeout=60, trust_env=False).is_success


@contextmanager
def serving(folder: Path, database: str, models: LLMServer, **given: str) -> Iterator[httpx.Client]:
    """A client of the service, which ends with all its workers."""
    found = {"DATABASE_URL": database, "OPENAI_BASE_URL": models.base_url, **given}
    with (
        Service(folder, found) as service,
        httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client,
    ):
        yield client


def budget(client: httpx.Client, user: str) -> Any:
    return client.get("/budget", headers={"X-User": user}).raise_for_status().json()


def tokens(client: httpx.Client, user: str) -> tuple[int, int]:
    """What a user has spent this month, and has left."""
    known = budget(client, user)
    assert known["spent"]["month"] == known["spent"]["day"] == known["spent"]["run"]
    return known["spent"]["month"]["tokens"], known["left"]["max_tokens"]


def draft(client: httpx.Client, user: str) -> Any:
    """What the last line of a draft says."""
    asked = client.post(
        "/drafts", json={"task": "Draft a project plan: move"}, headers={"X-User": user}
    )
    *_, last = asked.raise_for_status().text.splitlines()
    return json.loads(last)["finish"]


def test_each_user_has_a_budget_that_no_number_of_requests_passes(tmp_path, database, models):
    limit = 9_000
    limits = {"A_USER": f"100k tokens a day, {limit} tokens a month, $5 a month"}
    with serving(tmp_path, database, models, **limits) as client:
        with ThreadPoolExecutor(4) as pool:
            drafts = list(pool.map(lambda _: draft(client, "ann"), range(8)))
        spent = [each["spend"]["tokens"] for each in drafts]
        of_ann = sum(spent)
        assert tokens(client, "ann") == (of_ann, limit - of_ann)
        assert of_ann == models.bill.total_tokens
        assert 0 < max(spent) <= 6_000
        assert sum(spent) < 8 * max(spent)  # some found less left than they could use
        told = [text for each in drafts for text in each["receipt"]["bound_by_accounts"]]
        assert any(text.startswith("user:ann has ") and "this month" in text for text in told)

        assert tokens(client, "bob") == (0, limit)
        of_bob = draft(client, "bob")["spend"]["tokens"]
        assert tokens(client, "bob") == (of_bob, limit - of_bob)
        assert of_ann + of_bob == models.bill.total_tokens
        refused(client)

    with serving(tmp_path, database, models, **limits) as client:
        assert tokens(client, "ann") == (of_ann, limit - of_ann)


@pytest.mark.long
def test_a_client_that_disconnects_leaves_nothing_reserved(tmp_path, database, models):
    """Three that leave after the first line, and one that stays: it finds all that is left."""
    task, headers = {"task": "Draft a project plan: move"}, {"X-User": "ann"}
    with serving(tmp_path, database, models) as client:
        for _ in range(3):
            with client.stream("POST", "/drafts", json=task, headers=headers) as leaving:
                assert next(leaving.iter_lines())
        wait_until_nothing_is_reserved(client)
        stayed = draft(client, "ann")
        assert stayed["status"] == "done"
        assert stayed["spend"]["tokens"] > 0


def wait_until_nothing_is_reserved(client: httpx.Client) -> None:
    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    while any(budget(client, "ann")["reserved"].values()):
        assert time.monotonic() < deadline_s, budget(client, "ann")
        time.sleep(0.1)


def refused(client: httpx.Client) -> None:
    """Nobody is served without a name, or under a name that is none."""
    for headers in ({}, {"X-User": ""}, {"X-User": "ann 2026-01"}):
        task = {"task": "Draft a project plan: move"}
        assert client.get("/budget", headers=headers).status_code == 422
        assert client.post("/drafts", json=task, headers=headers).status_code == 422
