#include "tests/model/msg_oracle.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>

#include <sys/ipc.h>
#include <sys/msg.h>

namespace ipcell::model {

namespace {

constexpr int kIndexes = 32768;
constexpr int kCapIpcOwner = 15, kCapSysAdmin = 21, kCapSysResource = 24;
constexpr int kExcept = 020000, kCopy = 040000;

bool has(const Caller& caller, int capability) {
  return caller.capabilities.count(capability) != 0;
}

// `wanted` is a mode's bits of one class: 4 to read, 2 to write.
bool may(const Caller& caller, const Queue& queue, unsigned wanted) {
  if (has(caller, kCapIpcOwner)) return true;
  unsigned granted = queue.mode & 7;
  if (caller.groups.count(queue.gid) != 0 || caller.groups.count(queue.cgid) != 0) {
    granted = queue.mode >> 3 & 7;
  }
  if (caller.uid == queue.uid || caller.uid == queue.cuid) granted = queue.mode >> 6 & 7;
  return (granted & wanted) == wanted;
}

bool owns(const Caller& caller, const Queue& queue) {
  return caller.uid == queue.uid || caller.uid == queue.cuid || has(caller, kCapSysAdmin);
}

using Messages = std::deque<Message>;

// The message that msgrcv(2) chooses, or the end.
Messages::iterator choose(Messages& messages, long type, int flags) {
  if ((flags & kCopy) != 0) {
    const bool is_there = type >= 0 && static_cast<unsigned long>(type) < messages.size();
    return is_there ? messages.begin() + type : messages.end();
  }
  const auto with = [&](auto condition) {
    return std::find_if(messages.begin(), messages.end(), condition);
  };
  if (type == 0) return messages.begin();
  if (type > 0 && (flags & kExcept) != 0)
    return with([&](const Message& m) { return m.type != type; });
  if (type > 0) return with([&](const Message& m) { return m.type == type; });
  const long highest = type == LONG_MIN ? LONG_MAX : -type;
  const auto lowest =
      std::min_element(messages.begin(), messages.end(),
                       [](const Message& a, const Message& b) { return a.type < b.type; });
  return lowest != messages.end() && lowest->type <= highest ? lowest : messages.end();
}

}  // namespace

unsigned long Queue::cbytes() const {
  unsigned long sum = 0;
  for (const Message& message : messages) sum += message.text.size();
  return sum;
}

Queue* MsgOracle::find(int id) {
  if (id < 0) return nullptr;
  const auto found = queues_.find(id % kIndexes);
  return found != queues_.end() && found->second.id == id ? &found->second : nullptr;
}

int MsgOracle::choose_index(int* sequence) {
  const auto first_free = [&](int from, int end) {
    while (from < end && queues_.count(from) != 0) ++from;
    return from < end ? from : -1;
  };
  if (next_id >= 0) {
    *sequence = next_id / kIndexes;
    const int index = first_free(next_id % kIndexes, kIndexes);
    if (index >= 0) next_id = -1;
    return index;
  }
  const int in_use = static_cast<int>(queues_.size());
  const int end = std::min(std::max(in_use * 3 / 2, 64), kIndexes);
  int index = first_free(next_index_, end);
  if (index < 0) index = first_free(0, end);
  if (index < 0) return -1;
  if (index <= last_index_) sequence_ = (sequence_ + 1) % (INT_MAX / kIndexes);
  last_index_ = index;
  next_index_ = index + 1;
  *sequence = sequence_;
  return index;
}

long MsgOracle::make(const Caller& caller, int key, int flags) {
  if (queues_.size() >= std::min<unsigned>(msgmni, kIndexes)) return -ENOSPC;
  int sequence = 0;
  const int index = choose_index(&sequence);
  if (index < 0) return -ENOSPC;
  Queue queue;
  queue.id = sequence * kIndexes + index;
  queue.key = key;
  queue.uid = queue.cuid = caller.uid;
  queue.gid = queue.cgid = caller.gid;
  queue.mode = static_cast<unsigned>(flags) & 0777;
  queue.ctime = now;
  queue.qbytes = msgmnb;
  queues_[index] = queue;
  return queue.id;
}

long MsgOracle::get(const Caller& caller, int key, int flags) {
  if (key == IPC_PRIVATE) return make(caller, key, flags);
  for (const auto& [index, queue] : queues_) {
    if (queue.key != key) continue;
    if ((flags & IPC_CREAT) != 0 && (flags & IPC_EXCL) != 0) return -EEXIST;
    const unsigned bits = static_cast<unsigned>(flags);
    const unsigned wanted = (bits | bits >> 3 | bits >> 6) & 7;
    return may(caller, queue, wanted) ? queue.id : -EACCES;
  }
  return (flags & IPC_CREAT) != 0 ? make(caller, key, flags) : -ENOENT;
}

long MsgOracle::send(const Caller& caller, int id, const Message& message) {
  if (message.text.size() > msgmax || id < 0 || message.type < 1) return -EINVAL;
  Queue* queue = find(id);
  if (queue == nullptr) return -EINVAL;
  if (!may(caller, *queue, 2)) return -EACCES;
  if (queue->cbytes() + message.text.size() > queue->qbytes) return -EAGAIN;
  if (queue->messages.size() + 1 > queue->qbytes) return -EAGAIN;
  queue->messages.push_back(message);
  queue->stime = now;
  queue->lspid = pid;
  return 0;
}

long MsgOracle::receive(const Caller& caller, int id, unsigned long size, long type, int flags,
                        Message* out) {
  if (id < 0 || size > LONG_MAX) return -EINVAL;
  if ((flags & kCopy) != 0 && ((flags & kExcept) != 0 || (flags & IPC_NOWAIT) == 0)) return -EINVAL;
  Queue* queue = find(id);
  if (queue == nullptr) return -EINVAL;
  if (!may(caller, *queue, 4)) return -EACCES;
  const auto chosen = choose(queue->messages, type, flags);
  if (chosen == queue->messages.end()) return -ENOMSG;
  const bool is_too_long = chosen->text.size() > size;
  if (is_too_long && (flags & MSG_NOERROR) == 0) return -E2BIG;
  if ((flags & kCopy) != 0) {
    // A copy is made in a message of the buffer's size, which is none beyond msgmax.
    if (chosen->text.size() > std::min<unsigned long>(size, msgmax)) return -EINVAL;
    *out = *chosen;
    return static_cast<long>(out->text.size());
  }
  *out = *chosen;
  if (is_too_long) out->text.resize(size);
  queue->messages.erase(chosen);
  queue->rtime = now;
  queue->lrpid = pid;
  return static_cast<long>(out->text.size());
}

long MsgOracle::set(const Caller& caller, int id, const Change& change) {
  Queue* queue = find(id);
  if (queue == nullptr) return -EINVAL;
  if (!owns(caller, *queue)) return -EPERM;
  // The kernel takes this for an int: compared as an unsigned one, stored as a signed one.
  const int qbytes = static_cast<int>(change.qbytes);
  if (static_cast<unsigned>(qbytes) > msgmnb && !has(caller, kCapSysResource)) return -EPERM;
  if (change.uid == UINT_MAX || change.gid == UINT_MAX) return -EINVAL;
  queue->uid = change.uid;
  queue->gid = change.gid;
  queue->mode = change.mode & 0777;
  queue->qbytes = static_cast<unsigned long>(qbytes);
  queue->ctime = now;
  return 0;
}

long MsgOracle::remove(const Caller& caller, int id) {
  const Queue* queue = find(id);
  if (queue == nullptr) return -EINVAL;
  if (!owns(caller, *queue)) return -EPERM;
  queues_.erase(id % kIndexes);
  return 0;
}

const Queue* MsgOracle::stat(const Caller& caller, int id, bool by_index, bool is_any,
                             long* result) const {
  *result = -EINVAL;
  if (id < 0) return nullptr;
  const auto found = queues_.find(id % kIndexes);
  if (found == queues_.end()) return nullptr;
  const Queue& queue = found->second;
  if (!by_index && queue.id != id) return nullptr;
  *result = -EACCES;
  if (!is_any && !may(caller, queue, 4)) return nullptr;
  *result = by_index ? queue.id : 0;
  return &queue;
}

Totals MsgOracle::totals() const {
  Totals totals;
  for (const auto& [index, queue] : queues_) {
    ++totals.queues;
    totals.messages += queue.messages.size();
    totals.bytes += queue.cbytes();
  }
  return totals;
}

int MsgOracle::highest_index() const { return queues_.empty() ? 0 : queues_.rbegin()->first; }

std::string MsgOracle::proc_text() const {
  std::string text = "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  "
                     "cuid  cgid      stime "
                     "     rtime      ctime\n";
  for (const auto& [index, queue] : queues_) {
    char line[256];
    std::snprintf(line, sizeof line,
                  "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10ld %10ld %10ld\n",
                  queue.key, queue.id, queue.mode, queue.cbytes(),
                  static_cast<unsigned long>(queue.messages.size()),
                  static_cast<unsigned>(queue.lspid), static_cast<unsigned>(queue.lrpid), queue.uid,
                  queue.gid, queue.cuid, queue.cgid, queue.stime, queue.rtime, queue.ctime);
    text += line;
  }
  return text;
}

}  // namespace ipcell::model
