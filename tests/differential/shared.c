#include "shared.h"

#include <inttypes.h>
#include <time.h>

Shared* shared;

void text_add_pid(Text* text, int64_t pid) {
  if (pid == 0) {
    text_add(text, "0");
    return;
  }
  // From the end: a number that was used twice means the later process.
  for (uint32_t i = shared->pid_count; i-- > 0;) {
    const PidRecord* record = &shared->pids[i];
    if (record->pid != pid) continue;
    text_add(text, "W%d.%d", record->worker, record->generation);
    return;
  }
  text_add(text, "pid %" PRId64, pid);
}

void shared_name_child(pid_t pid, int worker) {
  if (shared->pid_count == kMaxPids) return;
  const int generation = (int)shared->pid_count;
  shared->pids[shared->pid_count++] = (PidRecord){(int)pid, worker, generation};
}

void text_add_time(Text* text, int64_t seconds) {
  // One second of slack either side: the kernel's coarse clock lags behind time().
  if (seconds == 0)
    text_add(text, "0");
  else if (seconds >= shared->started - 1 && seconds <= time(NULL) + 1)
    text_add(text, "T");
  else
    text_add(text, "time %" PRId64, seconds);
}
