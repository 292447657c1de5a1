// The plan's page as one file, dist-plan/plan.html: script and style inside, a content policy that allows exactly these
// two and nothing else, and a mark where the program puts the plan.
import { createHash } from "node:crypto";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const MARK = "@FREEHOLD_PLAN@";
const hash_of = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

// Vite has left the script and the style beside the page; they go into it.
function one_file(): Plugin {
  return {
    name: "freehold-one-file",
    enforce: "post",
    generateBundle(_, bundle) {
      let script = "";
      let style = "";
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === "chunk") script += file.code;
        else if (name.endsWith(".css")) style += String(file.source);
        else continue;
        delete bundle[name];
      }
      const page = bundle["plan.html"];
      if (!script || !style || page?.type !== "asset") throw new Error("the page, its script or its style is missing");
      // What an HTML parser would take for the end of the script, or for a comment.
      script = script.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
      style = style.trim();
      const policy =
        `default-src 'none'; script-src ${hash_of(script)}; style-src ${hash_of(style)}; img-src data:; ` +
        "base-uri 'none'; form-action 'none'";
      const html = String(page.source)
        .replace(/\s*<script type="module"[^>]*><\/script>/, "")
        .replace(/\s*<link rel="stylesheet"[^>]*>/, "")
        .replace("@POLICY@", () => policy)
        .replace("</head>", () => `  <style>${style}</style>\n  </head>`)
        .replace("</body>", () => `  <script type="module">${script}</script>\n  </body>`);
      if (/<(script|link|img)[^>]+(src|href)=/.test(html)) throw new Error("the page refers to something outside itself");
      if (html.split(MARK).length !== 2) throw new Error("the mark for the plan must stand once");
      page.source = html;
    },
  };
}

export default defineConfig({
  plugins: [svelte(), one_file()],
  publicDir: false,
  build: {
    target: "es2023",
    outDir: "dist-plan",
    cssCodeSplit: false,
    modulePreload: false,
    assetsInlineLimit: 100_000_000,
    reportCompressedSize: false,
    rollupOptions: { input: "plan.html", output: { codeSplitting: false } },
  },
});
