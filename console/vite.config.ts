// One script and one style sheet for the first load. The plan's screen with its charts is a second pair, loaded when it
// is opened; splitting the rest would cost more than it saves.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `npm run dev` serves the sources and passes API calls on to a running Freehold.
const server = process.env.FREEHOLD_URL ?? "http://127.0.0.1:8484";

export default defineConfig({
  plugins: [svelte()],
  server: { proxy: { "/admin": server, "/v1": server } },
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
