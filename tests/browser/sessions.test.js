// Sessions, as people see them: signing in on two devices, ending one, coming back, tokens that expire.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, person, registered, signedIn } from "./lib/site.js";
import { address, fill, follow, press, visit } from "./lib/visitor.js";

test("another browser is sent to sign in after its session was ended", async (t) => {
  const page = await visit(t);
  const ada = person();
  await page.goto("/auth/register?return_to=/auth/account");
  await fill(page, { "First name": ada.firstName, "Last name": ada.lastName, "E-mail": ada.email, Password: PASSWORD });
  await press(page, "Register");
  await page.waitForURL("/auth/account");

  const other = await visit(t);
  await other.goto("/auth/account");
  assert.equal(address(other), "/auth/sign-in?return_to=/auth/account");
  await fill(other, { "E-mail": ada.email, Password: PASSWORD });
  await press(other, "Sign in");
  await other.waitForURL("/auth/account");

  await page.reload();
  await press(page, "End");
  await page.getByText("The session has ended.").waitFor();
  await follow(other, "Account");
  await other.getByRole("heading", { name: "Sign in" }).waitFor();
  await follow(page, "Account");
  assert.equal(address(page), "/auth/account", "one's own session goes on");
});

test("a deep link is opened after signing in, with its query and its fragment", async (t) => {
  const page = await visit(t);
  const { email } = await registered(page.context());
  await page.context().clearCookies();
  await page.goto("/orders/7?x=1#part-2");
  await fill(page, { "E-mail": email, Password: PASSWORD });
  await press(page, "Sign in");
  await page.waitForURL("/orders/7?x=1#part-2");
});
