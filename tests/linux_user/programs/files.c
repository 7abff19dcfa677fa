// SPDX-License-Identifier: Apache-2.0
// Files and directories: every line it prints is the same wherever it runs. It works in the current directory.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

static void show(const char *what, long result) {
    printf("%s: %ld %s\n", what, result, result < 0 ? strerror(errno) : "");
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path) {
    DIR *directory = opendir(path);
    char *names[64];
    int count = 0;
    for (struct dirent *each; directory != NULL && (each = readdir(directory)) != NULL && count < 64;) {
        names[count] = malloc(strlen(each->d_name) + 8);
        sprintf(names[count++], "%s %d", each->d_name, each->d_type);
    }
    closedir(directory);
    qsort(names, count, sizeof names[0], by_name);
    for (int i = 0; i < count; ++i) printf("  %s\n", names[i]);
}

static void *volatile nowhere = (void *)16;

int main(void) {
    umask(022);
    show("mkdir", mkdir("d", 0755));
    show("mkdir again", mkdir("d", 0755));
    show("chdir", chdir("d"));
    int file = open("a", O_RDWR | O_CREAT | O_EXCL, 0640);
    show("write", write(file, "hello, world\n", 13));
    struct iovec pieces[2] = {{"abc", 3}, {"defg\n", 5}};
    show("writev", writev(file, pieces, 2));
    show("lseek", lseek(file, 7, SEEK_SET));
    char text[64] = {0};
    show("read", read(file, text, 6));
    printf("%s", text);
    show("pread", pread(file, text, sizeof text, 13));
    show("pwrite", pwrite(file, "X", 1, 0));
    show("append", fcntl(file, F_SETFL, O_APPEND));
    printf("flags %#o\n", fcntl(file, F_GETFL) & (O_ACCMODE | O_APPEND));
    show("open a directory for writing", open(".", O_RDWR));
    show("open a file as directory", open("a", O_RDONLY | O_DIRECTORY));
    show("symlink", symlink("a", "l"));
    show("open a link", open("l", O_RDONLY | O_NOFOLLOW));
    show("readlink", readlink("l", text, sizeof text));
    show("link", link("a", "b"));
    struct stat status;
    show("stat", stat("a", &status));
    printf("%o %ld %ld %ld\n", status.st_mode, (long)status.st_nlink, (long)status.st_size,
           (long)status.st_blksize);
    show("lstat", lstat("l", &status));
    printf("%o %ld\n", status.st_mode, (long)status.st_size);
    struct statx extended;
    show("statx", statx(AT_FDCWD, "a", 0, STATX_BASIC_STATS, &extended));
    printf("%o %u %ld\n", extended.stx_mode, extended.stx_nlink, (long)extended.stx_size);
    struct timespec times[2] = {{1000000000, 5}, {1100000000, 6}};
    show("utimensat", utimensat(AT_FDCWD, "a", times, 0));
    show("fstat", fstat(file, &status));
    printf("%ld.%09ld %ld.%09ld\n", status.st_atim.tv_sec, status.st_atim.tv_nsec, status.st_mtim.tv_sec,
           status.st_mtim.tv_nsec);
    show("chmod", chmod("a", 0600));
    show("access", access("a", R_OK | W_OK));
    show("access nothing", access("nothing", F_OK));
    show("rename", rename("b", "c"));
    show("ftruncate", ftruncate(file, 5));
    list(".");
    char *shared = mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    shared[1] = 'Y';
    show("read through the file", pread(file, text, sizeof text, 0));
    text[5] = 0;
    printf("%s %d\n", text, shared[100]);
    char *private = mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    private[0] = 'Z';
    printf("%.5s %.5s\n", private, shared);
    show("munmap", munmap(shared, 5));
    int copy = dup(file);
    show("dup3", dup3(copy, 77, O_CLOEXEC));
    show("cloexec", fcntl(77, F_GETFD));
    show("close", close(77));
    show("close again", close(77));
    int ends[2];
    show("pipe", pipe(ends));
    show("write a pipe", write(ends[1], "12345", 5));
    int waiting = 0;
    show("FIONREAD", ioctl(ends[0], FIONREAD, &waiting));
    printf("%d\n", waiting);
    struct pollfd polled = {ends[0], POLLIN, 0};
    show("poll", poll(&polled, 1, 0));
    printf("%d\n", polled.revents);
    show("tcgetattr", tcgetattr(file, &(struct termios){0}));
    show("read of bad memory", read(ends[0], nowhere, 5));
    show("read of bad descriptor", read(400, text, 5));
    struct statfs about;
    show("statfs", statfs(".", &about));
    show("getcwd", getcwd(text, 2) == NULL ? -1 : 0);
    show("unlink", unlink("a"));
    show("unlink a directory", unlink("."));
    show("unlinkat", unlinkat(AT_FDCWD, "c", 0));
    show("unlink the link", unlink("l"));
    show("chdir back", chdir(".."));
    show("rmdir", rmdir("d"));
    struct utsname name;
    uname(&name);
    printf("%s %s\n", name.sysname, name.machine);
    FILE *stream = fopen("s", "w+");
    for (int i = 0; i < 20000; ++i) fprintf(stream, "line %d\n", i);
    rewind(stream);
    long sum = 0;
    for (int c; (c = getc(stream)) != EOF;) sum = sum * 31 + c;
    printf("%ld\n", sum);
    fclose(stream);
    unlink("s");
    return 0;
}
