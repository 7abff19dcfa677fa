# SPDX-License-Identifier: Apache-2.0
"""The table of a kernel's boots, and what was found in each."""

COLUMNS = (
    ("guest", lambda row: "secure" if "secure" in row["name"] else "ordinary"),
    ("swiotlb", lambda row: "force" if "force" in row["command_line"] else ""),
    ("platform", lambda row: "offered" if row["access_platform"] else ""),
    ("boots", lambda row: "yes" if row["boots"] else "NO"),
    ("disk", lambda row: row["disk"]),
    ("network", lambda row: row["network"]),
    ("entropy", lambda row: row["entropy"]),
    ("private", lambda row: row["private_pages"]),
    ("refused", lambda row: row["refused_accesses"]),
    ("copied", lambda row: row["bytes_copied"] if row["became_secure"] else ""),
    ("shared", lambda row: row["shared_pages"] if row["became_secure"] else ""),
    ("warnings", lambda row: len(row["warnings"])),
    ("", lambda row: ("good" if not row["faults"] else "BAD") + ("" if row["judged"] else ", not judged")),
)
LEGEND = """platform: the host offers VIRTIO_F_ACCESS_PLATFORM. private: pages that devices were told of and that the
host cannot read. refused: accesses of host and devices to secure pages. copied: bytes that the guest's kernel copied to
where the host can read them. shared: pages that the guest shares.
"""


def table(rows):
    cells = [[title for title, _ in COLUMNS], *([str(show(row)) for _, show in COLUMNS] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(COLUMNS))]
    return "".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() + "\n" for line in cells
    )


def details(rows):
    """Who shared, who named, what the kernel said: each once, with the boots in which it was so."""
    found = {}
    for row in rows:
        for each in row["shared"]:
            found.setdefault(f"shared by {_chain(each['by'])}: {each['pages']} pages", []).append(row["name"])
        for each in row["private"]:
            text = f"{each['device']} was told of {each['pages']} private pages: {each['what']}"
            for during in each["while"]:
                text += f"\n    {during['times']} times, the processor in {_chain(during['by'])}"
            found.setdefault(text, []).append(row["name"])
        for each in row["warnings"]:
            found.setdefault(f"the kernel says: {each}", []).append(row["name"])
    return "".join(f"{text}\n    [{', '.join(names)}]\n" for text, names in found.items())


def faults(rows):
    return "".join(f"{row['name']}: {'; '.join(row['faults'])}\n" for row in rows if row["judged"] and row["faults"])


def _chain(functions):
    return " < ".join(functions) or "a function without a name"
