// SPDX-License-Identifier: Apache-2.0
//
// node read_profile.js BUNDLE FILE: what speedscope's own importer makes of FILE, as JSON: for each profile its unit, its
// total weight and its stacks, "outer;inner": weight.
//
// The importer stands in the bundle of the npm package speedscope, an application for browsers: it is started as far as
// its first picture, with a document of which nothing is asked.
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [bundle, file] = process.argv.slice(2);
let text = fs.readFileSync(bundle, "utf8");

const load = text.match(/Promise\.resolve\(\)\.then\(\(\)=>\((\w+)\(\),(\w+)\)\)/g) ?? [];
const names = text.match(/(\w+)\((\w+),\{importFromFileSystemDirectoryEntry:/) ?? text.match(/(\$\w+)\((\w+),\{importFromFileSystemDirectoryEntry:/);
if (!names) throw new Error("no importer in the bundle");
const init = load.map((each) => each.match(/\((\w+)\(\),(\w+)\)/)).find((each) => each && each[2] === names[2]);
const begin = text.lastIndexOf("console.log(`speedscope v");
if (!init || begin < 0) throw new Error("the bundle is put together in another way");
text = `${text.slice(0, begin)}globalThis.importer=(${init[1]}(),${names[2]});})();`;

const nothing = new Proxy(function () {}, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => "" : nothing),
  apply: () => nothing,
  construct: () => nothing,
  set: () => true,
});
const context = {
  console: { log() {}, warn: console.error, error: console.error, assert() {} },
  document: nothing, window: nothing, self: nothing, navigator: nothing, location: nothing, localStorage: nothing, performance,
  requestAnimationFrame() {}, TextDecoder, TextEncoder, URL, setTimeout, atob, btoa, WebAssembly, fetch: nothing, Blob,
};
vm.createContext(context);
vm.runInContext(text, context, { filename: bundle });

(async () => {
  const group = await context.importer.importProfileGroupFromText(path.basename(file), fs.readFileSync(file, "utf8"));
  if (!group) throw new Error(`${file}: speedscope knows no such format`);
  const profiles = group.profiles.map((profile) => {
    const stacks = {};
    const open = [];
    let at = 0;
    const passed = (now) => {
      if (now > at && open.length) {
        const key = open.join(";");
        stacks[key] = (stacks[key] ?? 0) + (now - at);
      }
      at = now;
    };
    profile.forEachCall(
      (node, now) => { passed(now); open.push(node.frame.name); },
      (node, now) => { passed(now); open.pop(); },
    );
    return { name: profile.getName(), unit: profile.getWeightUnit(), total: profile.getTotalWeight(), stacks };
  });
  console.log(JSON.stringify({ name: group.name, profiles }));
})().catch((error) => { console.error(String(error)); process.exit(1); });
