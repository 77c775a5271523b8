#include "core/ipc/mqueue.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/usercopy.h"
#include "core/ipc/fault.h"
#include "core/ipc/perm.h"
#include "core/ipc/reap.h"

namespace ipcell {

namespace {

constexpr u64 kPathMax = 4096;

// Linux: include/uapi/linux/mqueue.h
struct KernelMqAttr {
  long flags, maxmsg, msgsize, curmsgs;
  long reserved[4];
};

// --------------------------------------------------------------------------- names

struct Name {
  char text[kMqNameMax + 1];
  u64 length;
};

// Linux: fs/namei.c:getname(), lookup_one_len(). 0 or -errno.
int read_name(const char* from, Name* name) {
  name->length = 0;
  bool has_slash = false;
  for (u64 at = 0;; ++at) {
    char c;
    if (copy_from_user(&c, from + at, 1) != 0) return -EFAULT;
    if (at == kPathMax - 1 && c != '\0') return -ENAMETOOLONG;
    if (at <= kMqNameMax) name->text[at] = c;
    if (c == '\0') break;
    has_slash = has_slash || c == '/';
    ++name->length;
  }
  if (name->length == 0) return -ENOENT;
  const bool is_dots =
      name->text[0] == '.' && (name->length == 1 || (name->length == 2 && name->text[1] == '.'));
  if (has_slash || is_dots) return -EACCES;
  return name->length > kMqNameMax ? -ENAMETOOLONG : 0;
}

// --------------------------------------------------------------------------- mq_open

struct Shape {
  i64 max_messages, max_size;
  u64 cost;
};

// Linux: ipc/mqueue.c:mqueue_get_inode(). 0 or -errno.
int check_shape(const Task& task, const KernelMqAttr* wanted, Shape* shape) {
  const Limits& limits = task.cell->header().limits;
  const i64 msg_max = load_relaxed(limits.mq_msg_max);
  const i64 msgsize_max = load_relaxed(limits.mq_msgsize_max);
  const i64 msg_default = load_relaxed(limits.mq_msg_default);
  const i64 msgsize_default = load_relaxed(limits.mq_msgsize_default);
  shape->max_messages = msg_default < msg_max ? msg_default : msg_max;
  shape->max_size = msgsize_default < msgsize_max ? msgsize_default : msgsize_max;
  if (wanted != nullptr) {
    shape->max_messages = wanted->maxmsg;
    shape->max_size = wanted->msgsize;
  }
  if (shape->max_messages <= 0 || shape->max_size <= 0) return -EINVAL;
  const bool is_free = task.cred->has_capability(kCapSysResource);
  if (shape->max_messages > (is_free ? kHardMsgMax : msg_max) ||
      shape->max_size > (is_free ? kHardMsgSizeMax : msgsize_max)) {
    return -EINVAL;
  }
  const u64 messages = static_cast<u64>(shape->max_messages);
  const u64 nodes = messages < kMqPriorities ? messages : kMqPriorities;
  shape->cost =
      messages * (static_cast<u64>(shape->max_size) + kMqMessageCost) + nodes * kMqTreeNodeCost;
  return 0;
}

// Bytes that the user's queues are charged. The table is locked.
u64 charged_locked(const Cell& cell, u32 user) {
  u64 bytes = 0;
  for_each_mqueue_locked(cell, [&](u64, const MqueueRec& queue) {
    if (queue.payer == user) bytes += queue.cost;
    return true;
  });
  return bytes;
}

// The table is locked. 0 or -errno.
int check_room(const Task& task, const MqueueOpen& request, const Shape& shape) {
  const u64 charged = charged_locked(*task.cell, request.real_uid);
  return charged + shape.cost > request.byte_limit ? -EMFILE : 0;
}

bool may_make_queue(const Task& task) {
  return mqueue_table(*task.cell).count <
             limit_of(task, task.cell->header().limits.mq_queues_max) ||
         task.cred->has_capability(kCapSysResource);
}

// An open pipe with no queue yet.
struct NewFile {
  u64 serial = 0;
  u64 inode = 0;
  u32 mode = 0;
  long fd = -1;
};

u64 take_serial(Task& task) {
  MqueueTable& table = mqueue_table(*task.cell);
  Locked locked(task, table.lock);
  Journal journal(task);
  journal.set(table.next_serial, table.next_serial + 1);
  journal.commit();
  return table.next_serial;
}

void drop_file(const Task& task, const NewFile& file) {
  if (file.fd >= 0) sys::call(SYS_close, file.fd);
  if (file.serial != 0) remove_mqueue_file(task, file.serial);
}

// 0, -EAGAIN (to be tried again), -errno.
long try_make_file(Task& task, const MqueueOpen& request, NewFile* file) {
  const u64 serial = take_serial(task);
  *file = {};
  file->mode = request.mode & 07777;
  if (const int error = make_mqueue_file(task, serial, &file->mode))
    return error == -EEXIST || error == -ENOENT ? -EAGAIN : error;
  file->serial = serial;
  bool is_fresh;
  file->fd = open_mqueue_file(MqueuePath(task, serial), {request.flags, request.closes_on_exec, 0},
                              &is_fresh);
  if (file->fd >= 0) file->inode = mqueue_inode_of(task, static_cast<int>(file->fd));
  if (file->fd >= 0 && file->inode != 0) return 0;
  const long error = file->fd < 0 ? file->fd : -ENOENT;
  drop_file(task, *file);
  *file = {};
  return error == -ENOENT ? -EAGAIN : error;
}

// Nobody knows it yet: if the task dies, sys_mq_sweep() removes the pipe; and may do so before it
// is open. Pipes of an earlier cell in the folder have numbers of their own.
long make_file(Task& task, const MqueueOpen& request, NewFile* file) {
  constexpr u32 kAttempts = 1000;
  long error = -EAGAIN;
  for (u32 attempt = 0; attempt < kAttempts && error == -EAGAIN; ++attempt)
    error = try_make_file(task, request, file);
  return error == -EAGAIN ? -ENOENT : error;
}

BlockClass class_of_name(u64 length) { return class_for(sizeof(u64) + length + 1); }

void init_queue(Task& task, MqueueRec& queue, const MqueueOpen& request, const Name& name,
                const Shape& shape, const NewFile& file) {
  queue.live = 0;
  queue.serial = file.serial;
  queue.max_messages = static_cast<u32>(shape.max_messages);
  queue.max_size = static_cast<u64>(shape.max_size);
  queue.load = queue.top_first = queue.runs = 0;
  queue.watched = queue.is_unsure = queue.mode_changes = 0;
  queue.tokens = kTokensEmpty;
  queue.mode = file.mode;
  queue.receivers = queue.senders = {kNoSlot, kNoSlot};
  queue.atime = queue.mtime = queue.ctime = now(task);
  queue.uid = task.cred->euid;
  queue.gid = task.cred->fsgid;
  queue.notify.kind = MqNotifyKind::None;
  queue.is_going = 0;
  queue.file_size = kMqFileSize;
  queue.inode = file.inode;
  queue.is_linked = 1;
  queue.name_hash = hash_mqueue_name(name.text, name.length);
  queue.cost = shape.cost;
  queue.payer = request.real_uid;
}

void describe(const MqueueRec& queue, u64 offset, long fd, int flags, MqueueDescriptor* opened) {
  *opened = {offset,
             queue.serial,
             queue.max_size,
             static_cast<int>(fd),
             static_cast<u32>(flags & O_ACCMODE),
             queue.mode_changes,
             (flags & O_NONBLOCK) != 0};
}

// Makes the queue of `file`. The table is locked, and has none of that name. 0 or -errno.
long new_queue_locked(Task& task, const MqueueOpen& request, const Name& name, const Shape& shape,
                      const NewFile& file, MqueueDescriptor* opened) {
  const Cell& cell = *task.cell;
  ReservedBlock block, name_block;
  if (const int error = block.reserve(task, BlockClass::Mqueue)) return error;
  if (const int error = name_block.reserve(task, class_of_name(name.length))) return error;
  MqueueRec& queue = *block.as<MqueueRec>();
  char* text = reinterpret_cast<char*>(name_block.as<u64>() + 1);
  __builtin_memcpy(text, name.text, static_cast<std::size_t>(name.length + 1));
  // Locked until the commit, as a System V queue's.
  Locked locked(task, queue.lock);
  init_queue(task, queue, request, name, shape, file);
  queue.name = name_block.offset();
  Journal journal(task);
  enter_mqueue_table(journal, cell, block.offset(), queue);
  journal.set(queue.live, 1u);
  block.take(journal, task);
  name_block.take(journal, task);
  journal.commit();
  describe(queue, block.offset(), file.fd, request.flags, opened);
  return 0;
}

u32 wanted_access(int flags) {
  switch (flags & O_ACCMODE) {
    case O_RDONLY: return 4;
    case O_WRONLY: return 2;
    default: return 6;
  }
}

// Opens a queue's pipe if its mode lets the program do so; `link`: what leads to it, nullptr for
// its own path. The table is locked. The descriptor, or -errno.
long open_pipe_locked(Task& task, u64 offset, const char* link, int flags, bool closes_on_exec,
                      MqueueDescriptor* opened) {
  LockedMqueue queue(task, offset);
  if (!queue) return -EIO;
  if (!may_access_mqueue(*task.cred, *queue, wanted_access(flags))) return -EACCES;
  const MqueueOpening opening = {flags, closes_on_exec, queue->inode};
  bool is_fresh;
  const long fd = link != nullptr
                      ? open_mqueue_file(MqueuePath(link), opening, &is_fresh)
                      : open_mqueue_file(MqueuePath(task, queue->serial), opening, &is_fresh);
  if (fd < 0) return fd;
  Journal journal(task);
  // An epoll instance forgets what is closed. Who died in poll(2) is still to be reaped.
  if (is_fresh) journal.set_if_changed(queue->watched, queue->watched & kWatchedPollers);
  // A pipe is empty when the first descriptor is opened, and that may be so without looking so.
  journal.set_if_changed(queue->is_unsure, 1u);
  journal.commit();
  describe(*queue, offset, fd, flags, opened);
  return fd;
}

// Linux: ipc/mqueue.c:prepare_open(). The table is locked. The descriptor, or -errno.
long open_existing_locked(Task& task, const MqueueOpen& request, u64 offset,
                          MqueueDescriptor* opened) {
  const int flags = request.flags;
  if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) return -EEXIST;
  if ((flags & O_ACCMODE) == O_ACCMODE) return -EINVAL;
  return open_pipe_locked(task, offset, nullptr, flags, request.closes_on_exec, opened);
}

// One try. The descriptor; -errno; -EAGAIN if a pipe is to be made first.
long try_open(Task& task, const MqueueOpen& request, const Name& name, const KernelMqAttr* wanted,
              const NewFile& file, MqueueDescriptor* opened) {
  const Cell& cell = *task.cell;
  Locked locked(task, mqueue_table(cell).lock);
  const u64 offset = find_mqueue_locked(cell, name.text, name.length);
  if (cell.is_poisoned()) return -EIO;
  if (offset != 0) return open_existing_locked(task, request, offset, opened);
  if ((request.flags & O_CREAT) == 0) return -ENOENT;
  if (!may_make_queue(task)) return -ENOSPC;
  Shape shape;
  if (const int error = check_shape(task, wanted, &shape)) return error;
  if (const int error = check_room(task, request, shape)) return error;
  // Under the lock: sys_mq_sweep() removes nothing meanwhile.
  if (file.fd < 0 || mqueue_file_inode(task, file.serial) != file.inode) return -EAGAIN;
  const long error = new_queue_locked(task, request, name, shape, file, opened);
  return error != 0 ? error : file.fd;
}

// A call that fails for want of a descriptor does so before all else.
long explain(long error) {
  if (error != -ENOENT && error != -EEXIST && error != -EACCES && error != -EINVAL &&
      error != -ENOSPC && error != -ENAMETOOLONG) {
    return error;
  }
  const long fd = sys::call(SYS_openat, AT_FDCWD, sys::arg("/"), O_PATH | O_CLOEXEC, 0);
  if (fd >= 0) sys::call(SYS_close, fd);
  return fd == -EMFILE || fd == -ENFILE ? fd : error;
}

long open_queue(Task& task, const MqueueOpen& request, const KernelMqAttr* wanted,
                MqueueDescriptor* opened) {
  Name name;
  if (const int error = read_name(request.name, &name))
    return error == -EFAULT || error == -ENOENT ? error : explain(error);
  if (const int error = task.cell->ensure(&mqueue_table(*task.cell), sizeof(MqueueTable)))
    return error;
  // They count: against the limits of a queue that is to be made.
  if ((request.flags & O_CREAT) != 0) free_closed_mqueues(task);
  NewFile file;
  long result = try_open(task, request, name, wanted, file, opened);
  constexpr u32 kAttempts = 1000;
  for (u32 attempt = 0; result == -EAGAIN && attempt < kAttempts; ++attempt) {
    result = make_file(task, request, &file);
    if (result == 0) result = try_open(task, request, name, wanted, file, opened);
    if (result < 0 || result != file.fd) drop_file(task, file);
  }
  return result >= 0 ? result : explain(result);
}

// --------------------------------------------------------------------------- mq_unlink

// Linux: fs/namei.c:may_delete(), in a folder of mode 1777
bool may_unlink(const Cred& cred, const MqueueRec& queue) {
  return cred.euid == queue.uid || cred.euid == 0 || cred.has_capability(kCapFowner);
}

long unlink_queue(Task& task, const Name& name) {
  const Cell& cell = *task.cell;
  MqueueTable& table = mqueue_table(cell);
  Locked locked(task, table.lock);
  const u64 offset = find_mqueue_locked(cell, name.text, name.length);
  if (cell.is_poisoned()) return -EIO;
  if (offset == 0) return -ENOENT;
  {
    LockedMqueue queue(task, offset);
    if (!queue) return -EIO;
    if (!may_unlink(*task.cred, *queue)) return -EPERM;
    Journal journal(task);
    if (!leave_mqueue_names(journal, cell, offset, *queue)) return -EIO;
    journal.commit();
  }
  remove_closed_mqueue_locked(task, offset);
  return 0;
}

// --------------------------------------------------------------------------- mq_getsetattr

// The queue is locked. Counted before it is done: else a death between leaves others with what they
// remember.
long set_nonblocking(Task& task, MqueueRec& queue, const MqueueDescriptor& of, bool wanted) {
  MqueueMode mode;
  if (!read_mqueue_mode(of.fd, &mode)) return -EBADF;
  if (mode.is_nonblocking == wanted) return 0;
  Journal journal(task);
  journal.set(queue.mode_changes, queue.mode_changes + 1);
  journal.commit();
  mode.is_nonblocking = wanted;
  return write_mqueue_mode(of.fd, mode);
}

long get_set(Task& task, const MqueueDescriptor& of, const KernelMqAttr* wanted,
             KernelMqAttr* old) {
  if (of.queue == 0) return -EBADF;
  LockedMqueue queue(task, of.queue);
  if (!queue) return -EIO;
  if (!queue.is(of.serial)) return -EBADF;
  const int nonblocking = is_nonblocking(*queue, of);
  if (nonblocking < 0) return nonblocking;
  *old = {};
  old->flags = nonblocking != 0 ? O_NONBLOCK : 0;
  old->maxmsg = queue->max_messages;
  old->msgsize = static_cast<long>(queue->max_size);
  old->curmsgs = mq_messages(queue->load);
  if (wanted == nullptr) return 0;
  Journal journal(task);
  touch_mqueue_state(journal, *queue, now(task));
  journal.commit();
  return set_nonblocking(task, *queue, of, (wanted->flags & O_NONBLOCK) != 0);
}

}  // namespace

