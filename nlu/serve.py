"""Serve the current model by Rasa's HTTP API: ``nlu/.venv/bin/python nlu/serve.py --port 5005``.

``POST /model/parse {"text": …}`` answers the ranking, ``POST /model/embed {"texts": […]}`` the vectors of texts,
``GET /status`` says which model serves. A model that is promoted (``nlu/models/current``) is picked up by itself.
Loopback by default, no access log: what people write goes nowhere but into the answer.
"""

import argparse
import logging
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nlu.environment import prepare
from nlu.fingerprint import MODELS, current_model
from nlu.serving.processes import Crew, bound_socket, check_free

_NO_MODEL = 4


def serve(model: Path, sock: socket.socket, follow: Path | None) -> None:
    """Answer on ``sock`` until the process is told to stop; models promoted in ``follow`` are picked up."""
    from rasa.core.run import configure_app

    from nlu.serving import embedding
    from nlu.serving.following import Follower
    from nlu.serving.quick_agent import QuickAgent

    host, port = sock.getsockname()[:2]
    app = configure_app(enable_api=True, port=port)
    app.ctx.agent = QuickAgent(model)
    embedding.add_route(app)
    if follow is not None:
        app.add_task(Follower(app, follow, model, QuickAgent).run())
    logging.getLogger("sanic.root").setLevel(logging.WARNING)  # Sanic set it back while it was configured.
    print(f"NLU serves {model.name} on http://{host}:{port}", flush=True)
    app.run(sock=sock, access_log=False, debug=False, motd=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--model", type=Path, default=None, help="serve this archive alone; default: the current one")
    parser.add_argument("--models", type=Path, default=MODELS, help="the folder whose pointer is followed")
    parser.add_argument("--processes", type=int, default=1, help="how many share the port")
    parser.add_argument("--share-port", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = options.model or current_model(options.models)
    if model is None:
        print("no NLU model yet; run nlu/train.py first", file=sys.stderr)
        return _NO_MODEL
    if options.processes > 1:
        check_free(options.host, options.port)
        return Crew([sys.executable, *sys.argv, "--processes", "1", "--share-port"], options.processes).run()
    prepare()
    sock = bound_socket(options.host, options.port, shared=options.share_port)
    serve(model.resolve(), sock, None if options.model else options.models.resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
