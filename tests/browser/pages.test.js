// Holds for every page, in both languages, in both themes, in any window; with screenshots of each.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { PAGES } from "./lib/pages.js";
import { visit } from "./lib/visitor.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** The page of the demo upstream, which is in English. */
const DEMO = "demo";
const THEMES = ["light", "dark"];
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** Smallest window without horizontal scrolling, in CSS pixels (WCAG 2.2, success criterion 1.4.10). */
const SMALLEST = { width: 320, height: 256 };
/** Least width and height of what is pressed, in CSS pixels (WCAG 2.2, success criterion 2.5.8). */
const TARGET = 24;
/** Most that a page and all that it loads may have, in bytes, as decoded. */
const MAX_BYTES = 50 * 1024;

const SCREENSHOTS = process.env.SCREENSHOTS;
mkdirSync(SCREENSHOTS, { recursive: true });

/** Returns what axe finds; it is in the page already. */
async function findings(page) {
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } }));
  return violations.flatMap(({ id, impact, help, nodes }) => nodes.map(({ html, failureSummary }) => `${id} (${impact}): ${help}\n${html}\n${failureSummary}`));
}

/** Returns the sizes of a page and of all that it has loaded, in bytes. */
function sizes(page) {
  return page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .map(({ name, decodedBodySize }) => [new URL(name).pathname, decodedBodySize]));
}

/** Returns the controls that can be seen and are smaller than a finger needs. A link within a sentence may be. */
function smallTargets(page) {
  return page.evaluate((least) => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter((control) => control.checkVisibility() && !control.matches(".skip, [aria-hidden=true]"))
    .filter((control) => !(getComputedStyle(control).display === "inline" && control.parentElement.textContent.trim() !== control.textContent.trim()))
    .map((control) => [control.outerHTML, (control.closest("label") ?? control).getBoundingClientRect()])
    .filter(([, { width, height }]) => width < least || height < least)
    .map(([html, { width, height }]) => `${width}×${height}: ${html}`)
    .slice(0, 5), TARGET);
}

/** Returns how far a page is wider than its window, in CSS pixels. */
function excess(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Presses Tab until all has had the focus. Returns the controls in their order, and those whose focus cannot be seen. */
async function tabbed(page) {
  const order = [];
  const unseen = [];
  for (let isKnown = false; !isKnown; ) {
    await page.keyboard.press("Tab");
    const { at, html, isSeen } = await page.evaluate(() => {
      const focused = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(focused);
      const { width, left } = focused.getBoundingClientRect();
      return {
        at: [...document.querySelectorAll("*")].indexOf(focused),
        html: focused.outerHTML,
        isSeen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && width > 0 && left >= 0,
      };
    });
    // A field for a date has several stops. After the last control comes the browser itself.
    if (at === order.at(-1) || html.startsWith("<body")) continue;
    isKnown = order.includes(at);
    if (!isKnown) order.push(at);
    if (!isSeen) unseen.push(html);
  }
  return { order, unseen };
}

/** Returns the controls that a keyboard must reach, in the order of the document. */
function controls(page) {
  return page.evaluate(() => [...document.querySelectorAll("*")]
    .map((element, at) => [element, at])
    .filter(([element]) => element.matches("a[href], button:enabled, input:not([type=hidden]), select, textarea, summary, [tabindex]"))
    .filter(([element]) => element.tabIndex >= 0 && element.checkVisibility())
    .map(([, at]) => at));
}

/** Returns what moves, or would. */
function moving(page) {
  return page.evaluate(() => [...document.querySelectorAll("*")].filter((element) => {
    const { transitionDuration, scrollBehavior } = getComputedStyle(element);
    return element.getAnimations().length > 0 || scrollBehavior === "smooth" || parseFloat(transitionDuration) > 0;
  }).map(({ tagName }) => tagName));
}

/** Fails unless everyone can use a page, in both themes and in small windows. */
async function assertUsable(page) {
  // Past the policy: a debugger needs no leave.
  await page.evaluate(AXE);
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme });
    const found = await findings(page);
    assert.equal(found.length, 0, `axe, ${colorScheme}:\n${found.join("\n\n")}`);
  }
  for (const viewport of [PHONE, SMALLEST]) {
    await page.setViewportSize(viewport);
    assert.deepEqual(await smallTargets(page), [], `${viewport.width} wide`);
    assert.equal(await excess(page), 0, `${viewport.width} wide: it scrolls sideways`);
  }
}

async function photograph(page, name) {
  for (const [kind, viewport, colorScheme] of [["desktop", DESKTOP, "light"], ["dark", DESKTOP, "dark"], ["phone", PHONE, "light"]]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    await page.screenshot({ path: `${SCREENSHOTS}/${name}-${kind}.png`, fullPage: kind === "phone", animations: "disabled" });
  }
}

describe("each page", { concurrency: 3 }, () => {
  for (const [name, open] of Object.entries(PAGES)) {
    test(`${name} is small, and everyone can use it`, async (t) => {
      const page = await visit(t, { viewport: DESKTOP });
      await open(page);
      const loaded = await sizes(page);
      const total = loaded.reduce((sum, [, size]) => sum + size, 0);
      t.diagnostic(`${name}: ${(total / 1024).toFixed(1)} KiB`);
      assert.ok(total <= MAX_BYTES, `${total} bytes: ${loaded.join("; ")}`);

      await photograph(page, name);
      await page.emulateMedia({ reducedMotion: "reduce" });
      assert.deepEqual(await moving(page), [], "nothing moves for those who ask for it");
      await assertUsable(page);

      await page.setViewportSize(DESKTOP);
      const { order, unseen } = await tabbed(page);
      const expected = await controls(page);
      const first = expected.indexOf(order[0]);
      assert.deepEqual(order, [...expected.slice(first), ...expected.slice(0, first)], "Tab reaches all controls, in their order");
      assert.deepEqual(unseen, [], "the focus is seen");
    });
    if (name === DEMO) continue;
    test(`${name} is in German, and everyone can use it`, async (t) => {
      const page = await visit(t, { locale: "de-DE", viewport: DESKTOP });
      await open(page);
      assert.equal(await page.locator("html").getAttribute("lang"), "de");
      await assertUsable(page);
    });
  }
});
