/* SPDX-License-Identifier: Apache-2.0
 *
 * A kernel that is not Linux and uses what firmware and hypervisor give an operating system: the device tree through the
 * client interface or flat, RTAS, XICS, the decrementer, other processors, radix translation. It tells on its console what
 * it finds; tests/scenarios/operating_system_test.py knows what it must find.
 */
#include "pefsim.h"

enum {
    H_EOI = 0x64,
    H_CPPR = 0x68,
    H_IPI = 0x6c,
    H_XIRR = 0x74,
    H_SET_MODE = 0x31c,
    H_REGISTER_PROC_TBL = 0x37c,
};
enum { SPR_SPRG3 = 275 };
#define MSR_IR (1ul << 5)
#define MSR_DR (1ul << 4)
#ifndef OTHER_FIRMWARE /* 1: QEMU 7.2, where `write` gives 0, and a processor that waits in H_CEDE is said to be stopped */
#define OTHER_FIRMWARE 0
#endif
#define BIG32(value) __builtin_bswap32(value)
#define BIG64(value) __builtin_bswap64(value)

long call_firmware(void *arguments, u64 entry);
void go_to(u64 address_bits, u64 msr);
void secondary_start(void);
void secondary_main(u64 cpu);
void kernel_main(u64 tree, u64 own_address, u64 entry);
void *memset(void *to, int value, u64 size);
void *memcpy(void *to, const void *from, u64 size);
extern const u8 vectors[], vectors_end[];

static int same(const char *a, const char *b) {
    while (*a && *a == *b)
        ++a, ++b;
    return *a == *b;
}
static void tell(const char *what, u64 value) {
    print(what);
    print(" ");
    print_number(value);
    print("\n");
}
static void fail(const char *what, u64 value) {
    print("FAILED: ");
    print(what);
    print(" ");
    print_hex(value);
    print("\n");
    exit(1);
}
static void expect(int right, const char *what, u64 value) {
    if (!right)
        fail(what, value);
}

/* --- argument blocks, of RTAS and of the client interface */

struct block {
    u32 name, n_args, n_rets, words[13];
};

static u64 client_entry;
static long client(const char *service, u32 n_args, u32 n_rets, u32 *words) {
    struct block block = {BIG32((u32)(u64)service), BIG32(n_args), BIG32(n_rets), {0}};
    for (u32 i = 0; i < n_args; ++i)
        block.words[i] = BIG32(words[i]);
    const long status = call_firmware(&block, client_entry);
    for (u32 i = 0; i < n_rets; ++i)
        words[n_args + i] = BIG32(block.words[n_args + i]);
    return status;
}
/* The first result. */
static u32 ask(const char *service, u32 n_args, u32 a, u32 b, u32 c, u32 d) {
    u32 words[5] = {a, b, c, d, 0};
    words[n_args] = 0;
    expect(client(service, n_args, 1, words) == 0, service, a);
    return words[n_args];
}
#define TEXT(of) ((u32)(u64)(of))

/* --- what this kernel wants of the device tree */

static const char *const calls[] = {"get-time-of-day", "start-cpu", "query-cpu-stopped-state", "stop-self", "power-off",
                                    "ibm,get-xive"};
enum { TIME_OF_DAY, START_CPU, QUERY_CPU, STOP_SELF, POWER_OFF, GET_XIVE, CALLS };
static struct {
    u32 token[CALLS];
    u64 rtas_entry;
    u64 nodes, cpus;
    char model[64], bootargs[64];
} found;

static u32 rtas(int call, u32 n_args, u32 n_rets, u32 *words) {
    struct block block = {BIG32(found.token[call]), BIG32(n_args), BIG32(n_rets), {0}};
    for (u32 i = 0; i < n_args; ++i)
        block.words[i] = BIG32(words[i]);
    call_firmware(&block, found.rtas_entry);
    for (u32 i = 0; i < n_rets; ++i)
        words[n_args + i] = BIG32(block.words[n_args + i]);
    return words[n_args];
}

/* --- the tree through the client interface */

static void walk(u32 node) {
    static char type[16];
    ++found.nodes;
    memset(type, 0, sizeof type);
    ask("getprop", 4, node, TEXT("device_type"), TEXT(type), sizeof type - 1);
    if (same(type, "cpu"))
        ++found.cpus;
    for (u32 below = ask("child", 1, node, 0, 0, 0); below; below = ask("peer", 1, below, 0, 0, 0)) {
        expect(ask("parent", 1, below, 0, 0, 0) == node, "parent", below);
        walk(below);
    }
}

