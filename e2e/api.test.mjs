// The same walk over the API, and everything that a caller may send wrong.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { startNode } from "./lib.mjs";
import { call, numberOf, session } from "./people.mjs";
import * as files from "./files.mjs";

const ITEM = "individual-business-registration";

let node;
const who = {};
const walk = {};
before(async () => {
  node = await startNode();
});
after(() => node?.stop());

async function as(login) {
  who[login] ??= await session(node, login);
  return who[login];
}

function is(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  if (code) assert.equal(answer.json?.code, code, answer.text);
  if (status >= 400) {
    assert.match(answer.headers.get("content-type") ?? "", /^application\/problem\+json/, answer.text);
    assert.ok(answer.json.title && answer.json.request_id, answer.text);
  }
  return answer.json;
}

function upload(name, bytes) {
  const form = new FormData();
  form.append("file", new Blob([bytes]), name);
  return form;
}

/** A draft of a shop on rented premises that also cooks: an officer has to look at it. */
async function draft(citizen, name, more = {}) {
  const begun = is(await citizen.call("POST", "/api/v1/drafts", { item: ITEM }), 201);
  const known = begun.pages.flatMap((page) => page.fields).filter((field) => field.value != null);
  const answers = {
    ...Object.fromEntries(known.map((field) => [field.id, field.value])),
    "shop.name": name,
    "shop.place_kind": "rented",
    "shop.address": "云南省大理白族自治州大理市下关街道泰安路8号",
    "shop.scope": ["retail", "catering"],
    "operator.declares": true,
    ...more,
  };
  return { id: begun.id, answers };
}

test("a search by everyday words finds the item, and its guide says why nothing need be brought", async () => {
  const found = is(await call(node, "GET", "/api/v1/items?q=" + encodeURIComponent("开个小店")), 200);
  assert.equal(found.items[0].id, ITEM);
  const guide = is(await call(node, "GET", `/api/v1/items/${ITEM}`), 200);
  assert.ok(JSON.stringify(guide).includes("由人口基础库核验"));
  const checked = is(
    await call(node, "POST", `/api/v1/items/${ITEM}/eligibility`, {
      answers: { "applicant.birth_date": "2012-01-01", "applicant.own_income": false, "applicant.needs_company": false },
    }),
    200,
  );
  assert.ok(JSON.stringify(checked).includes("未满十六周岁"), JSON.stringify(checked));
});

test("a citizen applies: wrong answers and wrong files are named, right ones are kept", async () => {
  const citizen = await as("duanxiaohui");
  const { id, answers } = await draft(citizen, "苍山染坊");
  walk.draft = id;
  const path = `/api/v1/drafts/${id}`;
  const wrong = is(await citizen.call("PUT", `${path}/answers`, { answers: { ...answers, "operator.phone": "12" } }), 422);
  assert.ok(wrong.errors.some((one) => one.field === "operator.phone"), JSON.stringify(wrong));
  is(await citizen.call("PUT", `${path}/answers`, { answers }), 200);
  const premises = `${path}/attachments/premises-proof`;
  is(await citizen.call("POST", premises, upload("合同.exe", files.executable())), 422);
  is(await citizen.call("POST", premises, upload("合同.pdf", files.executable())), 422);
  is(await citizen.call("POST", premises, upload("合同.pdf", files.pdf(30 * 1024 * 1024))), 413);
  const kept = await citizen.call("POST", premises, upload("../../../etc/合同.pdf", files.pdf(2000)));
  assert.ok(kept.status < 300, kept.text);
  const seen = is(await citizen.call("GET", path), 200);
  assert.ok(!JSON.stringify(seen).includes(".."), "a path of a file name was kept");
  assert.equal(seen.next_page ?? null, null, JSON.stringify(seen));
});

test("a submission has its receipt; sent again and again it is the same one", async () => {
  const citizen = await as("duanxiaohui");
  const path = `/api/v1/drafts/${walk.draft}/submit`;
  const key = { "idempotency-key": "e2e-walk-1" };
  const sent = await Promise.all(Array.from({ length: 8 }, () => citizen.call("POST", path, undefined, key)));
  const numbers = new Set(sent.map((answer) => is(answer, 200).case_no));
  assert.equal(numbers.size, 1);
  [walk.caseNo] = numbers;
  const { cases } = is(await citizen.call("GET", "/api/v1/cases"), 200);
  assert.equal(cases.filter((one) => one.case_no === walk.caseNo).length, 1);
  const detail = is(await citizen.call("GET", `/api/v1/cases/${walk.caseNo}`), 200);
  assert.ok(detail.statutory && detail.promised, JSON.stringify(detail));
  // Another draft under the same key is refused rather than answered with a strange receipt.
  const other = await draft(citizen, "洱海书屋", { "shop.place_kind": "online" });
  is(await citizen.call("POST", `/api/v1/drafts/${other.id}/submit`, undefined, key), 409);
  is(await citizen.call("DELETE", `/api/v1/drafts/${other.id}`), 204);
});

