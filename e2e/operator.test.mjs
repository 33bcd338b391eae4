// What an operator types, against the real binary: back up and restore, rotate keys, staff a node, check content.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { root, startNode, yiwang } from "./lib.mjs";
import { call, session } from "./people.mjs";

let work;
before(async () => {
  work = await mkdtemp(path.join(tmpdir(), "yiwang-operator-"));
});
after(() => rm(work, { recursive: true, force: true }));

/** A shop that is registered at once; gives the case number and its receipt as a file. */
async function submitted(node, name) {
  const citizen = await session(node, "duanxiaohui");
  const begun = await citizen.call("POST", "/api/v1/drafts", { item: "individual-business-registration" });
  const known = begun.json.pages.flatMap((page) => page.fields).filter((field) => field.value != null);
  const answers = {
    ...Object.fromEntries(known.map((field) => [field.id, field.value])),
    "shop.name": name,
    "shop.place_kind": "online",
    "shop.scope": ["retail"],
    "operator.declares": true,
  };
  const put = await citizen.call("PUT", `/api/v1/drafts/${begun.json.id}/answers`, { answers });
  assert.equal(put.status, 200, put.text);
  const sent = await citizen.call("POST", `/api/v1/drafts/${begun.json.id}/submit`);
  assert.equal(sent.status, 200, sent.text);
  const receipt = await citizen.call("GET", `/api/v1/receipts/${sent.json.case_no}`);
  const file = path.join(work, `${sent.json.case_no}.json`);
  await writeFile(file, receipt.bytes);
  return { citizen, caseNo: sent.json.case_no, file };
}

test("a backup of a running node, restored into an empty folder, is the same node", async () => {
  const data = path.join(work, "first");
  const node = await startNode({ data });
  const { citizen, caseNo } = await submitted(node, "苍山染坊");
  const backup = path.join(work, "node.tar.gz");
  const saved = await yiwang("backup", "--data", data, backup);
  assert.equal(saved.code, 0, saved.text);
  assert.ok((await stat(backup)).size > 10_000);
  assert.ok(!(await readFile(backup)).includes(await readFile(path.join(data, "keys/root.key"))), "the root key is in it");
  const before = await citizen.call("GET", "/api/v1/licences");
  await node.stop();

  const other = path.join(work, "second");
  await mkdir(path.join(other, "keys"), { recursive: true });
  await cp(path.join(data, "keys/root.key"), path.join(other, "keys/root.key"));
  const restored = await yiwang("restore", "--data", other, backup);
  assert.equal(restored.code, 0, restored.text);
  const twice = await yiwang("restore", "--data", other, backup);
  assert.notEqual(twice.code, 0, "a node that holds people was overwritten");
  const log = await yiwang("audit", "verify", "--data", other);
  assert.equal(log.code, 0, log.text);
  const again = await startNode({ data: other });
  const same = await session(again, "duanxiaohui");
  const cases = await same.call("GET", "/api/v1/cases");
  assert.equal(cases.json.cases[0].case_no, caseNo, cases.text);
  const after = await same.call("GET", "/api/v1/licences");
  const numbers = (wallet) => wallet.json.licences.map((one) => one.identifier).sort();
  assert.deepEqual(numbers(after).filter((number) => numbers(before).includes(number)), numbers(before));
  await again.stop();
});

test("after a rotation new receipts have new keys and old ones still verify", async () => {
  const data = path.join(work, "rotated");
  const node = await startNode({ data });
  const first = await submitted(node, "洱海书屋");
  await node.stop();
  for (const purpose of ["receipt", "licence", "audit-head", "status-list"]) {
    const rotated = await yiwang("keys", "rotate", "--data", data, purpose);
    assert.equal(rotated.code, 0, rotated.text);
  }
  const wrong = await yiwang("keys", "rotate", "--data", data, "everything");
  assert.notEqual(wrong.code, 0);
  const again = await startNode({ data });
  const second = await submitted(again, "三月书屋");
  for (const { file } of [first, second]) {
    const verdict = await yiwang("verify", file, "--data", data);
    assert.equal(verdict.code, 0, verdict.text);
  }
  const log = await yiwang("audit", "verify", "--data", data);
  assert.equal(log.code, 0, log.text);
  await again.stop();
});

test("the log verifies while the node writes", async () => {
  const data = path.join(work, "busy");
  const node = await startNode({ data });
  const citizen = await session(node, "duanxiaohui");
  let busy = true;
  const writing = (async () => {
    while (busy) await Promise.all(Array.from({ length: 8 }, () => citizen.call("GET", "/api/v1/licences")));
  })();
  for (let i = 0; i < 8; i += 1) {
    const log = await yiwang("audit", "verify", "--data", data);
    assert.equal(log.code, 0, log.text);
  }
  busy = false;
  await writing;
  await node.stop();
});

test("the first administrator comes from the command line and sets up a second factor", async () => {
  const data = path.join(work, "staffed");
  const person = ["--login", "first-admin", "--name", "测试管理员", "--citizen-id", "532901199805200010"];
  const made = await yiwang("staff", "add", "--data", data, "--kind", "administrator", ...person);
  assert.equal(made.code, 0, made.text);
  const password = made.text.match(/shown only now: (\S+)/)[1];
  const twice = await yiwang("staff", "add", "--data", data, "--kind", "administrator", ...person);
  assert.notEqual(twice.code, 0, "a login was given twice");
  const node = await startNode({ data });
  const answer = await call(node, "POST", "/api/v1/sessions", { login: "first-admin", password });
  // The password is right; without a second factor nobody who works here gets in.
  assert.equal(answer.json.code, "identity.enrolment_needed", answer.text);
  await node.stop();
});

test("what verifies or saves never makes a ledger", async () => {
  const nowhere = path.join(work, "nowhere");
  for (const words of [["audit", "verify"], ["backup"], ["keys", "rotate"]]) {
    const last = words[0] === "backup" ? [path.join(work, "none.tar.gz")] : words[0] === "keys" ? ["receipt"] : [];
    const answer = await yiwang(...words, "--data", nowhere, ...last);
    assert.notEqual(answer.code, 0, `${words}: ${answer.text}`);
    await assert.rejects(stat(nowhere), `${words} made a folder`);
  }
});

test("content that is bad is refused with its file, its line and the reason", async () => {
  const good = await yiwang("check", path.join(root, "packs"));
  assert.equal(good.code, 0, good.text);
  for (const [bad, reason] of [
    ["failing-example.yaml", /worked example|试办/],
    ["asks-for-held-paper.yaml", /716/],
  ]) {
    const packs = path.join(work, bad);
    await cp(path.join(root, "packs"), packs, { recursive: true });
    await cp(path.join(root, "packs/refused", bad), path.join(packs, "items", bad));
    const refused = await yiwang("check", packs);
    assert.notEqual(refused.code, 0, refused.text);
    assert.match(refused.text, new RegExp(`items/${bad}:\\d+`), refused.text);
    assert.match(refused.text, reason, refused.text);
  }
});
