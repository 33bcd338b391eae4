// A real-name provider outside: an independent implementation of OpenID Connect, with a certificate of its own.
import { execFile } from "node:child_process";
import { createServer } from "node:https";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import Provider from "oidc-provider";

const run = promisify(execFile);

/** Whom the provider knows, by the name that they type there. */
export const PEOPLE = {
  wang: { name: "王晓雨", phone_number: "13900001111" },
  stranger: { name: "张三丰", citizen_id: "532901199805200010", phone_number: "13900002222" },
  impostor: { name: "别人", phone_number: "13900003333" },
  nameless: { citizen_id: "532901199805200010" },
};

/** Starts it; `folder` takes its certificate. */
export async function startProvider(folder, { back, people }) {
  const key = path.join(folder, "provider.key");
  const certificate = path.join(folder, "provider.pem");
  const authority = path.join(folder, "authority.pem");
  const authorityKey = path.join(folder, "authority.key");
  // A private authority and a certificate that it signed, as a government network has them.
  const fresh = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  await run("openssl", [...fresh, "-subj", "/CN=authority", "-keyout", authorityKey, "-out", authority]);
  await run("openssl", [
    ...fresh, "-CA", authority, "-CAkey", authorityKey, "-subj", "/CN=localhost",
    "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
    "-keyout", key, "-out", certificate,
  ]);
  const server = createServer({ key: await readFile(key), cert: await readFile(certificate) });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `https://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "yiwang", client_secret: "a-secret-between-the-two", redirect_uris: [back] }],
    claims: { openid: ["sub"], profile: ["name", "citizen_id"], phone: ["phone_number"] },
    pkce: { required: () => true },
    findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  });
  server.on("request", provider.callback());
  return {
    issuer,
    authority: await readFile(authority, "utf8"),
    stop: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}

/** Signs in on the provider's own pages and agrees. */
export async function agree(page, login) {
  await page.locator("input[name=login]").fill(login);
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await page.locator("button[type=submit]", { hasText: /continue/i }).click();
}
