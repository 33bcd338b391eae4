// The scripts of the data console on a page like its own and under the same policy, without a node: completion, the
// keys, what the form sends, the pictures.
import { after, before, beforeEach, test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import path from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { DESKTOP, NARROW, launch, noFaults, root, visitor } from "./lib.mjs";

const dist = path.join(root, "crates/web/assets/dist");
const nonce = "bm9uY2U";
const policy =
  `default-src 'none'; script-src 'self' 'nonce-${nonce}'; style-src 'self'; connect-src 'self'; img-src 'self' data:; ` +
  "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const schema = {
  population: [
    { label: "citizen_id", detail: "公民身份号码 · 文本" },
    { label: "birth_year", detail: "出生年份 · 整数" },
    { label: "order", detail: "户内次序 · 整数" },
  ],
  enterprises: [{ label: "capital", detail: "注册资本 · 数" }],
};
const result = [
  ["示例一街道", "2021", "1200"],
  ["示例二街道", "2022", null],
  ["示例三街道", "2023", "900"],
];

let files;
let server;
let node;
let browser;
let posted;

function page({ sql, rows, fault }) {
  const cell = (text) => (text === null ? '<span class="yw-null">∅</span>' : text);
  const body = result.map((row) => `<tr>${row.map((text) => `<td class="yw-table__cell">${cell(text)}</td>`).join("")}</tr>`).join("");
  const answer = `<section><h2 id="result-title">结果</h2>
    <div id="chart" data-label-kind="图形" data-label-x="横轴" data-label-y="纵轴" data-label-none="不画" data-label-bar="柱状图"
      data-label-line="折线图" data-label-pie="饼图" data-label-scatter="散点图" data-summary="3 行。"></div>
    <div class="yw-tablewrap" tabindex="0" role="region" aria-labelledby="result-title"><table class="yw-table yw-table--dense" id="result">
    <thead><tr><th scope="col">街道</th><th scope="col" data-numeric>年份</th><th scope="col" data-numeric>人数</th></tr></thead>
    <tbody>${body}</tbody></table></div></section>`;
  return `<!DOCTYPE html><html lang="zh-CN" class="govuk-template yw-staff"><head><meta charset="utf-8"><title>查询台</title>
    <meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
    <link rel="stylesheet" href="/${files["public.css"]}"><link rel="stylesheet" href="/${files["staff.css"]}">
    <meta name="htmx-config" content='{"includeIndicatorCSS":false}'></head>
    <body class="govuk-template__body js-enabled govuk-frontend-supported"><main class="govuk-width-container"><h1>查询台</h1>
    ${fault ? '<div class="govuk-error-summary" data-module="govuk-error-summary"><ul><li><a href="#sql">请写查询语句</a></li></ul></div>' : ""}
    <div class="yw-console"><div><form class="yw-form" method="post" action="/console" id="console" novalidate>
    <div class="govuk-form-group"><label class="govuk-label" for="sql">语句</label><div class="govuk-hint" id="sql-hint">一条 SELECT。</div>
    <textarea class="govuk-textarea${fault ? " govuk-textarea--error" : ""}" id="sql" name="sql" rows="8" aria-describedby="sql-hint">${sql}</textarea></div>
    <button type="submit" class="govuk-button" data-module="govuk-button" data-prevent-double-click="true">运行</button></form>
    ${rows ? answer : ""}</div>
    <aside class="yw-console__side"><h2 id="tables-title">数据表</h2><button type="button" hidden data-insert="COUNT(*)">插入计数</button>
    <button type="button" hidden data-copy="#sql" data-copied="已复制">复制</button></aside></div></main>
    <script type="application/json" id="console-schema" nonce="${nonce}">${JSON.stringify(schema)}</script>
    ${["staff.js", "console.js", "chart.js"].map((name) => `<script type="module" src="/${files[name]}" nonce="${nonce}"></script>`).join("")}
    </body></html>`;
}

