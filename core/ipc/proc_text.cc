// The text of /proc/sysvipc/*, byte for byte as the kernel prints it.
#include "core/ipc/msg.h"
#include "core/ipc/text.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

constexpr char kMsgHeading[] =
    "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      "
    "stime      rtime      ctime\n";

// Linux: ipc/msg.c:sysvipc_msg_proc_show()
void put_queue(TextWriter& out, const MsgQueueRec& queue) {
  const PermRec& perm = queue.perm;
  out.put_signed(perm.key, 10);
  out.put_char(' ');
  out.put_signed(perm.id, 10);
  out.put("  ");
  out.put_octal(perm.mode, 4);
  out.put("  ");
  out.put_unsigned(queue.held().cbytes, 10);
  out.put_char(' ');
  out.put_unsigned(queue.held().qnum, 10);
  for (u64 number :
       {static_cast<u64>(static_cast<u32>(queue.lspid)),
        static_cast<u64>(static_cast<u32>(queue.lrpid)), static_cast<u64>(perm.uid),
        static_cast<u64>(perm.gid), static_cast<u64>(perm.cuid), static_cast<u64>(perm.cgid)}) {
    out.put_char(' ');
    out.put_unsigned(number, 5);
  }
  for (i64 seconds : {queue.stime, queue.rtime, queue.ctime}) {
    out.put_char(' ');
    out.put_unsigned(static_cast<unsigned long long>(seconds), 10);
  }
  out.put_char('\n');
}

// False if there is no queue at the index. The registry is locked.
bool put_queue_at(Task& task, i32 idx, TextWriter& out) {
  const u64 offset = peek_record(msg_registry(*task.cell), idx);
  if (offset == 0) return false;
  LockedQueue queue(task, offset);
  if (!queue || queue->live == 0) return false;
  put_queue(out, *queue);
  return true;
}

}  // namespace

std::size_t sys_proc_msg(Task& task, u32* position, char* out, std::size_t size) {
  const Critical critical(task);
  Registry& registry = msg_registry(*task.cell);
  Locked locked(task, registry.lock);
  std::size_t used = 0;
  // Position 0 is the heading, n + 1 the index n.
  for (; *position <= kMaxIds; ++*position) {
    TextWriter line(out + used, size - used);
    if (*position == 0) {
      line.put(kMsgHeading);
    } else if (static_cast<i32>(*position) - 1 > registry.max_idx || task.cell->is_poisoned()) {
      *position = kMaxIds + 1;
      break;
    } else if (!put_queue_at(task, static_cast<i32>(*position) - 1, line)) {
      continue;
    }
    if (line.overflowed()) return used;
    used += line.used();
  }
  return used;
}

}  // namespace ipcell
