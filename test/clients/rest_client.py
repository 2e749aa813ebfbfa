"""Thin callers of the three bindings: legacy REST (/rest), new REST (/api) and vAPI JSON-RPC (POST /api).

An operation is named as in the API (`local_library.create`) and takes its parameters under the API's names, so one test
can say the same thing on every wire. Answers come back in one shape (`Answer`), values decoded to what REST would show.
Nothing here checks an answer beyond its envelope: that is what the tests are for.
"""

import json
from dataclasses import dataclass, field
from urllib.parse import quote

import requests

TIMEOUT = 120

CONTENT = "com.vmware.content."


@dataclass(frozen=True)
class Operation:
    """Where an operation lives on each wire.

    `legacy` and `new` are "METHOD path"; `{name}` in a path takes the parameter of that name, the others go into the
    query of a GET and into the body otherwise. `new_body` names the parameter that is the whole body in the new form;
    `new_query` the parameters that go into the query there.
    """

    service: str
    operation: str
    legacy: str
    new: str
    new_body: str | None = None
    new_query: tuple = ()


def _operations():
    table = {}

    def add(name, service, legacy, new, new_body=None, new_query=()):
        table[name] = Operation(service, name.rpartition(".")[2], legacy, new, new_body, new_query)

    add("session.get", "com.vmware.cis.session", "POST /rest/com/vmware/cis/session?~action=get", "GET /api/session")
    add("session.delete", "com.vmware.cis.session", "DELETE /rest/com/vmware/cis/session", "DELETE /api/session")

    old, base = "/rest/com/vmware/content", "/api/content"
    service = CONTENT + "configuration"
    add("configuration.get", service, f"POST {old}/configuration?~action=get", f"GET {base}/configuration")
    add("configuration.update", service, f"PATCH {old}/configuration", f"PATCH {base}/configuration", "model")
    add("type.list", CONTENT + "type", f"GET {old}/type", f"GET {base}/type")

    service = CONTENT + "library"
    add("library.list", service, f"GET {old}/library", f"GET {base}/library")
    add("library.get", service, f"GET {old}/library/id:{{library_id}}", f"GET {base}/library/{{library_id}}")
    add("library.find", service, f"POST {old}/library?~action=find", f"POST {base}/library?action=find", "spec")
    add(
        "library.update",
        service,
        f"PATCH {old}/library/id:{{library_id}}",
        f"PATCH {base}/library/{{library_id}}",
        "update_spec",
    )

    add("library.delete", service, f"DELETE {old}/library/id:{{library_id}}", f"DELETE {base}/library/{{library_id}}")
    for action in ("force_delete", "enter_maintenance", "exit_maintenance", "migrate", "convert"):
        dashed = action.replace("_", "-")
        add(
            f"library.{action}",
            service,
            f"POST {old}/library/id:{{library_id}}?~action={dashed}",
            f"POST {base}/library/{{library_id}}?action={dashed}",
            {"migrate": "migrate_spec", "convert": "conversion_spec"}.get(action),
        )
    add("tasks.get", "com.vmware.cis.tasks", "GET /rest/cis/tasks/{task}", "GET /api/cis/tasks/{task}")
    add("tasks.list", "com.vmware.cis.tasks", "GET /rest/cis/tasks", "POST /api/cis/tasks?action=list")

    service = CONTENT + "local_library"
    add("local_library.list", service, f"GET {old}/local-library", f"GET {base}/local-library")
    add(
        "local_library.create",
        service,
        f"POST {old}/local-library",
        f"POST {base}/local-library",
        "create_spec",
        ("client_token",),
    )
    for name, method in (("get", "GET"), ("update", "PATCH"), ("delete", "DELETE")):
        add(
            f"local_library.{name}",
            service,
            f"{method} {old}/local-library/id:{{library_id}}",
            f"{method} {base}/local-library/{{library_id}}",
            "update_spec" if name == "update" else None,
        )

    service, old, base = CONTENT + "library.item", f"{old}/library/item", f"{base}/library/item"
    add("item.list", service, f"GET {old}", f"GET {base}")
    add("item.create", service, f"POST {old}", f"POST {base}", "create_spec", ("client_token",))
    add("item.find", service, f"POST {old}?~action=find", f"POST {base}?action=find", "spec")
    add(
        "item.copy",
        service,
        f"POST {old}/id:{{source_library_item_id}}?~action=copy",
        f"POST {base}/{{source_library_item_id}}?action=copy",
        "destination_create_spec",
        ("client_token",),
    )
    for name, method in (("get", "GET"), ("update", "PATCH"), ("delete", "DELETE")):
        add(
            f"item.{name}",
            service,
            f"{method} {old}/id:{{library_item_id}}",
            f"{method} {base}/{{library_item_id}}",
            "update_spec" if name == "update" else None,
        )
    add("item.file.list", service + ".file", f"GET {old}/file", f"GET {base}/{{library_item_id}}/file")
    add(
        "item.file.get",
        service + ".file",
        f"POST {old}/file/id:{{library_item_id}}?~action=get",
        f"GET {base}/{{library_item_id}}/file",
    )
    add("item.storage.list", service + ".storage", f"GET {old}/storage", f"GET {base}/{{library_item_id}}/storage")
    add(
        "item.storage.get",
        service + ".storage",
        f"POST {old}/storage/id:{{library_item_id}}?~action=get",
        f"GET {base}/{{library_item_id}}/storage",
    )

    for kind in ("update", "download"):
        session, sessions = f"{{{kind}_session_id}}", f"{kind}-session"
        service = f"{CONTENT}library.item.{kind}_session"
        name = f"{kind}_session"
        add(f"{name}.list", service, f"GET {old}/{sessions}", f"GET {base}/{sessions}")
        add(
            f"{name}.create",
            service,
            f"POST {old}/{sessions}",
            f"POST {base}/{sessions}",
            "create_spec",
            ("client_token",),
        )
        add(f"{name}.get", service, f"GET {old}/{sessions}/id:{session}", f"GET {base}/{sessions}/{session}")
        add(f"{name}.delete", service, f"DELETE {old}/{sessions}/id:{session}", f"DELETE {base}/{sessions}/{session}")
        for action in ("keep_alive", "cancel", "fail") + (("complete",) if kind == "update" else ()):
            dashed = action.replace("_", "-")
            add(
                f"{name}.{action}",
                service,
                f"POST {old}/{sessions}/id:{session}?~action={dashed}",
                f"POST {base}/{sessions}/{session}?action={dashed}",
            )

        service = f"{CONTENT}library.item.{kind}session.file"
        file_old, file_new = f"{old}/{kind}session/file", f"{base}/{sessions}/{session}/file"
        name = f"{kind}_session.file"
        add(f"{name}.list", service, f"GET {file_old}", f"GET {file_new}")
        if kind == "update":
            add(f"{name}.add", service, f"POST {file_old}/id:{session}?~action=add", f"POST {file_new}", "file_spec")
            add(f"{name}.get", service, f"POST {file_old}/id:{session}?~action=get", f"GET {file_new}/{{file_name}}")
            add(
                f"{name}.remove",
                service,
                f"POST {file_old}/id:{session}?~action=remove",
                f"DELETE {file_new}/{{file_name}}",
            )
            add(
                f"{name}.validate",
                service,
                f"POST {file_old}/id:{session}?~action=validate",
                f"POST {file_new}?action=validate",
            )
        else:
            add(
                f"{name}.prepare",
                service,
                f"POST {file_old}/id:{session}?~action=prepare",
                f"POST {file_new}?action=prepare",
            )
            add(f"{name}.get", service, f"POST {file_old}/id:{session}?~action=get", f"GET {file_new}")

    add(
        "update_session.update",
        f"{CONTENT}library.item.update_session",
        f"PATCH {old}/update-session/id:{{update_session_id}}",
        f"PATCH {base}/update-session/{{update_session_id}}",
        "update_spec",
    )
    probe = "POST /rest/com/vmware/content/library/item/updatesession/file?~action=probe"
    add("file.probe", CONTENT + "library.item.updatesession.file", probe, None)  # new REST does not have it
    return table


