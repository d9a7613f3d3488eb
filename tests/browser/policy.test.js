// Cookies and the Content-Security-Policy, as the browser sees them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { registered, signedIn } from "./lib/site.js";
import { takeReports, visit } from "./lib/visitor.js";

test("no script can read a cookie, and no other site sends one along", async (t) => {
  const page = await visit(t);
  await page.goto("/auth/sign-in");
  await signedIn(page.context(), await registered(page.context()));
  await page.goto("/auth/account");
  assert.equal(await page.evaluate(() => document.cookie), "");
  const stored = await page.context().cookies();
  assert.deepEqual(stored.map(({ name }) => name).sort(), ["access_token", "device_token", "edgeward_form_key", "refresh_token"]);
  for (const { name, httpOnly, sameSite, domain } of stored) {
    assert.deepEqual({ httpOnly, sameSite, domain }, { httpOnly: true, sameSite: "Lax", domain: "127.0.0.1" }, name);
  }
  for (const name of ["access_token", "refresh_token"]) {
    assert.equal(stored.find((cookie) => cookie.name === name).path, "/", name);
  }
});

test("the policy blocks what a page of ours never has", async (t) => {
  const page = await visit(t);
  await page.goto("/auth/sign-in");
  await page.evaluate(() => {
    window.blocked = [];
    addEventListener("securitypolicyviolation", (event) => window.blocked.push(event.effectiveDirective));
    const add = (name, values) => document.body.appendChild(Object.assign(document.createElement(name), values));
    add("script", { textContent: "window.ran = true" });
    add("script", { src: "https://other.example/x.js" });
    add("style", { textContent: "body { display: none }" });
    add("img", { src: "https://other.example/x.png" });
    add("iframe", { src: "https://other.example/" });
    add("base", { href: "https://other.example/" });
    add("form", { action: "https://other.example/", method: "post" }).submit();
    document.body.setAttribute("onclick", "window.ran = true");
    document.body.click();
    fetch("https://other.example/").catch(() => {});
  });
  const expected = ["base-uri", "connect-src", "form-action", "frame-src", "img-src", "script-src-attr", "script-src-elem", "script-src-elem", "style-src-elem"];
  await page.waitForFunction((count) => window.blocked.length >= count, expected.length);
  assert.deepEqual(await page.evaluate(() => window.blocked.sort()), expected);
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.ok(takeReports(page).length >= expected.length, "such reports fail every other test");
});
