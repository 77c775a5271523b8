// How the driver knows that every worker has either replied or sleeps in its call.
//
// kScheduleFifo: all processes are pinned to one CPU under SCHED_FIFO, the workers above the
// driver. While a worker can run the driver cannot, so whenever the driver runs, every worker has
// replied or sleeps: no time-out. Workers among themselves have one priority: nobody preempts, and
// those woken by one call run in the order in which they were woken. A cell's sleeper that wakes
// now and then to check its state preempts the driver for a moment and changes nothing.
//
// One thing breaks this: a worker that sleeps for a page of its program which the kernel has
// dropped (seen once in four million steps; with DAMON, oftener). Such a sleep is uninterruptible,
// that in an IPC call is not: schedule_is_in_ipc_sleep() tells them apart, and the driver waits. A
// worker also locks those pages as far as it may.
//
// kScheduleSettle, where SCHED_FIFO is not permitted: pinned too, but the driver looks at /proc
// until all workers were seen asleep twice and have not run in between. Two workers woken at once
// then run in any order, so the caller must also keep to one sleeper an object.

#ifndef DIFFERENTIAL_SCHEDULE_H
#define DIFFERENTIAL_SCHEDULE_H

#include <stdbool.h>
#include <sys/types.h>

typedef enum Schedule { kScheduleFifo, kScheduleSettle } Schedule;

// True if this process may use SCHED_FIFO; leaves it as it was.
bool schedule_fifo_permitted(void);
// Pins the driver (cpu -1: the last one allowed), bounds its real-time CPU time, sets its class.
// Children inherit all of it. False with errno set.
bool schedule_enter_driver(Schedule schedule, int cpu);
bool schedule_enter_worker(void);
// `status` is open on /proc/PID/stat.
bool schedule_is_in_ipc_sleep(int status);
int schedule_open_status(pid_t pid);
// All of these processes sleep, and did not run between two looks.
bool schedule_is_settled(const pid_t* pids, int count);
// Called while all is quiet: lets the rest of the machine have the CPU for a moment, often enough
// that neither the kernel's real-time throttling nor a starved neighbour comes into play.
void schedule_breathe(Schedule schedule);
void schedule_nap(void);
double schedule_now(void);

#endif