OPERATIONS = _operations()

# JSON-RPC names every structure. Which one a parameter is, by service and parameter:
PARAMETER_STRUCTURES = {
    CONTENT + "configuration": {"model": "com.vmware.content.configuration_model"},
    CONTENT + "library": {
        "spec": "com.vmware.content.library.find_spec",
        "update_spec": "com.vmware.content.library_model",
    },
    CONTENT + "local_library": {
        "create_spec": "com.vmware.content.library_model",
        "update_spec": "com.vmware.content.library_model",
    },
    CONTENT + "library.item": {
        "create_spec": "com.vmware.content.library.item_model",
        "update_spec": "com.vmware.content.library.item_model",
        "destination_create_spec": "com.vmware.content.library.item_model",
        "spec": "com.vmware.content.library.item.find_spec",
    },
    CONTENT + "library.item.update_session": {
        "create_spec": "com.vmware.content.library.item.update_session_model",
        "update_spec": "com.vmware.content.library.item.update_session_model",
    },
    CONTENT + "library.item.download_session": {
        "create_spec": "com.vmware.content.library.item.download_session_model"
    },
    CONTENT + "library.item.updatesession.file": {
        "file_spec": "com.vmware.content.library.item.updatesession.file.add_spec",
        "source_endpoint": "com.vmware.content.library.item.transfer_endpoint",
    },
}
# … and which one a field is:
FIELD_STRUCTURES = {
    "storage_backings": "com.vmware.content.library.storage_backing",
    "storage_backing": "com.vmware.content.library.storage_backing",
    "publish_info": "com.vmware.content.library.publish_info",
    "optimization_info": "com.vmware.content.library.optimization_info",
    "checksum_info": "com.vmware.content.library.item.file.checksum_info",
    "source_endpoint": "com.vmware.content.library.item.transfer_endpoint",
    "warning_behavior": "com.vmware.content.library.item.updatesession.warning_behavior",
}
# Fields that are not optional, and so not wrapped; all others are.
REQUIRED_FIELDS = {
    "com.vmware.content.library.item.updatesession.file.add_spec": {"name", "source_type"},
    "com.vmware.content.library.item.file.checksum_info": {"checksum"},
    "com.vmware.content.library.item.transfer_endpoint": {"uri"},
    "com.vmware.content.library.publish_info": set(),
    "com.vmware.content.library.item.updatesession.warning_behavior": {"type", "ignored"},
}
OPTIONAL_PARAMETERS = {"client_token", "client_progress", "progress", "endpoint_type"}
SECRET_FIELDS = {"password", "current_password"}