bool may_access_mqueue(const Cred& cred, const MqueueRec& queue, u32 wanted) {
  u32 granted = queue.mode;
  if (cred.euid == queue.uid) {
    granted >>= 6;
  } else if (cred.is_in_group(queue.gid)) {
    granted >>= 3;
  }
  if ((wanted & ~granted & 7) == 0) return true;
  if ((wanted & 1) != 0 && (queue.mode & 0111) == 0) return false;
  if (cred.has_capability(kCapDacOverride)) return true;
  return wanted == 4 && cred.has_capability(kCapDacReadSearch);
}

int is_nonblocking(const MqueueRec& queue, const MqueueDescriptor& descriptor) {
  if (descriptor.mode_changes == queue.mode_changes) [[likely]]
    return static_cast<int>(descriptor.is_nonblocking);
  MqueueMode mode;
  if (!read_mqueue_mode(descriptor.fd, &mode)) return -EBADF;
  descriptor.mode_changes = queue.mode_changes;
  descriptor.is_nonblocking = mode.is_nonblocking ? 1 : 0;
  return static_cast<int>(descriptor.is_nonblocking);
}

long sys_mq_set_nonblocking(Task& task, const MqueueDescriptor& of, bool is_nonblocking) {
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  if (task.cell->is_poisoned()) return -EIO;
  LockedMqueue queue(task, of.queue);
  if (!queue) return -EIO;
  if (!queue.is(of.serial)) return -EBADF;
  return set_nonblocking(task, *queue, of, is_nonblocking);
}

