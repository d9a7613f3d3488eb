"""Service behind Edgeward, with Python's standard library: the gateway's header fields say who calls."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FIELDS = {"user": "x-user-id", "role": "x-user-role", "session": "x-session-id"}


def caller(headers):
    """Returns the caller, or None if nobody is signed in."""
    identity = {name: headers.get(field) for name, field in FIELDS.items()}
    return identity if all(identity.values()) else None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        identity = caller(self.headers)
        allowed = identity or self.path.startswith("/public/")
        body = json.dumps(identity).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "3000"))
    # Past the gateway, a client can claim any identity, and no request shows which way it came. So the service starts
    # only on 127.0.0.1, or where BEHIND_GATEWAY=yes states that the network lets only the gateway reach it.
    if host != "127.0.0.1" and os.environ.get("BEHIND_GATEWAY") != "yes":
        sys.exit(f"HOST={host} is open to others: let only the gateway reach it, then set BEHIND_GATEWAY=yes")
    print(f"listening on http://{host}:{port}", flush=True)
    ThreadingHTTPServer((host, port), Handler).serve_forever()
