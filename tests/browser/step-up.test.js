// A path that demands a recent authentication: the way through the page that asks for it, and back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, ageAuthentication, registered } from "./lib/site.js";
import { address, fill, press, visit } from "./lib/visitor.js";

const DEEP_LINK = "/billing/7?x=1#part-2";

for (const javaScriptEnabled of [true, false]) {
  test(`a confirmation leads back to the page that demanded it, ${javaScriptEnabled ? "with" : "without"} JavaScript`, async (t) => {
    const page = await visit(t, { javaScriptEnabled });
    await registered(page.context());
    await page.goto(DEEP_LINK);
    assert.equal(address(page), DEEP_LINK, "a fresh login is enough");

    await ageAuthentication(page.context(), 600);
    // From another page: the fragment alone would make it a move within this one.
    await page.goto("/orders");
    await page.goto(DEEP_LINK);
    await page.getByRole("heading", { name: "Is it still you?" }).waitFor();
    await fill(page, { Password: "not this one" });
    await press(page, "Confirm");
    await page.getByText("This is not your current password.").waitFor();
    await fill(page, { Password: PASSWORD });
    await press(page, "Confirm");
    assert.equal(address(page), DEEP_LINK);
  });
}

test("a login is a confirmation, too", async (t) => {
  const page = await visit(t);
  const { email } = await registered(page.context());
  await page.context().clearCookies();
  for (const way of [DEEP_LINK, "/auth/confirm?return_to=/billing/7%3Fx=1&max_age=300"]) {
    await page.goto(way);
    await fill(page, { "E-mail": email, Password: PASSWORD });
    await press(page, "Sign in");
    assert.equal(address(page).split("#")[0], DEEP_LINK.split("#")[0]);
    await page.context().clearCookies();
  }
});

test("a script is told what is demanded", async (t) => {
  const page = await visit(t);
  await registered(page.context());
  await ageAuthentication(page.context(), 600);
  await page.goto("/orders");
  const [status, challenge] = await page.evaluate(async () => {
    const response = await fetch("/billing/7");
    return [response.status, response.headers.get("www-authenticate")];
  });
  assert.equal(status, 401);
  assert.equal(challenge, 'Bearer error="insufficient_user_authentication", max_age="300"');
});