@dataclass
class Answer:
    """What a binding answered: `value` on success, `error_type` (`NOT_FOUND`, …) and `messages` on failure."""

    request: str
    status: int
    value: object = None
    error_type: str | None = None
    messages: list = field(default_factory=list)
    headers: dict = field(default_factory=dict)
    text: str = ""

    @property
    def ok(self):
        return self.error_type is None and 200 <= self.status < 300

    def __str__(self):
        return f"{self.request}\n-> {self.status} {self.text[:2000]}"


class Binding:
    """One wire, with a login of its own."""

    def __init__(self, server):
        self.server = server
        self.session_id = None
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(server.ca_file)

    def call(self, name, /, **parameters):
        raise NotImplementedError

    def ok(self, name, /, **parameters):
        """Calls, asserts success and returns the value."""
        answer = self.call(name, **parameters)
        assert answer.ok, f"{name} failed: {answer}"
        return answer.value

    def send(self, method, path, body=None, headers=None, session=True):
        """A request with these exact bytes, session header included."""
        all_headers = {"Accept": "application/json", **(headers or {})}
        if session and self.session_id:
            all_headers["vmware-api-session-id"] = self.session_id
        return self.http.request(
            method, self.server.url + path, data=body, headers=all_headers, timeout=TIMEOUT, allow_redirects=False
        )

    def _basic(self):
        return (self.server.user.encode(), self.server.password.encode())


class _Rest(Binding):
    def _route(self, operation):
        raise NotImplementedError

    def _call(self, name, parameters):
        operation = OPERATIONS[name]
        method, path = self._route(operation).split(" ", 1)
        rest = dict(parameters)
        for key in list(rest):
            if (placeholder := f"{{{key}}}") in path:
                path = path.replace(placeholder, quote(str(rest.pop(key)), safe=":"))
        assert "{" not in path, f"{name}: a parameter of {path} is missing"
        query = {}
        if method == "GET":
            query, rest = rest, {}
        return method, path, query, rest, operation

    def _json(self, method, path, query, body):
        headers = {} if body is None else {"Content-Type": "application/json"}
        if query:
            path += ("&" if "?" in path else "?") + "&".join(
                f"{quote(str(key))}={quote(str(value), safe='')}" for key, value in query.items()
            )
        response = self.send(method, path, None if body is None else json.dumps(body), headers)
        return self.read(f"{method} {path} {json.dumps(body) if body is not None else ''}", response)

    def read(self, request, response):
        """The answer in a response of this form."""
        raise NotImplementedError


