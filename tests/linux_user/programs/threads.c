// SPDX-License-Identifier: Apache-2.0
// What is not there: a second thread, a second process, another program.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *run(void *argument) { return argument; }

int main(void) {
    pthread_t thread;
    printf("pthread_create: %s\n", strerror(pthread_create(&thread, NULL, run, NULL)));
    const pid_t child = fork();
    printf("fork: %d %s\n", child, strerror(errno));
    const int replaced = execl("/bin/true", "true", (char *)NULL);
    printf("execl: %d %s\n", replaced, strerror(errno));
    return 0;
}
