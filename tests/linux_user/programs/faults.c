// SPDX-License-Identifier: Apache-2.0
// Signals of the program's own faults, told to a handler that steps over them; then to alternate stacks, masks and kill().
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static volatile int count;
static char *volatile expected;
static sigjmp_buf back;

static void step_over(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    ++count;
    printf("signal %d code %d at the %s place\n", signal, info->si_code,
           signal == SIGSEGV || signal == SIGBUS ? info->si_addr == expected ? "expected" : "wrong" : "own");
    uc->uc_mcontext.gp_regs[PT_NIP] += 4;
    uc->uc_mcontext.gp_regs[14] ^= 0xff;
    uc->uc_mcontext.fp_regs[20] *= 2;
    uc->uc_mcontext.v_regs->vrregs[25][3] += 1;
}

static void jump_out(int signal) { siglongjmp(back, signal); }

static volatile long depth;
static long recurse(long n) {
    volatile char page[4096];
    page[0] = (char)n;
    depth = n;
    return recurse(n + 1) + page[0];
}

static void on_own_stack(int signal) {
    char here;
    stack_t stack;
    sigaltstack(NULL, &stack);
    printf("signal %d on its own stack: %d %d\n", signal,
           &here > (char *)stack.ss_sp && &here < (char *)stack.ss_sp + stack.ss_size,
           (stack.ss_flags & SS_ONSTACK) != 0);
    siglongjmp(back, 1);
}

static void note(int signal) { printf("handler of %d\n", signal); }

int main(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = step_over;
    action.sa_flags = SA_SIGINFO;
    for (int signal = 1; signal < 12; ++signal) {
        if (signal == SIGSEGV || signal == SIGILL || signal == SIGTRAP || signal == SIGBUS || signal == SIGFPE)
            sigaction(signal, &action, NULL);
    }
    expected = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    register long r14 asm("r14") = 0x1200;
    register double f20 asm("fr20") = 1.5;
    asm volatile("" : "+r"(r14), "+f"(f20));
    asm volatile("stw 0,0(%1)" : "+r"(r14) : "b"(expected) : "memory");
    printf("%lx\n", r14);
    char *mapped = expected;
    expected = (char *)0x10;
    asm volatile("ld 3,0(%0)" : : "b"(expected) : "r3");
    expected = (char *)0x900000000000;
    asm volatile("std 3,0(%0)" : : "b"(expected));
    munmap(mapped, 65536);
    expected = mapped;
    asm volatile("lbz 3,0(%0)" : : "b"(expected) : "r3");
    asm volatile("trap");
    asm volatile("tdi 31,0,5");
    asm volatile(".long 0");
    asm volatile("mfmsr 3" : : : "r3");
    asm volatile("" : "+f"(f20));
    printf("%f %d\n", f20, count);

    signal(SIGSEGV, jump_out);
    if (sigsetjmp(back, 1) == 0) {
        void (*nowhere)(void) = (void (*)(void))0x40;
        nowhere();
    } else {
        puts("came back from nowhere");
    }
    static char own[65536];
    stack_t stack = {.ss_sp = own, .ss_size = sizeof own};
    printf("sigaltstack %d\n", sigaltstack(&stack, NULL));
    memset(&action, 0, sizeof action);
    action.sa_handler = on_own_stack;
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(back, 1) == 0) recurse(0);
    printf("deep enough: %d\n", depth > 1000);

    signal(SIGUSR1, note);
    signal(SIGUSR2, note);
    raise(SIGUSR1);
    sigset_t set, old, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, &old);
    kill(getpid(), SIGUSR2);
    sigpending(&pending);
    printf("pending %d\n", sigismember(&pending, SIGUSR2));
    sigsuspend(&old);
    printf("suspended %s\n", strerror(errno));
    kill(getpid(), SIGUSR2);
    printf("sigwaitinfo %d\n", sigwaitinfo(&set, NULL));
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGALRM, note);
    alarm(1);
    pause();
    signal(SIGPIPE, note);
    int ends[2];
    if (pipe(ends) == 0) {
        close(ends[0]);
        printf("%zd\n", write(ends[1], "x", 1));
    }
    fflush(stdout);
    abort();
}
