// The demo's page: what it says of a visitor, of the routes, and of a session while it lasts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADMIN, PASSWORD, person, registered, signedIn } from "./lib/site.js";
import { address, fill, follow, press, visit } from "./lib/visitor.js";

const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();

/** Presses the button of a route, and returns what the page then says of the response. */
async function ask(page, name) {
  const row = page.locator(".rows form", { has: page.getByRole("button", { name, exact: true }) });
  await row.getByRole("button").click();
  const output = row.locator("output:not(:empty)");
  await output.waitFor();
  return (await output.textContent()).replace(/\d+ ms/, "N ms").replace(/user \d+/, "user N");
}

/** Waits for an entry of a log, which the title of its part names. */
const logged = (page, log, text) => page.getByRole("log", { name: log }).getByText(text).first().waitFor();

test("the demo leads from nobody to an account, and shows what changes", async (t) => {
  const page = await visit(t);
  await page.goto("/public/");
  await heading(page, "Nobody is signed in");
  assert.equal(await ask(page, "/public/hello"), "200 in N ms: the service saw nobody");
  assert.equal(await ask(page, "/orders"), "401 not_signed_in in N ms: the service saw nothing");
  await logged(page, "What the gateway did", "/orders not_signed_in");

  await follow(page, "Create an account");
  const ada = person();
  await fill(page, { "First name": ada.firstName, "Last name": ada.lastName, "E-mail": ada.email, Password: PASSWORD });
  await press(page, "Register");
  await page.waitForURL("/");
  await heading(page, /^You are user \d+, with the role customer$/);
  assert.equal(await ask(page, "/orders"), "200 in N ms: the service saw user N, customer");
  assert.equal(await ask(page, "/admin/reports"), "403 not_allowed in N ms: the service saw nothing");
  assert.equal(await ask(page, "/orders, token lost"), "200 in N ms: the service saw user N, customer");
  await logged(page, "What the gateway did", "Refreshed, passed");
});

test("the demo shows a new role, and the end of the session, as they happen", async (t) => {
  const page = await visit(t);
  const { id } = await registered(page.context());
  await page.goto("/");
  await logged(page, "As it happens", /for user \d+, customer$/);
  const admin = await visit(t);
  await signedIn(admin.context(), { email: ADMIN });
  const changed = await admin.context().request.patch(`/api/admin/users/${id}`, { data: { role: "admin" } });
  assert.equal(changed.status(), 200, await changed.text());
  await logged(page, "As it happens", "admin, no longer customer");
  await heading(page, /with the role admin$/);
  await page.getByRole("link", { name: "Users" }).waitFor();

  const other = await page.context().newPage();
  await other.goto("/auth/account");
  await press(other, "Sign out");
  await heading(page, "Your session has ended");
  assert.equal(await ask(page, "/orders"), "401 not_signed_in in N ms: the service saw nothing");
  await follow(page, "Sign in again");
  assert.equal(address(page), "/auth/sign-in?return_to=/");
});

test("the demo works without JavaScript", async (t) => {
  const page = await visit(t, { javaScriptEnabled: false });
  const { id } = await registered(page.context());
  await page.goto("/");
  await heading(page, `You are user ${id}, with the role customer`);
  await press(page, "/orders");
  assert.equal(address(page), "/orders?");
  await press(page, "/orders, token lost");
  assert.equal(address(page), "/");
  await heading(page, `You are user ${id}, with the role customer`);
});
