// The shared refresh while the clock jumps, without a service.

import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedRefresh } from "../dist/refresh.js";

/** A page with storage of its browser, and a clock that is moved. */
function page(t) {
  const stored = new Map();
  let now = 1_000_000;
  t.mock.method(Date, "now", () => now);
  globalThis.localStorage = { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value) };
  let count = 0;
  const refresh = sharedRefresh(async () => (count += 1) > 0);
  return { stored, refresh: () => refresh(Date.now()), count: () => count, setTime: (time) => (now = time) };
}

test("a page refreshes again after its clock was set back", async (t) => {
  const { refresh, count, setTime } = page(t);
  assert.equal(await refresh(), true);
  setTime(400_000);
  assert.equal(await refresh(), true);
  assert.equal(count(), 2);
});

test("a time that another page left in the future is ignored", async (t) => {
  const { stored, refresh, count } = page(t);
  stored.set("edgeward-refreshed-at", "2000000");
  assert.equal(await refresh(), true);
  assert.equal(count(), 1);
});

test("a refresh of another page after the request was sent is enough", async (t) => {
  const { stored, refresh, count } = page(t);
  stored.set("edgeward-refreshed-at", "1000000");
  assert.equal(await refresh(), true);
  assert.equal(count(), 0);
});
