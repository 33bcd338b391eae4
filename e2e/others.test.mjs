// The other two items, the citizen's way without scripts, acting for others, and the administrator's pages.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PHONE, allSound, launch, sound, startNode, visitor, yiwang } from "./lib.mjs";
import { numberOf, signIn } from "./people.mjs";
import * as files from "./files.mjs";

let node;
let browser;
let work;
before(async () => {
  node = await startNode();
  browser = await launch();
  work = await mkdtemp(path.join(tmpdir(), "yiwang-others-"));
});
after(async () => {
  await browser?.close();
  await node?.stop();
  await rm(work, { recursive: true, force: true });
});

const go = (page) => page.locator("main form.yw-form button[type=submit]").first().click();
const text = (page) => page.locator("main").innerText();

async function next(page, step) {
  await go(page);
  await page.waitForURL(new RegExp(`/${step}([?#].*)?$`)).catch(async () => {
    throw new Error(`${page.url()} and not ${step}:\n${await text(page)}`);
  });
}

async function says(page, ...parts) {
  const all = await text(page);
  for (const part of parts) assert.ok(all.includes(part), `${page.url()} does not say ${part}:\n${all}`);
}

test("without scripts a citizen goes the whole way from the search to the licence and its PDF", async () => {
  const page = await visitor(browser, node, { scripts: false });
  await page.goto("/");
  await page.locator(".yw-hero input[name=q]").fill("开个小店");
  await page.locator(".yw-hero button[type=submit]").click();
  await page.getByRole("link", { name: "个体工商户设立登记" }).first().click();
  await page.locator('main a[href^="/apply/"]').first().click();
  await signIn(page, node, "duanxiaohui", { next: "/apply/individual-business-registration" });
  await next(page, "who");
  await next(page, "contact");
  await next(page, "shop-name");
  // The name is checked by the plain submit as well.
  await page.locator('[name="shop.name"]').fill("段记小馆");
  await go(page);
  await says(page, "这个名称已被使用");
  await page.locator('[name="shop.name"]').fill("苍洱扎染坊");
  await next(page, "place");
  await page.locator('[name="shop.place_kind"][value=own]').check();
  await next(page, "address");
  await says(page, "不动产登记库");
  await next(page, "scope");
  await page.locator('[name="shop.scope"][value=retail]').check();
  await next(page, "promise");
  await page.locator('[name="operator.declares"][value=true]').check();
  await next(page, "review");
  await says(page, "已有电子证照", "当场办结");
  await page.locator("[name=declares]").check();
  await next(page, "done");
  // Complete, a free name, own premises by the certificate: registered on the spot, with its reasons.
  await says(page, "已办好", "理由和依据", "第十九条");
  await page.goto("/my/licences");
  for (let i = 0; i < 20 && !(await text(page)).includes("苍洱扎染坊"); i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    await page.reload();
  }
  await page.locator("main a", { hasText: "营业执照" }).first().click();
  const waiting = page.waitForEvent("download");
  await page.locator('main a[href$="/pdf"]').first().click();
  const file = path.join(work, "licence.pdf");
  await (await waiting).saveAs(file);
  let offline;
  for (let i = 0; i < 20; i += 1) {
    offline = await yiwang("verify", file, "--data", node.folder, "--english");
    if (offline.code === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  assert.equal(offline.code, 0, offline.text);
  // A file is chosen and sent without scripts, too.
  await page.goto("/verify");
  await page.locator("input[type=file]").setInputFiles(file);
  await go(page);
  await says(page, "苍洱扎染坊");
  await page.context().close();
});

test("two people book their registration: one chooses a time, both confirm, both hold the slip", async () => {
  const groom = await visitor(browser, node);
  await signIn(groom, node, "liyunshan", { next: "/apply/marriage-registration-appointment" });
  await sound(groom, "wedding-start");
  await go(groom);
  await groom.waitForURL(/\/apply\/drafts\/[^/]+\/[^/]+$/);
  await sound(groom, "wedding-first");
  // "This is me": the own party is filled from the register.
  const own = groom.locator('form[action$="/own"] button');
  if (await own.count()) {
    await own.click();
    await groom.waitForLoadState();
  }
  const here = () => new URL(groom.url()).pathname.split("/").at(-1);
  for (let i = 0; i < 12 && here() !== "time"; i += 1) {
    if (here() === "bride") {
      await groom.locator('[name="bride.name"]').fill("王晓雨");
      await groom.locator('[name="bride.citizen_id"]').fill(await numberOf(node, "wangxiaoyu"));
    }
    const before = groom.url();
    await go(groom);
    await groom.waitForURL((url) => url.href !== before);
  }
  await sound(groom, "wedding-times");
  await groom.locator('form[action$="/slot"] button').first().click();
  await groom.waitForURL(/\/declaration$/);
  await groom.locator('[name="both.declare"][value=true]').check();
  await next(groom, "groom-confirms");
  await sound(groom, "wedding-confirms");
  await groom.locator('[name="groom.confirmed"]').check();
  await next(groom, "materials");
  await sound(groom, "wedding-materials");
  await groom.locator("[name=promise]").check();
  await next(groom, "review");
  await sound(groom, "wedding-review");
  await groom.locator("[name=declares]").check();
  await go(groom);
  await groom.waitForLoadState();
  await sound(groom, "wedding-waiting");

  const bride = await visitor(browser, node, { viewport: PHONE });
  await signIn(bride, node, "wangxiaoyu", { next: "/my" });
  await sound(bride, "wedding-invited");
  await bride.locator('main a[href^="/my/invitations/"]').click();
  await sound(bride, "wedding-invitation");
  await go(bride);
  await sound(bride, "wedding-invitation-errors");
  await bride.locator("[name=agrees]").check();
  await go(bride);
  await bride.waitForLoadState();
  await sound(bride, "wedding-confirmed");
  for (const page of [groom, bride]) {
    await page.goto("/my/licences");
    for (let i = 0; i < 20 && !(await text(page)).includes("预约"); i += 1) {
      await page.waitForTimeout(250);
      await page.reload();
    }
    await says(page, "预约");
  }
  await groom.goto("/my");
  await groom.locator('main a[href^="/my/bookings/"]').first().click();
  await sound(groom, "wedding-booking");
  await groom.context().close();
  await bride.context().close();
});

test("an elder gets the allowance at once, in large type, and asks a person to look again", async () => {
  const page = await visitor(browser, node, { viewport: PHONE });
  await signIn(page, node, "zhaoyuzhen", { next: "/apply/elderly-allowance" });
  await page.goto("/apply/elderly-allowance?elder=1");
  assert.match(await page.locator("html").getAttribute("class"), /elder/);
  await sound(page, "allowance-start");
  await go(page);
  await page.waitForURL(/\/apply\/drafts\//);
  const here = () => new URL(page.url()).pathname.split("/").at(-1);
  for (let i = 0; i < 10 && here() !== "review"; i += 1) {
    for (const radio of await page.locator('input[type=radio][value="true"]').all()) await radio.check();
    await sound(page, `allowance-${here()}`);
    const before = page.url();
    await go(page);
    await page.waitForURL((url) => url.href !== before);
  }
  await sound(page, "allowance-review");
  await page.locator("[name=declares]").check();
  await next(page, "done");
  await says(page, "已办好", "理由和依据");
  await sound(page, "allowance-done");
  await page.locator('main a[href^="/my/cases/"]').first().click();
  await sound(page, "allowance-case");
  await page.locator('main a[href$="/review"]').click();
  await go(page);
  await sound(page, "allowance-review-errors");
  await page.locator("[name=reason]").fill("请人工再核对一次发放标准。");
  await go(page);
  await page.waitForURL(/\/my\/cases\//);
  await sound(page, "allowance-review-asked");
  await page.context().close();
  // It waits with the reviewers of the authority.
  const reviewer = await visitor(browser, node);
  await signIn(reviewer, node, "civil-marriage", { next: "/work" });
  assert.ok((await reviewer.locator('main a[href*="/work/cases/"]').count()) > 0, "the review waits nowhere");
  await sound(reviewer, "allowance-review-queue");
  await reviewer.context().close();
});

test("a guardian acts for a child; every page says for whom", async () => {
  const page = await visitor(browser, node);
  await signIn(page, node, "duanxiaohui", { next: "/my/delegations" });
  await page.locator("[data-act-for=guardian]").first().click();
  await page.waitForLoadState();
  await page.goto("/my");
  assert.ok((await page.locator("body").innerText()).includes("段小宝"), "the page does not say for whom");
  await sound(page, "acting-my");
  await page.goto("/my/delegations");
  await page.locator("[data-act-own]").click();
  await page.goto("/my/delegations/new");
  await sound(page, "delegation-new");
  await go(page);
  await sound(page, "delegation-new-errors");
  await page.context().close();
});

test("an expired session in the middle of a form loses nothing", async () => {
  const page = await visitor(browser, node);
  await signIn(page, node, "liyunshan", { next: "/apply/individual-business-registration" });
  await go(page);
  await page.waitForURL(/\/apply\/drafts\//);
  const draft = new URL(page.url()).pathname.split("/").at(-2);
  await next(page, "contact");
  await page.context().clearCookies();
  await page.locator('[name="operator.phone"]').fill("13900002222");
  await go(page);
  await page.waitForURL(/\/sign-in/);
  await says(page, "登录");
  await sound(page, "session-over");
  await signIn(page, node, "liyunshan", { next: `/apply/drafts/${draft}` });
  await page.waitForURL(/\/contact$/);
  await page.context().close();
});

test("sign-in: wrong passwords are told apart by nobody, and too many are slowed down", async () => {
  const page = await visitor(browser, node);
  for (const login of ["liyunshan", "nobody-of-that-name"]) {
    await page.goto("/sign-in");
    await go(page);
    await sound(page, "sign-in-errors");
    await page.locator("input[name=login]:visible").fill(login);
    await page.locator("input[name=password]:visible").fill("wrong-wrong-wrong");
    await go(page);
    await says(page, "账号或密码不对");
  }
  for (let i = 0; i < 12; i += 1) {
    await page.locator("input[name=login]:visible").fill("wangxiaoyu");
    await page.locator("input[name=password]:visible").fill(`wrong-${i}-wrong`);
    await go(page);
    await page.waitForLoadState();
  }
  await says(page, "尝试次数太多");
  await sound(page, "sign-in-slowed");
  await page.context().close();
});

test("the administrator's pages", async () => {
  const page = await visitor(browser, node);
  await signIn(page, node, "admin", { next: "/admin/orgs" });
  await sound(page, "admin-orgs");
  await page.goto("/admin/orgs/dali-city-market");
  await sound(page, "admin-org");
  await page.goto("/admin/accounts");
  await sound(page, "admin-accounts");
  await page.goto("/admin/accounts/new");
  await go(page);
  await sound(page, "admin-account-errors");
  await page.goto("/admin/tokens");
  await sound(page, "admin-tokens");
  await page.goto("/admin/real-name");
  await sound(page, "admin-real-name");
  await page.goto("/account/security/password");
  await sound(page, "security-password");
  await page.goto("/account/security/totp");
  await sound(page, "security-totp");
  // What is not for an administrator is refused by the system.
  for (const address of ["/work", "/audit", "/my"]) {
    const answer = await page.goto(address);
    assert.equal(answer.status(), 403, address);
  }
  await page.context().close();
});

test("the officer's pages in English", async () => {
  const page = await visitor(browser, node);
  await signIn(page, node, "market-reviewer", { next: "/work" });
  await page.goto("/work?lang=en");
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  await sound(page, "queue-empty-en");
  // The figures of all are the rating office's alone, so nobody else is led there.
  assert.equal(await page.locator('a[href="/supervision"]').count(), 0);
  assert.equal((await page.goto("/supervision")).status(), 403);
  await page.context().close();
});

test("a file that is not ours, or was changed, is named as such on the page and by the command", async () => {
  const foreign = path.join(work, "foreign.pdf");
  await writeFile(foreign, files.pdf(2000));
  const changed = path.join(work, "changed.pdf");
  const bytes = await readFile(path.join(work, "licence.pdf"));
  bytes[Math.floor(bytes.length / 2)] ^= 1;
  await writeFile(changed, bytes);
  const page = await visitor(browser, node);
  for (const [file, told, said] of [
    [foreign, /not readable|cannot be read|not a/i, "无法识别"],
    [changed, /forged|changed/i, "伪造"],
  ]) {
    const verdict = await yiwang("verify", file, "--data", node.folder, "--english");
    assert.notEqual(verdict.code, 0, verdict.text);
    assert.match(verdict.text, told);
    await page.goto("/verify");
    await page.locator("input[type=file]").setInputFiles(file);
    await go(page);
    await says(page, said);
    await sound(page, `verify-${path.basename(file, ".pdf")}`);
  }
  await page.context().close();
});

test("every one of these pages is accessible, narrow enough and without faults", allSound);

test("nothing failed behind these pages", () => {
  const faults = node.log().split("\n").filter((line) => /ERROR|panicked/.test(line));
  assert.deepEqual(faults, []);
});
