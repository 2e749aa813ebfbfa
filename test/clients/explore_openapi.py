"""Runs Schemathesis over /api/openapi.json: once as the administrator, once as a user without any permission.

Objects of every kind are made first (explored_objects.py), and generated calls name them: where a member holds an
identifier, the document says of what (`x-resource-type`). No answer may be a server error or outside its schema, the
document's links must have been followed, and the second user must not learn anything of what the first has made.

`SCHEMATHESIS_EXAMPLES` is how many requests are tried for each operation and phase (20), `SCHEMATHESIS_SEED` repeats a
run. With `SCHEMATHESIS_REQUESTS`, the least number of requests, this is the long form: every operation that can succeed
must then have.
"""

import base64
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from explored_objects import ITEM, Api, Objects, start_server
from quire_server import ADMINISTRATOR, REPOSITORY

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "20"))
SEED = int(os.environ.get("SCHEMATHESIS_SEED", secrets.randbelow(2**31)))
REQUESTS = int(os.environ.get("SCHEMATHESIS_REQUESTS", "0"))
PROGRAM = REPOSITORY / "build/clients/schemathesis/bin/schemathesis"
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
CHECKS = [
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "use_after_free",
]
SINGLE_CALLS = ("examples", "coverage", "fuzzing")
SEQUENCES = ("stateful",)
PHASES = (*SINGLE_CALLS, *SEQUENCES)
TRANSITIONS = 20 * EXAMPLES  # along the document's links
ROUNDS_MAX = 40
ENDS_THE_RUN = "com.vmware.cis.session.delete"
NOBODY = "nobody@vsphere.local"
PASSWORD = "of nobody in particular"
# Identifiers come from the dictionaries alone, so that no call destroys what others need; links are the document's.
SETTINGS = """\
hooks = {hooks}
[output.sanitization]
enabled = false
[output.truncation]
max-recorded-payload-size = 0
[phases.examples.extra-data-sources]
responses = false
[phases.coverage.extra-data-sources]
responses = false
[phases.fuzzing.extra-data-sources]
responses = false
[phases.stateful]
max-steps = 12
inference.algorithms = []
[phases.stateful.generation]
max-examples = 100
mode = "positive"
"""
# Everybody who has logged in may read what these make (explored_objects.PUBLIC), so nothing of it is a secret.
PUBLIC_SERVICES = ("com.vmware.cis.tagging.", "com.quire.access.roles.", "com.vmware.content.trusted_certificates.")
# Operations that never succeed in such a run, by a pattern of their names, and why.
CANNOT = {
    r"com\.vmware\.cis\.session\.delete": "would end the run's own login; it is not called",
    r"com\.vmware\.vcenter\.(ovf\.(?!library_item\.filter)|vm_template\.|iso\.).*": "needs a hypervisor, which Quire has none of",
    r"com\.vmware\.cis\.session\.create": "takes a password, and the run has a login",
    r"com\.quire\.access\.users\.change_password": "would end the run's own login",
}


@dataclass
class Exchange:
    phase: str
    operation: str
    method: str
    target: str
    sent: str  # target and body, decoded
    status: int
    answer: str  # headers and body
    link: str = ""  # source → target; empty when no link led here
    used: bool = False  # the values of the link were sent, not others in their place

    @property
    def succeeded(self):
        return 200 <= self.status < 300


def operations_of(document):
    """Operation id → (method, path, description)."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation["operationId"] != "com.quire.events.follow"  # a stream has no end
    }


# ---- what generated calls may name ----


def places_of(document, operation):
    """Where the operation takes strings: place in Schemathesis' words, resource type or None."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] in ("path", "query"):
            yield f"{parameter['in']}.{parameter['name']}", parameter["schema"].get("x-resource-type")
    body = operation.get("requestBody")
    if body:
        yield from places_below(document, body["content"]["application/json"]["schema"], "body", ())


def places_below(document, schema, place, above):
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        if name in above:
            return
        schema, above = document["components"]["schemas"][name], (*above, name)
    if schema.get("type") == "array":
        yield from places_below(document, schema["items"], place + "[*]", above)
    for member, inner in schema.get("properties", {}).items():
        here = f"{place}.{member}"
        if name == "com.vmware.vapi.std.dynamic_ID":
            yield here, name + "." + member
        else:
            yield from places_below(document, inner, here, above)
    if schema.get("type") in ("string", "integer"):
        yield place, schema.get("x-resource-type")


