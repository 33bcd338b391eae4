// The real binary, a real browser, and what every page must keep to.
import { spawn, execFile } from "node:child_process";
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import AxeBuilder from "@axe-core/playwright";

const run = promisify(execFile);
const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.dirname(here);
const target = process.env.CARGO_TARGET_DIR ?? path.join(homedir(), ".cache/yiwang/target");
export const binary = process.env.YIWANG_BINARY ?? path.join(target, "debug/yiwang");
export const artifacts = path.join(here, "artifacts");

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };
export const NARROW = { width: 320, height: 700 };

async function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const running = new Set();
process.on("exit", () => {
  for (const child of running) if (child.exitCode === null) child.kill("SIGKILL");
});

/** A demonstration node of its own, on a free port and in a new folder. */
export async function startNode({ data, port: wanted, env = {}, args = [] } = {}) {
  const own = data === undefined;
  const folder = data ?? (await mkdtemp(path.join(tmpdir(), "yiwang-e2e-")));
  const port = wanted ?? (await freePort());
  const base = `http://127.0.0.1:${port}`;
  const child = spawn(
    binary,
    ["demo", "--listen", `127.0.0.1:${port}`, "--data", folder, "--packs", path.join(root, "packs"), ...args],
    { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  running.add(child);
  // A test that fails must not leave the run waiting for its node.
  child.unref();
  child.stdout.unref();
  child.stderr.unref();
  let log = "";
  child.stdout.on("data", (chunk) => (log += chunk));
  child.stderr.on("data", (chunk) => (log += chunk));
  const exited = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await fetch(`${base}/healthz`).catch(() => undefined);
    if (answer?.ok) break;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the node did not come up:\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    base,
    folder,
    log: () => log,
    exited,
    /** As a power cut would. */
    kill: async () => {
      child.ref();
      child.kill("SIGKILL");
      await exited;
    },
    stop: async () => {
      child.ref();
      child.kill("SIGTERM");
      const { code } = await exited;
      if (own) await rm(folder, { recursive: true, force: true });
      assert.equal(code, 0, `the node did not stop well:\n${log}`);
    },
  };
}

/** Runs a command of the binary and gives what it printed and how it ended. */
export async function yiwang(...args) {
  try {
    const { stdout, stderr } = await run(binary, args, { cwd: root });
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    return { code: error.code, text: `${error.stdout ?? ""}${error.stderr ?? ""}` };
  }
}

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** A person's own browser: nothing is shared with anybody else's. */
export async function visitor(browser, node, { viewport = DESKTOP, scripts = true, anyCertificate = false } = {}) {
  const context = await browser.newContext({
    baseURL: node.base,
    viewport,
    javaScriptEnabled: scripts,
    locale: "zh-CN",
    timezoneId: "Asia/Shanghai",
    acceptDownloads: true,
    ignoreHTTPSErrors: anyCertificate,
  });
  // Patient: a machine that tests may be busy with something else.
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => {
    // A refused form is a 4xx, and the browser says so.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) page.faults.push(message.text());
  });
  return page;
}

/** No script failed, nothing broke the content security policy. */
export async function noFaults(page) {
  assert.deepEqual(page.faults, [], `faults on ${page.url()}`);
}

/** The page has no fault that axe knows of. Only with scripts on: without them axe never answers. */
export async function accessible(page, what) {
  const report = await Promise.race([
    new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze(),
    new Promise((_, reject) => setTimeout(() => reject(new Error(`axe did not answer on ${what}`)), 30_000)),
  ]);
  const found = report.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join("; ")}`);
  assert.deepEqual(found, [], `axe on ${what} (${page.url()})`);
}

/** At 320 px nothing scrolls sideways, and every target can be hit with a thumb. */
export async function narrow(page, what) {
  const before = page.viewportSize();
  await page.setViewportSize(NARROW);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${what} is ${wide} px too wide at 320 px (${page.url()})`);
  await page.setViewportSize(before);
}

const unsound = [];

/** Everything a page must keep to, and a picture of it. What is found is kept for [`allSound`], so that one
 * fault hides no other. */
export async function sound(page, name) {
  const broken = await page.locator(".yw-problem").count();
  if (broken && !name.includes("error")) unsound.push(`${name} shows a problem (${page.url()})`);
  for (const check of [() => accessible(page, name), () => narrow(page, name), () => noFaults(page)]) {
    await check().catch((fault) => unsound.push(fault.message));
  }
  page.faults.length = 0;
  await picture(page, name);
}

/** Fails with everything that [`sound`] found. The last test of a file. */
export function allSound() {
  assert.deepEqual(unsound, []);
}

export async function picture(page, name, { fullPage = true } = {}) {
  await mkdir(artifacts, { recursive: true });
  await page.screenshot({ path: path.join(artifacts, `${name}.png`), fullPage });
}