def _body_of(response):
    try:
        return response.json() if response.content else None
    except ValueError:
        return None


class LegacyRest(_Rest):
    def log_in(self):
        response = self.http.post(
            self.server.url + "/rest/com/vmware/cis/session",
            auth=self._basic(),
            timeout=TIMEOUT,
            headers={"vmware-use-header-authn": "true"},
        )
        assert response.status_code == 200, f"{response.status_code} {response.text}"
        self.session_id = response.json()["value"]
        return self

    def _route(self, operation):
        return operation.legacy

    def call(self, name, /, **parameters):
        method, path, query, rest, _ = self._call(name, parameters)
        return self._json(method, path, query, rest or None)

    def read(self, request, response):
        body = _body_of(response)
        answer = Answer(request, response.status_code, headers=response.headers, text=response.text)
        if response.ok:
            answer.value = body["value"] if body is not None else None
        else:
            value = body.get("value", {}) if isinstance(body, dict) else {}
            kind = str(body.get("type", "")) if isinstance(body, dict) else ""
            answer.error_type = kind.removeprefix("com.vmware.vapi.std.errors.").upper() or "(no error body)"
            if isinstance(value, dict):
                answer.messages = value.get("messages", [])
                assert value.get("error_type", answer.error_type) == answer.error_type, (
                    f"type and error_type differ: {answer}"
                )
        return answer


class NewRest(_Rest):
    def log_in(self):
        response = self.http.post(self.server.url + "/api/session", auth=self._basic(), timeout=TIMEOUT)
        assert response.status_code == 201, f"{response.status_code} {response.text}"
        self.session_id = response.json()
        return self

    def _route(self, operation):
        return operation.new

    def call(self, name, /, **parameters):
        method, path, query, rest, operation = self._call(name, parameters)
        for key in operation.new_query:
            if key in rest:
                query[key] = rest.pop(key)
        body = rest.get(operation.new_body) if operation.new_body else rest or None
        return self._json(method, path, query, body)

    def read(self, request, response):
        body = _body_of(response)
        answer = Answer(request, response.status_code, headers=response.headers, text=response.text)
        if response.ok:
            answer.value = body
        elif isinstance(body, dict):
            answer.error_type = body.get("error_type", "(no error_type)")
            answer.messages = body.get("messages", [])
        else:
            answer.error_type = "(no error body)"
        return answer


class JsonRpc(Binding):
    def __init__(self, server):
        super().__init__(server)
        self._next_id = 0

    def log_in(self):
        context = {
            "schemeId": "com.vmware.vapi.std.security.user_pass",
            "userName": self.server.user,
            "password": self.server.password,
        }
        answer = self.invoke("com.vmware.cis.session", "create", {}, context)
        assert answer.ok, str(answer)
        self.session_id = answer.value
        return self

    def call(self, name, /, **parameters):
        operation = OPERATIONS[name]
        optional = set(OPTIONAL_PARAMETERS)
        if operation.operation == "list" and operation.service.endswith("_session"):
            optional.add("library_item_id")
        structures = PARAMETER_STRUCTURES.get(operation.service, {})
        encoded = {}
        for key, value in parameters.items():
            structure = structures.get(key)
            value = encode_structure(structure, value) if structure and isinstance(value, dict) else value
            encoded[key] = {"OPTIONAL": value} if key in optional else value
        return self.invoke(operation.service, operation.operation, encoded)

    def security_context(self):
        if self.session_id is None:
            return None
        return {"schemeId": "com.vmware.vapi.std.security.session_id", "sessionId": self.session_id}

    def envelope(self, service, operation, fields, context=None):
        self._next_id += 1
        ctx = {"appCtx": {"opId": f"test-{self._next_id}"}}
        if context := context or self.security_context():
            ctx["securityCtx"] = context
        return {
            "jsonrpc": "2.0",
            "method": "invoke",
            "id": str(self._next_id),
            "params": {
                "serviceId": service,
                "operationId": operation,
                "ctx": ctx,
                "input": {"STRUCTURE": {"operation-input": fields}},
            },
        }

    def invoke(self, service, operation, fields, context=None):
        request = self.envelope(service, operation, fields, context)
        response = self.send("POST", "/api", json.dumps(request), {"Content-Type": "application/json"}, session=False)
        answer = self.read(f"JSON-RPC {service}.{operation} {json.dumps(fields)}", response)
        if response.ok:
            body = response.json()
            assert body.get("jsonrpc") == "2.0" and body.get("id") == request["id"], f"envelope: {answer}"
        return answer

    def read(self, request, response):
        body = _body_of(response)
        answer = Answer(request, response.status_code, headers=response.headers, text=response.text)
        if not isinstance(body, dict) or not ("result" in body or "error" in body):
            answer.error_type = (body.get("error_type") if isinstance(body, dict) else None) or "(no JSON-RPC body)"
        elif "error" in body:
            answer.error_type = str(body["error"]["code"])
            answer.messages = [body["error"]]
        elif "error" in body["result"]:
            ((name, fields),) = body["result"]["error"]["ERROR"].items()
            answer.error_type = name.removeprefix("com.vmware.vapi.std.errors.").upper()
            answer.messages = decode(fields["messages"])
        else:
            answer.value = decode(body["result"]["output"])
        return answer


