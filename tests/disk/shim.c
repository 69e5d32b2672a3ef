/* An LD_PRELOAD library for tests on Linux. It sees each operation that changes a file or a name below one directory,
 * and each sync there. It can record them in a log, and it can make the n-th one fail or kill the process.
 *
 * It is told what to do by environment variables, which it reads when it is loaded, and whenever the program calls
 * `disk_shim_configure`:
 *
 *   DISK_SHIM_ROOT   the directory, as an absolute path without links; without it, the library does nothing
 *   DISK_SHIM_LOG    the file to which a record of each operation is appended
 *   DISK_SHIM_FAULT  what happens at one operation: "kill", "EIO", "ENOSPC", or "read" (EIO, and only reads count)
 *   DISK_SHIM_AT     the number of that operation, from 1
 *
 * Log files are left out. The -shm file of SQLite, the index of its write-ahead log, is memory that processes share; the
 * system writes it to the disk whenever it likes. So it is recorded as a write of what it holds, at each sync of the log
 * and before it is removed, and no fault meets it.
 *
 * A record is a header (see `struct header`), the path or two paths with a newline between them, and the data.
 * `recording.py` reads it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind {
    CREATE = 1, WRITE, TRUNCATE, SYNC_BEGINS, SYNCED, RENAME, LINK, UNLINK, MAKE_DIRECTORY, REMOVE_DIRECTORY,
    MARK,         /* written by programs themselves */
    NOT_RECORDED, /* a way of writing that this library does not understand */
};

enum fault { NONE, KILL, FAIL, FAIL_READ };

struct header {
    uint32_t kind, path_length;
    uint64_t data_length, inode;
    int64_t offset;      /* of a write; the new length of a truncated file; the number that pairs the records of a sync */
    int64_t modified_ns; /* when the file was modified, after the operation */
};