test("nobody sees another's draft, case, receipt or licence", async () => {
  const other = await as("liyunshan");
  for (const path of [`/api/v1/drafts/${walk.draft}`, `/api/v1/cases/${walk.caseNo}`, `/api/v1/receipts/${walk.caseNo}`]) {
    is(await other.call("GET", path), 404);
    is(await call(node, "GET", path), 401);
  }
  is(await other.call("GET", `/api/v1/work/cases/${walk.caseNo}`), 403);
  // An officer of another authority does not find it either.
  const elsewhere = await as("civil-examiner");
  const answer = await elsewhere.call("GET", `/api/v1/work/cases/${walk.caseNo}`);
  assert.ok([403, 404].includes(answer.status), answer.text);
});

test("officers: correction, answer, acceptance, examination; the same person may not decide", async () => {
  const officer = await as("market-registrar");
  const citizen = await as("duanxiaohui");
  const base = `/api/v1/work/cases/${walk.caseNo}`;
  const act = (person, action, value = {}) => person.call("POST", `${base}/actions/${action}`, value);
  const queue = is(await officer.call("GET", "/api/v1/work/cases"), 200);
  const entry = queue.cases.find((one) => one.case_no === walk.caseNo);
  assert.ok(["green", "yellow", "red"].includes(entry.light), JSON.stringify(entry));
  is(await act(officer, "claim"), 200);
  is(await act(officer, "ask-correction", { points: ["租赁合同缺少出租人签名"] }), 200);
  is(await act(officer, "ask-correction", { points: ["再来一次"] }), 409);
  const paused = is(await citizen.call("GET", `/api/v1/cases/${walk.caseNo}`), 200);
  assert.deepEqual(paused.correction.points, ["租赁合同缺少出租人签名"]);
  const file = is(await citizen.call("POST", `/api/v1/cases/${walk.caseNo}/files`, upload("签名页.pdf", files.pdf(900))), 200);
  is(await citizen.call("POST", `/api/v1/cases/${walk.caseNo}/correction-answer`, { text: "已补", file_id: file.file_id }), 200);
  is(await act(officer, "accept"), 200);
  is(await act(officer, "examine", { text: "建议准予登记", outcome: "approved" }), 200);
  const decision = { text: "符合法定形式，准予登记", outcome: "approved", article: "registration-19" };
  const own = await act(officer, "decide", decision);
  assert.ok([403, 409].includes(own.status), own.text);
  const approver = await as("market-approver");
  is(await act(approver, "decide", { ...decision, text: "" }), 422);
  is(await act(approver, "decide", decision), 200);
  is(await act(approver, "decide", decision), 409);
  const history = is(await citizen.call("GET", `/api/v1/cases/${walk.caseNo}/history`), 200);
  assert.ok(history.events.length >= 7, JSON.stringify(history));
});

