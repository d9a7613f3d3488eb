import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  // From the checkout, as it is not in the npm registry.
  resolve: {
    alias: { "@edgeward/client": fileURLToPath(new URL("../../clients/typescript/src/index.ts", import.meta.url)) },
  },
  server: {
    host: "localhost",
    fs: { allow: ["../.."] },
    // The demo service sends no CORS header fields, so it is called by way of this server. A service of your own sends them.
    proxy: { "/orders": "http://127.0.0.1:8080" },
  },
});
