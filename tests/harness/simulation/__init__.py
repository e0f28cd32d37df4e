"""A deterministic simulation: worlds in which all goes wrong that can, each from one seed.

    python -m tests.harness.simulation                  2,000 seeds, of which CI takes half
    python -m tests.harness.simulation --seeds 1000000  a million; --from N goes on from there
    python -m tests.harness.simulation --seed 123       one, as a story of everything that happened

**What is real**: the graph that `create_budget_agent` builds, LangGraph's loop and its
checkpoints, the planner, the executors, the callback guard, metered calls with their caps,
deadlines and retries, langchain-openai and the OpenAI client down to the HTTP request, the ledger's
rules and its books in memory or SQLite.

**What is simulated**, in `stand_ins.py`, put in place from outside:

- *Time and threads* (`actors.py`). Every invocation, every task of LangGraph's and every write
  of a checkpoint is a thread, of which exactly one runs. At each event dice choose who goes on;
  when nobody can, the clock jumps. So an hour takes no time, and one seed always is the same
  story.
- *Processes* (`actors.py`, `world.py`). They are killed at an event, and from then on nothing
  that they do has an effect; or they fall asleep, are given up and taken over, and wake as
  owners whose time is past. Some can be seen to die, of others a person has to say so.
- *The provider* (`provider.py`), behind an `httpx` transport: log-normal answers that drift,
  errors, lost and endless replies, usage that is missing or absurd, answers beyond their cap.
- *Disks* (`books.py`, `saver.py`): writes of the ledger and of checkpoints that fail. A ledger's
  write may also go through and never be told. Each process has an outbox, which dies with it.
- *Accounts* (`jobs.py`): a tree with limits for days, hours, minutes and months, which an operator
  changes, moves and closes while runs spend from it.
- *The wall clock* (`world.py`): worlds begin shortly before midnight, some of them on days of 23
  or 25 hours, and the clock is put forward and back.
- *People* (`client.py`, `jobs.py`, `catalogs.py`): they run jobs side by side on shared
  accounts, with chains, guarded models and agents inside of steps; give up waiting and start a job
  twice, answer questions or never do, go back in time, delete threads, and ask for more.

**What has to hold** is in `audit.py`, and is checked after every event against the rows of the
books, the provider's own bill and the leases that were handed out: no account over a limit, but
by what a provider took beyond its cap; no request without a reservation that covers it; all that
was billed is settled, pending or in doubt, and nothing twice; no recorded answer bought again;
every counter is the sum of the entries that are booked in it, and each call is booked in every
period of its account and of those above; no minute, wherever it begins, is over; who lost a run
cannot write; what is settled stays as it is. At the end of a run (`client.py`) it is done, halted
with a reason, or waits; its texts are in its draft; it holds nothing any more, and an overrun is
told, and has halted it where a limit is passed.

**Whether it bites** is tested in `test_planted.py`: faults are planted, and have to be found.

**A seed that fails** is told as the line that remakes it. Keep it in `seeds.txt`.

Not simulated: async invocations and streams, PostgreSQL, other people's clients. For these there
are the crash matrix, the soak and the tests at the loopback server.
"""