def values_for(objects, names, name, method, place, kind):
    """What generated calls of the operation may have there; empty: whatever is generated."""
    for own in (name, name.rpartition(".")[0] + ".*"):
        if (own, place) in objects.own:
            return objects.own[own, place]
    if place == "body.name":
        return [f"public-{number}" for number in range(900)] if name.startswith(PUBLIC_SERVICES) else names
    if kind == "com.vmware.vapi.std.dynamic_ID.id":
        return objects.kept[ITEM]
    if kind == "com.vmware.vapi.std.dynamic_ID.type":
        return [ITEM]
    destroys = method == "DELETE" or name.endswith(".force_delete")
    return (objects.spent if destroys and place.startswith("path.") else objects.kept).get(kind, [])


def configuration(document, objects, names):
    """schemathesis.toml, with a dictionary for each set of values. Strings of JSON are strings of TOML."""
    dictionaries, lines = {}, []
    for name, (method, _, operation) in operations_of(document).items():
        bindings = []
        for place, kind in places_of(document, operation):
            values = tuple(values_for(objects, names, name, method, place, kind))
            if values:
                # Never by accident what others need, or the run its own login by.
                always = method == "DELETE" or place in ("path.user", "path.group", "path.token", "body.principal")
                dictionary = dictionaries.setdefault(values, f"values-{len(dictionaries)}")
                bindings.append(f'"{place}" = {{dictionary = "{dictionary}", probability = {1.0 if always else 0.9}}}')
        if bindings:
            lines += ["[[operations]]", f'include-operation-id = "{name}"', "[operations.parameters]", *bindings]
    head = [SETTINGS.format(hooks=json.dumps(str(HOOKS)))]
    for values, name in dictionaries.items():
        head += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines += ["[[operations]]", f'include-operation-id = "{ENDS_THE_RUN}"', "enabled = false"]
    return "\n".join([*head, *lines]) + "\n"


# ---- a run ----


class Run:
    """Schemathesis, going through some phases beside us."""

    def __init__(self, api, folder, config, phases, seed=SEED):
        self.server = api.server
        folder.mkdir()
        self.report = folder / "exchanges.ndjson"
        config_file = folder / "schemathesis.toml"
        config_file.write_text(config, encoding="utf-8")
        command = [
            str(PROGRAM),
            f"--config-file={config_file}",
            "run",
            f"{api.server.url}/api/openapi.json",
            f"--url={api.server.url}/api",
            f"--header=vmware-api-session-id: {api.token}",  # as the document names it: else it is made up
            f"--tls-verify={api.server.ca_file}",
            "--exclude-path=/events",  # a stream has no end
            f"--checks={','.join(CHECKS)}",
            f"--max-examples={EXAMPLES}",
            f"--seed={seed}",
            f"--phases={','.join(phases)}",
            "--continue-on-failure",
            "--warnings=off",
            "--report=ndjson",
            f"--report-ndjson-path={self.report}",
        ]
        # Example bodies are most of the steps of a scenario, which else would end at its first.
        environment = {**os.environ, "EXPLORE_EXAMPLE_SHARE": "0.9" if "stateful" in phases else "0.5"}
        self.output = folder / "output.txt"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, env=environment
            )

    def end(self, document, failures):
        """All that was sent and answered."""
        code = self.process.wait()
        if code != 0:
            print(self.output.read_text(errors="replace")[-8000:], self.server.log(), sep="\n")
            failures.add("Schemathesis found failures, see above")
        if not self.report.exists():
            sys.exit("explore_openapi: Schemathesis did not start, see above")
        return list(exchanges_in(self.report, document))


def follow_links(api, folder, config, document, failures):
    """Rounds of the stateful phase until enough links were followed, some of each operation that has any with success.

    A round ends early where the same call is not answered the same way twice.
    """
    exchanges = []
    missing = {link.partition(" -> ")[0] for link in links_of(document)}
    for round_ in range(ROUNDS_MAX):
        run = Run(api, folder / f"links-{round_}", config, SEQUENCES, SEED + round_)
        exchanges += run.end(document, failures)
        followed = [each for each in exchanges if each.link and each.used]
        missing -= {each.link.partition(" -> ")[0] for each in followed if each.succeeded}
        if len(followed) >= TRANSITIONS and not missing:
            return exchanges
    got = f"{len(followed)} transitions along links, no success from {sorted(missing)}"
    failures.add(f"after {ROUNDS_MAX} rounds: {got}")
    return exchanges