long sys_mq_open(Task& task, const MqueueOpen& request, MqueueDescriptor* opened) {
  if (may_fail(task, FaultOp::MqOpen)) [[unlikely]] {
    return fail_or_call(
        task,
        {.op = FaultOp::MqOpen, .flags = static_cast<u32>(request.flags), .name = request.name},
        [&] { return sys_mq_open(task, request, opened); });
  }
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  if (task.cell->is_poisoned()) return -EIO;
  KernelMqAttr wanted;
  const bool has_attributes = request.attributes != nullptr;
  if (has_attributes && copy_from_user(&wanted, request.attributes, sizeof wanted) != 0)
    return -EFAULT;
  const long result = open_queue(task, request, has_attributes ? &wanted : nullptr, opened);
  reap_met(task);
  return result;
}

long sys_mq_reopen(Task& task, const char* link, int flags, bool closes_on_exec,
                   MqueueDescriptor* opened) {
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  const Cell& cell = *task.cell;
  if (cell.is_poisoned()) return -EIO;
  const u64 inode = mqueue_inode_at(task, AT_FDCWD, link);
  if (inode == 0 || load_acquire(mqueue_table(cell).count) == 0) return -ENOENT;
  Locked locked(task, mqueue_table(cell).lock);
  const u64 offset = find_mqueue_inode_locked(cell, inode);
  if (offset == 0) return -ENOENT;
  return open_pipe_locked(task, offset, link, flags, closes_on_exec, opened);
}

