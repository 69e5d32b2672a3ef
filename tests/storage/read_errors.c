/* Preloaded: reads of files of a database fail with EIO, one at a time or from one on, as the test's process asks. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile int until_failure = 0;
static volatile int goes_on = 0;
static volatile int failures = 0;

void fail_read(int number, int and_all_after) {
    until_failure = number;
    goes_on = and_all_after;
    failures = 0;
}

void stop_failing(void) { until_failure = 0; }

int count_failures(void) { return failures; }

static int must_fail(int descriptor) {
    char link[64], path[PATH_MAX];
    if (until_failure == 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    if (strstr(path, ".db") == NULL || strstr(path, "-shm") != NULL) return 0;
    if (until_failure > 1) {
        until_failure--;
        return 0;
    }
    if (!goes_on) until_failure = 0;
    failures++;
    errno = EIO;
    return 1;
}

ssize_t pread64(int descriptor, void *buffer, size_t size, off64_t offset) {
    static ssize_t (*real)(int, void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pread64");
    return must_fail(descriptor) ? -1 : real(descriptor, buffer, size, offset);
}

ssize_t pread(int descriptor, void *buffer, size_t size, off_t offset) { return pread64(descriptor, buffer, size, offset); }

ssize_t read(int descriptor, void *buffer, size_t size) {
    static ssize_t (*real)(int, void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "read");
    return must_fail(descriptor) ? -1 : real(descriptor, buffer, size);
}
