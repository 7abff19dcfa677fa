// SPDX-License-Identifier: Apache-2.0
// Waits, as its argument says, for what cannot come; with an alarm for what can.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void heard(int signal) { printf("heard %d\n", signal); }

static void wait_in(const char *what) {
    static unsigned word;
    int ends[2];
    char byte;
    sigset_t none;
    sigemptyset(&none);
    if (strcmp(what, "pause") == 0) pause();
    if (strcmp(what, "futex") == 0) syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL);
    if (strcmp(what, "poll") == 0) poll(NULL, 0, -1);
    if (strcmp(what, "rt_sigsuspend") == 0) sigsuspend(&none);
    if (strcmp(what, "read") == 0 && pipe(ends) == 0 && read(ends[0], &byte, 1) < 0) perror("read");
}

int main(int argc, char **argv) {
    struct sigaction action = {.sa_handler = heard};
    sigaction(SIGALRM, &action, NULL);
    alarm(1);
    wait_in(argv[argc - 1]);
    printf("and now for ever\n");
    fflush(stdout);
    wait_in(argv[argc - 1]);
    printf("never\n");
    return 0;
}
