// SPDX-License-Identifier: Apache-2.0
// What stands where the host can read, and what of it the host has looked at.

function ledger_section(run) {
    const exposure = run.exposure;
    const canaries = exposure.canaries;
    const known = exposure.guest_bytes_written !== null;
    const writers = [...exposure.writers].sort((a, b) => b.bytes_written - a.bytes_written);
    const crossed = Object.entries(exposure.channels).filter(([, each]) => each.times > 0);
    return element("section", {"aria-labelledby": "ledger"},
        element("h2", {id: "ledger"}, "What the host could read"),
        paragraph(`${count_text(exposure.pages_exposed)} pages stand open at the end, ${count_text(exposure.pages_ever_exposed)} ever did. `,
            known ? `The guest wrote ${bytes_text(exposure.guest_bytes_written)} into them; the host looked at ${bytes_text(exposure.guest_bytes_looked_at)} of it, ${bytes_text(exposure.guest_bytes_never_looked_at)} it never did.`
                : "The guest's own stores were not recorded."),
        paragraph(element("strong", {class: canaries.sightings ? "bad" : null},
            `Canaries: ${count_text(canaries.planted)} planted, ${canaries.sightings ? `seen ${count_text(canaries.sightings)} times` : "none seen"}.`)),
        canaries.kept.length ? long_table("Canaries that reached the host", [["Time", "number"], ["Canary", ""], ["Channel", ""], ["Address", "number"], ["Written by", "long"], ["Times", "number"]],
            canaries.kept.map(each => [moment(each.time_ns), each.canary, each.channel, hex(each.address), attribution_text(each.writer), count_text(each.count)])) : null,
        writers.length ? long_table("By writer", [["Writer", "long"], ["Written", "number"], ["Looked at", "number"], ["Never", "number"], ["In place", "number"]],
            writers.map(each => [`${each.initiator}${each.origin ? `: ${each.origin}` : ""}${each.host ? " (host)" : ""}`, bytes_text(each.bytes_written),
                bytes_text(each.bytes_looked_at), bytes_text(each.bytes_never_looked_at), bytes_text(each.bytes_standing)])) : null,
        exposure.shares.length ? long_table("Pages that became readable", [["Time", "number"], ["Pages", "number"], ["First", "number"], ["Call", ""], ["By", "long"], ["Still open", "number"]],
            exposure.shares.map(each => [moment(each.time_ns), count_text(each.pages), hex(each.first_page), each.call || each.state,
                [each.by, ...(each.functions ?? [])].filter(Boolean).join(" < "), count_text(each.still_exposed)]), 8) : null,
        crossed.length ? table("What crossed besides pages", [["Channel", ""], ["Times", "number"], ["Bytes", "number"]],
            crossed.map(([name, each]) => [name.replaceAll("_", " "), count_text(each.times), bytes_text(each.bytes)])) : null);
}
