// Data in a real browser: a steward loads a file with errors and sees them, grants what is in it, an analyst asks in the
// console, from psql and from Python within the grant, takes a file out that is known again by its mark, and the person
// concerned sees the use.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { PHONE, allSound, launch, noFaults, root, sound, startNode, visitor, yiwang } from "./lib.mjs";
import { numberOf, signIn } from "./people.mjs";

const run = promisify(execFile);
const TABLE = "craft_workshops";

let node;
let browser;
let work;
// What one part leaves for the next: they are one story and run in order.
const story = {};

before(async () => {
  node = await startNode();
  browser = await launch();
  work = await mkdtemp(path.join(tmpdir(), "yiwang-data-"));
});
after(async () => {
  await browser?.close();
  await node?.stop();
  await rm(work, { recursive: true, force: true });
});

const text = (page) => page.locator("main").innerText();
async function says(page, ...parts) {
  const all = await text(page);
  for (const part of parts) assert.ok(all.includes(part), `${page.url()} does not say ${part}:\n${all}`);
}
const submit = (page) => page.locator("main form.yw-form button[type=submit]").first().click();

/** A made-up citizen number with its check digit (GB 11643-1999). */
function citizenNumber(sequence) {
  const digits = `53290119800101${String(sequence).padStart(3, "0")}`;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  return digits + "10X98765432"[[...digits].reduce((sum, digit, i) => sum + Number(digit) * weights[i], 0) % 11];
}

/** A file of workshops: three hundred good rows, and four that do not fit. */
async function workshops() {
  const owner = await numberOf(node, "duanxiaohui");
  const good = Array.from({ length: 300 }, (_, i) => `0${i + 100},第${i + 1}染坊,${i === 0 ? owner : citizenNumber(i)},2024-0${(i % 9) + 1}-15,${(i % 30) + 1}`);
  const bad = [
    "0201,坏日期坊,,2024-13-45,3",
    "0202,坏号码坊,532901199001011235,2024-01-01,3",
    "0203,坏人数坊,,2024-01-01,三",
    "0204,少一格坊,,2024-01-01",
  ];
  const file = path.join(work, "染坊.csv");
  await writeFile(file, ["编号,名称,公民身份号码,开业日期,从业人数", ...good.slice(0, 150), ...bad, ...good.slice(150)].join("\r\n"));
  return file;
}

test("a steward hands a file in, corrects what was found, and sees every rejected row with its line and reason", async () => {
  const page = await visitor(browser, node);
  story.steward = page;
  await signIn(page, node, "data-steward", { next: "/work/data/loads" });
  await sound(page, "data-loads-empty");
  await page.locator('main a[href="/work/data/loads/new"], .yw-actions a[href="/work/data/loads/new"]').first().click();
  await page.waitForURL(/loads\/new/);
  await sound(page, "data-load-new");
  // Nothing was chosen.
  await page.locator("[name=resource]").selectOption("-");
  await submit(page);
  await page.locator(".govuk-error-summary").waitFor();
  await sound(page, "data-load-new-errors");
  await says(page, "选一个文件");
  await page.locator("[name=resource]").selectOption("-");
  await page.locator("[name=id]").fill(TABLE);
  await page.locator("[name=title]").fill("手工作坊");
  await page.locator("[name=about]").fill("全州手工作坊，一行一家。");
  await page.locator("[name=grade]").selectOption("general-2");
  await page.locator("input[type=file]").setInputFiles(await workshops());
  await submit(page);
  await page.waitForURL(/loads\/[0-9a-f-]{36}$/);
  await says(page, "核对识别的结果", "公民身份号码", "第1染坊");
  await sound(page, "data-load-confirm");
  // The code keeps its zero, and the number of a citizen is personal, without being told so.
  assert.equal(await page.locator('[name="kind-0"]').inputValue(), "text");
  assert.equal(await page.locator('[name="personal-2"]').isChecked(), true);
  await page.locator('[name="check-2"]').selectOption("citizen_id");
  const names = ["code", "name", "citizen_id", "opened_on", "workers"];
  for (const [place, name] of names.entries()) await page.locator(`[name="name-${place}"]`).fill(name);
  await page.locator('[name="kind-3"]').selectOption("date");
  await page.locator('[name="kind-4"]').selectOption("integer");
  await page.locator("[name=entity]").selectOption({ label: "公民身份号码" });
  // Two into one: refused, and what was typed stays.
  await page.locator('[name="name-4"]').fill("name");
  await page.getByRole("button", { name: "开始装载" }).click();
  await page.locator(".govuk-error-summary").waitFor();
  await says(page, "两个来源字段装入了同一个字段");
  assert.equal(await page.locator('[name="name-3"]').inputValue(), "opened_on");
  await page.locator('[name="name-4"]').fill("workers");
  await page.getByRole("button", { name: "开始装载" }).click();
  await page.locator(`.yw-actions a[href$="rejected.csv"]`).waitFor();
  await says(page, "已完成", "被拒绝的行", "152", "153", "154", "155", "不是有效的公民身份号码", "单元格过少", "坏日期坊");
  await sound(page, "data-load-done");
  story.load = page.url();
  const waiting = page.waitForEvent("download");
  await page.locator(`.yw-actions a[href$="rejected.csv"]`).click();
  const file = path.join(work, "rejected.csv");
  await (await waiting).saveAs(file);
  const rows = (await readFile(file, "utf8")).trim().split("\r\n");
  assert.equal(rows.length, 5);
  assert.match(rows[2], /^153,/);
});

