import { html } from "lit";
import { get, post, remove, segment } from "../api.js";
import { showCertificate } from "../certificate.js";
import type { Shown } from "../certificate.js";
import { time } from "../format.js";
import { changed, kinds, Live } from "../live.js";
import { badge, button, emptyState, iconButton, problem, title } from "../parts/bits.js";
import { ask } from "../parts/dialog.js";
import { attempt } from "../parts/notice.js";
import { Part } from "../parts/part.js";
import type { Column } from "../parts/table.js";

interface Row { id: string; shown: Shown | undefined }

/// Who may sign packages.
class Certificates extends Part {
  private readonly all = new Live(this, async () => {
    const { certificates } = await get<{ certificates: { certificate: string; cert_text: string }[] }>("/content/trusted-certificates");
    return Promise.all(certificates.map(async ({ certificate, cert_text }): Promise<Row> => ({ id: certificate, shown: await showCertificate(cert_text).catch(() => undefined) })));
  }, kinds("trusted_certificate."));
  private readonly columns: Column<Row>[] = [
    { key: "subject", label: "Issued to", width: "minmax(200px,1.5fr)", sort: (row) => row.shown?.subject ?? "", text: (row) => row.shown?.subject ?? "", cell: (row) => row.shown?.subject ?? "Cannot be read" },
    { key: "issuer", label: "Issued by", width: "minmax(180px,1fr)", sort: (row) => row.shown?.issuer ?? "", text: (row) => row.shown?.issuer ?? "", cell: (row) => row.shown?.issuer ?? "" },
    { key: "until", label: "Valid until", width: "240px", sort: (row) => row.shown?.notAfter.toISOString() ?? "", cell: (row) => html`${time(row.shown?.notAfter.toISOString())} ${row.shown && row.shown.notAfter < new Date() ? badge("bad", "Expired") : ""}` },
    { key: "digest", label: "SHA-256", width: "minmax(200px,1fr)", text: (row) => row.shown?.sha256 ?? "", cell: (row) => html`<code title=${row.shown?.sha256 ?? ""}>${row.shown?.sha256 ?? ""}</code>` },
    { key: "act", label: "Actions", width: "80px", cell: (row) => iconButton("trash", `Trust ${row.shown?.subject ?? row.id} no more`, () => attempt(() => ask({ title: "Trust it no more?", danger: true, confirm: "Trust no more", intro: "Items that it vouched for are judged again.", run: async () => { await remove(`/content/trusted-certificates/${segment(row.id)}`); changed("trusted_certificate.deleted"); } }))) },
  ];
  private add() {
    return ask({
      title: "Trust a certificate", confirm: "Trust", wide: true, intro: "Packages that its holder has signed, or whom it vouches for, are verified from then on.",
      fields: [{ name: "pem", label: "Certificate in PEM", kind: "area", required: true, hint: "From -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----." }],
      run: async (values) => { await post("/content/trusted-certificates", { cert_text: values.pem }); changed("trusted_certificate.created"); },
    });
  }
  protected override render() {
    const add = button("add", "Trust a certificate", () => attempt(() => this.add()), { primary: true });
    if (this.all.error && !this.all.value) return html`${title([], "certificate", "Trusted certificates")}${problem(this.all.error, () => this.all.reload())}`;
    return html`${title([], "certificate", "Trusted certificates")}<q-table label="Trusted certificates" .columns=${this.columns} .rows=${this.all.value} .keyOf=${(row: Row) => row.id} .actions=${this.all.value?.length ? add : ""}
      .empty=${emptyState("certificate", "Nobody is trusted yet", "Add the certificate of whoever signs your packages: then they show as verified, and libraries can insist on it.", add)}></q-table>`;
  }
}
customElements.define("q-certificates", Certificates);
