// The whole walk in a real browser: a citizen applies, officers decide, a licence is issued, shown, verified
// and revoked, the case is rated, and every look at the citizen's data is on the record.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { mkdir, mkdtemp, open, readFile, writeFile, cp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PHONE, allSound, launch, noFaults, picture, root, sound, startNode, visitor, yiwang } from "./lib.mjs";
import { signIn } from "./people.mjs";
import * as files from "./files.mjs";

const ITEM = "individual-business-registration";
const SHOP = "苍山染坊";

let node;
let browser;
let work;
// What one part of the walk leaves for the next: they are one story and run in order.
const walk = {};

before(async () => {
  node = await startNode();
  browser = await launch();
  work = await mkdtemp(path.join(tmpdir(), "yiwang-walk-"));
});
after(async () => {
  await browser?.close();
  await node?.stop();
  await rm(work, { recursive: true, force: true });
});

/** The button of the page's form. */
const go = (page) => page.locator("main form.yw-form button[type=submit]").first().click();

async function next(page, step) {
  await go(page);
  await page.waitForURL(new RegExp(`/${step}(\\?.*)?$`));
}

async function text(page) {
  return page.locator("main").innerText();
}

async function says(page, ...parts) {
  const all = await text(page);
  for (const part of parts) assert.ok(all.includes(part), `${page.url()} does not say ${part}:\n${all}`);
}

async function download(page, link) {
  const waiting = page.waitForEvent("download");
  await page.locator(`main a[href$="${link}"]`).first().click();
  const got = await waiting;
  const file = path.join(work, got.suggestedFilename());
  await got.saveAs(file);
  return file;
}