long sys_mq_unlink(Task& task, const char* name) {
  if (may_fail(task, FaultOp::MqUnlink)) [[unlikely]] {
    return fail_or_call(task, {.op = FaultOp::MqUnlink, .name = name},
                        [&] { return sys_mq_unlink(task, name); });
  }
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  if (task.cell->is_poisoned()) return -EIO;
  Name wanted;
  if (const int error = read_name(name, &wanted)) return error;
  const long result =
      load_acquire(mqueue_table(*task.cell).count) != 0 ? unlink_queue(task, wanted) : -ENOENT;
  if (task.rec->destroying != 0) tear_down_mqueue(task);
  reap_met(task);
  return result;
}

// Linux: ipc/mqueue.c:do_mq_getsetattr()
long sys_mq_getsetattr(Task& task, const MqueueDescriptor& of, const struct mq_attr* wanted,
                       struct mq_attr* old) {
  if (may_fail(task, FaultOp::MqGetattr, FaultOp::MqSetattr)) [[unlikely]] {
    return fail_or_call(
        task, {.op = wanted != nullptr ? FaultOp::MqSetattr : FaultOp::MqGetattr, .queue = &of},
        [&] { return sys_mq_getsetattr(task, of, wanted, old); });
  }
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  if (task.cell->is_poisoned()) return -EIO;
  KernelMqAttr asked, found;
  if (wanted != nullptr) {
    if (copy_from_user(&asked, wanted, sizeof asked) != 0) return -EFAULT;
    if ((asked.flags & ~static_cast<long>(O_NONBLOCK)) != 0) return -EINVAL;
  }
  const long result = get_set(task, of, wanted != nullptr ? &asked : nullptr, &found);
  if (result != 0 || old == nullptr) return result;
  return copy_to_user(old, &found, sizeof found) != 0 ? -EFAULT : 0;
}

}  // namespace ipcell
