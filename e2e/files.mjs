// Files that people send, and what somebody with a hand on the disk could do.
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A PDF of about that many bytes. */
export function pdf(size) {
  const head = Buffer.from("%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n");
  const tail = Buffer.from("\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n");
  const filler = Buffer.alloc(Math.max(0, size - head.length - tail.length), "%");
  return Buffer.concat([head, filler, tail]);
}

/** The first bytes of a program. */
export function executable() {
  return Buffer.concat([Buffer.from("MZ\x90\x00\x03", "latin1"), Buffer.alloc(4000)]);
}

const CHANGE = `
import sqlite3, sys
ledger = sqlite3.connect(sys.argv[1])
seq, at = ledger.execute("SELECT seq, at FROM store_audit_entry WHERE case_no <> '' ORDER BY seq LIMIT 1 OFFSET 3").fetchone()
ledger.execute("UPDATE store_audit_entry SET at = ? WHERE seq = ?", (at ^ 1, seq))
ledger.commit()
print(seq)
`;

/** Changes one bit of one stored audit entry, as somebody with the file could; gives the entry's number. */
export async function changeOneBitOfTheAuditLog(folder) {
  const { stdout } = await run("/usr/bin/python3", ["-c", CHANGE, path.join(folder, "ledger.sqlite")]);
  return Number(stdout);
}