static void ask_open_firmware(void) {
    static u32 cell;
    print("started by Open Firmware\n");
    const u32 root = ask("finddevice", 1, TEXT("/"), 0, 0, 0);
    walk(root);
    ask("getprop", 4, root, TEXT("model"), TEXT(found.model), sizeof found.model);
    const u32 chosen = ask("finddevice", 1, TEXT("/chosen"), 0, 0, 0);
    ask("getprop", 4, chosen, TEXT("bootargs"), TEXT(found.bootargs), sizeof found.bootargs);
    expect(ask("getprop", 4, chosen, TEXT("stdout"), TEXT(&cell), 4) == 4, "stdout", 0);
    static const char line[] = "written by the client interface\n";
    const u32 written = ask("write", 3, BIG32(cell), TEXT(line), sizeof line - 1, 0);
    expect(OTHER_FIRMWARE || written == sizeof line - 1, "write", written);
    const u32 node = ask("finddevice", 1, TEXT("/rtas"), 0, 0, 0);
    for (int i = 0; i < CALLS; ++i) {
        expect(ask("getprop", 4, node, TEXT(calls[i]), TEXT(&cell), 4) == 4, calls[i], 0);
        found.token[i] = BIG32(cell);
    }
    const u32 instance = ask("open", 1, TEXT("/rtas"), 0, 0, 0);
    const u32 place = ask("claim", 3, 0, 0x1000, 0x1000, 0);
    u32 words[5] = {TEXT("instantiate-rtas"), instance, place, 1, 0};
    expect(client("call-method", 3, 2, words) == 0 && words[3] == 0, "instantiate-rtas", words[3]);
    found.rtas_entry = words[4];
    u32 none = 0;
    client("quiesce", 0, 0, &none);
}

/* --- the flat tree: Devicetree Specification 0.4, chapter 5 */

static void read_flat_tree(const u32 *tree) {
    print("started with a flat tree\n");
    expect(BIG32(tree[0]) == 0xd00dfeed, "magic", tree[0]);
    const u8 *const base = (const u8 *)tree;
    const u32 *at = (const u32 *)(base + BIG32(tree[2]));
    const char *const names = (const char *)(base + BIG32(tree[3]));
    int in_rtas = 0;
    for (u64 depth = 0;;) {
        const u32 token = BIG32(*at++);
        if (token == 1) { /* a node begins */
            const char *name = (const char *)at;
            ++found.nodes;
            ++depth;
            in_rtas = same(name, "rtas");
            while (*name)
                ++name;
            at = (const u32 *)(((u64)name + 4) & ~3ul);
        } else if (token == 2) {
            in_rtas = 0;
            if (--depth == 0)
                return;
        } else if (token == 3) {
            const u32 size = BIG32(at[0]);
            const char *const name = names + BIG32(at[1]);
            const char *const value = (const char *)(at + 2);
            for (int i = 0; in_rtas && i < CALLS; ++i)
                if (same(name, calls[i]))
                    found.token[i] = BIG32(at[2]);
            if (in_rtas && same(name, "linux,rtas-entry"))
                found.rtas_entry = BIG32(at[2]);
            if (same(name, "model") && depth == 1)
                memcpy(found.model, value, size);
            if (same(name, "bootargs"))
                memcpy(found.bootargs, value, size);
            if (same(name, "device_type") && same(value, "cpu"))
                ++found.cpus;
            at = (const u32 *)(((u64)value + size + 3) & ~3ul);
        } else
            fail("token", token);
    }
}

/* --- interrupts */

static volatile u64 ticks, alternate_ticks, messages, processors_up;

void handle_interrupt(u64 vector, struct interrupt_frame *frame) {
    if (vector == 0x900) {
        write_spr(SPR_DEC, 0x7fffffff);
        ++ticks;
        if (read_msr() & MSR_IR)
            ++alternate_ticks;
    } else if (vector == 0x500) {
        const struct results taken = hypercall(H_XIRR, 0, 0, 0, 0);
        const u64 source = taken.r4 & 0xffffff;
        expect(source == 2, "source", source);
        hypercall(H_IPI, read_spr(SPR_SPRG3), 0xff, 0, 0);
        __sync_fetch_and_add(&messages, 1);
        hypercall(H_EOI, taken.r4, 0, 0, 0);
    } else {
        print_hex(frame->nip);
        fail(" unexpected interrupt", vector);
    }
}

