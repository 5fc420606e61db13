"""Serve the current model by Rasa's HTTP API: ``nlu/.venv/bin/python nlu/serve.py --port 5005``.

``POST /model/parse {"text": …}`` answers the ranking, ``GET /status`` says which model, ``PUT /model`` loads another.
One process, loopback by default, no access log: what people write goes nowhere but into the answer.
"""

import argparse
import logging
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nlu.environment import prepare
from nlu.fingerprint import current_model

_NO_MODEL = 4


def serve(model: Path, host: str, port: int) -> None:
    """Answer on ``host:port`` until the process is told to stop."""
    prepare()
    from rasa.core.run import configure_app, load_agent_on_start
    from rasa.core.utils import AvailableEndpoints

    endpoints = AvailableEndpoints()
    app = configure_app(enable_api=True, port=port, endpoints=endpoints)
    app.register_listener(partial(load_agent_on_start, str(model), endpoints, None), "before_server_start")
    logging.getLogger("sanic.root").setLevel(logging.WARNING)  # Sanic set it back while it was configured.
    print(f"NLU serves {model.name} on http://{host}:{port}", flush=True)
    app.run(host=host, port=port, workers=1, access_log=False, debug=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--model", type=Path, default=None, help="a model archive; default: the current one")
    options = parser.parse_args()
    model = options.model or current_model()
    if model is None:
        print("no NLU model yet; run nlu/train.py first", file=sys.stderr)
        raise SystemExit(_NO_MODEL)
    serve(model.resolve(), options.host, options.port)


if __name__ == "__main__":
    main()