static char root[PATH_MAX];
static size_t root_length;
static int log_descriptor = -1;
static enum fault fault;
static int fault_error;
static long fault_at, operations, syncs;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* The function that this library stands in front of. */
#define NEXT(function) \
    static __typeof__(function) *next; \
    if (!next) next = (__typeof__(function) *)dlsym(RTLD_NEXT, #function)

void disk_shim_configure(void) {
    const char *directory = getenv("DISK_SHIM_ROOT"), *log = getenv("DISK_SHIM_LOG");
    const char *name = getenv("DISK_SHIM_FAULT"), *number = getenv("DISK_SHIM_AT");
    snprintf(root, sizeof root, "%s", directory ? directory : "");
    root_length = strlen(root);
    if (log_descriptor >= 0) syscall(SYS_close, log_descriptor);
    log_descriptor = log ? syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    fault = !name ? NONE : !strcmp(name, "kill") ? KILL : !strcmp(name, "read") ? FAIL_READ : FAIL;
    fault_error = name && !strcmp(name, "ENOSPC") ? ENOSPC : EIO;
    fault_at = number ? atol(number) : 0;
    operations = 0;
}

__attribute__((constructor)) static void load(void) { disk_shim_configure(); }

/* How many operations there were that the fault could have been at. */
long disk_shim_operations(void) { return operations; }

/* Which files are watched. */

static int ends_with(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && !strcmp(text + length - end_length, end);
}

static int is_below_root(const char *path) {
    return root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

static int is_index(const char *path) {
    return is_below_root(path) && (ends_with(path, "-shm") || ends_with(path, "-shm (deleted)"));
}

static int is_watched(const char *path) { return is_below_root(path) && !is_index(path) && !strstr(path, "/logs/"); }

static int path_of_descriptor(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
    return length > 0;
}

static int watches(int descriptor, char *path) {
    return root_length && descriptor != log_descriptor && path_of_descriptor(descriptor, path) && is_watched(path);
}

/* The absolute form of a path that is relative to an open directory. */
static const char *absolute(int directory, const char *path, char *buffer) {
    if (path[0] == '/') return path;
    if (directory == AT_FDCWD) {
        if (!getcwd(buffer, PATH_MAX)) return path;
    } else if (!path_of_descriptor(directory, buffer)) {
        return path;
    }
    size_t length = strlen(buffer);
    snprintf(buffer + length, PATH_MAX - length, "/%s", path);
    return buffer;
}

/* Faults and records. */

/* Count an operation. Return whether it must fail, with errno set. */
static int fails(int is_read) {
    if (is_read != (fault == FAIL_READ)) return 0;
    long number = __sync_add_and_fetch(&operations, 1);
    if (fault == NONE || number != fault_at) return 0;
    if (fault == KILL) kill(getpid(), SIGKILL);
    errno = fault_error;
    return 1;
}

static void append(enum kind kind, const struct stat *state, int64_t offset, const char *path, const char *other,
                   const void *data, size_t length) {
    if (log_descriptor < 0) return;
    int error = errno;
    char paths[2 * PATH_MAX];
    int path_length = snprintf(paths, sizeof paths, other ? "%s\n%s" : "%s", path, other);
    struct header header = {kind, path_length, length, state ? state->st_ino : 0, offset,
        state ? state->st_mtim.tv_sec * 1000000000LL + state->st_mtim.tv_nsec : 0};
    struct iovec parts[] = {{&header, sizeof header}, {paths, path_length}, {(void *)data, length}};
    syscall(SYS_writev, log_descriptor, parts, 3);
    errno = error;
}

static void append_for(enum kind kind, int descriptor, int64_t offset, const char *path, const void *data,
                       size_t length) {
    struct stat state;
    int error = errno;
    if (!fstat(descriptor, &state)) append(kind, &state, offset, path, NULL, data, length);
    errno = error;
}

/* The index of a write-ahead log: the one that was mapped last. */

static struct {
    void *memory;
    size_t length;
    struct stat state;
    char path[PATH_MAX];
} mapped;

static void map_index(void *memory, size_t length, int descriptor, const char *path) {
    if (memory == MAP_FAILED || fstat(descriptor, &mapped.state)) return;
    mapped.memory = memory;
    mapped.length = length;
    snprintf(mapped.path, sizeof mapped.path, "%s", path);
}

/* Opening and closing the file to read it would give up SQLite's locks on it. */
static void append_index(void) {
    if (mapped.memory) append(WRITE, &mapped.state, 0, mapped.path, NULL, mapped.memory, mapped.length);
}

/* Opening. */

static int open_file(int directory, const char *path, int flags, mode_t mode) {
    NEXT(openat);
    char buffer[PATH_MAX];
    const char *full = absolute(directory, path, buffer);
    struct stat before;
    if (is_index(full) && (flags & O_CREAT) && stat(full, &before)) {
        int descriptor = next(directory, path, flags, mode);
        if (descriptor >= 0) append_for(CREATE, descriptor, 0, full, NULL, 0);
        return descriptor;
    }
    if (!is_watched(full)) return next(directory, path, flags, mode);
    int is_there = !stat(full, &before);
    int creates = !is_there && (flags & O_CREAT), empties = is_there && (flags & O_TRUNC) && before.st_size;
    if (!creates && !empties) return next(directory, path, flags, mode);
    if (fails(0)) return -1;
    pthread_mutex_lock(&mutex);
    int descriptor = next(directory, path, flags, mode);
    if (descriptor >= 0) append_for(creates ? CREATE : TRUNCATE, descriptor, 0, full, NULL, 0);
    pthread_mutex_unlock(&mutex);
    return descriptor;
}

#define OPEN(directory) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    } \
    return open_file(directory, path, flags, mode)

int open(const char *path, int flags, ...) { OPEN(AT_FDCWD); }
int open64(const char *path, int flags, ...) { OPEN(AT_FDCWD); }
int openat(int directory, const char *path, int flags, ...) { OPEN(directory); }
int openat64(int directory, const char *path, int flags, ...) { OPEN(directory); }
int creat(const char *path, mode_t mode) { return open_file(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* Writing. */

ssize_t write(int descriptor, const void *data, size_t length) {
    NEXT(write);
    char path[PATH_MAX];
    if (!watches(descriptor, path)) return next(descriptor, data, length);
    if (fails(0)) return -1;
    pthread_mutex_lock(&mutex);
    struct stat state;
    int appends = fcntl(descriptor, F_GETFL) & O_APPEND;
    off_t offset = appends && !fstat(descriptor, &state) ? state.st_size : lseek(descriptor, 0, SEEK_CUR);
    ssize_t written = next(descriptor, data, length);
    if (written > 0) append_for(WRITE, descriptor, offset, path, data, written);
    pthread_mutex_unlock(&mutex);
    return written;
}

ssize_t pwrite64(int descriptor, const void *data, size_t length, off64_t offset) {
    NEXT(pwrite64);
    char path[PATH_MAX];
    if (!watches(descriptor, path)) return next(descriptor, data, length, offset);
    if (fails(0)) return -1;
    pthread_mutex_lock(&mutex);
    ssize_t written = next(descriptor, data, length, offset);
    if (written > 0) append_for(WRITE, descriptor, offset, path, data, written);
    pthread_mutex_unlock(&mutex);
    return written;
}

ssize_t pwrite(int descriptor, const void *data, size_t length, off_t offset) {
    return pwrite64(descriptor, data, length, offset);
}

/* One part only: a short write, which every caller must expect. */
ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    NEXT(writev);
    char path[PATH_MAX];
    if (!watches(descriptor, path) || count < 1) return next(descriptor, parts, count);
    return write(descriptor, parts[0].iov_base, parts[0].iov_len);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset) {
    NEXT(pwritev64);
    char path[PATH_MAX];
    if (!watches(descriptor, path) || count < 1) return next(descriptor, parts, count, offset);
    return pwrite64(descriptor, parts[0].iov_base, parts[0].iov_len, offset);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
    return pwritev64(descriptor, parts, count, offset);
}

ssize_t pwritev64v2(int descriptor, const struct iovec *parts, int count, off64_t offset, int flags) {
    NEXT(pwritev64v2);
    char path[PATH_MAX];
    if (!watches(descriptor, path) || count < 1) return next(descriptor, parts, count, offset, flags);
    return offset < 0 ? writev(descriptor, parts, count) : pwritev64(descriptor, parts, count, offset);
}

ssize_t pwritev2(int descriptor, const struct iovec *parts, int count, off_t offset, int flags) {
    return pwritev64v2(descriptor, parts, count, offset, flags);
}

/* Copying inside the kernel is refused as some file systems refuse it; callers then read and write. */

ssize_t sendfile64(int to, int from, off64_t *offset, size_t length) {
    NEXT(sendfile64);
    char path[PATH_MAX];
    if (!watches(to, path)) return next(to, from, offset, length);
    errno = EINVAL;
    return -1;
}

ssize_t sendfile(int to, int from, off_t *offset, size_t length) { return sendfile64(to, from, offset, length); }

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t length, unsigned flags) {
    NEXT(copy_file_range);
    char path[PATH_MAX];
    if (!watches(to, path)) return next(from, from_offset, to, to_offset, length, flags);
    errno = EXDEV;
    return -1;
}

static int set_length(int descriptor, off64_t length) {
    NEXT(ftruncate64);
    char path[PATH_MAX];
    if (!watches(descriptor, path)) return next(descriptor, length);
    if (fails(0)) return -1;
    pthread_mutex_lock(&mutex);
    int result = next(descriptor, length);
    if (!result) append_for(TRUNCATE, descriptor, length, path, NULL, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}

int ftruncate(int descriptor, off_t length) { return set_length(descriptor, length); }
int ftruncate64(int descriptor, off64_t length) { return set_length(descriptor, length); }

int truncate(const char *path, off_t length) {
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    int result = set_length(descriptor, length), error = errno;
    close(descriptor);
    errno = error;
    return result;
}

int truncate64(const char *path, off64_t length) { return truncate(path, length); }

int posix_fallocate(int descriptor, off_t offset, off_t length) {
    NEXT(posix_fallocate);
    char path[PATH_MAX];
    return watches(descriptor, path) ? EOPNOTSUPP : next(descriptor, offset, length);
}

int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
    return posix_fallocate(descriptor, offset, length);
}

int fallocate(int descriptor, int mode, off_t offset, off_t length) {
    NEXT(fallocate);
    char path[PATH_MAX];
    if (!watches(descriptor, path)) return next(descriptor, mode, offset, length);
    errno = EOPNOTSUPP;
    return -1;
}

void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, off64_t offset) {
    NEXT(mmap64);
    char path[PATH_MAX];
    int is_shared = root_length && (flags & MAP_SHARED) && (protection & PROT_WRITE) && descriptor >= 0;
    if (is_shared && watches(descriptor, path)) append_for(NOT_RECORDED, descriptor, offset, path, NULL, 0);
    void *memory = next(address, length, protection, flags, descriptor, offset);
    if (is_shared && !offset && path_of_descriptor(descriptor, path) && is_index(path))
        map_index(memory, length, descriptor, path);
    return memory;
}

int munmap(void *address, size_t length) {
    NEXT(munmap);
    if (address && address == mapped.memory) {
        append_index();
        mapped.memory = NULL;
    }
    return next(address, length);
}

void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset) {
    return mmap64(address, length, protection, flags, descriptor, offset);
}

