/* Preloaded into an engine by checks (machine.py): a machine whose file system freezes while the file exists that
 * MAYFLY_FROZEN names, and whose clock is an hour late while the one exists that MAYFLY_LATE names. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int is_there(const char *variable) {
  const char *path = getenv(variable);
  return path != NULL && access(path, F_OK) == 0;
}

static void thaw(void) {
  const struct timespec a_moment = {0, 10000000};
  while (is_there("MAYFLY_FROZEN")) nanosleep(&a_moment, NULL);
}

int fsync(int file) {
  thaw();
  return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
  thaw();
  return (int)syscall(SYS_fdatasync, file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  const int result = (int)syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && clock == CLOCK_REALTIME && is_there("MAYFLY_LATE")) now->tv_sec -= 3600;
  return result;
}
