// Message queues in tests: short ways to the facade's calls, as a caller in the same process.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <sys/ipc.h>
#include <sys/msg.h>

#include "core/ipc/msg.h"
#include "core/syscalls.h"
#include "tests/unit/fixture.h"

namespace ipcell::test {

// Absent from some headers, or behind a feature macro.
constexpr int kMsgCopyFlag = 040000;
constexpr int kMsgExceptFlag = 020000;
constexpr int kMsgStatAnyCommand = 13;

inline long send(Task& task, int id, long type, const std::string& text, int flags = 0) {
  std::vector<char> message(sizeof type + text.size());
  std::memcpy(message.data(), &type, sizeof type);
  std::memcpy(message.data() + sizeof type, text.data(), text.size());
  return sys_msgsnd(task, id, message.data(), text.size(), flags);
}

struct Received {
  long result;
  long type;
  std::string text;
};

// After a failure the type is 0 and the text empty.
inline Received receive(Task& task, int id, std::size_t size, long type, int flags = 0) {
  constexpr char kUntouched = '?';
  std::vector<char> message(sizeof type + size + 16, kUntouched);
  Received received = {};
  received.result = sys_msgrcv(task, id, message.data(), size, type, flags);
  if (received.result < 0) return received;
  std::memcpy(&received.type, message.data(), sizeof type);
  received.text.assign(message.data() + sizeof type, static_cast<std::size_t>(received.result));
  // The kernel writes no byte more than it says.
  for (std::size_t n = sizeof type + received.text.size(); n < message.size(); ++n) {
    if (message[n] != kUntouched) received.result = -1000;
  }
  return received;
}

inline std::string text_of(const Received& received) {
  return received.result < 0 ? "error " + std::to_string(-received.result) : received.text;
}

// The text of the message that is received without waiting, or "error N".
inline std::string next_text(Task& task, int id, long type = 0, int flags = 0) {
  return text_of(receive(task, id, 8192, type, flags | IPC_NOWAIT));
}

// Builds a message and has `owner`, a field of the cell, name it. 0 or -errno.
inline int build_into(Task& task, u64& owner, const std::string& text) {
  const long type = 1;
  std::vector<char> buffer(sizeof type + text.size());
  std::memcpy(buffer.data(), &type, sizeof type);
  std::memcpy(buffer.data() + sizeof type, text.data(), text.size());
  BuiltMessage built;
  if (const int error = built.build(task, buffer.data(), text.size())) return error;
  built.message().next = 0;
  Journal journal(task);
  built.take(journal, task);
  journal.set(owner, built.offset());
  journal.commit();
  return 0;
}

inline int make_queue(Task& task, int key = IPC_PRIVATE, int flags = 0666 | IPC_CREAT) {
  return static_cast<int>(sys_msgget(task, key, flags));
}

inline struct msqid_ds stat_of(Task& task, int id) {
  struct msqid_ds info;
  std::memset(&info, 0xee, sizeof info);
  if (sys_msgctl(task, id, kMsgStatAnyCommand, &info) < 0) std::memset(&info, 0xff, sizeof info);
  return info;
}

// msgctl(IPC_SET) of one value, with the others as they are.
inline long set_qbytes(Task& task, int id, u64 qbytes) {
  struct msqid_ds info = stat_of(task, id);
  info.msg_qbytes = qbytes;
  return sys_msgctl(task, id, IPC_SET, &info);
}
inline long set_mode(Task& task, int id, u32 mode) {
  struct msqid_ds info = stat_of(task, id);
  info.msg_perm.mode = static_cast<decltype(info.msg_perm.mode)>(mode);
  return sys_msgctl(task, id, IPC_SET, &info);
}

inline long remove(Task& task, int id) { return sys_msgctl(task, id, IPC_RMID, nullptr); }

}  // namespace ipcell::test
