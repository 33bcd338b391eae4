// Signing in at a real-name provider outside, by OpenID Connect against an independent implementation.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { allSound, launch, sound, startNode, visitor } from "./lib.mjs";
import { session, signIn } from "./people.mjs";
import { PEOPLE, agree, startProvider } from "./provider.mjs";

let node;
let browser;
let provider;
let work;
before(async () => {
  const port = await new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
  work = await mkdtemp(path.join(tmpdir(), "yiwang-real-name-"));
  node = await startNode({ port });
  // The provider knows her by the number that the register has.
  const person = await session(node, "wangxiaoyu");
  const begun = await person.call("POST", "/api/v1/drafts", { item: "individual-business-registration" });
  const fields = begun.json.pages.flatMap((one) => one.fields);
  const number = fields.find((field) => field.id === "operator.citizen_id").value;
  const people = { ...PEOPLE, wang: { ...PEOPLE.wang, citizen_id: number }, impostor: { ...PEOPLE.impostor, citizen_id: number } };
  provider = await startProvider(work, { back: `${node.base}/sign-in/real-name/back`, people });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await node?.stop();
  await provider?.stop();
  await rm(work, { recursive: true, force: true });
});

const go = (page) => page.locator("main form.yw-form button[type=submit]").first().click();
const text = (page) => page.locator("main").innerText();

test("the administrator names the provider; what does not answer as one is refused", async () => {
  const page = await visitor(browser, node);
  await signIn(page, node, "admin", { next: "/admin/real-name" });
  const fill = async (issuer) => {
    await page.locator("[name=issuer]").fill(issuer);
    await page.locator("[name=client_id]").fill("yiwang");
    await page.locator("[name=client_secret]").fill("a-secret-between-the-two");
    await page.locator("[name=authority]").fill(provider.authority);
    await page.locator("[name=name_zh]").fill("大理实名认证");
    await page.locator("[name=name_en]").fill("Dali real-name");
    await go(page);
    await page.waitForLoadState();
  };
  await fill(node.base);
  assert.match(await text(page), /https:\/\//);
  await fill("https://localhost:1");
  assert.match(await text(page), /读不到可用的配置/);
  await sound(page, "provider-errors");
  await fill(provider.issuer);
  assert.match(await text(page), /已接入/);
  await sound(page, "provider-set");
  await page.context().close();
});

/** A visitor who went to the provider and came back. */
async function back(login) {
  const page = await visitor(browser, node, { anyCertificate: true });
  await page.goto("/sign-in?next=/my/profile");
  await page.locator('main a[href^="/sign-in/real-name"]').click();
  await page.waitForURL(/\/interaction\//);
  await agree(page, login);
  await page.waitForURL((url) => url.origin === node.base);
  return page;
}

test("whom the register knows comes back as themself, and is told so in the footprint", async () => {
  const page = await back("wang");
  await page.waitForURL(/\/my\/profile/);
  assert.match(await text(page), /王晓雨/);
  await page.goto("/my/footprint");
  assert.match(await text(page), /实名认证/);
  // Their answer is good once: the address that they came back by leads nowhere a second time.
  await page.context().close();
});

test("a new person is taken in, with the account found again the next time", async () => {
  for (let i = 0; i < 2; i += 1) {
    const page = await back("stranger");
    await page.waitForURL(/\/my\/profile/);
    assert.match(await text(page), /张三丰/);
    await page.context().close();
  }
});

test("another name for a known number, and a person without a name, are refused", async () => {
  for (const [login, said] of [
    ["impostor", /姓名/],
    ["nameless", /不可用|另一种方式|换一种方式/],
  ]) {
    const page = await back(login);
    await page.waitForLoadState();
    assert.match(await text(page), said);
    await page.goto("/my/profile");
    assert.match(page.url(), /\/sign-in/, `${login} was signed in`);
    await page.context().close();
  }
});

test("an answer that nobody asked for, or that belongs to another, opens nothing", async () => {
  const page = await visitor(browser, node);
  await page.goto("/sign-in/real-name/back?state=forged&code=forged");
  assert.match(page.url(), /\/sign-in/);
  // A journey that began here does not take the answer of another.
  const other = await visitor(browser, node, { anyCertificate: true });
  await other.goto("/sign-in?next=/my");
  await other.locator('main a[href^="/sign-in/real-name"]').click();
  await other.waitForURL(/\/interaction\//);
  await other.goto(`${node.base}/sign-in/real-name/back?state=forged&code=forged`);
  await other.goto("/my");
  assert.match(other.url(), /\/sign-in/, "a forged answer signed somebody in");
  await page.context().close();
  await other.context().close();
});

test("the provider being away is said, and other ways to sign in stay", async () => {
  await provider.stop();
  const page = await visitor(browser, node);
  await page.goto("/sign-in/real-name?next=/my");
  assert.match(await text(page), /不可用|换一种方式/);
  await sound(page, "provider-away-error");
  await signIn(page, node, "liyunshan", { next: "/my" });
  await page.context().close();
});

test("nothing failed behind these pages", () => {
  // That the provider failed is an error to whoever runs the node; nothing else may be.
  const lines = node.log().split("\n").filter((line) => /ERROR|panicked/.test(line));
  assert.match(node.log(), /did not vouch.*does not tell `name`/);
  assert.match(node.log(), /did not vouch.*does not answer/);
  const faults = lines.filter((line) => !line.includes("identity.provider_failed"));
  assert.deepEqual(faults, []);
});

test("these pages are accessible, narrow enough and without faults", allSound);
