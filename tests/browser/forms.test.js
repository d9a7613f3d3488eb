// Forms: each works without JavaScript, and a mistake is shown beside its field.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADMIN, NEW_PASSWORD, PASSWORD, person, registered, signedIn } from "./lib/site.js";
import { address, fill, follow, press, visit } from "./lib/visitor.js";

const WITHOUT_SCRIPT = { javaScriptEnabled: false };

test("account forms work without JavaScript", async (t) => {
  const page = await visit(t, WITHOUT_SCRIPT);
  const ada = person();
  await page.goto("/auth/register?return_to=/auth/account");
  await fill(page, { "First name": ada.firstName, "Last name": ada.lastName, "E-mail": ada.email, Password: PASSWORD });
  await press(page, "Register");
  assert.equal(address(page), "/auth/account");

  await fill(page, { "First name": "Augusta", "Last name": "King" });
  await press(page, "Save");
  await page.getByText("Your name is changed.").waitFor();
  assert.equal(await page.getByLabel("First name").inputValue(), "Augusta");
  assert.equal(await page.getByLabel("Last name").inputValue(), "King");

  await fill(page, { "Current password": PASSWORD, "New password": NEW_PASSWORD });
  await press(page, "Change the password");
  await page.getByText("Your password is changed.").waitFor();

  await press(page, "Sign out");
  await page.getByRole("heading", { name: "Signed out" }).waitFor();
  await page.goto("/auth/account");
  await fill(page, { "E-mail": ada.email, Password: PASSWORD });
  await press(page, "Sign in");
  await page.getByText("E-mail or password is wrong.").waitFor();
  assert.equal(await page.getByLabel("E-mail").inputValue(), ada.email);
  await fill(page, { Password: NEW_PASSWORD });
  await press(page, "Sign in");
  assert.equal(address(page), "/auth/account");
});

test("sessions are ended without JavaScript", async (t) => {
  const page = await visit(t, WITHOUT_SCRIPT);
  const ada = await registered(page.context());
  const others = [];
  for (const name of ["second", "third", "fourth"]) {
    others.push(await visit(t, { ...WITHOUT_SCRIPT, userAgent: name }));
    await signedIn(others.at(-1).context(), ada);
  }
  await page.goto("/auth/account");
  const sessions = page.getByRole("listitem");
  assert.equal(await sessions.count(), 4);
  await press(page, "End");
  await page.getByText("The session has ended.").waitFor();
  assert.equal(await sessions.count(), 3);
  await press(page, "End all others");
  assert.equal(await sessions.count(), 1);
  for (const other of others) {
    await other.goto("/auth/account");
    await other.getByRole("heading", { name: "Sign in" }).waitFor();
  }
  await page.goto("/auth/account");
  assert.equal(address(page), "/auth/account", "one's own session goes on");
});

test("administration works without JavaScript", async (t) => {
  const user = await visit(t, WITHOUT_SCRIPT);
  const ada = await registered(user.context());
  const admin = await visit(t, WITHOUT_SCRIPT);
  await signedIn(admin.context(), { email: ADMIN });
  await admin.goto("/auth/admin/users");
  await fill(admin, { "E-mail address, last name or ID": ada.email });
  await press(admin, "Search");
  await follow(admin, ada.email);
  assert.equal(address(admin), `/auth/admin/users/${ada.id}`);

  await press(admin, "End all sessions");
  assert.equal(await admin.getByRole("button", { name: "End all sessions", exact: true }).count(), 0);
  await user.goto("/auth/account");
  await user.getByRole("heading", { name: "Sign in" }).waitFor();

  await press(admin, "Disable sign-in, and end all sessions");
  await fill(user, { "E-mail": ada.email, Password: PASSWORD });
  await press(user, "Sign in");
  await user.getByText("This account is disabled.").waitFor();
  await press(admin, "Enable sign-in");
  await fill(user, { Password: PASSWORD });
  await press(user, "Sign in");
  assert.equal(address(user), "/auth/account");

  assert.equal((await user.goto("/auth/admin/users")).status(), 403);
  await fill(admin, { Role: "admin" });
  await press(admin, "Save");
  await user.goto("/auth/account");
  await follow(user, "Users");
  assert.equal(address(user), "/auth/admin/users");

  await follow(admin, "Audit log");
  await fill(admin, { "User (ID)": String(ada.id) });
  await press(admin, "Search");
  const events = await admin.locator("tbody tr td:nth-child(2)").allTextContents();
  assert.deepEqual(events.slice(0, 5), ["role_changed", "login", "user_enabled", "user_disabled", "sessions_ended"]);
});

