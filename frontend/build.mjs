// Builds static/: the style sheet, the icon sprite, and vendored files with their licences beside them.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const output = join(here, "..", "static");

const versionOf = (name) => JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")).version;

function replaceFolder(name, files) {
  const folder = join(output, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [target, source] of Object.entries(files)) copyFileSync(join(modules, source), join(folder, target));
  return folder;
}

function vendorHtmx() {
  const version = versionOf("htmx.org");
  replaceFolder("vendor", {
    [`htmx-${version}.min.js`]: "htmx.org/dist/htmx.min.js",
    [`htmx-${version}.LICENSE.txt`]: "htmx.org/LICENSE",
  });
}

function vendorInter() {
  const version = versionOf("@fontsource-variable/inter");
  const files = { [`inter-${version}.LICENSE.txt`]: "@fontsource-variable/inter/LICENSE" };
  for (const subset of ["latin", "latin-ext"]) {
    files[`inter-${version}-${subset}.woff2`] = `@fontsource-variable/inter/files/inter-${subset}-wght-normal.woff2`;
  }
  replaceFolder("fonts", files);
}

function symbolFor(name) {
  const svg = readFileSync(join(modules, "lucide-static", "icons", `${name}.svg`), "utf8");
  const shapes = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.indexOf("</svg>"));
  const paths = shapes.replace(/\s*\n\s*/g, "").trim();
  return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">${paths}</symbol>`;
}

function buildSprite() {
  const version = versionOf("lucide-static");
  const names = readFileSync(join(here, "icons.txt"), "utf8").split("\n").filter(Boolean).sort();
  const folder = replaceFolder("icons", { [`lucide-${version}.LICENSE.txt`]: "lucide-static/LICENSE" });
  const sprite = `<svg xmlns="http://www.w3.org/2000/svg">\n${names.map(symbolFor).join("\n")}\n</svg>\n`;
  writeFileSync(join(folder, `lucide-${version}.svg`), sprite);
}

function buildStyles() {
  mkdirSync(join(output, "css"), { recursive: true });
  const target = join(output, "css", "earshot.css");
  const tailwind = join(modules, ".bin", "tailwindcss");
  execFileSync(tailwind, ["--input", join(here, "input.css"), "--output", target, "--minify"], { cwd: here, stdio: "inherit" });
}

// The widget's modules in one file, each after those it imports; their top-level names differ from each other.
function buildWidget() {
  const source = join(here, "widget", "src");
  const seen = new Set();
  const collect = (name) => {
    if (seen.has(name)) return "";
    seen.add(name);
    const text = readFileSync(join(source, name), "utf8");
    const needed = [...text.matchAll(/^(?:import|export) .* from "\.\/(.+)";$/gm)].map((match) => collect(match[1]));
    const own = text.replace(/^(?:import|export) \{.*\} from ".*";\n/gm, "").replace(/^export \{.*\};\n/gm, "").replace(/^export /gm, "");
    return needed.join("") + own + "\n";
  };
  const { version, license } = JSON.parse(readFileSync(join(here, "widget", "package.json"), "utf8"));
  const folder = join(output, "widget");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const heading = `/* feedback-buttons ${version}, ${license} */\n`;
  const script = `${heading}${collect("index.js")}export { FeedbackButtonsElement, WORDS };\n`;
  const target = join(folder, `feedback-buttons-${version}.js`);
  writeFileSync(target, script);
  execFileSync(process.execPath, ["--check", target], { stdio: "inherit" });
}

vendorHtmx();
vendorInter();
buildSprite();
buildWidget();
buildStyles();
for (const folder of readdirSync(output)) console.log(`static/${folder}: ${readdirSync(join(output, folder)).join(", ")}`);
