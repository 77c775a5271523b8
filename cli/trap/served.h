// Programs that IPC calls are made for: their cells, processes and threads.
#pragma once

#include <condition_variable>
#include <linux/seccomp.h>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "cli/trap/memory.h"
#include "cli/trap/status.h"
#include "core/cell/cell_dir.h"
#include "core/ipc/address_map.h"
#include "core/ipc/fault.h"
#include "core/syscalls.h"

namespace ipcell::cli {

struct ServedCell {
  CellPlace place;
  Cell cell;
  u64 keeper = 0;  // of a namespace
  bool is_open = false;

  explicit ServedCell(const CellPlace& where);
  ~ServedCell();
  ServedCell(const ServedCell&) = delete;
  ServedCell& operator=(const ServedCell&) = delete;
};

struct ServedProcess {
  const pid_t pid;
  const int descriptor;  // a pidfd; -1: it is gone
  const std::shared_ptr<ServedCell> where;
  u64 start_time = 0;
  u32 image = 0;
  AddressMap addresses;

  ServedProcess(pid_t process, std::shared_ptr<ServedCell> cell);
  ~ServedProcess();
  ServedProcess(const ServedProcess&) = delete;
  ServedProcess& operator=(const ServedProcess&) = delete;

  bool is_gone() const;
  // The same before anybody can tell: no thread of it runs an instruction of the program any more.
  bool is_ending() const;
  // A copy of its descriptor, or -errno.
  int copy_descriptor(int number) const;
};

// Makes the calls of one thread.
class ServedThread {
 public:
  ServedThread(int listener, std::shared_ptr<ServedProcess> process, pid_t tid);
  ~ServedThread();
  ServedThread(const ServedThread&) = delete;
  ServedThread& operator=(const ServedThread&) = delete;

  // Before each call: learns who the thread is now. False if it is gone, and its number another's.
  bool meet();
  void make(const seccomp_notif& call);

  const std::shared_ptr<ServedProcess>& process() const { return process_; }
  bool is_busy() const;
  // True if the process has ended, or is about to: nobody can tell yet.
  bool has_ended() const;
  // True if nobody waits for the call that it makes: the program's thread was killed, by exec(2) of
  // another one, say.
  bool is_forsaken() const;
  // Called again and again while it is busy: takes a blocked call back if the thread has died, or
  // has a signal to handle.
  void look_after();
  // Has the call end that is made for a dead process: it may sleep.
  void abandon();

 private:
  void run();
  bool attach();
  void read_credentials();
  void answer(const seccomp_notif& call);
  long call_core(const seccomp_notif& call);
  long reply_to_interrupted(long number);
  bool has_signal(bool* is_certain);

  long call_msg(const seccomp_data& call);
  long call_sem(const seccomp_data& call);
  long call_shm(const seccomp_data& call);
  long call_mqueue(const seccomp_notif& call);
  long open_mqueue(const seccomp_notif& call);
  template <class Core>
  long with_queue(const seccomp_data& call, const Core& core);

  const int listener_;
  const std::shared_ptr<ServedProcess> process_;
  const pid_t tid_;
  StatusFile status_file_;
  ThreadStatus status_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<seccomp_notif> waiting_;  // guarded by mutex_, as are the next two
  u64 call_id_ = 0;                       // of the last one
  bool is_busy_ = false;
  bool is_stopped_ = false;
  unsigned looks_ = 0;            // of the watcher at this call
  unsigned uncertain_looks_ = 0;  // how often a signal that may be another thread's was seen

  // The served thread's own:
  Cred cred_;
  FaultHost host_ = {};
  Task task_;
  bool is_attached_ = false;
  bool has_replied_ = false;  // by handing over a descriptor
  Mirror first_, second_;
  std::thread thread_;  // the last: it uses the others
};

}  // namespace ipcell::cli
