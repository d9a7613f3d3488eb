// Sessions, as people see them: signing in on two devices, ending one, coming back, tokens that expire.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, cookies, expireAccessToken, person, registered, signedIn } from "./lib/site.js";
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
  assert.equal(decodeURIComponent(address(other)), "/auth/sign-in?return_to=/auth/account");
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

const DEEP_LINK = "/orders/7?x=1#part-2";

for (const javaScriptEnabled of [true, false]) {
  test(`a deep link is opened after signing in, with its fragment, ${javaScriptEnabled ? "with" : "without"} JavaScript`, async (t) => {
    const page = await visit(t, { javaScriptEnabled });
    const { email } = await registered(page.context());
    await page.context().clearCookies();
    await page.goto(DEEP_LINK);
    await fill(page, { "E-mail": email, Password: "not this one" });
    await press(page, "Sign in");
    await fill(page, { Password: PASSWORD });
    await press(page, "Sign in");
    assert.equal(address(page), DEEP_LINK);
  });
}

test("a deep link is opened after registering, with its fragment", async (t) => {
  const page = await visit(t);
  const ada = person();
  await page.goto(DEEP_LINK);
  await follow(page, "Register");
  await fill(page, { "First name": ada.firstName, "Last name": ada.lastName, "E-mail": ada.email, Password: PASSWORD });
  await press(page, "Register");
  assert.equal(address(page), DEEP_LINK);
});

test("the skip link leaves the fragment of a deep link alone", async (t) => {
  const page = await visit(t);
  const { email } = await registered(page.context());
  await page.context().clearCookies();
  await page.goto(DEEP_LINK);
  await page.getByRole("link", { name: "Skip to the content" }).press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
  await fill(page, { "E-mail": email, Password: PASSWORD });
  await press(page, "Sign in");
  assert.equal(address(page), DEEP_LINK);
});

test("a form of a session that is over leads to signing in, and back to its page", async (t) => {
  const page = await visit(t);
  const context = page.context();
  const ada = await registered(context);
  await page.goto("/auth/account");
  await context.request.post("/api/auth/logout");
  await fill(page, { "First name": "Augusta" });
  await press(page, "Save");
  await fill(page, { "E-mail": ada.email, Password: PASSWORD });
  await press(page, "Sign in");
  assert.equal(address(page), "/auth/account");
  assert.equal(await page.getByLabel("First name").inputValue(), ada.firstName, "nothing was changed");
});

/** Ways in which an access token comes to its end: the browser removes its cookie in time, or the clocks differ. */
const ENDS = [
  ["removed by the browser", (context) => context.clearCookies({ name: "access_token" })],
  ["expired", expireAccessToken],
];

for (const [how, end] of ENDS) {
  test(`an access token that is ${how} is refreshed unnoticed`, async (t) => {
    const page = await visit(t);
    const context = page.context();
    await registered(context);
    await page.goto("/auth/account");

    await end(context);
    await follow(page, "Account");
    assert.equal(address(page), "/auth/account");
    const renewed = (await cookies(context)).get("access_token");
    assert.ok(renewed.expires > Date.now() / 1000 + 3000, "for an hour");

    await end(context);
    assert.equal(await page.evaluate(async () => (await fetch("/orders")).status), 200);

    await end(context);
    await fill(page, { "First name": "Augusta" });
    await press(page, "Save");
    await page.getByText("Your name is changed.").waitFor();
  });
}

test("two tabs that refresh at once both stay signed in", async (t) => {
  const first = await visit(t);
  const context = first.context();
  await registered(context);
  const second = await context.newPage();
  for (let round = 0; round < 6; round += 1) {
    await ENDS[round % ENDS.length][1](context);
    await Promise.all([first.goto("/auth/account"), second.goto("/auth/account")]);
    for (const tab of [first, second]) {
      assert.equal(address(tab), "/auth/account", `round ${round}`);
    }
    await ENDS[round % ENDS.length][1](context);
    const fetched = (tab) => tab.evaluate(() => Promise.all([fetch("/a"), fetch("/b")]).then((all) => all.map(({ status }) => status)));
    assert.deepEqual(await Promise.all([first, second].map(fetched)), [[200, 200], [200, 200]], `round ${round}`);
  }
});

for (const javaScriptEnabled of [true, false]) {
  test(`the back button shows nothing of a user who signed out, ${javaScriptEnabled ? "with" : "without"} JavaScript`, async (t) => {
    const page = await visit(t, { javaScriptEnabled });
    const ada = await registered(page.context());
    await page.goto("/auth/account");
    await page.getByText(ada.email).waitFor();
    await press(page, "Sign out");
    await page.getByRole("heading", { name: "Signed out" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.equal(await page.getByText(ada.email).count(), 0);
  });
}