def text_of(value):
    """Bytes, as the report writes them."""
    if value is None:
        return ""
    return base64.b64decode(value["$base64"]).decode("utf-8", "replace") if isinstance(value, dict) else str(value)


def exchanges_in(report, document):
    """What the report tells, one exchange after the other."""
    names = {(method, path): name for name, (method, path, _) in operations_of(document).items()}
    with open(report, encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line).get("ScenarioFinished")
            if event is None:
                continue
            recorder = event["recorder"]
            for identifier, exchange in recorder.get("interactions", {}).items():
                request, response = exchange["request"], exchange.get("response")
                if response is None:
                    sys.exit(f"explore_openapi: no answer to {request['method']} {request['uri']}")
                node = recorder["cases"][identifier]
                case, transition = node["value"], node.get("transition")
                target = urlsplit(request["uri"])
                sent = unquote(f"{target.path}?{target.query}".replace("+", " ")) + "\n" + text_of(request.get("body"))
                link = ""
                if transition:
                    source = recorder["cases"][node["parent_id"]]["value"]
                    link = f"{names[source['method'], source['path']]} -> {names[case['method'], case['path']]}"
                yield Exchange(
                    event["phase"],
                    names.get((case["method"], case["path"]), ""),  # of no operation: a method that is none's
                    case["method"],
                    request["uri"],
                    sent,
                    response["status_code"],
                    json.dumps(response["headers"]) + "\n" + text_of(response.get("content")),
                    link,
                    node["is_transition_applied"],
                )


# ---- judging ----


class Failures(list):
    def add(self, text):
        print(f"explore_openapi: FAILED: {text}")
        self.append(text)


def links_of(document):
    return {
        f"{name} -> {link['operationId']}"
        for name, (_, _, operation) in operations_of(document).items()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    }


def cannot(operation):
    return next((reason for pattern, reason in CANNOT.items() if re.fullmatch(pattern, operation)), None)


def judge_statuses(document, exchanges, failures):
    """Nothing is the server's fault. Some errors of this API are 500 and tell of something else: those are declared."""
    declared = {
        name: set(operation["responses"].get("500", {}).get("description", "").split(", "))
        for name, (_, _, operation) in operations_of(document).items()
    }
    for each in exchanges:
        if each.status < 500:
            continue
        kind = re.search(r'"error_type":"(\w+)"', each.answer)
        may = declared.get(each.operation, set()) - {"INTERNAL_SERVER_ERROR"}
        if each.status != 500 or not kind or kind[1] not in may:
            failures.add(f"{each.method} {each.target}: {each.status}; sent {each.sent!r}, answered {each.answer!r}")


def judge_reach(document, exchanges, failures):
    """How far the administrator's run came: phases, links, operations that succeeded."""
    asked = Counter(each.phase for each in exchanges)
    phases = ", ".join(f"{asked[phase]} {phase}" for phase in PHASES)
    print(f"explore_openapi: as the administrator {len(exchanges)} requests: {phases}")
    followed = Counter(each.link for each in exchanges if each.link and each.used)
    succeeded = Counter(each.link for each in exchanges if each.link and each.used and each.succeeded)
    links = links_of(document)
    print(
        f"explore_openapi: {followed.total()} link transitions, {succeeded.total()} of them answered 2xx; "
        f"{len(followed)} of {len(links)} links followed, {len(succeeded)} with 2xx"
    )
    sources = defaultdict(list)
    for link in sorted(links):
        sources[link.partition(" -> ")[0]].append(link)
    for source, own in sorted(sources.items()):
        taken, good = (sum(count[link] for link in own) for count in (followed, succeeded))
        print(f"  {taken:6} transitions {good:6} with 2xx  {source}, {len(own)} links")
    if REQUESTS:
        for link in sorted(links - set(succeeded)):
            print(f"  {followed[link]:6} transitions      0 with 2xx  {link}")

    reached = {each.operation for each in exchanges if each.succeeded}
    operations = set(operations_of(document))
    print(f"explore_openapi: {len(reached & operations)} of {len(operations)} operations succeeded; never did:")
    statuses, last = defaultdict(Counter), {}
    for each in exchanges:
        statuses[each.operation][each.status] += 1
        if each.phase != "coverage":
            last[each.operation] = each.answer.partition("\n")[2]
    for operation in sorted(operations - reached):
        answers = ", ".join(f"{count}x {status}" for status, count in sorted(statuses[operation].items()))
        print(f"  {operation} ({answers or 'not asked'}): {cannot(operation) or last.get(operation, '')[:300]}")
        if REQUESTS and not cannot(operation):
            failures.add(f"{operation} never succeeded")
    for operation in sorted(reached):
        if cannot(operation):
            failures.add(f"{operation} succeeded: take it out of CANNOT")


