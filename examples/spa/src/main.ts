// Registers, signs in, lists and ends sessions, and calls a service behind the gateway.

import { ApiError, createClient, data, type components, type ErrorEntry } from "@edgeward/client";

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

/** Number of requests that are rejected here, as a service of another origin would with an expired token. */
let rejections = 0;

// On the page's own host name: `localhost` and `127.0.0.1` are two sites.
const client = createClient({
  baseUrl: `http://${location.hostname}:8080`,
  async fetch(request) {
    const rejected = rejections > 0 && !request.url.includes("/api/");
    if (rejected) rejections -= 1;
    const response = rejected ? new Response(null, { status: 401 }) : await fetch(request);
    const line = document.createElement("li");
    line.textContent = `${request.method} ${new URL(request.url).pathname} → ${response.status}`;
    element("log").append(line);
    return response;
  },
});

function show(message: string): void {
  element("status").textContent = message;
}

async function showUser(): Promise<void> {
  try {
    const { user } = await data(client.GET("/api/auth/self"));
    show(`Signed in as ${user.firstName} ${user.lastName}, ${user.role}`);
    element("user").hidden = false;
    element("signed-out").hidden = true;
    await showSessions();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    show("Nobody is signed in");
    element("user").hidden = true;
    element("signed-out").hidden = false;
  }
}

async function showSessions(): Promise<void> {
  const { sessions } = await data(client.GET("/api/auth/sessions"));
  element("sessions").replaceChildren(...sessions.map(sessionItem));
}

function sessionItem(session: components["schemas"]["Session"]): HTMLLIElement {
  const item = document.createElement("li");
  const since = new Date(session.createdAt).toLocaleString();
  item.textContent = `${session.device ?? "Unknown device"}, since ${since}${session.current ? " (this one)" : ""} `;
  const end = document.createElement("button");
  end.className = "plain";
  end.textContent = "End";
  end.addEventListener("click", () =>
    attempt(async () => {
      await data(client.DELETE("/api/auth/sessions/{id}", { params: { path: { id: session.id } } }));
      await showUser();
    }),
  );
  item.append(end);
  return item;
}

/** Runs a task, and shows its error: beside the fields, or as the status. */
async function attempt(task: () => Promise<void>, form?: HTMLFormElement): Promise<void> {
  const list = form?.querySelector(".mistakes");
  list?.replaceChildren();
  try {
    await task();
  } catch (error) {
    if (!(error instanceof ApiError)) return show("The service cannot be reached");
    if (!list) return show(`${error.message} (${error.code})`);
    const label = ({ path }: ErrorEntry) => form?.querySelector(`[name="${path}"]`)?.closest("label")?.innerText.trim();
    const text = (entry: ErrorEntry) => [label(entry), entry.msg].filter(Boolean).join(": ");
    list.replaceChildren(
      ...error.errors.map((entry) => Object.assign(document.createElement("li"), { textContent: text(entry) })),
    );
  }
}

function onSubmit(id: string, send: (fields: Record<string, string>) => Promise<unknown>): void {
  const form = element<HTMLFormElement>(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    void attempt(async () => {
      await send(fields);
      form.reset();
      await showUser();
    }, form);
  });
}

onSubmit("login", ({ email = "", password = "" }) =>
  data(client.POST("/api/auth/login", { body: { email, password } })),
);
onSubmit("register", async ({ firstName = "", lastName = "", email = "", password = "" }) => {
  const registered = await data(client.POST("/api/auth/register", { body: { firstName, lastName, email, password } }));
  // With REGISTRATION_HIDES_EMAILS=on, a registration signs nobody in.
  if (!("userId" in registered)) await data(client.POST("/api/auth/login", { body: { email, password } }));
});

async function callService(): Promise<void> {
  const responses = await Promise.all([1, 2, 3].map((order) => client.fetch(`${location.origin}/orders/${order}`)));
  show(`The service responded ${responses.map(({ status }) => status).join(", ")}`);
}
element("call").addEventListener("click", () => void attempt(callService));
element("reject").addEventListener("click", () => {
  rejections = 3;
  void attempt(callService);
});
element("logout").addEventListener("click", () =>
  attempt(async () => {
    await data(client.POST("/api/auth/logout"));
    await showUser();
  }),
);

void attempt(showUser);
