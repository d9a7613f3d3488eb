// Mails and their links: a forgotten password, by link and by code, and the address of an account.

import assert from "node:assert/strict";
import { test } from "node:test";
import { mailTo, NEW_PASSWORD, PASSWORD, registered } from "./lib/site.js";
import { address, fill, follow, press, visit } from "./lib/visitor.js";

test("forgotten password is set anew by the link of a mail", async (t) => {
  const page = await visit(t);
  const { email } = await registered(page.context());
  await page.context().clearCookies();
  await page.goto("/auth/sign-in");
  await follow(page, "Forgot your password?");
  await fill(page, { "E-mail": email });
  await press(page, "Send the mail");
  const { link } = await mailTo(email, "set a new password");

  const other = await visit(t);
  await other.goto(link);
  await fill(other, { "New password": NEW_PASSWORD });
  await press(other, "Change the password");
  assert.match(await other.getByRole("status").textContent(), /all sessions have ended/);
  await follow(other, "Sign in");
  await fill(other, { "E-mail": email, Password: NEW_PASSWORD });
  await press(other, "Sign in");
  assert.equal(address(other), "/");
});

test("forgotten password is set anew by the code of a mail, without a script", async (t) => {
  const page = await visit(t, { javaScriptEnabled: false });
  const { email } = await registered(page.context());
  await page.context().clearCookies();
  await page.goto("/auth/forgot-password");
  await fill(page, { "E-mail": email });
  await press(page, "Send the mail");
  const { code } = await mailTo(email, "set a new password");
  await fill(page, { Code: "00000000", "New password": NEW_PASSWORD });
  await press(page, "Change the password");
  assert.match(await page.getByRole("alert").textContent(), /not valid any more/);
  await fill(page, { Code: code, "New password": NEW_PASSWORD });
  await press(page, "Change the password");
  assert.match(await page.getByRole("status").textContent(), /all sessions have ended/);
});

test("address is confirmed, changed and changed back", async (t) => {
  const page = await visit(t);
  const { email } = await registered(page.context());
  await page.goto("/auth/account");
  await press(page, "Send a mail to confirm it");
  await fill(page, { Code: (await mailTo(email, "confirm your e-mail", 2)).code });
  await press(page, "Confirm the address");
  await page.goto("/auth/account");
  assert.equal(await page.getByText("This address is confirmed.").count(), 1);

  const changed = `new-${email}`;
  const section = page.locator("#email-address");
  await section.getByLabel("New e-mail address").fill(changed);
  await section.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await press(page, "Change the address");
  await page.goto((await mailTo(changed, "confirm your new")).link);
  await press(page, "Confirm the new address");
  await page.goto("/auth/account");
  assert.equal(await page.locator("#email-address").getByText(changed).count(), 1);

  await page.goto((await mailTo(email, "was changed")).link);
  await press(page, "Change it back");
  await follow(page, "Set a new password");
  assert.equal(address(page), "/auth/forgot-password");
});
