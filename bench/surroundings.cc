#include "surroundings.h"

#include <sched.h>
#include <unistd.h>

#include <system_error>

#include "message.h"
#include "queue.h"
#include "segment.h"
#include "sem_set.h"

namespace ipcell::bench {
namespace {

// A size that the one message of another program's queue, or its segment, hardly has, and a value
// that its semaphore hardly has.
constexpr unsigned short kMark = 61;

std::string kernel_problem() {
  try {
    const Queue<Kernel> queue;
  } catch (const std::system_error& error) {
    return std::string("the kernel's own IPC does not answer here (") + error.what() +
           "), so there is nothing to compare with; do not deny it (ipcell run without --deny)";
  }
  return "";
}

// An id alone proves nothing: a cell and the kernel both count from 0. So we look for the message
// that we sent.
bool is_seen_by_kernel(const Queue<Cell>& queue) {
  const Message message;
  check(Cell::msgsnd(queue.id(), &message, kMark, 0), "msgsnd");
  msqid_ds ds = {};
  return Kernel::msgctl(queue.id(), IPC_STAT, &ds) >= 0 && ds.msg_lspid == getpid() &&
         ds.msg_qnum == 1 && ds.__msg_cbytes == kMark;
}

// The same for semaphores: we look for the value that we set.
bool is_seen_by_kernel(const SemSet<Cell>& set) {
  return Kernel::semctl(set.id(), 0, GETVAL, {}) == kMark &&
         Kernel::semctl(set.id(), 0, GETPID, {}) == getpid();
}

// And for segments: a size that we chose, and an attachment of ours.
bool is_seen_by_kernel(const Segment<Cell>& segment) {
  const Attachment<Cell> attachment(segment.id());
  shmid_ds ds = {};
  return Kernel::shmctl(segment.id(), IPC_STAT, &ds) >= 0 && ds.shm_lpid == getpid() &&
         ds.shm_nattch == 1 && ds.shm_segsz == kMark;
}

std::string cell_problem() {
  try {
    if (!is_seen_by_kernel(Queue<Cell>()) && !is_seen_by_kernel(SemSet<Cell>(1, kMark)) &&
        !is_seen_by_kernel(Segment<Cell>(kMark))) {
      return "";
    }
  } catch (const std::system_error& error) {
    return std::string("libc's System V IPC does not work here: ") + error.what();
  }
  return "not inside a cell: libc's calls and the raw system calls reach the same IPC, so a ratio "
         "would mean nothing; start it as `ipcell run -- ipcell-bench` (without --trap)";
}

}  // namespace

Surroundings settle() {
  const bool is_fresh = kernel_call(SYS_unshare, CLONE_NEWIPC) == 0;
  const std::string no_kernel = kernel_problem();
  const std::string no_cell = cell_problem();
  return {is_fresh, no_kernel.empty(), no_cell.empty(), no_kernel.empty() ? no_cell : no_kernel};
}

}  // namespace ipcell::bench
