// Forms that our own pages did not send: from another site, without a form token, with somebody else's.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { GATEWAY, NEW_PASSWORD, PASSWORD, cookies, person, registered, session, signedIn } from "./lib/site.js";
import { address, fill, press, takeReports, visit } from "./lib/visitor.js";

const server = createServer((request, response) => {
  response.setHeader("content-type", "text/html");
  const frame = request.url === "/" ? "" : `<iframe src="${GATEWAY}${request.url}"></iframe>`;
  response.end(`<!doctype html><title>Elsewhere</title>${frame}`);
});
/** Another site: to browsers, `localhost` and `127.0.0.1` have nothing in common. */
let elsewhere;

before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  elsewhere = `http://localhost:${server.address().port}/`;
});
after(() => server.close());

/** Sends a form from the page that is open, as its own script would. Returns the status of the response. */
async function send(page, action, fields) {
  const answered = page.waitForResponse((response) => response.request().method() === "POST");
  const arrived = page.waitForEvent("domcontentloaded");
  await page.evaluate(({ action, fields }) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = action;
    for (const [name, value] of Object.entries(fields)) {
      const input = document.createElement("input");
      input.name = name;
      input.value = value;
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  }, { action: `${GATEWAY}${action}`, fields });
  await arrived;
  return (await answered).status();
}

/** The forms of a signed-in user with ID `id`, each with what it would change. */
const forms = (id) => [
  ["/auth/account/name", { firstName: "Mallory", lastName: "Eve" }],
  ["/auth/account/password", { currentPassword: PASSWORD, password: NEW_PASSWORD }],
  ["/auth/account/sessions", { id: "others" }],
  [`/auth/admin/users/${id}`, { change: "role", role: "admin" }],
  ["/auth/sign-out", {}],
];

/** Fails unless the account, its password and its sessions are as they were. */
async function assertUnchanged(page, { email, firstName }, sessions) {
  await page.goto("/auth/account");
  assert.equal(await page.getByLabel("First name").inputValue(), firstName);
  assert.equal(await page.getByRole("listitem").count(), sessions);
  await signedIn((await page.context().browser().newContext({ baseURL: GATEWAY })), { email });
}

test("a form on another site changes nothing, and signs nobody in or out", async (t) => {
  const page = await visit(t);
  const ada = await registered(page.context());
  await signedIn((await visit(t)).context(), ada);
  await page.goto("/auth/account");
  const before = await session(page.context());
  for (const [action, fields] of [
    ...forms(ada.id),
    ["/auth/sign-in", { email: ada.email, password: PASSWORD }],
    ["/auth/register", person()],
  ]) {
    await page.goto(elsewhere);
    const status = await send(page, action, fields);
    // The browser leaves the cookies of the session out: where one must be signed in, the form leads to signing in.
    assert.match(String(status), /account|admin/.test(action) ? /^30[23]$/ : /^403$/, action);
    assert.doesNotMatch(await page.locator("main").innerText(), /went wrong on our side/, action);
    assert.deepEqual(await session(page.context()), before, action);
  }
  await assertUnchanged(page, ada, 2);
});

test("a form without the token of this session changes nothing", async (t) => {
  const other = await visit(t);
  await registered(other.context());
  await other.goto("/auth/account");
  const ofAnother = await other.locator("[name=form_token]").first().inputValue();

  const page = await visit(t);
  await page.goto("/auth/sign-in");
  const ofAStranger = await page.locator("[name=form_token]").first().inputValue();
  const ada = await registered(page.context());
  await signedIn((await visit(t)).context(), ada);
  for (const [what, token] of [["no", undefined], ["a wrong", "A".repeat(43)], ["another's", ofAnother], ["a stranger's", ofAStranger]]) {
    for (const [action, fields] of forms(ada.id).filter(([action]) => action !== "/auth/sign-out")) {
      await page.goto("/auth/account");
      const status = await send(page, action, token === undefined ? fields : { ...fields, form_token: token });
      assert.equal(status, 403, `${action} with ${what} token`);
      if (!action.startsWith("/auth/admin/")) {
        assert.match(await page.locator("main").innerText(), /This page was out of date/, "the page explains");
      }
    }
  }
  await assertUnchanged(page, ada, 2);
});

test("nobody is signed in by a form with another browser's token", async (t) => {
  const mallory = await visit(t);
  const account = await registered(mallory.context());
  await mallory.context().clearCookies();
  await mallory.goto("/auth/sign-in");
  const token = await mallory.locator("[name=form_token]").first().inputValue();

  const page = await visit(t);
  for (const [action, fields] of [["/auth/sign-in", { email: account.email, password: PASSWORD }], ["/auth/register", person()]]) {
    for (const forged of [{}, { form_token: "A".repeat(43) }, { form_token: token }]) {
      await page.goto("/auth/sign-in");
      assert.equal(await send(page, action, { ...fields, ...forged }), 403, action);
      await page.getByText("This page was out of date. Please send the form again.").waitFor();
      assert.equal((await cookies(page.context())).get("access_token"), undefined);
    }
  }
  // The page that explains it has a token of its own.
  await page.goto("/auth/sign-in?return_to=/auth/account");
  await page.locator("[name=form_token]").first().evaluate((field) => (field.value = "A".repeat(43)));
  await fill(page, { "E-mail": account.email, Password: PASSWORD });
  await press(page, "Sign in");
  await fill(page, { Password: PASSWORD });
  await press(page, "Sign in");
  assert.equal(address(page), "/auth/account");
});

test("no other site shows our pages in a frame", async (t) => {
  const page = await visit(t);
  await registered(page.context());
  for (const path of ["auth/sign-in", "auth/account", "auth/nothing"]) {
    await page.goto(`${elsewhere}${path}`);
    assert.equal(await page.frames()[1].locator("main").count(), 0, path);
    assert.match(takeReports(page).join(), /frame-ancestors/, path);
  }
});
