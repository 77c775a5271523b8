// The text of /proc/sysvipc/*, byte for byte as the kernel prints it.
#include "core/ipc/msg.h"
#include "core/ipc/sem.h"
#include "core/ipc/shm.h"
#include "core/ipc/text.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

constexpr char kMsgHeading[] =
    "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      "
    "stime      rtime      ctime\n";

constexpr char kSemHeading[] =
    "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n";

constexpr char kShmHeading[] =
    "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
    "      atime      dtime      ctime                   rss                  swap\n";

// Key, id and permissions, as every line begins.
void put_name(TextWriter& out, const PermRec& perm) {
  out.put_signed(perm.key, 10);
  out.put_char(' ');
  out.put_signed(perm.id, 10);
  out.put("  ");
  out.put_octal(perm.mode, 4);
}

void put_owners(TextWriter& out, const PermRec& perm) {
  for (u32 number : {perm.uid, perm.gid, perm.cuid, perm.cgid}) {
    out.put_char(' ');
    out.put_unsigned(number, 5);
  }
}

void put_times(TextWriter& out, std::initializer_list<i64> times) {
  for (i64 seconds : times) {
    out.put_char(' ');
    out.put_unsigned(static_cast<unsigned long long>(seconds), 10);
  }
}

// Linux: ipc/msg.c:sysvipc_msg_proc_show()
void put_queue(TextWriter& out, const MsgQueueRec& queue) {
  const PermRec& perm = queue.perm;
  put_name(out, perm);
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
  put_times(out, {queue.stime, queue.rtime, queue.ctime});
  out.put_char('\n');
}

// Linux: ipc/sem.c:sysvipc_sem_proc_show()
void put_set(TextWriter& out, const SemSetRec& set) {
  const PermRec& perm = set.perm;
  put_name(out, perm);
  out.put_char(' ');
  out.put_unsigned(set.nsems, 10);
  put_owners(out, perm);
  put_times(out, {set.otime, set.ctime});
  out.put_char('\n');
}

// Linux: ipc/shm.c:sysvipc_shm_proc_show()
void put_segment(TextWriter& out, const SegmentRec& segment, u64 resident_pages) {
  const PermRec& perm = segment.perm;
  put_name(out, perm);
  out.put_char(' ');
  out.put_unsigned(segment.size, 21);
  for (i32 pid : {segment.cpid, segment.lpid}) {
    out.put_char(' ');
    out.put_unsigned(static_cast<u32>(pid), 5);
  }
  out.put("  ");
  out.put_unsigned(segment.nattch, 5);
  put_owners(out, perm);
  put_times(out, {segment.atime, segment.dtime, segment.ctime});
  // Nothing is known of what stands in swap space.
  for (u64 bytes : {resident_pages * kPage, static_cast<u64>(0)}) {
    out.put_char(' ');
    out.put_unsigned(bytes, 21);
  }
  out.put_char('\n');
}

// The lines of a registry's objects. `put(offset, line)` writes the object's, and returns false if
// there is none. Linux: ipc/util.c:sysvipc_proc_*()
template <class Put>
std::size_t write_lines(Task& task, Registry& registry, const char* heading, u32* position,
                        char* out, std::size_t size, Put put) {
  const Critical critical(task);
  Locked locked(task, registry.lock);
  std::size_t used = 0;
  // Position 0 is the heading, n + 1 the index n.
  for (; *position <= kMaxIds; ++*position) {
    TextWriter line(out + used, size - used);
    const i32 idx = static_cast<i32>(*position) - 1;
    if (idx < 0) {
      line.put(heading);
    } else if (idx > registry.max_idx || task.cell->is_poisoned()) {
      *position = kMaxIds + 1;
      break;
    } else {
      const u64 offset = peek_record(registry, idx);
      if (offset == 0 || !put(offset, line)) continue;
    }
    if (line.overflowed()) return used;
    used += line.used();
  }
  return used;
}

}  // namespace

std::size_t sys_proc_msg(Task& task, u32* position, char* out, std::size_t size) {
  return write_lines(task, msg_registry(*task.cell), kMsgHeading, position, out, size,
                     [&](u64 offset, TextWriter& line) {
                       LockedQueue queue(task, offset);
                       if (!queue || queue->live == 0) return false;
                       put_queue(line, *queue);
                       return true;
                     });
}

std::size_t sys_proc_sem(Task& task, u32* position, char* out, std::size_t size) {
  return write_lines(task, sem_registry(*task.cell), kSemHeading, position, out, size,
                     [&](u64 offset, TextWriter& line) {
                       LockedSet set(task, offset, Dead::All);
                       if (!set || set->live == 0) return false;
                       put_set(line, *set);
                       return true;
                     });
}

std::size_t sys_proc_shm(Task& task, u32* position, char* out, std::size_t size) {
  if (*position == 0) {
    const Critical critical(task);
    sweep_segments(task);
  }
  return write_lines(task, shm_registry(*task.cell), kShmHeading, position, out, size,
                     [&](u64 offset, TextWriter& line) {
                       LockedSegment segment(task, offset, true);
                       if (!segment || !segment.is_there()) return false;
                       put_segment(line, *segment, count_resident(task, *segment));
                       return true;
                     });
}

}  // namespace ipcell
