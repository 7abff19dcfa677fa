// SPDX-License-Identifier: Apache-2.0
// What a program finds around itself: arguments, environment, auxiliary vector, time, limits; a system call that is not there.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long since(const struct timespec *start) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

/// The registers of a system call: sc tells of an error in CR0.SO, scv by a negative result.
static long sc(long number, long argument, unsigned *so) {
    register long r0 asm("r0") = number;
    register long r3 asm("r3") = argument;
    unsigned cr;
    asm volatile("sc\n\tmfcr %2"
                 : "+r"(r0), "+r"(r3), "=r"(cr)
                 :
                 : "memory", "cr0", "ctr", "xer", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12");
    *so = cr >> 28 & 1;
    return r3;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; ++i) printf("argument '%s'\n", argv[i]);
    printf("%s %s\n", getenv("SET") ? getenv("SET") : "-", getenv("UNSET") ? getenv("UNSET") : "-");
    const char *path_of_program = (const char *)getauxval(AT_EXECFN);
    printf("%s %ld %d\n", strrchr(path_of_program, '/'), getauxval(AT_CLKTCK), getauxval(AT_RANDOM) != 0);
    printf("arch 3.00 %d, vsx %d, dfp %d\n", (getauxval(AT_HWCAP2) & 0x00800000) != 0, (getauxval(AT_HWCAP) & 0x80) != 0,
           (getauxval(AT_HWCAP) & 0x400) != 0);
    struct timespec start, pause = {0, 30000000};
    clock_gettime(CLOCK_MONOTONIC, &start);
    printf("nanosleep %d\n", nanosleep(&pause, NULL));
    long slept = since(&start);
    printf("%d\n", slept >= 30 && slept < 5000);
    struct timeval day;
    printf("gettimeofday %d %d\n", gettimeofday(&day, NULL), day.tv_sec > 1500000000);
    printf("%d\n", time(NULL) >= day.tv_sec);
    struct rlimit limit;
    printf("getrlimit %d\n", getrlimit(RLIMIT_STACK, &limit));
    char random[16];
    printf("getrandom %zd\n", getrandom(random, sizeof random, 0));
    unsigned so;
    long result = sc(SYS_close, 999, &so);
    printf("sc: %ld %u\n", result, so);
    result = sc(SYS_getppid, 0, &so);
    printf("sc: %d %u\n", result >= 0, so);
    printf("%ld %s\n", syscall(467), strerror(errno));
    char name[16] = "";
    prctl(PR_SET_NAME, "a name");
    prctl(PR_GET_NAME, name);
    printf("%s\n", name);
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    printf("%s\n", strrchr(path, '/'));
    clock_t busy = clock();
    volatile double x = 0;
    for (int i = 0; i < 1000000; ++i) x += i * 0.5;
    printf("%f %d\n", x, clock() > busy);
    fprintf(stderr, "to standard error\n");
    exit(41);
}
