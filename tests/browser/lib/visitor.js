// Visitors: each has a browser context of its own, which is closed after the test and must have reported nothing.

import assert from "node:assert/strict";
import { after } from "node:test";
import { chromium } from "playwright-core";
import { GATEWAY } from "./site.js";

/** Time after which a page that does not do what a test waits for is at fault, in milliseconds. */
const LIMIT = 10_000;
/** The console says this of every response that is an error, and of every stream that the gateway ends, which a test may want. */
const ERROR_STATUS = /^Failed to load resource: (the server responded with a status of 4\d\d |net::ERR_INCOMPLETE_CHUNKED_ENCODING)/;

/** Connection to the browser, made by the first visit. */
let browser;
/** What pages have reported, by browser context. */
const reports = new WeakMap();

after(async () => (await browser)?.close());

/**
 * Opens a page in a new browser context. The test fails if a page logs an error: what the Content-Security-Policy blocks
 * is one.
 *
 * @param t Context of the test.
 * @param options Options of the browser context, such as `locale`, `colorScheme`, `javaScriptEnabled`.
 */
export async function visit(t, options) {
  browser ??= chromium.connect(process.env.BROWSER);
  const context = await (await browser).newContext({ baseURL: GATEWAY, locale: "en-GB", viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(LIMIT);
  const found = [];
  reports.set(context, found);
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !ERROR_STATUS.test(message.text())) {
      found.push(`${message.page()?.url()}: ${message.text()}`);
    }
  });
  context.on("weberror", (error) => found.push(`${error.page()?.url()}: ${error.error()}`));
  t.after(async () => {
    await context.close();
    assert.deepEqual(found, [], "what pages reported to the console");
  });
  return context.newPage();
}

/** Takes what the pages of a visitor have reported until now. */
export function takeReports(page) {
  return reports.get(page.context()).splice(0);
}

/** Returns the path, query and fragment of the address of a page. */
export function address(page) {
  return page.url().slice(new URL(page.url()).origin.length);
}

/** Types into fields, which are named by their labels. */
export async function fill(page, values) {
  for (const [label, value] of Object.entries(values)) {
    await page.getByLabel(label, { exact: true }).fill(value);
  }
}

/** Presses the first button with a name, and waits for the page that it leads to. */
export async function press(page, name) {
  await arrive(page, page.getByRole("button", { name, exact: true }));
}

/** Follows the first link with a name, and waits for the page that it leads to. */
export async function follow(page, name) {
  await arrive(page, page.getByRole("link", { name, exact: true }));
}

async function arrive(page, control) {
  const arrived = page.waitForEvent("domcontentloaded");
  await control.first().click();
  await arrived;
}
