#include <signal.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/file.h"
#include "core/cell/cell_dir.h"
#include "core/ipc/mqueue.h"
#include "core/ipc/perm.h"
#include "core/ipc/reap.h"
#include "core/ipc/text.h"

namespace ipcell {

namespace {

// Linux: printf's "%-10lu" and its like, with the name before it.
void put_field(TextWriter& out, const char* name, unsigned long long value, std::size_t width) {
  out.put(name);
  const std::size_t start = out.used();
  out.put_unsigned(value, 0);
  while (out.used() < start + width) out.put_char(' ');
}

int sigev_notify(MqNotifyKind kind) {
  switch (kind) {
    case MqNotifyKind::Nothing: return SIGEV_NONE;
    case MqNotifyKind::Thread: return SIGEV_THREAD;
    default: return SIGEV_SIGNAL;
  }
}

void fill_status(const MqueueRec& queue, MqueueStatus* status) {
  *status = {queue.inode, queue.file_size, queue.atime, queue.mtime,     queue.ctime,
             queue.mode,  queue.uid,       queue.gid,   queue.is_linked, queue.serial};
}

// Calls `use(queue)` with the queue locked. Its result, or -ENOENT.
template <class Use>
long with_inode(Task& task, u64 inode, Use use) {
  const Critical critical(task);
  const Cell& cell = *task.cell;
  if (cell.is_poisoned()) return -EIO;
  if (load_acquire(mqueue_table(cell).count) == 0) return -ENOENT;
  Locked locked(task, mqueue_table(cell).lock);
  const u64 offset = find_mqueue_inode_locked(cell, inode);
  if (offset == 0) return -ENOENT;
  LockedMqueue queue(task, offset);
  return queue ? use(*queue) : -EIO;
}

bool is_owner(const Cred& cred, const MqueueRec& queue) {
  return cred.euid == queue.uid || cred.has_capability(kCapFowner);
}

// Linux: fs/attr.c:setattr_prepare(). 0 or -EPERM, -EACCES.
long check_change(const Cred& cred, const MqueueRec& queue, const MqueueChange& change) {
  const bool may_chown = cred.has_capability(kCapChown);
  if (change.uid != ~0u && (cred.euid != queue.uid || change.uid != queue.uid) && !may_chown)
    return -EPERM;
  const bool is_own_group = change.gid == queue.gid || cred.is_in_group(change.gid);
  if (change.gid != ~0u && (cred.euid != queue.uid || !is_own_group) && !may_chown) return -EPERM;
  if (change.sets_mode && !is_owner(cred, queue)) return -EPERM;
  if (change.sets_now && !is_owner(cred, queue) && !may_access_mqueue(cred, queue, 2))
    return -EACCES;
  if (change.sets_times && !change.sets_now && !is_owner(cred, queue)) return -EPERM;
  if (change.sets_size && !may_access_mqueue(cred, queue, 2)) return -EACCES;
  return 0;
}

// The mode that is left of `wanted`: others' programs don't get set-group-id.
u32 granted_mode(const Cred& cred, const MqueueRec& queue, u32 wanted) {
  const bool keeps = cred.is_in_group(queue.gid) || cred.has_capability(kCapFsetid);
  return wanted & (keeps ? 07777 : 05777);
}

void make_change(Task& task, MqueueRec& queue, const MqueueChange& change) {
  const i64 seconds = now(task);
  Journal journal(task);
  if (change.sets_mode) journal.set(queue.mode, granted_mode(*task.cred, queue, change.mode));
  if (change.uid != ~0u) journal.set(queue.uid, change.uid);
  if (change.gid != ~0u) journal.set(queue.gid, change.gid);
  if (change.sets_times) {
    if (change.sets_now || change.atime >= 0)
      journal.set(queue.atime, change.sets_now ? seconds : change.atime);
    if (change.sets_now || change.mtime >= 0)
      journal.set(queue.mtime, change.sets_now ? seconds : change.mtime);
  }
  if (change.sets_size) {
    journal.set(queue.file_size, change.size);
    journal.set(queue.mtime, seconds);
  }
  journal.set_if_changed(queue.ctime, seconds);
  journal.commit();
}

// The number that a pipe's name is, 0 if it is none.
u64 serial_of(const char* name) {
  u64 serial = 0;
  for (; *name >= '0' && *name <= '9'; ++name) serial = serial * 10 + static_cast<u64>(*name - '0');
  return *name == '\0' ? serial : 0;
}

// No queue is made of it meanwhile: that is done under the same lock.
void remove_if_stray(Task& task, long folder, const char* name) {
  const u64 serial = serial_of(name);
  struct statx info;
  if (serial == 0) return;
  Locked locked(task, mqueue_table(*task.cell).lock);
  if (stat_at(folder, name, &info) == 0 &&
      find_mqueue_inode_locked(*task.cell, info.stx_ino) == 0 &&
      is_mqueue_file_closed(task, serial)) {
    remove_mqueue_file(task, serial);
  }
}

// Pipes whose makers died before there was a queue.
void remove_strays(Task& task) {
  char folder[512];
  TextWriter out(folder, sizeof folder);
  out.put(task.folder);
  out.put("/");
  out.put(kMqueueFolder);
  out.put_char('\0');
  if (out.overflowed()) return;
  const Descriptor opened(open_at(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY));
  if (opened.fd() < 0) return;
  for_each_entry(opened.fd(), [&](const char* name) {
    remove_if_stray(task, opened.fd(), name);
    return true;
  });
}

}  // namespace

// Linux: ipc/mqueue.c:mqueue_read_file()
long sys_mq_line(Task& task, const MqueueDescriptor& of, i64 position, char* out) {
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  LockedMqueue queue(task, of.queue);
  if (!queue) return -EIO;
  if (!queue.is(of.serial)) return -EBADF;
  drop_dead_notify(task, queue);
  const MqNotify& notify = queue->notify;
  const bool is_registered = notify.kind != MqNotifyKind::None;
  const bool is_known = is_registered && notify.pid_namespace == task.identity.pid_namespace;
  TextWriter line(out, kMqueueLine);
  put_field(line, "QSIZE:", mq_bytes(queue->load), 10);
  put_field(line, " NOTIFY:", is_registered ? static_cast<u32>(sigev_notify(notify.kind)) : 0, 5);
  put_field(line, " SIGNO:", is_registered ? static_cast<u32>(notify.signal) : 0, 5);
  put_field(line, " NOTIFY_PID:", is_known ? static_cast<u32>(notify.pid) : 0, 6);
  line.put_char('\n');
  if (position >= static_cast<i64>(line.used())) return static_cast<long>(line.used());
  Journal journal(task);
  touch_mqueue_state(journal, *queue, now(task));
  journal.commit();
  return static_cast<long>(line.used());
}

long sys_mq_stat_name(Task& task, const char* name, MqueueStatus* status) {
  const Critical critical(task);
  const Cell& cell = *task.cell;
  if (cell.is_poisoned()) return -EIO;
  const std::size_t length = __builtin_strlen(name);
  if (length > kMqNameMax) return -ENAMETOOLONG;
  if (load_acquire(mqueue_table(cell).count) == 0) return -ENOENT;
  Locked locked(task, mqueue_table(cell).lock);
  const u64 offset = find_mqueue_locked(cell, name, length);
  if (offset == 0) return -ENOENT;
  LockedMqueue queue(task, offset);
  if (!queue) return -EIO;
  fill_status(*queue, status);
  return 0;
}

long sys_mq_stat_inode(Task& task, u64 inode, MqueueStatus* status) {
  return with_inode(task, inode, [&](const MqueueRec& queue) {
    fill_status(queue, status);
    return 0l;
  });
}

long sys_mq_name(Task& task, u64 inode, char* name) {
  return with_inode(task, inode, [&](const MqueueRec& queue) {
    const char* const text = mqueue_name(*task.cell, queue);
    std::size_t length = 0;
    while (length < kMqNameMax && text[length] != '\0') ++length;
    __builtin_memcpy(name, text, length);
    name[length] = '\0';
    return static_cast<long>(queue.is_linked);
  });
}

long sys_mq_change(Task& task, u64 inode, const MqueueChange& change) {
  return with_inode(task, inode, [&](MqueueRec& queue) {
    const long error = check_change(*task.cred, queue, change);
    if (error == 0) make_change(task, queue, change);
    return error;
  });
}

long sys_mq_access(Task& task, u64 inode, u32 wanted) {
  return with_inode(task, inode, [&](const MqueueRec& queue) {
    return may_access_mqueue(*task.cred, queue, wanted) ? 0l : static_cast<long>(-EACCES);
  });
}

void sys_mq_list(Task& task, MqueueVisit visit, void* context) {
  const Critical critical(task);
  const Cell& cell = *task.cell;
  if (cell.is_poisoned() || load_acquire(mqueue_table(cell).count) == 0) return;
  Locked locked(task, mqueue_table(cell).lock);
  for_each_mqueue_locked(cell, [&](u64, const MqueueRec& queue) {
    char name[kMqNameMax + 1] = {};
    const char* const text = mqueue_name(cell, queue);
    for (u64 n = 0; n < kMqNameMax && text[n] != '\0'; ++n) name[n] = text[n];
    if (queue.is_linked != 0) visit(context, name, queue.inode);
    return true;
  });
}

void sys_mq_sweep(Task& task) {
  const Critical critical(task);
  if (task.cell->is_poisoned() || task.folder == nullptr) return;
  if (load_acquire(mqueue_table(*task.cell).next_serial) == 0) return;
  free_closed_mqueues(task);
  remove_strays(task);
}

}  // namespace ipcell
