// Passkeys, with the virtual authenticator of the browser: it is present, and verifies its user.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GATEWAY, PASSWORD, ageAuthentication, cookies, registered } from "./lib/site.js";
import { address, fill, press, visit } from "./lib/visitor.js";

/** Gateway by its name: browsers take no passkeys for an address. */
const LOCALHOST = GATEWAY.replace("127.0.0.1", "localhost");

const AUTHENTICATOR = {
  protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true,
  hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
};

/** Opens a page of a browser with an authenticator. It chooses from the autofill at once, so most tests have none. */
async function visitWithAuthenticator(t, { hasAutofill } = {}) {
  const page = await visit(t, { baseURL: LOCALHOST });
  if (!hasAutofill) {
    await page.addInitScript(() => { PublicKeyCredential.isConditionalMediationAvailable = async () => false; });
  }
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options: AUTHENTICATOR });
  const credentials = async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
  /** Replaces a credential by a copy with other properties. */
  const replace = async (credential, changes) => {
    await cdp.send("WebAuthn.removeCredential", { authenticatorId, credentialId: credential.credentialId });
    await cdp.send("WebAuthn.addCredential", { authenticatorId, credential: { ...credential, ...changes } });
  };
  return { page, credentials, replace };
}

/** Adds a passkey to the account of the user who is signed in, by the page for it. */
async function addPasskey(page) {
  await page.goto("/auth/account");
  await press(page, "Add a passkey");
  await press(page, "Add");
}

/** Registers a user in a browser, with a passkey. */
async function registeredWithPasskey(page) {
  const user = await registered(page.context());
  await addPasskey(page);
  await page.getByRole("heading", { name: "Recovery codes" }).waitFor();
  return user;
}

const whoIsSignedIn = async (page) => (await (await page.request.get("/api/auth/self")).json()).user;
const amr = async (page) => {
  const token = (await cookies(page.context(), LOCALHOST)).get("access_token");
  return JSON.parse(Buffer.from(token.value.split(".")[1], "base64url")).amr.join(" ");
};

test("a passkey is created on the account page, and signs in without a password", async (t) => {
  const { page, credentials } = await visitWithAuthenticator(t);
  const { id } = await registeredWithPasskey(page);
  const [credential] = await credentials();
  assert.ok(credential.isResidentCredential);
  assert.equal(credential.rpId, "localhost");
  await page.getByRole("link", { name: "I have stored them" }).click();
  await page.getByText("Never used").waitFor();

  await page.context().clearCookies();
  await page.goto("/auth/sign-in?return_to=/auth/account#factors");
  await press(page, "Use a passkey");
  await page.waitForURL(`${LOCALHOST}/auth/account#factors`);
  assert.equal((await whoIsSignedIn(page)).id, id);
  assert.equal(await amr(page), "pop mfa");
  assert.equal(await page.getByText("Never used").count(), 0);
});

test("a passkey is used from the autofill of the address", async (t) => {
  const { page } = await visitWithAuthenticator(t, { hasAutofill: true });
  const { id } = await registeredWithPasskey(page);
  await page.context().clearCookies();
  await page.goto("/auth/sign-in?return_to=/auth/account");
  // The authenticator chooses it from the list of the browser.
  await page.waitForURL(`${LOCALHOST}/auth/account`);
  assert.equal((await whoIsSignedIn(page)).id, id);
});

test("a sign-in page that stays open asks again before its challenge ends", async (t) => {
  const { page } = await visitWithAuthenticator(t, { hasAutofill: true });
  await page.clock.install();
  const asked = () => page.waitForRequest("**/api/auth/login/passkey/options");
  await Promise.all([asked(), page.goto("/auth/sign-in")]);
  await Promise.all([asked(), page.clock.fastForward("09:00")]);
});

test("the Enter key in the name of a passkey adds it", async (t) => {
  const { page, credentials } = await visitWithAuthenticator(t);
  await registered(page.context());
  await page.goto("/auth/account");
  await press(page, "Add a passkey");
  await page.getByLabel("Name").press("Enter");
  await page.getByRole("heading", { name: "Recovery codes" }).waitFor();
  assert.equal((await credentials()).length, 1);
});

test("a page that adds passkeys is loaded again, and asks for a confirmation, once that is needed", async (t) => {
  const { page } = await visitWithAuthenticator(t);
  await registered(page.context());
  await page.goto("/auth/account");
  await press(page, "Add a passkey");
  await page.route("**/api/auth/factors/passkeys", (route) => route.fulfill({ status: 401, json: {} }));
  await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Add" }).click()]);
});

