// The people of the demonstration, and how each of them signs in.
import assert from "node:assert/strict";

export const PASSWORD = "dali-demo-2026";

async function personas(node) {
  const answer = await fetch(`${node.base}/api/v1/demo/personas`);
  assert.equal(answer.status, 200);
  return (await answer.json()).personas;
}

/** The code of a second factor, as the demonstration shows it; waits for the next one if this one was used. */
async function code(node, login) {
  const deadline = Date.now() + 45_000;
  for (;;) {
    const one = (await personas(node)).find((persona) => persona.login === login);
    assert.ok(one, `there is no ${login}`);
    if (one.totp) return one.totp;
    assert.ok(Date.now() < deadline, `no fresh code for ${login}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Signs in by the form, as anybody would: login and password, then the code where a second factor is set. */
export async function signIn(page, node, login, { next } = {}) {
  await page.goto(next ? `/sign-in?next=${encodeURIComponent(next)}` : "/sign-in");
  await page.locator("input[name=login]:visible").fill(login);
  await page.locator("input[name=password]:visible").fill(PASSWORD);
  await page.locator("main form.yw-form button[type=submit]").first().click();
  await page.waitForURL((url) => !/\/sign-in$/.test(url.pathname));
  if (new URL(page.url()).pathname === "/sign-in/code") {
    await page.locator("input[name=code]").fill(await code(node, login));
    await page.locator("main form.yw-form button[type=submit]").first().click();
    await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  }
}

/** Signs in over the API and gives a way to call it. */
export async function session(node, login) {
  const body = { login, password: PASSWORD };
  if ((await personas(node)).find((one) => one.login === login)?.needs_totp) body.totp = await code(node, login);
  const answer = await call(node, "POST", "/api/v1/sessions", body);
  assert.equal(answer.status, 201, answer.text);
  const { token, actor } = answer.json;
  return {
    actor,
    call: (method, path, value, headers = {}) =>
      call(node, method, path, value, { authorization: `Bearer ${token}`, ...headers }),
  };
}

/** One call of the API. A value is sent as JSON, bytes or a form as they are. */
export async function call(node, method, path, value, headers = {}) {
  const plain = value === undefined || value instanceof FormData || value instanceof Uint8Array || typeof value === "string";
  const response = await fetch(node.base + path, {
    method,
    headers: { accept: "application/json", ...(plain ? {} : { "content-type": "application/json" }), ...headers },
    body: plain ? value : JSON.stringify(value),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = bytes.toString("utf8");
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, json, text, bytes, headers: response.headers };
}

/** A made-up person's citizen number, as the register fills it in for them. */
export async function numberOf(node, login) {
  const person = await session(node, login);
  const begun = await person.call("POST", "/api/v1/drafts", { item: "individual-business-registration" });
  assert.equal(begun.status, 201, begun.text);
  await person.call("DELETE", `/api/v1/drafts/${begun.json.id}`);
  const fields = begun.json.pages.flatMap((page) => page.fields);
  return fields.find((field) => field.id === "operator.citizen_id").value;
}
