// SPDX-License-Identifier: Apache-2.0
// What the run was made of, and how to make it again.

const parameter_text = value => value !== null && typeof value === "object" && !Array.isArray(value)
    ? quantity_text(value.value ?? value.text, value.unit ?? "") : Array.isArray(value) ? value.join(", ") : String(value);

function parameters_section(report, facts) {
    const rows = Object.entries(report.parameters).map(([name, value]) => [name, parameter_text(value)]);
    const changed = new Set(facts.changed);
    const of = (which, caption) => table(caption, [["Parameter", "mono"], ["Value", "mono long"], ["Default?", ""]],
        which.map(([name, value]) => [changed.has(name) ? element("strong", {}, name) : name, changed.has(name) ? element("strong", {}, value) : value,
            changed.has(name) ? "changed" : "default"]));
    const mine = rows.filter(([name]) => changed.has(name));
    return element("section", {"aria-labelledby": "parameters"},
        element("h2", {id: "parameters"}, "Parameters"),
        facts.replay ? [paragraph("The same run again:"), element("code", {class: "replay"}, facts.replay)] : null,
        report.pefsim_version ? quiet(`pefsim ${report.pefsim_version}`) : null,
        mine.length ? of(mine, "Changed by the user") : quiet("None was changed."),
        element("details", {}, element("summary", {}, `All ${rows.length} parameters`), of(rows, "All parameters")));
}
