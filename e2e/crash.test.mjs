// The process is killed, for real, at each step of a submission and of the issuing of its licence: what was
// receipted is there, nothing is there by half, and nothing is there twice.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startNode, yiwang } from "./lib.mjs";
import { session } from "./people.mjs";

const ITEM = "individual-business-registration";

let work;
before(async () => {
  work = await mkdtemp(path.join(tmpdir(), "yiwang-crash-"));
});
after(() => rm(work, { recursive: true, force: true }));

/** A draft that may be submitted. */
async function filled(citizen, name) {
  const begun = await citizen.call("POST", "/api/v1/drafts", { item: ITEM });
  assert.equal(begun.status, 201, begun.text);
  const draft = begun.json.id;
  const known = Object.fromEntries(
    begun.json.pages.flatMap((page) => page.fields).filter((field) => field.value !== undefined && field.value !== null).map((field) => [field.id, field.value]),
  );
  const answers = {
    ...known,
    "shop.name": name,
    "shop.place_kind": "online",
    "shop.address": known["shop.address"] ?? "云南省大理白族自治州大理市大理镇复兴路112号",
    "shop.scope": ["retail"],
    "operator.declares": true,
  };
  const put = await citizen.call("PUT", `/api/v1/drafts/${draft}/answers`, { answers });
  assert.equal(put.status, 200, put.text);
  assert.equal(put.json.next_page ?? null, null, put.text);
  return draft;
}

async function standsStill(node, place) {
  const deadline = Date.now() + 30_000;
  while (!node.log().includes(`standing still at ${place}`)) {
    assert.ok(Date.now() < deadline, `the node did not reach ${place}:\n${node.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function licencesOf(citizen, wanted) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const wallet = await citizen.call("GET", "/api/v1/licences");
    assert.equal(wallet.status, 200, wallet.text);
    const held = wallet.json.licences.filter((one) => one.type_id === "business-licence");
    if (held.length >= wanted || Date.now() > deadline) return held;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const PLACES = [
  { place: "submit.before_begin", kept: false },
  { place: "submit.case_written", kept: false },
  { place: "submit.receipt_written", kept: false },
  { place: "submit.before_commit", kept: false },
  { place: "submit.after_commit", kept: true },
  { place: "issue.leased", kept: true },
  { place: "issue.before_commit", kept: true },
  { place: "issue.after_commit", kept: true },
];

for (const { place, kept } of PLACES) {
  test(`killed at ${place}: ${kept ? "the case is whole" : "the draft is whole"}, and there is one of each`, async () => {
    const data = path.join(work, place);
    const node = await startNode({ data, args: ["--stand-still-at", place] });
    const citizen = await session(node, "duanxiaohui");
    const draft = await filled(citizen, "洱海渔歌");
    const sent = citizen.call("POST", `/api/v1/drafts/${draft}/submit`).catch(() => undefined);
    await standsStill(node, place);
    const answered = place.startsWith("issue.") ? await sent : undefined;
    await node.kill();
    await sent;

    const again = await startNode({ data });
    const same = await session(again, "duanxiaohui");
    const cases = await same.call("GET", "/api/v1/cases");
    assert.equal(cases.json.cases.length, kept ? 1 : 0, cases.text);
    const drafts = await same.call("GET", "/api/v1/drafts");
    assert.equal(drafts.json.drafts.filter((one) => one.id === draft).length, kept ? 0 : 1, drafts.text);
    if (answered) assert.equal(answered.json.case_no, cases.json.cases[0].case_no);

    // Sent again, as a client does that got no answer: one case, its receipt, one licence.
    const repeated = await same.call("POST", `/api/v1/drafts/${draft}/submit`);
    assert.equal(repeated.status, 200, repeated.text);
    if (kept) assert.equal(repeated.json.case_no, cases.json.cases[0].case_no);
    const receipt = await same.call("GET", `/api/v1/receipts/${repeated.json.case_no}`);
    assert.equal(receipt.status, 200, receipt.text);
    const file = path.join(work, `${place}.json`);
    await writeFile(file, receipt.bytes);
    const offline = await yiwang("verify", file, "--data", data);
    assert.equal(offline.code, 0, offline.text);
    assert.equal((await licencesOf(same, 1)).length, 1);
    const after = await same.call("GET", "/api/v1/cases");
    assert.equal(after.json.cases.length, 1, after.text);
    await again.stop();
    const log = await yiwang("audit", "verify", "--data", data);
    assert.equal(log.code, 0, log.text);
  });
}
