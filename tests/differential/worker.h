// A worker: makes the calls that the driver hands it, one at a time, until its doorbell is closed.

#ifndef DIFFERENTIAL_WORKER_H
#define DIFFERENTIAL_WORKER_H

// Opens the shared mapping `memory`, answers the driver once, and serves. Also the entry after
// exec.
_Noreturn void worker_main(int index, int memory, int doorbell);
// "--worker": the first argument of a worker's new image, followed by the three numbers above.
extern const char kWorkerArgument[];

#endif
