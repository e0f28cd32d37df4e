"""What proves: a provider of models, whole worlds and accidents that runs are put through.

    llm_server/   a real HTTP server that speaks OpenAI's protocols and misbehaves on command
    simulation/   worlds in which everything goes wrong that can, each from one seed
    crash/        a run that is struck at every point where something is written or sent
    soak/         many processes on one account, killed and replaced
    mutation/     small changes of the code that the tests should notice

Beside them stand single parts: PostgreSQL and `langgraph dev`, started for real, disks that
fail, a model of the ledger, and fuzzing. All other folders of `tests/` are named after what
they test.
"""
