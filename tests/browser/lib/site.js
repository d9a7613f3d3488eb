// The site under test, as the environment describes it, and requests to it without a page.

import assert from "node:assert/strict";
import { createSign } from "node:crypto";
import { readFileSync } from "node:fs";

/** Returns a variable of the environment that `tests/system/tests/browser.rs` sets. */
function variable(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: run \`cargo xtask test --test browser\``);
  return value;
}

/** Address of the gateway. */
export const GATEWAY = variable("GATEWAY");
/** Password of every visitor. */
export const PASSWORD = variable("PASSWORD");
export const NEW_PASSWORD = "a lantern for every window";
/** E-mail address of an administrator, with `PASSWORD`. */
export const ADMIN = variable("ADMIN");

/** Address of the inbox. */
const INBOX = variable("INBOX");

/** Waits for a mail to an address, by a part of its subject, the `count`th of these: its link and its code. */
export async function mailTo(email, subject, count = 1) {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((wake) => setTimeout(wake, 100))) {
    const mails = await (await fetch(`${INBOX}/mails`)).json();
    const mail = mails.filter((mail) => mail.to === email && mail.subject.includes(subject))[count - 1];
    if (mail) return { link: /^http\S+/m.exec(mail.text)?.[0], code: /^\d{4} \d{4}$/m.exec(mail.text)?.[0] };
  }
  return assert.fail(`no mail to ${email} about: ${subject}`);
}

let count = 0;

/** Makes the data of a person who has never been here. */
export function person(changes) {
  count += 1;
  return { firstName: "Ada", lastName: "Lovelace", email: `ada-${process.pid}-${count}@example.com`, password: PASSWORD, ...changes };
}

/** Registers a person, who is then signed in in this browser context. Returns their data with their ID. */
export async function registered(context, device) {
  const data = person();
  const response = await context.request.post("/api/auth/register", { data, headers: asDevice(device) });
  assert.equal(response.status(), 201, await response.text());
  return { ...data, id: (await response.json()).userId };
}

/** Signs a person in in this browser context. */
export async function signedIn(context, { email, password = PASSWORD }, device) {
  const response = await context.request.post("/api/auth/login", { data: { email, password }, headers: asDevice(device) });
  assert.equal(response.status(), 200, await response.text());
}

/** Header fields of another device, named by its `User-Agent`. */
const asDevice = (device) => (device === undefined ? {} : { "user-agent": device });

/** Returns the cookies of a browser context by name, for an address of the gateway. */
export async function cookies(context, gateway = GATEWAY) {
  return new Map((await context.cookies(gateway)).map((cookie) => [cookie.name, cookie]));
}

/** Returns who is signed in in a browser context: the IDs of the user and of the session. */
export async function session(context) {
  const { sub, sid } = JSON.parse(Buffer.from((await cookies(context)).get("access_token").value.split(".")[1], "base64url"));
  return { sub, sid };
}

/** Replaces the access token by the same one as of two hours ago. */
export const expireAccessToken = (context) =>
  signAccessToken(context, ({ iat, exp, ...others }) => ({ ...others, iat: iat - 7200, exp: exp - 7200 }));

/** Replaces the access token by one whose user has authenticated so many seconds earlier. */
export const ageAuthentication = (context, seconds, gateway) =>
  signAccessToken(context, ({ auth_time, ...others }) => ({ ...others, auth_time: auth_time - seconds }), gateway);

/** Replaces the access token by one with other claims. */
async function signAccessToken(context, change, gateway) {
  const cookie = (await cookies(context, gateway)).get("access_token");
  const [header, claims] = cookie.value.split(".");
  const changed = Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(claims, "base64url"))))).toString("base64url");
  const signature = createSign("RSA-SHA256").update(`${header}.${changed}`).sign(readFileSync(variable("SIGNING_KEY")), "base64url");
  await context.addCookies([{ ...cookie, value: `${header}.${changed}.${signature}` }]);
}
