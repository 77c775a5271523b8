#include "interpose/spare_descriptors.h"

#include <fcntl.h>
#include <linux/wait.h>
#include <sched.h>
#include <sys/mman.h>

#include "core/base/file.h"
#include "interpose/real.h"

namespace ipcell {

namespace {

constexpr long kStackSize = 256 * 1024;
// As many as are open at a time, with one to spare.
constexpr int kClosed = 4;

struct Job {
  void (*run)(void*);
  void* argument;
};

int run_job(void* given) {
  // Not those above: closing is all the same, but what is mapped by them must be opened anew.
  for (int fd = 0; fd < kClosed; ++fd) sys::call(SYS_close, fd);
  const Job* job = static_cast<const Job*>(given);
  job->run(job->argument);
  for (;;) sys::call(SYS_exit, 0);
}

}  // namespace

bool has_no_descriptor_left() { return Descriptor(open_at(AT_FDCWD, "/", O_PATH)).fd() == -EMFILE; }

bool run_with_descriptors(void (*run)(void*), void* argument) {
  static constinit Real<int(int (*)(void*), void*, int, void*)> real_clone("clone");
  const long stack = sys::map(0, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  if (sys::is_error(stack)) return false;
  Job job = {run, argument};
  // No signal tells of its end, and only who asks for such children is told of it.
  const int child = real_clone(run_job, reinterpret_cast<void*>(stack + kStackSize),
                               CLONE_VM | CLONE_VFORK | CLONE_FS, &job);
  if (child > 0) sys::call(SYS_wait4, child, 0, __WCLONE, 0);
  sys::call(SYS_munmap, stack, kStackSize);
  return child > 0;
}

}  // namespace ipcell
