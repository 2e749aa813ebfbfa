"""The servers that are measured, each as child processes with a folder of its own."""

import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "clients"))
from object_store import BUCKET, ObjectStore  # noqa: E402
from quire_server import QuireServer  # noqa: E402

PEERS = ROOT / "build" / "bench" / "peers" / "usr"
VCSIM = ROOT / "build" / "clients" / "vcsim"
HOST = "127.0.0.1"
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return taken.getsockname()[1]


def process_tree(pid):
    """A process and everything it started."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


def cpu_seconds(pid):
    """User and system time of the process and its children, those that have ended included."""
    ticks = 0
    for one in process_tree(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def peak_memory_mib(pid):
    """VmHWM, summed over the process and its children."""
    return sum(
        int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{one}/status").read_text())[1]) / 1024
        for one in process_tree(pid)
    )


def wait_for_port(port, process):
    for _ in range(500):
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended at once with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args[0]} does not listen on port {port}")


def make_certificate(folder):
    """A key and a certificate for 127.0.0.1 that the peers share."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=bench", "-addext", f"subjectAltName=IP:{HOST}", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )
    return key, certificate


class Child:
    """A server process; a context manager that ends it."""

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_seconds(self):
        return cpu_seconds(self.pid)

    def peak_memory_mib(self):
        return peak_memory_mib(self.pid)