before(async () => {
  ({ files } = JSON.parse(await readFile(path.join(dist, "manifest.json"), "utf8")));
  server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    const name = url.pathname.slice(1);
    if (Object.values(files).includes(name)) {
      response.setHeader("content-type", name.endsWith(".css") ? "text/css" : "text/javascript");
      return response.end(await readFile(path.join(dist, name)));
    }
    let body = "";
    for await (const chunk of request) body += chunk;
    const sent = request.method === "POST";
    const sql = (sent ? new URLSearchParams(body).get("sql") : url.searchParams.get("sql"))?.replaceAll("\r", "") ?? "";
    if (sent) posted.push(sql);
    response.setHeader("content-security-policy", policy);
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(page({ sql, rows: sent || url.searchParams.has("rows"), fault: url.searchParams.has("fault") }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  node = { base: `http://127.0.0.1:${server.address().port}` };
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
});
beforeEach(() => {
  posted = [];
});

async function open(query, options) {
  const at = await visitor(browser, node, options);
  await at.goto(`/console${query}`);
  return at;
}
const editor = (at) => at.getByRole("textbox", { name: "语句" });
const field = (at) => at.locator("#sql").inputValue();
/** Types like a person and takes what is offered once `word` is among it. */
async function complete(at, typed, word, key = "Tab") {
  await at.keyboard.type(typed, { delay: 20 });
  await at.getByRole("option", { name: word }).first().waitFor();
  // The editor leaves the first moment of a list to the one who types on.
  await at.waitForTimeout(120);
  await at.keyboard.press(key);
}
async function sound(at) {
  await noFaults(at);
  assert.equal(await at.locator("style").count(), 0, "no style element");
  const { violations } = await new AxeBuilder({ page: at }).include(".yw-console").analyze();
  assert.deepEqual(violations.map(({ id }) => id), []);
}

test("names are completed where they can stand, with quotes where they need them, and the form sends the text once", async () => {
  const at = await open("?sql=");
  await at.getByText("语句", { exact: true }).click();
  await complete(at, "SELECT cit", /citizen_id/);
  await complete(at, " FROM pop", /population/, "Enter");
  await complete(at, " AS p WHERE p.or", /order/);
  assert.equal(await field(at), 'SELECT citizen_id FROM population AS p WHERE p."order"');
  await at.keyboard.type(" = 'ci", { delay: 20 });
  await at.waitForTimeout(300);
  assert.equal(await at.getByRole("listbox").count(), 0, "nothing is offered inside a text");
  await at.keyboard.type("' AND ");
  await at.keyboard.press("Control+Space");
  await at.getByRole("option", { name: /birth_year/ }).waitFor();
  assert.equal(await at.getByRole("option", { name: /capital/ }).count(), 0, "the statement names another table");
  await at.keyboard.press("Escape");
  await at.keyboard.type("TRUE");
  await at.keyboard.press("Escape");
  await sound(at);
  const wanted = await field(at);
  await at.keyboard.press("Control+Enter");
  await at.keyboard.press("Control+Enter");
  await at.locator("#result").waitFor();
  await at.waitForTimeout(300);
  assert.deepEqual(posted, [wanted]);
});

test("the keyboard gets in and out, and enter after a whole word begins a line", async () => {
  const at = await open("?sql=");
  await editor(at).click();
  await at.keyboard.type("select", { delay: 20 });
  await at.getByRole("listbox").waitFor();
  await at.waitForTimeout(120);
  await at.keyboard.press("Enter");
  await at.keyboard.type("1");
  assert.equal(await field(at), "select\n1");
  await at.getByRole("button", { name: "插入计数" }).click();
  assert.equal(await field(at), "select\n1COUNT(*)");
  await at.keyboard.press("Escape");
  await at.keyboard.press("Tab");
  assert.equal(await at.evaluate(() => document.activeElement.textContent), "运行");
  await at.keyboard.press("Shift+Tab");
  assert.equal(await at.evaluate(() => document.activeElement.className), "yw-editor");
  await noFaults(at);
});

test("a button copies what it names and says so", async () => {
  const at = await open("?sql=SELECT+7");
  await at.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await at.getByRole("button", { name: "复制" }).click();
  await at.getByRole("button", { name: "已复制" }).waitFor();
  assert.equal(await at.evaluate(() => navigator.clipboard.readText()), "SELECT 7");
  await noFaults(at);
});

test("a fault leads into the editor, which says so", async () => {
  const at = await open("?sql=&fault");
  await at.getByRole("link", { name: "请写查询语句" }).click();
  assert.equal(await at.evaluate(() => document.activeElement.className.split(" ")[0]), "yw-editor");
  assert.equal(await editor(at).getAttribute("aria-invalid"), "true");
  assert.equal(await editor(at).getAttribute("aria-description"), "一条 SELECT。");
  await sound(at);
});

test("a result is drawn when somebody asks, in every kind, and the choice outlives the next run", async () => {
  const at = await open("?sql=SELECT+1&rows", { viewport: DESKTOP });
  const picture = at.locator("#chart canvas").first();
  await at.getByLabel("图形").waitFor();
  assert.equal(await picture.count(), 0, "nothing is drawn unasked");
  for (const kind of ["bar", "line", "pie", "scatter"]) {
    await at.getByLabel("图形").selectOption(kind);
    await picture.waitFor();
  }
  await at.getByLabel("横轴").selectOption("年份");
  assert.equal(await at.getByRole("img").getAttribute("aria-label"), "3 行。 散点图: 人数 / 年份");
  await editor(at).click();
  await at.keyboard.press("Control+Enter");
  await at.waitForURL(/\/console#chart=scatter/);
  await picture.waitFor();
  assert.equal(await at.getByLabel("横轴").inputValue(), "1");
  await sound(at);
  await at.getByLabel("图形").selectOption("");
  assert.equal(await picture.count(), 0);
  assert.equal(new URL(at.url()).hash, "");
});

test("on the narrowest phone only the result moves sideways", async () => {
  const at = await open("?sql=SELECT+1&rows#chart=bar&x=街道&y=人数", { viewport: NARROW });
  await at.locator("#chart canvas").first().waitFor();
  assert.equal(await at.evaluate(() => document.documentElement.scrollWidth), NARROW.width);
  await sound(at);
});

test("without scripts the field is sent as it is", async () => {
  const at = await open("?sql=", { scripts: false });
  await at.fill("#sql", "SELECT 9");
  await at.getByRole("button", { name: "运行" }).click();
  await at.locator("#result").waitFor();
  assert.deepEqual(posted, ["SELECT 9"]);
});
