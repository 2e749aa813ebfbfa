import assert from "node:assert/strict";
import { test } from "node:test";
import { showCertificate } from "../src/certificate.js";

// Made for this test by openssl; its end is beyond 2049, so it stands in the longer of the two forms.
const pem = `
-----BEGIN CERTIFICATE-----
MIIByzCCAXGgAwIBAgIUPPTd2BXETJN9O8mFeHEDR+pMPDkwCgYIKoZIzj0EAwIw
OjELMAkGA1UEBhMCREUxEDAOBgNVBAoMB0V4YW1wbGUxGTAXBgNVBAMMEE3DvGxs
ZXIgJiBTw7ZobmUwIBcNMjYxMTI4MTk0NjIyWhgPMjEyNjExMDQxOTQ2MjJaMDox
CzAJBgNVBAYTAkRFMRAwDgYDVQQKDAdFeGFtcGxlMRkwFwYDVQQDDBBNw7xsbGVy
ICYgU8O2aG5lMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExa0RoHAFkV6pdW31
chb8r8y3fo0IDmgp/qHpXuV1FqaSLaM2iJ69JGfF2rjrkKIaBt1M5AM6QLenvHAP
57ABeaNTMFEwHQYDVR0OBBYEFGGw43fA/bRiad3p0XS150MHl9GoMB8GA1UdIwQY
MBaAFGGw43fA/bRiad3p0XS150MHl9GoMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
zj0EAwIDSAAwRQIgIvN3RYaa4GnSnylvta17/XUkQgcfaUy+bWAwwyUWtM4CIQCr
89qZbvuL4bX2oPUM4B0QYK/FoCAXXfjB1YKUFncUfw==
-----END CERTIFICATE-----
`;

test("a certificate says whose it is, and until when", async () => {
  const shown = await showCertificate(`text before it\n${pem}`);
  assert.equal(shown.subject, "CN=Müller & Söhne, O=Example, C=DE");
  assert.equal(shown.issuer, shown.subject);
  assert.equal(shown.notBefore.toISOString(), "2026-11-28T19:46:22.000Z");
  assert.equal(shown.notAfter.toISOString(), "2126-11-04T19:46:22.000Z");
  assert.equal(shown.sha256, "4B:30:3A:C4:2B:F4:CC:24:91:82:FD:48:0D:6B:82:15:B8:3A:2C:8E:D6:91:DE:66:97:DA:07:B3:F7:A8:09:B9");
});

test("what is none, or is cut off, is refused", async () => {
  await assert.rejects(showCertificate("no certificate"));
  await assert.rejects(showCertificate("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"));
  await assert.rejects(showCertificate("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"));
});
