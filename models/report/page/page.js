// SPDX-License-Identifier: Apache-2.0
// Puts the sections together from the report that stands in the page. Everything that must be there without a script
// (verdict, ending, cause, violations, the text report) is in the page already.

const data = JSON.parse(document.getElementById("report").textContent);
const {report, facts} = data;

/** The machine that the pictures are about: of several, the first that did not end well, or broke a rule. */
let shown = Math.max(0, report.runs.findIndex(run => !["finished", "stopped"].includes(run.ended.kind) || run.violations.total > 0));

const sections = element("div", {id: "sections"});
let pages = null;

function show(number) {
    shown = number;
    const run = report.runs[number];
    if (!run) {
        sections.replaceChildren(parameters_section(report, facts));
        return;
    }
    pages = page_map_section(run, number + 1);
    const chooser = report.runs.length > 1 ? element("p", {},
        element("label", {for: "machine-choice"}, "Machine: "),
        element("select", {id: "machine-choice", change: event => show(Number(event.target.value))},
            report.runs.map((each, i) => element("option", {value: i, selected: i === number}, each.label || `machine ${i + 1}`)))) : null;
    sections.replaceChildren(...[chooser, timeline_section(run, number + 1), anatomy_section(run), pages, ledger_section(run), calls_section(run),
        flame_graph_section(run), machine_section(run), figures_section(run), parameters_section(report, facts)].filter(each => each));
    document.getElementById("contents").replaceChildren(...[...sections.querySelectorAll("h2")].map(
        title => element("li", {}, element("a", {href: `#${title.id}`}, title.textContent))));
}

/** #moment-RUN-N and #page-RUN-GFN lead into the pictures of their machine. */
function follow() {
    const [, what, run, rest] = /^#(moment|request|page)-(\d+)-(.*)$/.exec(location.hash) ?? [];
    if (!what || !report.runs[run - 1]) {
        return;
    }
    if (run - 1 !== shown) {
        show(run - 1);
    }
    if (what === "page") {
        pages.show_page(Number(rest));
        document.getElementById("page-story").scrollIntoView({block: "center"});
        document.getElementById("page-story").focus({preventScroll: true});
    } else {
        // The pictures are drawn when they have their width.
        requestAnimationFrame(() => document.getElementById(location.hash.slice(1))?.scrollIntoView({block: "center"}));
    }
}

document.getElementById("pictures").append(sections);
show(shown);
follow();
addEventListener("hashchange", follow);
addEventListener("beforeprint", () => document.querySelectorAll("#sections details").forEach(each => { each.open = true; }));
