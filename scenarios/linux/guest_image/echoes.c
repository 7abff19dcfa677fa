// SPDX-License-Identifier: Apache-2.0
//
// echoes ADDRESS SIZE COUNT DEPTH: COUNT datagrams of SIZE bytes to the echo port of ADDRESS (RFC 862) and back, DEPTH of
// them under way; each must come back whole, and in its turn. The load init calls it; what its lines mean is said there.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { WARM_UP = 2, ECHO_PORT = 7, LONGEST = 1472, PATIENCE = 2 };  // bytes that a frame has room for; seconds

static int fail(const char* what, size_t size) {
    printf("### ECHO-FAIL %zu %s\n", size, what);
    return 1;
}

// What is wrong with the datagrams first .. end - 1; a null pointer: nothing.
static const char* exchange(int connection, size_t size, unsigned first, unsigned end, unsigned depth) {
    unsigned mine[LONGEST / sizeof(unsigned) + 1], back[LONGEST / sizeof(unsigned) + 1];
    for (size_t i = 0; i < sizeof mine / sizeof *mine; ++i) {
        mine[i] = (unsigned)(i * 2654435761u);
    }
    unsigned sent = first;
    for (unsigned received = first; received < end; ++received) {
        for (; sent < end && sent - received < depth; ++sent) {
            *mine = sent;
            if (send(connection, mine, size, 0) != (ssize_t)size) {
                return "cannot be sent";
            }
        }
        const ssize_t came = recv(connection, back, sizeof back, 0);
        if (came < 0) {
            return "does not come back";
        }
        *mine = received;
        if (came != (ssize_t)size || memcmp(mine, back, size) != 0) {
            return "differs";
        }
    }
    return NULL;
}

int main(int argc, char** argv) {
    if (argc != 5) {
        return 2;
    }
    const size_t size = strtoul(argv[2], NULL, 10);
    const unsigned count = (unsigned)strtoul(argv[3], NULL, 10), depth = (unsigned)strtoul(argv[4], NULL, 10);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(ECHO_PORT)};
    const struct timeval patience = {.tv_sec = PATIENCE};
    const int connection = socket(AF_INET, SOCK_DGRAM, 0);
    if (size < sizeof(unsigned) || size > LONGEST || depth == 0 || connection < 0 ||
        inet_pton(AF_INET, argv[1], &peer.sin_addr) != 1 ||
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        connect(connection, (const struct sockaddr*)&peer, sizeof peer) != 0) {
        return fail("cannot begin", size);
    }
    // What is done for the first time costs more: ARP, page tables, caches of the kernel.
    const char* wrong = exchange(connection, size, 0, WARM_UP, 1);
    if (wrong == NULL) {
        printf("### LOAD-BEGIN echo %zu\n", size);
        wrong = exchange(connection, size, WARM_UP, WARM_UP + count, depth);
    }
    if (wrong != NULL) {
        return fail(wrong, size);
    }
    printf("### LOAD-END echo %zu %u\n", size, count);
    printf("### ECHO-OK %zu\n", size);
    return 0;
}