test("the licence: one record, shown once by a code, refused after a revocation", async () => {
  const citizen = await as("duanxiaohui");
  let licence;
  for (let i = 0; i < 100 && !licence; i += 1) {
    const { licences } = is(await citizen.call("GET", "/api/v1/licences"), 200);
    licence = licences.find((one) => one.type_id === "business-licence");
    if (!licence) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.match(licence.identifier, /^1\.2\.156\.3005\.2\./);
  const file = is(await citizen.call("GET", `/api/v1/licences/${licence.id}/file`), 200);
  const pdf = await citizen.call("GET", `/api/v1/licences/${licence.id}/pdf`);
  assert.equal(pdf.bytes.subarray(0, 5).toString(), "%PDF-");
  const shown = is(await citizen.call("POST", `/api/v1/licences/${licence.id}/presentations`, {}), 200);
  const look = { code: shown.code, verifier: "洱海商场", purpose: "签订摊位合同" };
  const first = is(await call(node, "POST", "/api/v1/verifications", look), 200);
  assert.ok(JSON.stringify(first).includes("苍山染坊"));
  is(await call(node, "POST", "/api/v1/verifications", look), 410);
  const held = { text: JSON.stringify(file), verifier: "洱海商场", purpose: "核验" };
  const valid = is(await call(node, "POST", "/api/v1/verifications", held), 200);
  const { uses } = is(await citizen.call("GET", `/api/v1/licences/${licence.id}/uses`), 200);
  assert.ok(uses.some((one) => one.verifier === "洱海商场"));

  const deputy = await as("market-deputy");
  const revoke = `/api/v1/work/licences/${licence.id}/actions/revoke`;
  is(await deputy.call("POST", revoke, { reason: "", legal_basis: "" }), 422);
  const grounds = { reason: "提交虚假材料取得登记", legal_basis: "《市场主体登记管理条例》第四十条" };
  is(await (await as("market-registrar")).call("POST", revoke, grounds), 403);
  is(await deputy.call("POST", revoke, grounds), 200);
  const after = is(await call(node, "POST", "/api/v1/verifications", held), 200);
  assert.notDeepEqual(after.verdict ?? after.status, valid.verdict ?? valid.status, JSON.stringify(after));
  assert.match(JSON.stringify(after), /revoked/);
});

test("a bad rating opens a case of its own; every look is on the footprint and the log is intact", async () => {
  const citizen = await as("duanxiaohui");
  const rated = is(
    await citizen.call("POST", `/api/v1/cases/${walk.caseNo}/ratings`, { moment: "completion", grade: 1, comment: "太慢" }),
    200,
  );
  assert.ok(rated.complaint_case_no, JSON.stringify(rated));
  is(await citizen.call("POST", `/api/v1/cases/${walk.caseNo}/ratings`, { moment: "completion", grade: 9 }), 422);
  const verifier = await as("rating-verifier");
  const complaint = is(await verifier.call("GET", `/api/v1/work/cases/${rated.complaint_case_no}`), 200);
  assert.equal(complaint.parent, walk.caseNo);
  const { entries } = is(await citizen.call("GET", "/api/v1/me/footprint"), 200);
  assert.ok(entries.some((one) => !one.own && one.case_no === walk.caseNo && one.who && one.purpose));
  const auditor = await as("auditor");
  const log = is(await auditor.call("POST", "/api/v1/audit/verifications", {}), 200);
  assert.equal(log.intact, true, JSON.stringify(log));
});

test("an allowance is decided at once with its reasons, and a person reviews it on request", async () => {
  const elder = await as("zhaoyuzhen");
  const begun = is(await elder.call("POST", "/api/v1/drafts", { item: "elderly-allowance" }), 201);
  const known = begun.pages.flatMap((page) => page.fields).filter((field) => field.value != null);
  const asked = begun.pages.flatMap((page) => page.fields).filter((field) => field.value == null);
  const answers = Object.fromEntries(known.map((field) => [field.id, field.value]));
  for (const field of asked) if (field.kind === "yes_no") answers[field.id] = true;
  is(await elder.call("PUT", `/api/v1/drafts/${begun.id}/answers`, { answers }), 200);
  const sent = is(await elder.call("POST", `/api/v1/drafts/${begun.id}/submit`), 200);
  const decision = is(await elder.call("GET", `/api/v1/cases/${sent.case_no}/decision`), 200);
  assert.ok(decision.automatic_item_hash && decision.reasons.length > 0, JSON.stringify(decision));
  const review = is(await elder.call("POST", `/api/v1/cases/${sent.case_no}/review-request`, { reason: "请人工再看一次标准" }), 200);
  assert.ok(JSON.stringify(review).includes("case_no"), JSON.stringify(review));
});

test("two people book a wedding registration, and both confirm", async () => {
  const groom = await as("liyunshan");
  const bride = await as("wangxiaoyu");
  const begun = is(await groom.call("POST", "/api/v1/drafts", { item: "marriage-registration-appointment" }), 201);
  const path = `/api/v1/drafts/${begun.id}`;
  const { slots } = is(await groom.call("GET", `${path}/slots`), 200);
  const slot = slots.find((one) => one.free > 0);
  // A confirmation for the other one is not ours to give.
  const answers = {
    "groom.name": "李云山",
    "groom.citizen_id": await numberOf(node, "liyunshan"),
    "bride.name": "王晓雨",
    "bride.citizen_id": await numberOf(node, "wangxiaoyu"),
    "contact.phone": "13800001234",
    "both.declare": true,
    "groom.confirmed": true,
  };
  is(await groom.call("PUT", `${path}/slot`, { starts_at: slot.starts_at }), 200);
  is(await groom.call("PUT", `${path}/answers`, { answers }), 200);
  is(await groom.call("PUT", `${path}/promises`, { materials: ["declaration"] }), 200);
  const sent = is(await groom.call("POST", `${path}/submit`), 200);
  assert.equal(sent.state, "waiting", JSON.stringify(sent));
  assert.equal(sent.case_no ?? null, null);
  const mine = is(await bride.call("GET", "/api/v1/invitations"), 200).invitations;
  const invitation = mine.find((one) => one.state === "open");
  // Nobody else may confirm it, and it is confirmed once.
  is(await (await as("duanxiaohui")).call("POST", `/api/v1/invitations/${invitation.booking}/confirm`, {}), 404);
  const confirmed = is(await bride.call("POST", `/api/v1/invitations/${invitation.booking}/confirm`, {}), 200);
  assert.ok(confirmed.case_no, JSON.stringify(confirmed));
  is(await bride.call("POST", `/api/v1/invitations/${invitation.booking}/confirm`, {}), 409);
  for (const person of [groom, bride]) {
    const slip = await until(async () => {
      const { licences } = is(await person.call("GET", "/api/v1/licences"), 200);
      return licences.find((one) => one.type_id === "marriage-appointment-slip");
    });
    assert.equal(slip.status, "valid");
  }
  const { bookings } = is(await groom.call("GET", "/api/v1/bookings"), 200);
  assert.equal(bookings[0].state, "booked", JSON.stringify(bookings));
});

/** Asks until there is an answer; what a job makes is there a moment later. */
async function until(ask) {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const found = await ask();
    if (found) return found;
    assert.ok(Date.now() < deadline, "it did not come");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("what is sent wrong is refused with its reason, and never by a fault", async () => {
  const citizen = await as("duanxiaohui");
  const bearer = (value, headers = {}) => citizen.call("POST", "/api/v1/drafts", value, headers);
  is(await bearer('{"item":', { "content-type": "application/json" }), 400);
  is(await bearer("[]", { "content-type": "application/json" }), 400);
  is(await bearer('{"item":"x"}', { "content-type": "text/plain" }), 415);
  is(await bearer({ item: "no-such-item" }), 404);
  is(await bearer({ item: ITEM, extra: 1 }), 400, "form.invalid");
  is(await bearer(`{"item":"${"x".repeat(3 * 1024 * 1024)}"}`, { "content-type": "application/json" }), 413);
  is(await call(node, "GET", "/api/v1/nothing-here"), 404);
  is(await call(node, "DELETE", "/api/v1/items"), 405);
  is(await call(node, "GET", "/api/v1/cases", undefined, { authorization: "Bearer yws_forged" }), 401);
  is(await call(node, "POST", "/api/v1/sessions", { login: "duanxiaohui", password: "wrong-password" }), 401);
  is(await citizen.call("GET", "/api/v1/cases/..%2F..%2Fetc%2Fpasswd"), 404);
  const long = is(await call(node, "GET", "/api/v1/items?q=" + "长".repeat(3000)), 200);
  assert.equal(long.total, 0);
  const faults = node.log().split("\n").filter((line) => /ERROR|panicked/.test(line));
  assert.deepEqual(faults, []);
});

test("a form from elsewhere, or without its token, changes nothing", async () => {
  const signedIn = await fetch(`${node.base}/sign-in`, {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "text/html" },
    body: new URLSearchParams({ login: "liyunshan", password: "dali-demo-2026", next: "/my" }),
  });
  assert.equal(signedIn.status, 303);
  const cookie = signedIn.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  for (const line of signedIn.headers.getSetCookie().filter((one) => one.includes("session"))) {
    assert.match(line, /HttpOnly/i);
    assert.match(line, /SameSite=(Lax|Strict)/i);
  }
  const post = (headers, body = "") =>
    fetch(`${node.base}/apply/${ITEM}`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie, accept: "text/html", "content-type": "application/x-www-form-urlencoded", ...headers },
      body,
    });
  assert.equal((await post({})).status, 403);
  assert.equal((await post({}, "_csrf=forged")).status, 403);
  const page = await (await fetch(`${node.base}/apply/${ITEM}`, { headers: { cookie } })).text();
  const csrf = page.match(/name="_csrf" value="([^"]+)"/)[1];
  assert.equal((await post({ origin: "https://evil.example" }, `_csrf=${csrf}`)).status, 403);
  assert.equal((await post({}, `_csrf=${csrf}`)).status, 303);
});