static void take_vectors_to(u8 *place) {
    memcpy(place, vectors, (u64)(vectors_end - vectors));
    for (u64 at = (u64)place & ~127ul; at < (u64)place + 0x1000; at += 128)
        __asm__ volatile("dcbst 0,%0; sync; icbi 0,%0" : : "r"(at) : "memory");
    __asm__ volatile("sync; isync" : : : "memory");
}

static void wait_for(volatile u64 *what, u64 least, const char *name) {
    const u64 end = read_spr(SPR_TB) + 100000 * TICKS_PER_US;
    while (*what < least)
        expect(read_spr(SPR_TB) < end, name, *what);
}

static void take_a_tick(volatile u64 *counted, const char *name) {
    const u64 before = *counted;
    write_spr(SPR_DEC, 10 * TICKS_PER_US);
    write_msr(read_msr() | MSR_EE);
    wait_for(counted, before + 1, name);
    write_msr(read_msr() & ~MSR_EE);
}

/* --- other processors */

void secondary_main(u64 cpu) {
    expect(read_spr(SPR_SPRG3) == cpu, "processor", cpu);
    hypercall(H_CPPR, 0xff, 0, 0, 0);
    __sync_fetch_and_add(&processors_up, 1);
    const u64 before = messages;
    while (messages == before)
        hypercall(H_CEDE, 0, 0, 0, 0); /* enables interrupts */
    write_msr(read_msr() & ~MSR_EE);
    u32 words[1] = {0};
    rtas(STOP_SELF, 0, 1, words);
    fail("stop-self returned", words[0]);
}

static u32 state_of(u64 cpu) {
    u32 words[3] = {(u32)cpu, 0, 0};
    expect(rtas(QUERY_CPU, 1, 2, words) == 0, "query-cpu-stopped-state", words[1]);
    return words[2];
}

static void use_processor(u64 cpu) {
    expect(state_of(cpu) == 0, "a processor begins stopped", cpu);
    u32 words[4] = {(u32)cpu, (u32)(u64)secondary_start, (u32)cpu, 0};
    expect(rtas(START_CPU, 3, 1, words) == 0, "start-cpu", words[3]);
    wait_for(&processors_up, cpu, "a processor starts");
    expect(OTHER_FIRMWARE || state_of(cpu) == 2, "a processor runs", cpu);
    expect(hypercall(H_IPI, cpu, 4, 0, 0).status == 0, "H_IPI", cpu);
    wait_for(&messages, cpu, "a message arrives");
    const u64 end = read_spr(SPR_TB) + 100000 * TICKS_PER_US;
    while (state_of(cpu) != 0)
        expect(read_spr(SPR_TB) < end, "a processor stops itself", cpu);
}

/* --- radix translation (Power ISA 3.0B, book III, 5.7): one page of 1 GiB, so that effective addresses are real ones */

whole_page static u64 process_table[512];
whole_page static u64 root[8192];
whole_page static u64 upper[512];

static void translate(void) {
    process_table[0] = BIG64(2ul << 61 | (u64)root | 5 << 5 | 13); /* 52 bits; a root of 2^13 entries */
    root[0] = BIG64(1ul << 63 | (u64)upper | 9);                   /* 2^9 entries */
    upper[0] = BIG64(3ul << 62 | 0x18f);                           /* a leaf for the kernel */
    __asm__ volatile("ptesync" : : : "memory");
    const long status = hypercall(H_REGISTER_PROC_TBL, 0x1d, (u64)process_table, 0, 0).status;
    expect(status == 0, "H_REGISTER_PROC_TBL", (u64)status);
    go_to(0xcul << 60, read_msr() | MSR_IR | MSR_DR);
    expect((read_msr() & (MSR_IR | MSR_DR)) == (MSR_IR | MSR_DR), "MSR", read_msr());
    /* Both quadrants of the kernel's process reach the same byte. */
    static volatile u64 word;
    *(volatile u64 *)((u64)&word | 0xcul << 60) = 0x123456789;
    expect(word == 0x123456789, "a store", word);
}