class Api:
    """The calls that prepare a measurement, by the legacy REST binding: the one that Quire and vcsim both have."""

    def __init__(self, base, user, password, datastore=None):
        self.authority = base.removeprefix("http://")
        self.datastore = datastore
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.headers = {"Content-Type": "application/json", "Authorization": f"Basic {basic}"}
        self.token = self.call("POST", "cis/session")
        self.headers = {"Content-Type": "application/json", "vmware-api-session-id": self.token}

    def request(self, method, path, body=None):
        """The text of a good answer."""
        connection = http.client.HTTPConnection(self.authority, timeout=600)
        connection.request(method, path, None if body is None else json.dumps(body), self.headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
        return text

    def call(self, method, path, body=None):
        text = self.request(method, "/rest/com/vmware/" + path, body)
        return json.loads(text).get("value") if text else None

    def create_library(self, name):
        spec = {"name": name, "type": "LOCAL"}
        if self.datastore:
            spec["storage_backings"] = [{"type": "DATASTORE", "datastore_id": self.datastore}]
        return self.call("POST", "content/local-library", {"create_spec": spec})

    def create_item(self, library, name):
        spec = {"library_id": library, "name": name, "type": "iso"}
        return self.call("POST", "content/library/item", {"create_spec": spec})

    def publish(self, library):
        self.call("PATCH", f"content/local-library/id:{library}",
                  {"update_spec": {"publish_info": {"authentication_method": "NONE", "published": True}}})

    def rename_item(self, item, name):
        self.call("PATCH", f"content/library/item/id:{item}", {"update_spec": {"name": name}})

    def begin_upload(self, item):
        """An update session and the path of its upload endpoint."""
        session = self.call("POST", "content/library/item/update-session", {"create_spec": {"library_item_id": item}})
        file = self.call("POST", f"content/library/item/updatesession/file/id:{session}?~action=add",
                         {"file_spec": {"name": "disk.iso", "source_type": "PUSH"}})
        return session, urllib.parse.urlsplit(file["upload_endpoint"]["uri"]).path

    def complete(self, session):
        self.call("POST", f"content/library/item/update-session/id:{session}?~action=complete")

    def cancel(self, session):
        self.call("POST", f"content/library/item/update-session/id:{session}?~action=cancel")

    def download_path(self, item):
        session = self.call("POST", "content/library/item/download-session", {"create_spec": {"library_item_id": item}})
        info = self.call("POST", f"content/library/item/downloadsession/file/id:{session}?~action=prepare",
                         {"file_name": "disk.iso"})
        return urllib.parse.urlsplit(info["download_endpoint"]["uri"]).path

    def find_item(self, library, name):
        [item] = self.call("POST", "content/library/item?~action=find", {"spec": {"library_id": library, "name": name}})
        return item

    def files(self, item):
        return self.call("GET", f"content/library/item/file?library_item_id={item}")

    def delete_item(self, item):
        self.call("DELETE", f"content/library/item/id:{item}")


class Quire(Child):
    name = "Quire"

    def __init__(self, folder, flags=()):
        self.server = QuireServer(folder, flags=["--listen-http", f"{HOST}:0", "--log-level", "warning", *flags],
                                  as_installed=True)

    def start(self):
        said_before = len(self.server.stdout())
        self.server.start()
        self.process = self.server.process
        # The http listener's line comes right before or after that of https.
        while not (found := re.search(r"ready (http://\S+)", self.server.stdout()[said_before:])):
            time.sleep(0.01)
        self.bases = {"http": found[1], "https": self.server.url}
        self.ca_file = self.server.ca_file
        self.catalog = self.server.data_dir / "catalog.sqlite"

    def stop(self):
        self.server.stop()

    def api(self, user=None, password=None):
        return QuireApi(self.bases["http"], user or self.server.user, password or self.server.password)


class QuireApi(Api):
    """And those that only Quire has."""

    def new_rest(self, method, path, body=None):
        text = self.request(method, "/api/quire/" + path, body)
        return json.loads(text) if text else None

    def subscribe(self, name, url):
        """Returns when the first synchronization has ended well."""
        spec = {"name": name, "type": "SUBSCRIBED", "subscription_info": {
            "authentication_method": "NONE", "automatic_sync_enabled": False, "on_demand": False, "subscription_url": url}}
        library = self.call("POST", "content/subscribed-library", {"create_spec": spec})
        while True:
            tasks = [task for task in json.loads(self.request("POST", "/api/cis/tasks?action=list", {})).values() if task["target"]["id"] == library]
            if tasks and all(task["status"] in ("SUCCEEDED", "FAILED") for task in tasks):
                break
            time.sleep(0.01)
        for task in tasks:
            if task["status"] != "SUCCEEDED":
                raise RuntimeError(task["error"])
        return library

    def create_user(self, name, password):
        self.new_rest("POST", "access/users", {"name": name, "password": password})

    def permit(self, user, library, role_name):
        role = next(role["role"] for role in self.new_rest("GET", "access/roles") if role["name"] == role_name)
        self.new_rest("PUT", "access/permissions", {"principal": user, "type": "USER", "library_id": library, "role": role})


class Vcsim(Child):
    """govmomi's simulator, without TLS; its files are on tmpfs."""

    name = "vcsim"

    def __init__(self, folder):
        self.folder = Path(folder)

    def start(self):
        self.folder.mkdir(parents=True)
        self.process = subprocess.Popen(
            [VCSIM, "-plain", "-listen", f"{HOST}:0", "-user", "user", "-password", "password"],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env={**os.environ, "TMPDIR": str(self.folder)},
        )
        said = dict(self.process.stdout.readline().split() for _ in range(2))
        self.datastore = said["datastore"]
        self.bases = {"http": said["ready"]}

    def api(self):
        return Api(self.bases["http"], "user", "password", self.datastore)


class Versitygw(Child):
    """An S3 server on a folder."""

    name = "versitygw"

    def __init__(self, folder):
        self.folder = Path(folder)
        self.store = ObjectStore(folder)

    def start(self):
        self.process = self.store.start().process

    def curl(self, key):
        """A signed request for an object, as curl makes it."""
        return ["curl", "--silent", "--show-error", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user",
                f"{self.store.access_key}:{self.store.secret_key}", "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
                f"{self.store.endpoint}/{BUCKET}/{key}"]


NGINX_CONFIGURATION = """
daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_max_body_size 0;
  client_body_buffer_size 1m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  ssl_certificate {certificate};
  ssl_certificate_key {key};
  ssl_protocols TLSv1.3;
  ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
  keepalive_requests 1000000000;
  server {{
    listen {host}:{http};
    listen {host}:{https} ssl;
    root {files};
    dav_methods PUT DELETE;
    create_full_put_path on;
  }}
}}
"""

CADDY_CONFIGURATION = """
{{
  admin off
  auto_https off
  servers {{
    protocols h1
  }}
}}
http://{host}:{http} {{
  bind {host}
  root * {files}
  file_server
}}
https://{host}:{https} {{
  bind {host}
  tls {certificate} {key}
  root * {files}
  file_server
}}
"""


class FileServer(Child):
    """nginx or caddy over a folder of files."""

    def __init__(self, folder, files, certificate):
        self.folder, self.files = Path(folder), Path(files)
        self.key, self.ca_file = certificate

    def configuration(self, text, **more):
        self.folder.mkdir(parents=True)
        ports = {"http": free_port(), "https": free_port()}
        self.bases = {scheme: f"{scheme}://{HOST}:{port}" for scheme, port in ports.items()}
        path = self.folder / "configuration"
        path.write_text(text.format(folder=self.folder, files=self.files, host=HOST, key=self.key,
                                    certificate=self.ca_file, **ports, **more))
        return path

    def started(self, command):
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(command, env={**os.environ, "HOME": str(self.folder)}, stdout=log, stderr=log)
        for base in self.bases.values():
            wait_for_port(int(base.rsplit(":", 1)[1]), self.process)


class Nginx(FileServer):
    name = "nginx"

    def start(self):
        user = "user root;" if os.geteuid() == 0 else ""
        path = self.configuration(NGINX_CONFIGURATION, user=user)
        self.started([PEERS / "sbin" / "nginx", "-e", self.folder / "error.log", "-p", self.folder, "-c", path])

    @staticmethod
    def version():
        text = subprocess.run([PEERS / "sbin" / "nginx", "-v"], capture_output=True, text=True, check=True).stderr
        return text.split()[-1]


class Caddy(FileServer):
    name = "caddy"

    def start(self):
        path = self.configuration(CADDY_CONFIGURATION)
        self.started([PEERS / "bin" / "caddy", "run", "--config", path, "--adapter", "caddyfile"])

    @staticmethod
    def version():
        text = subprocess.run([PEERS / "bin" / "caddy", "version"], capture_output=True, text=True, check=True).stdout
        return "caddy/" + text.split()[0]
