// Signing in, as people do it: by keyboard, with a hint when caps lock is on, looking at the password.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, registered } from "./lib/site.js";
import { address, fill, press, visit } from "./lib/visitor.js";

test("one signs in by keyboard alone", async (t) => {
  const page = await visit(t);
  const { email } = await registered(page.context());
  await page.context().clearCookies();
  await page.goto("/auth/sign-in?return_to=/auth/account");
  const names = [];
  for (let stop = 0; stop < 6; stop += 1) {
    names.push(await page.evaluate(() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()));
    await page.keyboard.press("Tab");
  }
  assert.deepEqual(names, ["E-mail", "Password", "Show password", "Sign in", "Forgot your password?", "Register"]);
  await page.reload();
  // The browser sets the focus after the load, at some time.
  await page.locator("[name=email]:focus").waitFor();
  await page.keyboard.type(email);
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL("/auth/account");
});

test("a password is shown to those who ask, and sent as a password all the same", async (t) => {
  const page = await visit(t);
  const { email } = await registered(page.context());
  await page.context().clearCookies();
  await page.goto("/auth/sign-in?return_to=/auth/account");
  await fill(page, { "E-mail": email, Password: PASSWORD });
  const password = page.getByLabel("Password", { exact: true });
  await page.getByLabel("Show password").check();
  assert.equal(await password.getAttribute("type"), "text");
  await page.evaluate(() => document.forms[0].addEventListener("submit", (event) => {
    sessionStorage.setItem("type", event.target.elements.password.type);
  }));
  await press(page, "Sign in");
  assert.equal(address(page), "/auth/account");
  assert.equal(await page.evaluate(() => sessionStorage.getItem("type")), "password");
});

test("a hint says that caps lock is on", async (t) => {
  const page = await visit(t);
  await page.goto("/auth/sign-in");
  const hint = page.getByText("Caps lock is on");
  assert.ok(!(await hint.isVisible()));
  // A key that is pressed by Playwright knows nothing of caps lock.
  const typeWith = (modifierCapsLock) => page.getByLabel("Password", { exact: true }).dispatchEvent("keydown", { key: "a", modifierCapsLock });
  await typeWith(true);
  await hint.waitFor();
  await typeWith(false);
  await hint.waitFor({ state: "hidden" });
});

test("the strength of a new password is shown while it is typed", async (t) => {
  const page = await visit(t);
  await page.goto("/auth/register");
  const meter = page.getByRole("meter");
  assert.equal(await meter.count(), 0, "hidden until there is something to say");
  const scores = [];
  for (const password of ["password", "correct horse", "a lantern for every window"]) {
    const estimated = page.waitForResponse((response) => response.request().method() === "POST");
    await fill(page, { Password: password });
    await estimated;
    await meter.waitFor();
    scores.push(Number(await meter.getAttribute("value")));
  }
  assert.ok(scores[0] < scores[1] && scores[1] < scores[2], String(scores));
  await fill(page, { Password: "" });
  await meter.waitFor({ state: "hidden" });
});

test("a field is no longer marked once it is corrected", async (t) => {
  const page = await visit(t);
  await page.goto("/auth/sign-in");
  await press(page, "Sign in");
  const email = page.getByLabel("E-mail");
  assert.equal(await email.getAttribute("aria-invalid"), "true");
  await email.fill("a");
  assert.equal(await email.getAttribute("aria-invalid"), null);
  assert.equal(await page.locator("[aria-invalid]").count(), 1, "the password is still missing");
});

test("password managers know every field", async (t) => {
  const page = await visit(t);
  const found = async (path) => {
    await page.goto(path);
    return page.evaluate(() => Object.fromEntries([...document.querySelectorAll("main input[autocomplete]")].map(({ name, autocomplete }) => [name, autocomplete])));
  };
  assert.deepEqual(await found("/auth/sign-in"), { email: "username webauthn", password: "current-password" });
  const registering = { firstName: "given-name", lastName: "family-name", email: "username", password: "new-password" };
  assert.deepEqual(await found("/auth/register"), registering);
  await registered(page.context());
  const changing = { firstName: "given-name", lastName: "family-name", newEmail: "email", emailPassword: "current-password", email: "username", currentPassword: "current-password", password: "new-password" };
  assert.deepEqual(await found("/auth/account"), changing);
});

test("password managers find the page that changes a password", async (t) => {
  const page = await visit(t);
  const { email } = await registered(page.context());
  await page.goto("/.well-known/change-password");
  await page.getByLabel("New password").waitFor();
  await page.context().clearCookies();
  await page.goto("/.well-known/change-password");
  await fill(page, { "E-mail": email, Password: PASSWORD });
  await press(page, "Sign in");
  await page.getByLabel("New password").waitFor();
});