/* Reading. */

ssize_t read(int descriptor, void *data, size_t length) {
    NEXT(read);
    char path[PATH_MAX];
    if (fault == FAIL_READ && watches(descriptor, path) && fails(1)) return -1;
    return next(descriptor, data, length);
}

ssize_t pread64(int descriptor, void *data, size_t length, off64_t offset) {
    NEXT(pread64);
    char path[PATH_MAX];
    if (fault == FAIL_READ && watches(descriptor, path) && fails(1)) return -1;
    return next(descriptor, data, length, offset);
}

ssize_t pread(int descriptor, void *data, size_t length, off_t offset) {
    return pread64(descriptor, data, length, offset);
}

/* Syncs. What is written while one runs need not be part of it, so it has a beginning and an end. */

static int sync_file(int descriptor, int (*next)(int)) {
    char path[PATH_MAX];
    if (!watches(descriptor, path)) return next(descriptor);
    if (fails(0)) return -1;
    long number = __sync_add_and_fetch(&syncs, 1);
    pthread_mutex_lock(&mutex);
    if (ends_with(path, "-wal")) append_index();
    append_for(SYNC_BEGINS, descriptor, number, path, NULL, 0);
    pthread_mutex_unlock(&mutex);
    int result = next(descriptor);
    pthread_mutex_lock(&mutex);
    if (!result) append_for(SYNCED, descriptor, number, path, NULL, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}

int fsync(int descriptor) {
    NEXT(fsync);
    return sync_file(descriptor, next);
}

int fdatasync(int descriptor) {
    NEXT(fdatasync);
    return sync_file(descriptor, next);
}

/* Names. */

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    NEXT(renameat2);
    char from_buffer[PATH_MAX], to_buffer[PATH_MAX];
    const char *full_from = absolute(from_directory, from, from_buffer);
    const char *full_to = absolute(to_directory, to, to_buffer);
    if (!is_watched(full_from) && !is_watched(full_to)) return next(from_directory, from, to_directory, to, flags);
    if (fails(0)) return -1;
    pthread_mutex_lock(&mutex);
    int result = next(from_directory, from, to_directory, to, flags);
    struct stat state;
    if (!result && !lstat(full_to, &state)) append(RENAME, &state, 0, full_from, full_to, NULL, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, 0);
}

