// Service behind Edgeward, in Express: the gateway's header fields say who calls.
import express from "express";

const { HOST = "127.0.0.1", PORT = "3000", BEHIND_GATEWAY } = process.env;

// Past the gateway, a client can claim any identity, and no request shows which way it came. So the service starts
// only on 127.0.0.1, or where BEHIND_GATEWAY=yes states that the network lets only the gateway reach it.
if (HOST !== "127.0.0.1" && BEHIND_GATEWAY !== "yes") {
  console.error(`HOST=${HOST} is open to others: let only the gateway reach it, then set BEHIND_GATEWAY=yes`);
  process.exit(1);
}

/** Returns the caller, or null if nobody is signed in. */
function caller(request) {
  const [user, role, session] = ["x-user-id", "x-user-role", "x-session-id"].map((name) => request.get(name));
  return user && role && session ? { user, role, session } : null;
}

const app = express();
app.get("/public/{*path}", (request, response) => response.json(caller(request)));
app.use((request, response) => {
  const identity = caller(request);
  response.status(identity ? 200 : 401).json(identity);
});
app.listen(Number(PORT), HOST, () => console.log(`listening on http://${HOST}:${PORT}`));
