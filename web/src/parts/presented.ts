import { html, nothing } from "lit";
import { showCertificate } from "../certificate.js";
import { time } from "../format.js";
import type { Probe } from "../model.js";
import { facts } from "./bits.js";
import { icon } from "./icon.js";

const warning = (text: string) => html`<div class="alert warning" role="note">${icon("warning")}<span>${text}</span></div>`;

/// What a server looked like that was probed: whether its certificate is trusted, and the certificate, so that people can compare it.
export async function presented(url: URL, probe: Probe) {
  const certificate = probe.ssl_certificate ? await showCertificate(probe.ssl_certificate).catch(() => undefined) : undefined;
  return html`${probe.status === "CERTIFICATE_ERROR" ? warning("The server does not know who vouches for this certificate. Compare it with what the owner of the address tells you, and accept it only when they are the same.")
    : url.protocol === "https:" ? html`<p>The certificate is trusted.</p>` : url.protocol === "http:" ? warning("The address is not encrypted: whoever is on the way can change what comes.") : nothing}
    ${facts([["Address", url.href], certificate && ["Issued to", certificate.subject], certificate && ["Issued by", certificate.issuer], certificate && ["Valid", `${time(certificate.notBefore.toISOString())} – ${time(certificate.notAfter.toISOString())}`],
      certificate && ["SHA-256", html`<code>${certificate.sha256}</code>`], probe.ssl_thumbprint ? ["SHA-1", html`<code>${probe.ssl_thumbprint}</code>`] : undefined])}`;
}
