"""Runs Schemathesis over /api/openapi.json: once as the administrator, once as a user without any permission.

No answer may be a server error or outside its schema, and the second user must not learn anything of what the first
has made. `SCHEMATHESIS_EXAMPLES` is how many requests are tried for each operation and phase (20), `SCHEMATHESIS_SEED`
repeats a run.
"""

import os
import re
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import requests
from quire_server import ADMINISTRATOR, REPOSITORY, QuireServer

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "20"))
SEED = int(os.environ.get("SCHEMATHESIS_SEED", secrets.randbelow(2**31)))
PROGRAM = REPOSITORY / "build/clients/schemathesis/bin/schemathesis"
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "use_after_free",
]
# What the explorer learns from answers it sends again: sooner or later these would take its own login from it, and the
# rest of the run would only see 401. The golden transcripts and the walk over privileges call them.
ENDS_THE_RUN = [
    "com.quire.access.tokens.delete",
    "com.quire.access.users.delete",
    "com.quire.access.users.set_password",
    "com.quire.access.users.update",
]
NOBODY = "nobody@vsphere.local"
PASSWORD = "of nobody in particular"


def call(server, token, method, path, body=None):
    answer = requests.request(
        method,
        f"{server.url}/api/{path}",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        verify=str(server.ca_file),
        timeout=60,
    )
    answer.raise_for_status()
    return answer.json() if answer.text else None


def api_token(server, user, password):
    """Unlike a login it does not end when the run calls DELETE /api/session."""
    login = requests.post(
        f"{server.url}/api/session", auth=(user, password), verify=str(server.ca_file), timeout=60
    ).json()
    name = f"explorer-{secrets.token_hex(4)}"
    return call(server, login, "POST", "quire/access/tokens", {"name": name})["secret"]


def run(server, token, folder):
    """All that was sent and answered, as text, and how many requests there were."""
    report = folder / "exchanges.yaml"
    command = [
        str(PROGRAM),
        "run",
        f"{server.url}/api/openapi.json",
        f"--url={server.url}/api",
        f"--header=Authorization: Bearer {token}",
        f"--tls-verify={server.ca_file}",
        "--exclude-path=/events",  # a stream has no end
        *(f"--exclude-operation-id={operation}" for operation in ENDS_THE_RUN),
        f"--checks={','.join(CHECKS)}",
        f"--max-examples={EXAMPLES}",
        f"--seed={SEED}",
        "--phases=examples,coverage,fuzzing,stateful",
        "--continue-on-failure",
        "--warnings=off",
        "--report=vcr",
        f"--report-vcr-path={report}",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    print(done.stdout[-4000:])
    if done.returncode != 0:
        print(done.stderr, server.log(), sep="\n")
        sys.exit(f"explore_openapi: seed {SEED}, {EXAMPLES} examples: see above")
    text = report.read_text(encoding="utf-8", errors="replace")
    report.unlink()
    return text, len(re.findall(r"^- id: ", text, re.MULTILINE))


def main():
    print(f"explore_openapi: seed {SEED}, {EXAMPLES} examples")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = QuireServer(folder / "server").start()
        try:
            token = api_token(server, ADMINISTRATOR, server.password)
            mark = "confidential-" + secrets.token_hex(8)
            library = call(server, token, "POST", "content/local-library", {"name": mark, "type": "LOCAL"})
            item = call(
                server, token, "POST", "content/library/item", {"library_id": library, "name": mark, "description": mark}
            )
            _, asked = run(server, token, folder)
            # Only now: the run may have removed users and tokens that it was told of.
            token = api_token(server, ADMINISTRATOR, server.password)
            call(server, token, "POST", "quire/access/users", {"name": NOBODY, "password": PASSWORD})
            text, asked_by_nobody = run(server, api_token(server, NOBODY, PASSWORD), folder)
            answers = "\n".join(re.findall(r"response:.*?(?=^- id: |\Z)", text, re.MULTILINE | re.DOTALL))
            for secret in (mark, library, item, server.password):
                if secret in answers:
                    sys.exit(f"explore_openapi: {secret} was shown to a user without permissions")
            print(f"explore_openapi: {asked} requests as the administrator, {asked_by_nobody} without any permission")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
