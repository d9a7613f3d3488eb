// One refresh for all callers of a page, and of all pages of the browser.

/** Name of the lock (Web Locks API) that pages of one origin share. */
const LOCK = "edgeward-refresh";
/** Key under which a page leaves the time of its refresh for the others. */
const REFRESHED_AT = "edgeward-refreshed-at";

/** Makes a function that refreshes the session, and returns `true` if there are new tokens. */
export function sharedRefresh(refresh: () => Promise<boolean>): (sentAt: number) => Promise<boolean> {
  let running: Promise<boolean> | undefined;
  let refreshedAt = 0;

  async function refreshOnce(sentAt: number): Promise<boolean> {
    // Another page may have refreshed while this one waited for the lock: the cookies are new already.
    if (isSince(refreshedAt, sentAt) || isSince(readTime(), sentAt)) return true;
    const refreshed = await refresh();
    if (refreshed) {
      refreshedAt = Date.now();
      writeTime(refreshedAt);
    }
    return refreshed;
  }

  /** `sentAt`: time at which the rejected request was sent, in milliseconds. */
  return (sentAt) => {
    // Sent with the old tokens, and rejected after the refresh of another call.
    if (isSince(refreshedAt, sentAt)) return Promise.resolve(true);
    running ??= locked(() => refreshOnce(sentAt)).finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** Returns `true` if a refresh came after a request. A time in the future is of a clock that was set back since. */
function isSince(refreshedAt: number, sentAt: number): boolean {
  return refreshedAt >= sentAt && refreshedAt <= Date.now();
}

async function locked(task: () => Promise<boolean>): Promise<boolean> {
  const locks = globalThis.navigator?.locks;
  return locks ? locks.request(LOCK, async () => task()) : task();
}

// A page without storage, in a sandbox or in Node, shares the lock alone.
function readTime(): number {
  try {
    return Number(globalThis.localStorage?.getItem(REFRESHED_AT) ?? 0);
  } catch {
    return 0;
  }
}

function writeTime(time: number): void {
  try {
    globalThis.localStorage?.setItem(REFRESHED_AT, String(time));
  } catch {
    // As above.
  }
}