test("a passkey is the second step after a password", async (t) => {
  const { page } = await visitWithAuthenticator(t);
  const { email } = await registeredWithPasskey(page);
  await page.context().clearCookies();
  await page.goto("/auth/sign-in?return_to=/auth/account");
  await fill(page, { "E-mail": email, Password: PASSWORD });
  await press(page, "Sign in");
  assert.equal(address(page), "/auth/factor?return_to=%2Fauth%2Faccount");
  assert.equal((await page.request.get("/api/auth/self")).status(), 401);
  await press(page, "Use a passkey");
  await page.waitForURL(`${LOCALHOST}/auth/account`);
  assert.equal(await amr(page), "pwd pop mfa");
});

test("a passkey confirms who the user is", async (t) => {
  const { page } = await visitWithAuthenticator(t);
  await registeredWithPasskey(page);
  assert.equal(await amr(page), "pwd");
  // From before the first factor: sensitive pages ask for it.
  await page.goto("/auth/account/factors/passkeys");
  assert.equal(address(page), "/auth/confirm?return_to=%2Fauth%2Faccount%2Ffactors%2Fpasskeys");
  await press(page, "Use a passkey");
  await page.waitForURL(`${LOCALHOST}/auth/account/factors/passkeys`);
  assert.equal(await amr(page), "pop mfa");
});

test("a passkey leads back to the page of a rule that demands a recent authentication", async (t) => {
  const { page } = await visitWithAuthenticator(t);
  await registeredWithPasskey(page);
  await ageAuthentication(page.context(), 600, LOCALHOST);
  await page.goto("/billing/7?x=1#part-2");
  assert.match(address(page), /^\/auth\/confirm\?/);
  await press(page, "Use a passkey");
  await page.waitForURL(`${LOCALHOST}/billing/7?x=1#part-2`);
});

test("a response of a passkey counts once, and a copy of it not at all", async (t) => {
  const { page, credentials, replace } = await visitWithAuthenticator(t);
  await registeredWithPasskey(page);
  await page.context().clearCookies();
  await page.goto("/auth/sign-in");
  const sent = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/auth/sign-in"));
  await press(page, "Use a passkey");
  const form = new URLSearchParams((await sent).postData());
  const data = { token: form.get("token"), credential: JSON.parse(form.get("credential")) };
  const repeated = await page.request.post("/api/auth/login/passkey", { data });
  assert.equal(repeated.status(), 409);

  await page.context().clearCookies();
  const [credential] = await credentials();
  await replace(credential, { signCount: 0 });
  await page.goto("/auth/sign-in");
  await press(page, "Use a passkey");
  await page.getByText("This passkey was not accepted.").waitFor();
});

test("browsers are told which passkeys still sign in", async (t) => {
  const { page } = await visitWithAuthenticator(t);
  await page.addInitScript(() => {
    window.signals = [];
    for (const signal of ["signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"]) {
      PublicKeyCredential[signal] = async (details) => { window.signals.push({ signal, ...details }); };
    }
  });
  const { email } = await registeredWithPasskey(page);
  await page.goto("/auth/account");
  await page.waitForFunction(() => window.signals.length === 2);
  const [all, details] = await page.evaluate(() => window.signals);
  const { rpId, userId, allAcceptedCredentialIds: [credentialId] } = all;
  assert.deepEqual(all, { signal: "signalAllAcceptedCredentials", rpId: "localhost", userId, allAcceptedCredentialIds: [credentialId] });
  assert.deepEqual(details, { signal: "signalCurrentUserDetails", rpId, userId, name: email, displayName: "Ada Lovelace" });
  await press(page, "Remove");
  await press(page, "Use a passkey");
  await page.waitForURL(`${LOCALHOST}/auth/account`);
  await press(page, "Remove");
  await page.getByText("The factor is removed.").waitFor();
  await page.context().clearCookies();
  await page.goto("/auth/sign-in");
  await press(page, "Use a passkey");
  await page.getByText("This passkey belongs to no account here.").waitFor();
  assert.deepEqual(await page.evaluate(() => window.signals), [{ signal: "signalUnknownCredential", rpId, credentialId }]);
});

test("origins that may use the passkeys are listed", async (t) => {
  const page = await visit(t, { baseURL: LOCALHOST });
  const response = await page.request.get("/.well-known/webauthn");
  assert.deepEqual([response.status(), await response.json()], [200, { origins: [LOCALHOST] }]);
});