BINDINGS = {"legacy": LegacyRest, "new": NewRest, "json_rpc": JsonRpc}


def encode_structure(name, fields):
    """A structure as JSON-RPC writes it: named, and each optional field wrapped."""
    required = REQUIRED_FIELDS.get(name, set())
    encoded = {}
    for key, value in fields.items():
        inner = FIELD_STRUCTURES.get(key)
        if inner and isinstance(value, list):
            value = [encode_structure(inner, entry) if isinstance(entry, dict) else entry for entry in value]
        elif inner and isinstance(value, dict):
            value = encode_structure(inner, value)
        elif key in SECRET_FIELDS and isinstance(value, str):
            value = {"SECRET": value}
        encoded[key] = value if key in required else {"OPTIONAL": value}
    return {"STRUCTURE": {name: encoded}}


def decode(value):
    """A JSON-RPC value without its wrappers; unset optional fields are left out, as REST does."""
    if isinstance(value, list):
        return [decode(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, inner),) = value.items()
        if tag in ("OPTIONAL", "SECRET"):
            return decode(inner)
        if tag == "STRUCTURE":
            (fields,) = inner.values()
            decoded = {key: decode(entry) for key, entry in fields.items()}
            return {key: entry for key, entry in decoded.items() if entry is not None}
    return {key: decode(entry) for key, entry in value.items()}


class Transfers:
    """Bytes to and from endpoints: no login, the address is the credential."""

    def __init__(self, server):
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(server.ca_file)

    def put(self, uri, content, method="PUT", headers=None):
        return self.http.request(method, uri, data=content, headers=headers, timeout=TIMEOUT)

    def get(self, uri, headers=None):
        return self.http.get(uri, headers=headers, timeout=TIMEOUT)


def create_library(binding, name="images"):
    return binding.ok("local_library.create", create_spec={"name": name, "type": "LOCAL"})


def upload_item(binding, transfers, library_id, name, files, item_type="", item_id=None):
    """Item with these files (name → bytes) through an update session; returns the item's id."""
    item_id = item_id or binding.ok(
        "item.create", create_spec={"name": name, "library_id": library_id, "type": item_type}
    )
    session = binding.ok("update_session.create", create_spec={"library_item_id": item_id})
    for file_name, content in files.items():
        info = binding.ok(
            "update_session.file.add",
            update_session_id=session,
            file_spec={"name": file_name, "source_type": "PUSH", "size": len(content)},
        )
        response = transfers.put(info["upload_endpoint"]["uri"], content)
        assert response.status_code == 200, f"upload of {file_name}: {response.status_code} {response.text}"
    binding.ok("update_session.complete", update_session_id=session)
    binding.ok("update_session.delete", update_session_id=session)
    return item_id


def download_item(binding, transfers, item_id):
    """All files of an item (name → bytes) through a download session."""
    session = binding.ok("download_session.create", create_spec={"library_item_id": item_id})
    contents = {}
    for listed in binding.ok("download_session.file.list", download_session_id=session):
        info = binding.ok("download_session.file.prepare", download_session_id=session, file_name=listed["name"])
        assert info["status"] == "PREPARED", info
        response = transfers.get(info["download_endpoint"]["uri"])
        assert response.status_code == 200, f"download of {listed['name']}: {response.status_code} {response.text}"
        contents[listed["name"]] = response.content
    binding.ok("download_session.delete", download_session_id=session)
    return contents
