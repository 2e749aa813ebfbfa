"""SOAP calls written out by hand, as Go clients send them."""

import re
import xml.etree.ElementTree as ElementTree

import requests

TIMEOUT = 60
VIM = "{urn:vim25}"
ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/">'
    "{header}<Body>{body}</Body></Envelope>"
)


class SoapClient:
    def __init__(self, server):
        self.server = server
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(server.ca_file)
        self.cookie = None

    def send(self, body, path="/sdk", header="", namespace="urn:vim25/9.1.0.0"):
        headers = {"Content-Type": 'text/xml; charset="utf-8"', "SOAPAction": namespace}
        if self.cookie:
            headers["Cookie"] = f"vmware_soap_session={self.cookie}"
        # Go sends these bodies chunked.
        content = iter([ENVELOPE.format(header=header, body=body).encode()])
        return self.http.post(self.server.url + path, data=content, headers=headers, timeout=TIMEOUT)

    def call(self, method, this, arguments="", **options):
        """The children of the response element."""
        kind, identifier = this
        response = self.send(
            f'<{method} xmlns="urn:vim25"><_this type="{kind}">{identifier}</_this>{arguments}</{method}>', **options
        )
        assert response.status_code == 200, f"{method}: {response.status_code} {response.text}"
        body = ElementTree.fromstring(response.content)[-1]
        assert body[0].tag == f"{VIM}{method}Response", response.text
        return body[0], response

    def log_in(self):
        content, _ = self.call("RetrieveServiceContent", ("ServiceInstance", "ServiceInstance"))
        about = content.find(f"{VIM}returnval/{VIM}about")
        self.about = {child.tag.removeprefix(VIM): child.text for child in about}
        _, response = self.call(
            "Login",
            ("SessionManager", "SessionManager"),
            f"<userName>{self.server.user}</userName><password>{self.server.password}</password><locale>en_US</locale>",
        )
        cookies = response.raw.headers.getlist("Set-Cookie")
        assert len(cookies) == 1, cookies
        self.cookie = re.match(r'vmware_soap_session="?([^";]+)', cookies[0])[1]
        return self

    def properties(self, spec_set):
        """Objects of a RetrievePropertiesEx: (type, id) → {name: value element}."""
        answer, _ = self.call(
            "RetrievePropertiesEx",
            ("PropertyCollector", "propertyCollector"),
            f"<specSet>{spec_set}</specSet><options></options>",
        )
        found = {}
        for objects in answer.iterfind(f"{VIM}returnval/{VIM}objects"):
            reference = objects.find(f"{VIM}obj")
            found[reference.get("type"), reference.text] = {
                entry.find(f"{VIM}name").text: entry.find(f"{VIM}val") for entry in objects.iterfind(f"{VIM}propSet")
            }
        return found