/** Verifies offline with the lists of the data folder, which are at most a second behind. */
async function verified(file, wanted = 0) {
  for (let i = 0; ; i += 1) {
    const offline = await yiwang("verify", file, "--data", node.folder);
    if ((offline.code === 0) === (wanted === 0) || i === 20) return offline;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

test("whoever may not apply is told why and by which article", async () => {
  const page = await visitor(browser, node);
  await page.goto(`/items/${ITEM}/check`);
  await sound(page, "walk-check");
  await go(page);
  await says(page, "请");
  await sound(page, "walk-check-errors");
  await page.locator('[name="applicant.birth_date-year"]').fill("1990");
  await page.locator('[name="applicant.birth_date-month"]').fill("3");
  await page.locator('[name="applicant.birth_date-day"]').fill("7");
  await page.locator('[name="applicant.own_income"][value=true]').check();
  await page.locator('[name="applicant.needs_company"][value=true]').check();
  await go(page);
  await says(page, "合伙企业、公司请办理企业设立登记", "第二条");
  await sound(page, "walk-check-refused");
  await page.goto(`/items/${ITEM}/check`);
  await page.locator('[name="applicant.birth_date-year"]').fill("1990");
  await page.locator('[name="applicant.birth_date-month"]').fill("3");
  await page.locator('[name="applicant.birth_date-day"]').fill("7");
  await page.locator('[name="applicant.own_income"][value=true]').check();
  await page.locator('[name="applicant.needs_company"][value=false]').check();
  await go(page);
  await says(page, "您可以申请登记为个体工商户");
  await sound(page, "walk-check-passed");
});

test("a citizen fills the form page by page; what the registers know is filled in and says where from", async () => {
  const page = await visitor(browser, node);
  await page.goto(`/apply/${ITEM}`);
  await page.waitForURL(/\/sign-in/);
  await sound(page, "walk-sign-in");
  await signIn(page, node, "duanxiaohui", { next: `/apply/${ITEM}` });
  await page.waitForURL(new RegExp(`/apply/${ITEM}`));
  await sound(page, "walk-start");
  await next(page, "who");
  await says(page, "段小慧", "人口基础库");
  await sound(page, "walk-who");
  await next(page, "contact");
  await page.locator('[name="operator.phone"]').fill("12");
  await go(page);
  await says(page, "请填 11 位手机号");
  assert.equal(await page.locator('[name="operator.phone"]').inputValue(), "12", "what was typed is lost");
  await sound(page, "walk-contact-error");
  await page.locator('[name="operator.phone"]').fill("13900001111");
  await next(page, "shop-name");
  // The name is checked while it is typed.
  await page.locator('[name="shop.name"]').pressSequentially("段记小馆");
  await page.getByRole("status").filter({ hasText: "已被使用" }).waitFor();
  await sound(page, "walk-name-taken");
  await go(page);
  await says(page, "这个名称已被使用");
  await page.locator('[name="shop.name"]').fill(SHOP);
  await next(page, "place");
  await sound(page, "walk-place");
  await page.locator('[name="shop.place_kind"][value=rented]').check();
  await next(page, "address");
  await sound(page, "walk-address");
  walk.draft = page.url().split("/").at(-2);
  await noFaults(page);
  await page.context().close();
});

test("the draft waits on another device", async () => {
  const page = await visitor(browser, node, { viewport: PHONE });
  await signIn(page, node, "duanxiaohui", { next: "/my" });
  await page.waitForURL(/\/my$/);
  await sound(page, "walk-my-draft");
  await page.goto("/my/drafts");
  await sound(page, "walk-drafts");
  await page.locator(`main a[href$="/apply/drafts/${walk.draft}"]`).first().click();
  await page.waitForURL(/\/address$/);
  await page.locator('[name="shop.address-division"]').selectOption({ label: "下关街道" });
  await page.locator('[name="shop.address"]').fill("泰安路8号");
  await go(page);
  await page.waitForURL(/\/premises-proof$/);
  await sound(page, "walk-proof");
  await page.context().close();
});

test("a file of a wrong type, too large, or not what its name says gets a clear error and nothing is lost", async () => {
  const page = await visitor(browser, node);
  await signIn(page, node, "duanxiaohui", { next: `/apply/drafts/${walk.draft}/premises-proof` });
  const send = async (name, bytes) => {
    const file = path.join(work, name);
    await writeFile(file, bytes);
    await page.locator("input[type=file]").setInputFiles(file);
    await go(page);
    await page.waitForLoadState();
  };
  await send("租赁合同.exe", files.executable());
  await says(page, "PDF");
  await sound(page, "walk-proof-type");
  await send("租赁合同.pdf", files.executable());
  await says(page, "内容");
  await sound(page, "walk-proof-disguised");
  await send("租赁合同.pdf", files.pdf(30 * 1024 * 1024));
  await says(page, "20 MB");
  await sound(page, "walk-proof-large");
  await send("租赁合同.pdf", files.pdf(20_000));
  await page.waitForURL(/\/scope$/);
  await sound(page, "walk-scope");
  await page.locator('[name="shop.scope"][value=retail]').check();
  await page.locator('[name="shop.scope"][value=catering]').check();
  await next(page, "promise");
  await sound(page, "walk-promise");
  await page.locator('[name="operator.declares"][value=true]').check();
  await next(page, "review");
  await says(page, SHOP, "泰安路8号", "租赁合同.pdf", "13900001111");
  await sound(page, "walk-review");
  walk.citizen = page;
});

test("the submission is receipted with a case number and both due dates; sent twice it stays one case", async () => {
  const page = walk.citizen;
  await go(page);
  await says(page, "请勾选承诺后再提交");
  await page.locator('[name="declares"]').check();
  await next(page, "done");
  await says(page, "法定", "承诺", "个工作日");
  await sound(page, "walk-done");
  walk.caseNo = (await text(page)).match(/532901-\d{8}-[0-9A-Z]+(?:-?[0-9A-Z]+)*/)[0];
  walk.receipt = await download(page, "/receipt");
  const offline = await yiwang("verify", walk.receipt, "--data", node.folder);
  assert.equal(offline.code, 0, offline.text);
  assert.ok(offline.text.includes(walk.caseNo), offline.text);
  // Another byte, another verdict.
  const forged = path.join(work, "forged.json");
  await writeFile(forged, (await readFile(walk.receipt, "utf8")).replace(/"received_at": ?"2/, '"received_at":"3'));
  const refused = await yiwang("verify", forged, "--data", node.folder);
  assert.notEqual(refused.code, 0, refused.text);
  // The back button and a second click.
  await page.goto(`/apply/drafts/${walk.draft}/review`);
  await page.waitForURL(/\/done$/);
  await page.goto("/my/cases");
  assert.equal(await page.locator(`main a[href*="/my/cases/"]`).count(), 1);
  await sound(page, "walk-my-cases");
  await page.goto(`/my/cases/${walk.caseNo}`);
  await sound(page, "walk-my-case");
});

test("an officer finds the case in the queue with its light and sends the one correction notice", async () => {
  const page = await visitor(browser, node);
  walk.officer = page;
  await signIn(page, node, "market-registrar", { next: "/work" });
  await page.waitForURL(/\/work/);
  await says(page, walk.caseNo);
  await sound(page, "walk-queue");
  await page.locator(`main a[href$="/work/cases/${walk.caseNo}"]`).click();
  await page.waitForURL(new RegExp(walk.caseNo));
  await sound(page, "walk-case");
  await act(page, "claim");
  await page.locator('a[href$="/ask-correction"]').click();
  await page.waitForURL(/ask-correction/);
  await go(page);
  await sound(page, "walk-correction-errors");
  await page.locator("[name=points]").fill("租赁合同缺少出租人签名，请补上签名页。\n请写明租期。");
  await sound(page, "walk-correction-form");
  await go(page);
  await page.waitForURL(new RegExp(`${walk.caseNo}$`));
  await sound(page, "walk-case-correction");
});

/** A deed that asks nothing more than a click. */
async function act(page, action) {
  await page.locator(`form[action$="/${action}"] button`).click();
  await page.waitForURL(new RegExp(`${walk.caseNo}$`));
}

test("the citizen answers; the clock shows the pause", async () => {
  const page = walk.citizen;
  await page.goto("/my");
  await sound(page, "walk-my-correction");
  await page.goto(`/my/cases/${walk.caseNo}`);
  await says(page, "租赁合同缺少出租人签名", "请写明租期");
  await page.locator(".yw-due__why summary").first().click();
  await says(page, "时限暂停");
  await sound(page, "walk-my-case-correction");
  await page.locator('main a[href$="/correction"]').click();
  await sound(page, "walk-my-answer");
  await page.locator("[name=text]").fill("已补签名页，租期三年。");
  const file = path.join(work, "签名页.pdf");
  await writeFile(file, files.pdf(5_000));
  await page.locator("input[type=file]").setInputFiles(file);
  await go(page);
  await page.waitForURL(new RegExp(`${walk.caseNo}$`));
  assert.ok(!(await text(page)).includes("时限暂停"), "the clock still stands");
  await sound(page, "walk-my-case-answered");
});

test("the officer accepts and examines; the same person may not decide, whatever they send", async () => {
  const page = walk.officer;
  await page.goto(`/work/cases/${walk.caseNo}`);
  await says(page, "已补签名页，租期三年。");
  await act(page, "accept");
  await page.locator('a[href$="/examine"]').click();
  await page.waitForURL(/examine/);
  await page.locator("[name=opinion]").fill("材料齐全，经营项目中的餐饮须另行取得食品经营许可，建议准予登记。");
  await page.locator('[name=outcome][value="approved"]').check();
  await sound(page, "walk-examine");
  await go(page);
  await page.waitForURL(new RegExp(`${walk.caseNo}$`));
  await sound(page, "walk-case-examined");
  // No button is offered, and the system refuses the request itself.
  assert.equal(await page.locator('a[href$="/decide"]').count(), 0);
  const csrf = await page.locator("input[name=_csrf]").first().inputValue();
  const status = await page.evaluate(
    async ([address, csrf]) => {
      const body = new URLSearchParams({ _csrf: csrf, outcome: "approved", reason: "同意", seen: "99" });
      const answer = await fetch(address, { method: "POST", body, redirect: "manual" });
      return answer.status;
    },
    [`/work/cases/${walk.caseNo}/decide`, csrf],
  );
  assert.ok([403, 409].includes(status), `deciding on one's own examination was answered with ${status}`);
});

test("a second officer decides with reasons and an article", async () => {
  const page = await visitor(browser, node);
  walk.approver = page;
  await signIn(page, node, "market-approver", { next: `/work/cases/${walk.caseNo}` });
  await page.waitForURL(new RegExp(walk.caseNo));
  await says(page, "建议准予登记");
  await mkdir(path.join(root, "docs/pictures"), { recursive: true });
  await page.screenshot({ path: path.join(root, "docs/pictures/case.png") });
  await page.locator('a[href$="/decide"]').click();
  await page.waitForURL(/decide/);
  await page.locator('[name=outcome][value="approved"]').check();
  await page.locator("[name=reason]").fill("申请材料齐全，符合法定形式，准予登记。餐饮须取得食品经营许可后方可经营。");
  await page.locator("[name=article]").selectOption("registration-19");
  await sound(page, "walk-decide");
  await go(page);
  await page.waitForURL(new RegExp(`${walk.caseNo}$`));
  await sound(page, "walk-case-decided");
  await page.goto(`/work/cases/${walk.caseNo}/decision`);
  await sound(page, "walk-decision");
  await page.context().close();
});

test("the licence is in the wallet, on paper with its code, and anybody verifies it", async () => {
  const page = walk.citizen;
  await page.goto("/my/licences");
  const link = page.locator("main a", { hasText: "营业执照" }).first();
  for (let i = 0; i < 20 && (await link.count()) === 0; i += 1) {
    await page.waitForTimeout(250);
    await page.reload();
  }
  await sound(page, "walk-wallet");
  await link.click();
  await page.waitForURL(/\/my\/licences\/./);
  walk.licence = page.url().split("/").at(-1);
  await says(page, SHOP, "段小慧", "1.2.156.3005.2.");
  await sound(page, "walk-licence");
  walk.pdf = await download(page, "/pdf");
  walk.file = await download(page, "/file");
  assert.equal((await readFile(walk.pdf)).subarray(0, 5).toString(), "%PDF-");
  for (const file of [walk.pdf, walk.file]) {
    const offline = await verified(file);
    assert.equal(offline.code, 0, offline.text);
    assert.match(offline.text, /SM2/);
    assert.match(offline.text, /ES256|EdDSA|Ed25519/);
  }
  await page.locator('main a[href$="/present"]').click();
  await sound(page, "walk-present");
  await go(page);
  await page.locator(".yw-qr__caption strong").waitFor();
  await sound(page, "walk-code");
  walk.code = (await page.locator(".yw-qr__caption strong").innerText()).trim();

  const other = await visitor(browser, node);
  await other.goto("/verify");
  await sound(other, "walk-verify");
  await other.locator("[name=text]").fill(walk.code);
  await other.locator("[name=verifier]").fill("洱海商场");
  await other.locator("[name=purpose]").fill("签订摊位合同");
  await go(other);
  await says(other, "营业执照", SHOP);
  await sound(other, "walk-verified");
  // A code is shown once.
  await other.goto("/verify");
  await other.locator("[name=text]").fill(walk.code);
  await go(other);
  assert.ok(!(await text(other)).includes(SHOP), "a code was shown twice");
  await sound(other, "walk-code-used");
  await other.goto("/verify");
  await other.locator("input[type=file]").setInputFiles(walk.pdf);
  await go(other);
  await says(other, SHOP);
  await other.context().close();
  // Whoever looked is told to the holder.
  await page.goto(`/my/licences/${walk.licence}/uses`);
  await says(page, "洱海商场", "签订摊位合同");
  await sound(page, "walk-uses");
});

test("a copy carries its purpose and its recipient and can be verified", async () => {
  const page = walk.citizen;
  await page.goto(`/my/licences/${walk.licence}/copy`);
  await sound(page, "walk-copy");
  await page.locator("[name=purpose]").fill("办理银行开户");
  await page.locator("[name=recipient]").fill("大理农商银行");
  await go(page);
  await page.waitForLoadState();
  await page.goto(`/my/licences/${walk.licence}`);
  await says(page, "大理农商银行");
  const waiting = page.waitForEvent("download");
  await page.locator('main a[href*="/copies/"]').first().click();
  const file = path.join(work, "copy.pdf");
  await (await waiting).saveAs(file);
  const offline = await verified(file);
  assert.equal(offline.code, 0, offline.text);
  assert.ok(offline.text.includes("大理农商银行"), offline.text);
});

test("after a revocation the page and the command line both say so", async () => {
  const page = await visitor(browser, node);
  await signIn(page, node, "market-deputy", { next: "/work/licences" });
  await sound(page, "walk-work-licences");
  await page.goto(`/work/licences/${walk.licence}`);
  await sound(page, "walk-work-licence");
  await page.locator('a[href$="/revoke"]').click();
  await go(page);
  await sound(page, "walk-revoke-errors");
  await page.locator("[name=reason]").fill("提交虚假材料取得登记，依法撤销。");
  const basis = page.locator("[name=legal_basis]");
  if (await basis.count()) await basis.fill("《中华人民共和国市场主体登记管理条例》第四十条");
  await go(page);
  await page.waitForURL(new RegExp(`${walk.licence}$`));
  await sound(page, "walk-revoked");
  await page.context().close();

  const other = await visitor(browser, node);
  await other.goto("/verify");
  await other.locator("input[type=file]").setInputFiles(walk.pdf);
  await go(other);
  await says(other, "吊销");
  await sound(other, "walk-verify-revoked");
  await other.context().close();
  const offline = await verified(walk.file, 1);
  assert.notEqual(offline.code, 0, offline.text);
  assert.match(offline.text, /吊销/);
});

test("a bad rating opens a case of its own with its fifteen working days", async () => {
  const page = walk.citizen;
  await page.goto(`/my/cases/${walk.caseNo}`);
  await sound(page, "walk-my-case-done");
  await page.goto(`/my/cases/${walk.caseNo}/rate`);
  await sound(page, "walk-rate");
  await page.locator('[name=grade][value="1"]').check();
  await page.locator("[name=comment]").fill("等了太久，补正内容说得不清楚。");
  await go(page);
  await page.waitForURL(new RegExp("/my/cases/"));
  const officer = await visitor(browser, node);
  await signIn(officer, node, "rating-verifier", { next: "/work" });
  await sound(officer, "walk-ratings-queue");
  await officer.locator('main a[href*="/work/cases/"]').first().click();
  await officer.waitForURL(/\/work\/cases\//);
  await says(officer, "15 个工作日", walk.caseNo);
  await sound(officer, "walk-rating-case");
  await officer.goto("/supervision");
  await sound(officer, "walk-supervision");
  await officer.context().close();
});

test("the citizen sees who looked at their data, when, for which case and what for", async () => {
  const page = walk.citizen;
  await page.goto("/my/footprint");
  await says(page, "大理市市场监督管理局", walk.caseNo);
  await sound(page, "walk-footprint");
  await page.goto("/my/footprint?who=others");
  await sound(page, "walk-footprint-others");
  await page.goto("/my/profile");
  await sound(page, "walk-profile");
  await page.goto("/my/delegations");
  await sound(page, "walk-delegations");
  await page.goto("/account/security");
  await sound(page, "walk-security");
});

test("the auditor verifies the log; a changed byte is named", async () => {
  const page = await visitor(browser, node);
  await signIn(page, node, "auditor", { next: "/audit" });
  await sound(page, "walk-audit");
  await page.goto("/audit/verify");
  await page.locator('form[action="/audit/verify"] button').click();
  await page.waitForLoadState();
  await sound(page, "walk-audit-verified");
  await page.goto("/audit/heads");
  await sound(page, "walk-audit-heads");
  await page.context().close();

  const intact = await yiwang("audit", "verify", "--data", node.folder);
  assert.equal(intact.code, 0, intact.text);
  // A copy of the folder, with one bit of one stored entry changed.
  const copy = path.join(work, "tampered");
  await cp(node.folder, copy, { recursive: true });
  const untouched = await yiwang("audit", "verify", "--data", copy);
  assert.equal(untouched.code, 0, untouched.text);
  const seq = await files.changeOneBitOfTheAuditLog(copy);
  const changed = await yiwang("audit", "verify", "--data", copy);
  assert.notEqual(changed.code, 0, changed.text);
  assert.match(changed.text, new RegExp(`\\b${seq}\\b`), changed.text);
  // And on the page, in words.
  const second = await startNode({ data: copy });
  const auditor = await visitor(browser, second);
  await signIn(auditor, second, "auditor", { next: "/audit/verify" });
  await auditor.locator('form[action="/audit/verify"] button').click();
  await auditor.waitForLoadState();
  await says(auditor, "记录被改动", String(seq));
  await sound(auditor, "walk-audit-changed");
  await auditor.context().close();
  await second.stop();
});

test("every page of the walk is accessible, narrow enough and without faults", allSound);

test("nothing failed behind the pages", async () => {
  const faults = node.log().split("\n").filter((line) => /ERROR|panicked/.test(line));
  assert.deepEqual(faults, []);
  await noFaults(walk.citizen);
  await picture(walk.citizen, "walk-end");
});
