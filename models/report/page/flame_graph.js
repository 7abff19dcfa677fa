// SPDX-License-Identifier: Apache-2.0
// Where a POWER guest's time went, by chains of calls: outermost above.

function tree_of(stacks) {
    const root = {name: "all", count: 0, self: 0, depth: 0, children: new Map()};
    for (const [stack, count] of stacks) {
        let at = root;
        at.count += count;
        for (const name of stack.split(";")) {
            if (!at.children.has(name)) {
                at.children.set(name, {name, count: 0, self: 0, depth: at.depth + 1, children: new Map(), parent: at});
            }
            at = at.children.get(name);
            at.count += count;
        }
        at.self += count;
    }
    return root;
}

function flame_graph_section(run) {
    const profile = run.profile;
    if (!profile?.stacks?.length) {
        return null;
    }
    const root = tree_of(profile.stacks);
    let top = root;
    const row = 20;
    const draw = width => {
        const shapes = [];
        let deepest = 0;
        const add = (node, x, wide) => {
            if (wide < 1) {
                return;
            }
            const depth = node.depth - top.depth;
            deepest = Math.max(deepest, depth);
            const text = `${node.name}: ${count_text(node.count)} ${profile.unit}, ${digits(100 * node.count / root.count)} %`;
            shapes.push(shape("g", {role: "button", tabindex: -1, "data-frame": true, click: () => zoom(node)},
                tooltip(text),
                shape("rect", {class: `frame shade-${node.name.length % 3}`, x, y: depth * row, width: wide, height: row - 1}),
                shape("text", {class: "in-bar", x: x + 3, y: depth * row + 14}, fitted(node.name, wide - 6))));
            for (const child of [...node.children.values()].sort((a, b) => a.name < b.name ? -1 : 1)) {
                const part = wide * child.count / node.count;
                add(child, x, part);
                x += part;
            }
        };
        add(top, 0, width);
        return [(deepest + 1) * row, shapes];
    };
    const flames = picture("Flame graph; Enter opens a frame, Backspace goes back out", draw, {
        role: "group", tabindex: 0,
        keydown: event => {
            const frames = [...flames.querySelectorAll("[data-frame]")];
            const at = frames.indexOf(document.activeElement);
            if (event.key === "ArrowRight" || event.key === "ArrowDown" || event.key === "ArrowLeft" || event.key === "ArrowUp") {
                event.preventDefault();
                frames[Math.max(0, Math.min(frames.length - 1, at + (/Right|Down/.test(event.key) ? 1 : -1)))]?.focus();
            } else if (event.key === "Enter" && at >= 0) {
                frames[at].dispatchEvent(new Event("click"));
            } else if (event.key === "Backspace" && top.parent) {
                zoom(top.parent);
            }
        }});
    const zoom = node => {
        top = node === top && node.parent ? node.parent : node;
        flames.redraw();
    };
    const by_function = new Map();
    const collect = node => {
        by_function.set(node.name, (by_function.get(node.name) ?? 0) + node.self);
        node.children.forEach(collect);
    };
    collect(root);
    const hottest = [...by_function].filter(([, self]) => self > 0).sort((a, b) => b[1] - a[1]);
    return element("section", {"aria-labelledby": "flames"},
        element("h2", {id: "flames"}, "Flame graph"),
        paragraph(`${count_text(root.count)} ${profile.unit}. Click a frame to see it alone, and again to go back out.`),
        flames,
        long_table("Functions by their own samples", [["Function", "long"], [profile.unit, "number"], ["Share", "number"]],
            hottest.map(([name, self]) => [name, count_text(self), `${digits(100 * self / root.count)} %`]), 10));
}
