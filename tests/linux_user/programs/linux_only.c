// SPDX-License-Identifier: Apache-2.0
// What only Linux, not qemu-user, does: mappings that must not replace others, the platform's name, mfspr PVR, FP exceptions.
#define _GNU_SOURCE
#include <errno.h>
#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf back;
static void jump_out(int signal, siginfo_t *info, void *context) {
    (void)context;
    printf("signal %d code %d\n", signal, info->si_code);
    siglongjmp(back, 1);
}

int main(void) {
    char *base = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *other = mmap(base, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    printf("%d %s\n", other == MAP_FAILED, strerror(errno));
    printf("%s %lx %lx %ld\n", (char *)getauxval(AT_PLATFORM), getauxval(AT_HWCAP), getauxval(AT_HWCAP2), getauxval(AT_PAGESZ));
    unsigned long version;
    asm volatile("mfspr %0, 287" : "=r"(version));
    printf("%lx\n", version);
    printf("%d %ld\n", getpid(), sysconf(_SC_NPROCESSORS_ONLN));
    struct sigaction action = {.sa_sigaction = jump_out, .sa_flags = SA_SIGINFO};
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGSYS, &action, NULL);
    volatile double zero = 0, one = 1;
    feenableexcept(FE_DIVBYZERO);
    if (sigsetjmp(back, 1) == 0) printf("%f\n", one / zero);
    feenableexcept(FE_INVALID);
    if (sigsetjmp(back, 1) == 0) printf("%f\n", zero / zero);
    return 0;
}