test("the same content is not loaded twice, and a load of somebody else is not there", async () => {
  const page = story.steward;
  await page.goto(`/work/data/loads/new?resource=${TABLE}`);
  assert.equal(await page.locator("[name=resource]").inputValue(), TABLE);
  await page.locator("input[type=file]").setInputFiles(path.join(work, "染坊.csv"));
  await submit(page);
  await page.waitForURL(/loads\/[0-9a-f-]{36}$/);
  for (const [place, name] of ["code", "name", "citizen_id", "opened_on", "workers"].entries()) {
    await page.locator(`[name="name-${place}"]`).selectOption(name);
  }
  await sound(page, "data-load-confirm-known");
  await page.getByRole("button", { name: "开始装载" }).click();
  await page.getByText("内容已有，未重复写入").first().waitFor();
  await page.goto("/work/data/loads");
  await says(page, "染坊.csv", "已完成", "内容已有");
  await sound(page, "data-loads");
  const analyst = await visitor(browser, node);
  story.analyst = analyst;
  await signIn(analyst, node, "data-analyst", { next: "/work/data" });
  const answer = await analyst.goto(story.load);
  assert.equal(answer.status(), 403);
});

test("the steward grants what the analyst needs, and no more", async () => {
  const page = story.steward;
  await page.goto(`/work/data/resources/${TABLE}`);
  await says(page, "手工作坊", "300");
  await sound(page, "data-resource");
  await page.goto(`/work/data/resources/${TABLE}/grant`);
  await page.locator('[name=holder_kind][value="org"]').check();
  await page.locator("[name=holder_org]").selectOption("dali-prefecture-data-bureau");
  await page.locator("[name=reference]").fill("政务数据共享条例第十九条");
  await page.locator("[name=purpose]").selectOption("statistics");
  for (const name of ["name", "citizen_id", "workers"]) await page.locator(`[name="show-${name}"]`).check();
  await page.locator('[name="mask-name"]').selectOption("name");
  await page.locator('[name="mask-citizen_id"]').selectOption("id");
  await sound(page, "data-grant-form");
  await submit(page);
  await page.waitForURL(/\/work\/data\/grants\//);
  await says(page, "有效", "手工作坊");
  await sound(page, "data-grant");
});

test("the analyst asks in the console, is refused what the grant does not show, and takes out a file that is known again", async () => {
  const page = story.analyst;
  await page.goto("/work/data");
  await says(page, "手工作坊");
  await sound(page, "data-desk");
  await page.goto(`/work/data/console?table=${TABLE}&purpose=statistics`);
  await ask(page, "SELECT opened_on FROM craft_workshops");
  await page.locator(".govuk-error-summary").waitFor();
  await says(page, "语句看不懂");
  await sound(page, "data-console-refused");
  await ask(page, "SELECT name, citizen_id, workers FROM craft_workshops WHERE workers > 0 ORDER BY workers DESC, name");
  await page.locator("#result").waitFor();
  // A page shows two hundred; the file has all.
  assert.equal(await page.locator("#result tbody tr").count(), 200);
  const shown = await text(page);
  assert.ok(!shown.includes("第1染坊"), "a masked name is shown whole");
  await sound(page, "data-console");
  // Few persons: each of them is told of this use by itself.
  await ask(page, "SELECT name FROM craft_workshops WHERE workers = 1");
  await page.getByText("共 10 行").first().waitFor();
  await ask(page, "SELECT name, citizen_id, workers FROM craft_workshops WHERE workers > 0 ORDER BY workers DESC, name");
  await page.getByText("共 200 行").first().waitFor();
  for (const [button, ending] of [["导出 CSV", "csv"], ["导出 Parquet", "parquet"]]) {
    const waiting = page.waitForEvent("download");
    await page.getByRole("button", { name: button }).click();
    const file = path.join(work, `export.${ending}`);
    await (await waiting).saveAs(file);
    const read = await yiwang("watermark", "read", file, "--data", node.folder, "--packs", path.join(root, "packs"));
    assert.equal(read.code, 0, read.text);
    assert.match(read.text, /statistics/);
    assert.match(read.text, /craft_workshops/);
  }
  // The column that everybody sees is cut out, rows are taken away and sorted: the other mark is still there.
  const lines = (await readFile(path.join(work, "export.csv"), "utf8")).trim().split(/\r?\n/);
  assert.equal(lines.length, 301);
  assert.match(lines[0], /水印/);
  assert.match(lines[1], /大理州数据局/);
  const part = lines.slice(30, 45).map((line) => line.slice(0, line.lastIndexOf(",大理"))).sort();
  const file = path.join(work, "part.csv");
  await writeFile(file, part.join("\n"));
  const read = await yiwang("watermark", "read", file, "--data", node.folder, "--packs", path.join(root, "packs"), "--english");
  assert.equal(read.code, 0, read.text);
  await writeFile(file, "name\nplain\n");
  assert.equal((await yiwang("watermark", "read", file, "--data", node.folder, "--packs", path.join(root, "packs"))).code, 1);
  await page.goto("/work/data/uses");
  await says(page, "导出文件", "查询台");
  await sound(page, "data-uses");
  await page.locator("main table a").first().click();
  await says(page, "数据血缘", "craft_workshops.workers");
  await sound(page, "data-use");
});

/** Types a statement into the editor and runs it. */
async function ask(page, sql) {
  await page.locator(".cm-content").first().click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.type(sql);
  // What is offered is not wanted.
  await page.keyboard.press("Escape");
  await page.locator("#console button[type=submit]").first().click();
}

test("the same grant from psql and from Python, with an access key", async () => {
  const page = story.analyst;
  await page.goto("/work/data/keys");
  await page.locator("[name=name]").fill("我的电脑");
  await submit(page);
  await page.locator("#key").waitFor();
  await sound(page, "data-keys");
  const key = Object.fromEntries((await page.locator("#key").innerText()).split("\n").map((line) => line.trim().split("=")));
  const port = String(Number(new URL(node.base).port) + 1);
  const conninfo = `host=127.0.0.1 port=${port} user=${key.user} dbname=yiwang sslmode=require options='-c yiwang.purpose=statistics'`;
  const env = { ...process.env, PGPASSWORD: key.password };
  const psql = (sql) => run("psql", [conninfo, "-At", "-c", sql], { env });
  const { stdout } = await psql("SELECT count(*), min(workers) FROM craft_workshops");
  assert.equal(stdout.trim(), "300|1");
  await assert.rejects(psql("SELECT opened_on FROM craft_workshops"), /opened_on/);
  await assert.rejects(psql("SELECT * FROM population"), /population/);
  const python = path.join(root, ".venv/clients/bin/python");
  const script = "import os,sys,psycopg\nwith psycopg.connect(sys.argv[1]) as c: print(c.execute('SELECT sum(workers) FROM craft_workshops WHERE workers >= %s', (30,)).fetchone()[0])";
  const asked = await run(python, ["-c", script, conninfo], { env });
  assert.equal(asked.stdout.trim(), "300");
});

test("the person concerned sees the use", async () => {
  const page = await visitor(browser, node, { viewport: PHONE });
  await signIn(page, node, "duanxiaohui", { next: "/my/footprint?who=others" });
  await says(page, "大理州数据局", "统计");
  await sound(page, "data-footprint");
  // The exports took up the rows of many: that is told as well.
  await page.locator('main a[href="/my/data-uses"]').click();
  await page.waitForURL(/data-uses/);
  await says(page, "手工作坊", "大理州数据局", "统计");
  await sound(page, "data-bulk");
  await noFaults(page);
});

test("every page of the data is accessible, narrow enough and without faults", allSound);

test("nothing failed behind the pages", () => {
  assert.deepEqual(node.log().split("\n").filter((line) => /ERROR|panicked/.test(line)), []);
});