static void tell_time(const char *when) {
    u32 words[8] = {0};
    expect(rtas(TIME_OF_DAY, 0, 8, words) == 0, "get-time-of-day", words[0]);
    print(when);
    for (int i = 1; i < 7; ++i) {
        print(" ");
        print_number(words[i]);
    }
    print("\n");
}

static void set_mode(u64 value, u64 resource) {
    const long status = hypercall(H_SET_MODE, value, resource, 0, 0).status;
    expect(status == 0, "H_SET_MODE", (u64)status);
}

/* --- becoming secure: with "svm=on" and a flat tree */

enum { UV_ESMB_GET_FILE = 0xf14c };

static int begins(const char *text, const char *with) {
    while (*with && *text == *with)
        ++text, ++with;
    return !*with;
}

/* The bytes at `offset` of a file with a name of at most 24 characters, into 8 words; their number. */
static long get_file(const char *name, u64 offset, u64 *words) {
    u64 parts[3] = {0, 0, 0};
    for (u64 i = 0; name[i]; ++i)
        parts[i / 8] |= (u64)(u8)name[i] << (56 - 8 * (i % 8));
    register u64 r3 __asm__("r3") = UV_ESMB_GET_FILE;
    register u64 r4 __asm__("r4") = offset;
    register u64 r5 __asm__("r5") = parts[0];
    register u64 r6 __asm__("r6") = parts[1];
    register u64 r7 __asm__("r7") = parts[2];
    register u64 r8 __asm__("r8") = 0;
    register u64 r9 __asm__("r9") = 0;
    register u64 r10 __asm__("r10") = 0;
    register u64 r11 __asm__("r11") = 0;
    register u64 r12 __asm__("r12") = 0;
    __asm__ volatile("sc 2"
                     : "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r11),
                       "+r"(r12)
                     :
                     : "r0", "lr", "ctr", "xer", "cr0", "memory");
    const u64 got[8] = {r4, r5, r6, r7, r8, r9, r10, r11};
    for (int i = 0; i < 8; ++i)
        words[i] = BIG64(got[i]);
    return (long)r3;
}

static void secure_main(void) {
    print("secure\n");
    for (u64 offset = 0;;) {
        u64 words[9] = {0};
        const long size = get_file("passphrase", offset, words);
        if (size < 0)
            print("no passphrase");
        if (size <= 0)
            break;
        print((const char *)words);
        offset += (u64)size;
    }
    print("\n");
    exit(0);
}

static void become_secure(u64 tree) {
    const long status = ultracall(UV_ESM, 0x400000, tree, 0, 0).status; /* otherwise it begins again */
    print("UV_ESM failed ");
    print_hex((u64)status);
    print("\n");
}

/* r3, r4, r5 as firmware has them: the flat tree in r3, or the client interface's entry in r5. */
void kernel_main(u64 tree, u64 own_address, u64 entry) {
    (void)own_address;
    if (read_msr() & MSR_S)
        secure_main();
    client_entry = entry;
    if (entry)
        ask_open_firmware();
    else
        read_flat_tree((const u32 *)tree);
    if (!entry && begins(found.bootargs, "svm=on"))
        become_secure(tree);
    tell("nodes", found.nodes);
    tell("processors", found.cpus);
    print("model ");
    print(found.model);
    print("\nbootargs ");
    print(found.bootargs);
    print("\n");
    tell_time("time");

    take_vectors_to((u8 *)0x100);
    set_mode(1, 4);
    take_a_tick(&ticks, "a decrementer interrupt");
    tell("decrementer", ticks);
    for (u64 cpu = 1; cpu < found.cpus; ++cpu)
        use_processor(cpu);
    tell("processors started", processors_up);
    tell("messages", messages);
    u32 xive[4] = {0x1003, 0, 0, 0};
    expect(rtas(GET_XIVE, 1, 3, xive) == 0, "ibm,get-xive", xive[1]);
    tell("server of source 0x1003", xive[2]);

    translate();
    print("translated\n");
    take_vectors_to((u8 *)0x4100);
    set_mode(3, 3);
    take_a_tick(&alternate_ticks, "an interrupt at the alternate location");
    tell("interrupts at the alternate location", alternate_ticks);
    tell_time("time");
    u32 off[3] = {0, 0, 0};
    rtas(POWER_OFF, 2, 1, off);
    fail("power-off returned", off[2]);
}
