// SPDX-License-Identifier: Apache-2.0
// Counts by name (hypercalls, ultracalls ...), and every other figure.

const short_metric = name => name.replace(/^machine\./, "");

function bar(part, whole) {
    return shape("svg", {width: 120, height: 12, "aria-hidden": "true"},
        shape("rect", {x: 0, y: 1, width: Math.max(1, 120 * part / whole), height: 10}));
}

function calls_section(run) {
    const tallies = Object.entries(run.metrics.tallies).filter(([, each]) => each.total > 0);
    return element("section", {"aria-labelledby": "calls"},
        element("h2", {id: "calls"}, "Calls and counts by name"),
        tallies.length === 0 ? quiet("Nothing was counted by name.") : null,
        tallies.map(([name, each]) => {
            const counts = Object.entries(each.counts).filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
            return element("details", {open: /cpu0\.(hyper|ultra)calls$/.test(name)},
                element("summary", {}, `${short_metric(name)}: ${count_text(each.total)} ${each.unit}`),
                table(`${short_metric(name)}: ${each.description}`, [["Name", ""], ["Count", "number"], ["Share", "number"], ["Beside the largest", "bar-cell"]],
                    counts.map(([label, count]) => [label, count_text(count), `${digits(100 * count / each.total)} %`, bar(count, counts[0][1])])));
        }));
}

function figures_section(run) {
    const {counters, levels, histograms} = run.metrics;
    const figures = Object.entries(run.figures ?? {});
    const used = Object.entries(histograms).filter(([, each]) => each.count > 0);
    return element("section", {"aria-labelledby": "figures"},
        element("h2", {id: "figures"}, "Figures"),
        figures.length ? table("Worked out", [["Figure", ""], ["Value", "number"], ["What it is", "long"]],
            figures.map(([name, each]) => [name, quantity_text(each.value, each.unit), each.description])) : null,
        used.length ? table("Latencies", [["Of", ""], ["Count", "number"], ["Mean", "number"], ["p50", "number"], ["p90", "number"], ["p99", "number"], ["Longest", "number"]],
            used.map(([name, each]) => [short_metric(name), count_text(each.count), ...["mean", "p50", "p90", "p99", "max"].map(key => time_text(each[key]))])) : null,
        element("details", {}, element("summary", {}, "Every counter and level that is not zero"),
            table("Counters and levels", [["Name", ""], ["Value", "number"], ["Highest", "number"], ["What it counts", "long"]],
                [...Object.entries(counters), ...Object.entries(levels)].filter(([, each]) => (each.high_water ?? each.value) > 0)
                    .map(([name, each]) => [short_metric(name), quantity_text(each.value, each.unit),
                        each.high_water === undefined ? "" : quantity_text(each.high_water, each.unit), each.description]))));
}
