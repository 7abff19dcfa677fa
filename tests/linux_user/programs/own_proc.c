// SPDX-License-Identifier: Apache-2.0
// What a program finds of itself under /proc, and of the simulator that it runs in.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void look(const char *path) {
    static char text[1 << 16];
    int file = open(path, O_RDONLY);
    ssize_t size = file < 0 ? 0 : pread(file, text, sizeof text - 1, 0);
    text[size < 0 ? 0 : size] = 0;
    int simulator = memmem(text, size < 0 ? 0 : size, "libsystemc", 10) || memmem(text, size < 0 ? 0 : size, "libstdc++", 9);
    printf("%s: %s%s\n", path, file < 0 ? "not there" : "there", simulator ? ", the simulator's" : "");
    close(file);
}

int main(int argc, char **argv) {
    char link[100] = "";
    (void)argc;
    look("/proc/self/maps");
    look("/proc//self/maps");
    look("/proc/../proc/self/./maps");
    look("/proc/self/root/proc/self/maps");
    look("/dev/fd/../maps");
    look("/proc/self/mem");
    look("/proc/self/auxv");
    look("/proc/self/task");
    look(argv[1]);  // pefsim's own number, from outside
    chdir("/proc/self");
    look("maps");
    look("mem");
    printf("%zd %s\n", readlink("/proc/self", link, sizeof link - 1), link);
    char byte = 0;
    for (int file = 3; file < 600; ++file) {
        if (write(file, &byte, 1) >= 0 || lseek(file, 0, SEEK_SET) >= 0 || ftruncate(file, 0) == 0 || fchmod(file, 0) == 0)
            printf("reaches %d\n", file);
    }
    return 0;
}
