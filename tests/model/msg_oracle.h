// Message queues as the manual and the kernel's sources describe them, in the plainest way: the
// oracle of msg_model.cc. It shares nothing with the core, and nobody ever waits in it.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

namespace ipcell::model {

struct Caller {
  unsigned uid = 0;
  unsigned gid = 0;            // effective
  std::set<unsigned> groups;   // that permissions are asked of: filesystem group and others
  std::set<int> capabilities;  // numbers of CAP_*
};

struct Message {
  long type = 0;
  std::string text;
};

struct Queue {
  int id = 0, key = 0;
  unsigned uid = 0, gid = 0, cuid = 0, cgid = 0, mode = 0;
  long stime = 0, rtime = 0, ctime = 0;
  int lspid = 0, lrpid = 0;
  unsigned long qbytes = 0;
  std::deque<Message> messages;

  unsigned long cbytes() const;
};

// What msgctl(IPC_SET) takes.
struct Change {
  unsigned uid = 0, gid = 0, mode = 0;
  unsigned long qbytes = 0;
};

struct Totals {
  int queues = 0;
  unsigned long messages = 0, bytes = 0;
};

class MsgOracle {
 public:
  // The namespace's limits, the clock and who calls: set by the test as it likes.
  unsigned msgmax = 8192, msgmnb = 16384, msgmni = 32000;
  int next_id = -1;
  long now = 0;
  int pid = 0;

  // As the system calls, with IPC_NOWAIT: >= 0 or -errno.
  long get(const Caller& caller, int key, int flags);
  long send(const Caller& caller, int id, const Message& message);
  long receive(const Caller& caller, int id, unsigned long size, long type, int flags,
               Message* out);
  long set(const Caller& caller, int id, const Change& change);
  long remove(const Caller& caller, int id);
  // By identifier, or by index; null for none, with the error in `*result`.
  const Queue* stat(const Caller& caller, int id, bool by_index, bool is_any, long* result) const;
  Totals totals() const;
  // What IPC_INFO returns: the highest index.
  int highest_index() const;
  std::string proc_text() const;

  // By index.
  const std::map<int, Queue>& queues() const { return queues_; }

 private:
  Queue* find(int id);
  // The index for a fresh queue, -1 if there is none; `*sequence` is its sequence number.
  int choose_index(int* sequence);
  long make(const Caller& caller, int key, int flags);

  std::map<int, Queue> queues_;
  int sequence_ = 0, last_index_ = -1, next_index_ = 0;
};

}  // namespace ipcell::model
