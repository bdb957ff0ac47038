/* Loaded before the C library: the wall clock of the program is three days behind. */

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) {
        time->tv_sec -= 3 * 24 * 60 * 60;
    }
    return result;
}
