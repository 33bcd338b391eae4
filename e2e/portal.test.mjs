// What anybody sees without signing in: home, search, guide, eligibility, verification, the house's own pages.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { DESKTOP, PHONE, allSound, launch, noFaults, picture, root, sound, startNode, visitor } from "./lib.mjs";

let node;
let browser;
before(async () => {
  node = await startNode();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await node?.stop();
});

test("a citizen finds the registration of a shop by everyday words and reads its guide", async () => {
  const page = await visitor(browser, node);
  await page.goto("/");
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  await sound(page, "portal-home");
  await mkdir(path.join(root, "docs/pictures"), { recursive: true });
  await page.screenshot({ path: path.join(root, "docs/pictures/portal.png") });
  await page.locator(".yw-hero input[name=q]").fill("开个小店");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/search\?q=/);
  await sound(page, "portal-search");
  await page.getByRole("link", { name: "个体工商户设立登记" }).first().click();
  await page.waitForURL(/\/items\/individual-business-registration/);
  const text = await page.locator("main").innerText();
  for (const part of ["谁可以办", "办理条件", "需要什么材料", "法定时限", "承诺时限", "怎么办", "收费", "法律依据", "大理市政务服务中心"]) {
    assert.ok(text.includes(part), `the guide says nothing of ${part}`);
  }
  // For each material that need not be brought: why.
  assert.ok(text.includes("由人口基础库核验"), "the guide does not say why no identity card is needed");
  await sound(page, "portal-guide");
});

test("the same pages are complete in English", async () => {
  const page = await visitor(browser, node);
  await page.goto("/?lang=en");
  await sound(page, "portal-home-en");
  await page.goto("/search?q=open+a+shop");
  await page.getByRole("link", { name: /individual business/i }).first().click();
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  await sound(page, "portal-guide-en");
});

test("a search without a find says what to do next", async () => {
  const page = await visitor(browser, node);
  await page.goto("/search?q=" + encodeURIComponent("火星移民签证"));
  await sound(page, "portal-search-empty");
});

test("the phone shows every page without scrolling sideways, in large type too", async () => {
  const page = await visitor(browser, node, { viewport: PHONE });
  for (const [name, address] of [
    ["home", "/"],
    ["guide", "/items/individual-business-registration"],
    ["sign-in", "/sign-in"],
    ["verify", "/verify"],
    ["accessibility", "/about/accessibility"],
    ["privacy", "/about/privacy"],
    ["contact", "/about/contact"],
  ]) {
    await page.goto(address);
    await sound(page, `phone-${name}`);
  }
  await page.goto("/?elder=1");
  assert.match(await page.locator("html").getAttribute("class"), /elder/);
  await sound(page, "phone-home-elder");
  await page.goto("/items/elderly-allowance");
  await sound(page, "phone-guide-elder");
});

test("the search and the guide work without scripts", async () => {
  const page = await visitor(browser, node, { scripts: false });
  await page.goto("/");
  await page.locator(".yw-hero input[name=q]").fill("开个小店");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "个体工商户设立登记" }).first().click();
  assert.ok(await page.locator("h1").innerText());
});

test("the whole way to the guide can be gone by keyboard", async () => {
  const page = await visitor(browser, node, { viewport: DESKTOP });
  await page.goto("/");
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement?.className);
  assert.match(first, /skip-link/, "the first stop is the link to the content");
  await page.keyboard.press("Enter");
  for (let stops = 0; stops < 12; stops += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.getAttribute("name") === "q")) break;
  }
  await page.keyboard.type("开个小店");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/search\?q=/);
  await noFaults(page);
});

test("a page that does not exist says so and leads on", async () => {
  const page = await visitor(browser, node);
  const answer = await page.goto("/no-such-page");
  assert.equal(answer.status(), 404);
  await sound(page, "error-404");
  await picture(page, "error-404");
});

test("every page is accessible, narrow enough and without faults", allSound);