for (const options of [WITHOUT_SCRIPT, {}]) {
  const how = options === WITHOUT_SCRIPT ? "without JavaScript" : "with JavaScript";

  test(`mistakes are shown beside their fields, and nothing typed is lost, ${how}`, async (t) => {
    const page = await visit(t, options);
    const ada = person();
    await page.goto("/auth/register?return_to=/auth/account");
    await fill(page, { "First name": "", "Last name": ada.lastName, "E-mail": "ada", Password: "short" });
    await press(page, "Register");
    await page.getByText("Please correct the fields that are marked.").waitFor();
    for (const [label, typed, mistake] of [
      ["First name", "", "Please fill this in."],
      ["Last name", ada.lastName, undefined],
      ["E-mail", "ada", "This is not an e-mail address."],
      ["Password", "", "At least 8 characters."],
    ]) {
      const field = page.getByLabel(label, { exact: true });
      assert.equal(await field.inputValue(), typed, label);
      assert.equal(await field.getAttribute("aria-invalid"), mistake === undefined ? null : "true", label);
      if (mistake !== undefined) {
        const described = (await field.getAttribute("aria-describedby")).split(" ");
        const texts = await Promise.all(described.map((id) => page.locator(`#${id}`).textContent()));
        assert.ok(texts.includes(mistake), `${label}: ${texts}`);
        assert.ok(await page.getByText(mistake, { exact: true }).isVisible());
      }
    }
    const focused = page.locator(":focus");
    assert.equal(await focused.getAttribute("name"), "firstName", "the first mistake has the focus");

    await fill(page, { "First name": ada.firstName, "E-mail": ada.email, Password: PASSWORD });
    await press(page, "Register");
    assert.equal(address(page), "/auth/account");
  });
}

test("mistakes in the account are beside their own form", async (t) => {
  const page = await visit(t);
  await registered(page.context());
  await page.goto("/auth/account");
  await fill(page, { "Current password": "not this one", "New password": NEW_PASSWORD });
  await press(page, "Change the password");
  const form = page.locator("form", { has: page.getByLabel("New password") });
  assert.equal(await form.locator("[aria-invalid]").getAttribute("name"), "currentPassword");
  assert.equal(await page.locator("[aria-invalid]").count(), 1);
  await fill(page, { "First name": " ", "Last name": "King" });
  await press(page, "Save");
  assert.deepEqual(await page.locator("[aria-invalid]").evaluateAll((fields) => fields.map(({ name }) => name)), ["firstName"]);
  assert.equal(await page.getByLabel("Last name").inputValue(), "King");
});

test("a form that is sent twice in haste is sent once", async (t) => {
  const page = await visit(t);
  const ada = person();
  const sent = [];
  page.on("request", (request) => request.method() === "POST" && request.isNavigationRequest() && sent.push(request.url()));
  await page.goto("/auth/register?return_to=/auth/account");
  await fill(page, { "First name": ada.firstName, "Last name": ada.lastName, "E-mail": ada.email, Password: PASSWORD });
  await page.getByRole("button", { name: "Register" }).dblclick();
  await page.waitForURL("/auth/account");
  assert.equal(sent.length, 1);
});