int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
    NEXT(linkat);
    char from_buffer[PATH_MAX], to_buffer[PATH_MAX];
    const char *full_from = absolute(from_directory, from, from_buffer);
    const char *full_to = absolute(to_directory, to, to_buffer);
    if (!is_watched(full_to)) return next(from_directory, from, to_directory, to, flags);
    if (fails(0)) return -1;
    pthread_mutex_lock(&mutex);
    int result = next(from_directory, from, to_directory, to, flags);
    struct stat state;
    if (!result && !lstat(full_to, &state)) append(LINK, &state, 0, full_from, full_to, NULL, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int directory, const char *path, int flags) {
    NEXT(unlinkat);
    char buffer[PATH_MAX];
    const char *full = absolute(directory, path, buffer);
    struct stat state;
    if ((!is_watched(full) && !is_index(full)) || lstat(full, &state)) return next(directory, path, flags);
    if (!is_index(full) && fails(0)) return -1;
    pthread_mutex_lock(&mutex);
    if (is_index(full)) append_index();
    int result = next(directory, path, flags);
    if (!result) append(flags & AT_REMOVEDIR ? REMOVE_DIRECTORY : UNLINK, &state, 0, full, NULL, NULL, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int directory, const char *path, mode_t mode) {
    NEXT(mkdirat);
    char buffer[PATH_MAX];
    const char *full = absolute(directory, path, buffer);
    struct stat state;
    if (!is_watched(full) || !lstat(full, &state)) return next(directory, path, mode);
    if (fails(0)) return -1;
    pthread_mutex_lock(&mutex);
    int result = next(directory, path, mode);
    if (!result && !lstat(full, &state)) append(MAKE_DIRECTORY, &state, 0, full, NULL, NULL, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
