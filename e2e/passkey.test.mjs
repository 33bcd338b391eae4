// A passkey, with the browser's own virtual authenticator: added, used instead of a password, removed.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { launch, startNode, visitor } from "./lib.mjs";
import { signIn } from "./people.mjs";

let node;
let browser;
before(async () => {
  // Passkeys belong to a host name, so the node is told its own.
  const port = await new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
  node = await startNode({ port, env: { YIWANG_BASE_URL: `http://localhost:${port}` } });
  node.base = `http://localhost:${port}`;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await node?.stop();
});

test("an officer adds a passkey and signs in with it alone", async () => {
  const page = await visitor(browser, node);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await signIn(page, node, "market-registrar", { next: "/account/security" });
  await page.locator("input[name=label]").fill("值班电脑");
  await page.locator("[data-passkey-add]").click();
  await page.getByText("值班电脑").first().waitFor();
  await page.locator('form[action="/sign-out"] button').first().click();
  await page.goto("/sign-in?next=/work");
  await page.locator("[data-passkey-sign-in]").click();
  await page.waitForURL((url) => url.pathname === "/work");
  assert.ok((await page.locator("h1").innerText()).length > 0);
  await page.goto("/account/security");
  await page.locator('form[action*="/passkeys/"][action$="/remove"] button').first().click();
  await page.waitForLoadState();
  assert.equal(await page.locator('form[action*="/passkeys/"][action$="/remove"]').count(), 0);
  await page.context().close();
});