def learn_from(exchanges, objects):
    """What the administrator's run has made is as secret as what was there before."""
    made = dict(objects.learn_secrets())
    for each in exchanges:
        match = re.search(r'\n"([^"]+)"\s*$', each.answer)
        if each.status == 201 and match and not each.operation.startswith(PUBLIC_SERVICES):
            made[match[1]] = each.operation
    return made


def judge_secrecy(exchanges, secrets_, mark, failures):
    """Nothing that somebody without rights is told may hold what they have not said themselves."""
    pattern = re.compile(rf"{mark}[-\w@.]*")
    private = re.compile(r"/(library|local-library|subscribed-library|item|update-session|download-session)/")
    told = set()
    for each in exchanges:
        words = set(re.findall(r"[\w:.@-]{6,}", each.answer))
        for secret in (words & secrets_.keys()) | set(pattern.findall(each.answer)):
            if secret not in each.sent:
                told.add(f"{secret} ({secrets_.get(secret) or 'a name'}) was shown by {each.operation}")
        path = unquote(urlsplit(each.target).path)
        if each.succeeded and private.search(path) and secrets_.keys() & set(path.split("/")):
            told.add(f"{each.operation} of {path} succeeded without permissions")
    for one in sorted(told):
        failures.add(one)


def main():
    print(f"explore_openapi: seed {SEED}, {EXAMPLES} examples")
    failures = Failures()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = start_server(folder / "server")
        objects = None
        try:
            administrator = Api(server, ADMINISTRATOR, server.password)
            document = administrator.call("GET", "openapi.json")
            objects = Objects(administrator, folder)
            config = configuration(document, objects, [objects.name("made") for _ in range(900)])
            run = Run(administrator, folder / "calls", config, SINGLE_CALLS)
            exchanges = follow_links(administrator, folder, config, document, failures)
            exchanges += run.end(document, failures)
            judge_statuses(document, exchanges, failures)
            judge_reach(document, exchanges, failures)
            if not administrator.answer("GET", "session").ok:
                failures.add("the run has ended its own login")
            known = learn_from(exchanges, objects)
            known |= {server.password: "the administrator's password", administrator.token: "the administrator's login"}
            requests = len(exchanges)

            # Only now: the run may have removed users that it was told of.
            administrator.call("POST", "quire/access/users", {"name": NOBODY, "password": PASSWORD})
            nobody = Api(server, NOBODY, PASSWORD)
            config = configuration(document, objects, [f"own-{uuid.uuid4()}" for _ in range(900)])
            exchanges = Run(nobody, folder / "nobody", config, SINGLE_CALLS).end(document, failures)
            judge_statuses(document, exchanges, failures)
            judge_secrecy(exchanges, known, objects.mark, failures)
            print(f"explore_openapi: {len(exchanges)} requests without any permission, {len(known)} secrets looked for")
            requests += len(exchanges)
            print(f"explore_openapi: {requests} requests in all")
            if requests < REQUESTS:
                failures.add(f"{requests} requests are fewer than {REQUESTS}")
        finally:
            if objects:
                objects.close()
            server.stop()
    if failures:
        sys.exit(f"explore_openapi: seed {SEED}, {EXAMPLES} examples: {len(failures)} failures, see above")


if __name__ == "__main__":
    main()
