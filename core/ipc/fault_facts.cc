#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "core/ipc/fault_call.h"
#include "core/ipc/mqueue.h"
#include "core/ipc/msg.h"
#include "core/ipc/sem.h"
#include "core/ipc/shm.h"

namespace ipcell {

namespace {

// Of the kernel's families of objects, and POSIX queues.
constexpr u32 kFamilyMqueue = kFamilies;

u32 family_of(FaultOp op) {
  if (is_mqueue(op)) return kFamilyMqueue;
  if (op >= FaultOp::Shmget) return kFamilyShm;
  return op >= FaultOp::Semget ? kFamilySem : kFamilyMsg;
}

// What msgctl and its like take their first argument for.
enum class IdMeaning { Id, Index, Nothing };

IdMeaning meaning_of_id(const FaultArgs& args) {
  const i32 command = args.command;
  if (command == IPC_INFO) return IdMeaning::Nothing;
  bool is_info = false, is_index = false;
  // The numbers of the families' own commands overlap.
  switch (args.op) {
    case FaultOp::Msgctl:
      is_info = command == MSG_INFO;
      is_index = command == MSG_STAT || command == kMsgStatAny;
      break;
    case FaultOp::Semctl:
      is_info = command == SEM_INFO;
      is_index = command == SEM_STAT || command == SEM_STAT_ANY;
      break;
    case FaultOp::Shmctl:
      is_info = command == SHM_INFO;
      is_index = command == SHM_STAT || command == SHM_STAT_ANY;
      break;
    default: break;
  }
  if (is_info) return IdMeaning::Nothing;
  return is_index ? IdMeaning::Index : IdMeaning::Id;
}

}  // namespace

void FaultFacts::find_by_id() {
  const Cell& cell = *task_.cell;
  const IdMeaning meaning = meaning_of_id(args_);
  if (meaning == IdMeaning::Nothing) return;
  const u64 offset = peek_record(cell.layout().registries[family_of(args_.op)], args_.id);
  // Read without its lock: it may be another's in the next moment, which the call itself will see.
  const ObjectHead* head = cell.at<ObjectHead>(offset);
  if (head == nullptr || load_acquire(head->live) == 0) return;
  if (meaning == IdMeaning::Id && head->perm.id != args_.id) return;
  is_there_ = true;
  object_ = offset;
  id_ = head->perm.id;
  object_key_ = head->perm.key;
  if (family_of(args_.op) == kFamilyMsg && class_of_block(cell, offset) == BlockClass::MsgQueue)
    depth_ = cell.at<MsgQueueRec>(offset)->held().qnum;
}

void FaultFacts::find_keyed() {
  if (args_.key == 0) return;  // IPC_PRIVATE
  Registry& registry = task_.cell->layout().registries[family_of(args_.op)];
  const Critical critical(task_);
  const Locked locked(task_, registry.lock);
  const Key key = static_cast<Key>(static_cast<i32>(args_.key));
  const Idx idx = find_key_locked(*task_.cell, registry, key);
  if (idx == Idx::None) return;
  const u64 offset = registry.entries[static_cast<u32>(idx)].record;
  const ObjectHead* head = task_.cell->at<ObjectHead>(offset);
  if (head == nullptr) return;
  is_there_ = true;
  object_ = offset;
  id_ = head->perm.id;
  object_key_ = head->perm.key;
}

void FaultFacts::find_queue() {
  const Cell& cell = *task_.cell;
  if (args_.queue != nullptr) {
    const MqueueRec* queue = mqueue_at(cell, args_.queue->queue);
    if (queue == nullptr || queue->live == 0 || queue->serial != args_.queue->serial) return;
    is_there_ = true;
    object_ = args_.queue->queue;
    depth_ = mq_messages(queue->load);
    return;
  }
  if (*name() == '\0' || load_acquire(mqueue_table(cell).count) == 0) return;
  const Critical critical(task_);
  const Locked locked(task_, mqueue_table(cell).lock);
  const char* bare = name() + 1;
  object_ = find_mqueue_locked(cell, bare, __builtin_strlen(bare));
  is_there_ = object_ != 0;
}

void FaultFacts::find_object() {
  has_looked_ = true;
  if (is_mqueue(args_.op)) {
    find_queue();
  } else if (is_get(args_.op)) {
    find_keyed();
  } else if (args_.id >= 0) {
    find_by_id();
  }
}

bool FaultFacts::has_object() {
  if (!has_looked_) find_object();
  return is_there_;
}

bool FaultFacts::read_key(i64* key) {
  if (is_mqueue(args_.op) || (!is_get(args_.op) && !has_object())) return false;
  *key = is_get(args_.op) ? static_cast<i32>(args_.key) : object_key_;
  return true;
}

i64 FaultFacts::depth() { return has_object() ? depth_ : -1; }

u64 FaultFacts::object_hash() {
  const u64 family = mix_fault_hash(1, family_of(args_.op));
  if (is_mqueue(args_.op)) return hash_fault_text(name(), __builtin_strlen(name()), family);
  if (has_object()) return mix_fault_hash(family, static_cast<u64>(id_) + 1);
  return mix_fault_hash(mix_fault_hash(family, 0), static_cast<u64>(args_.key));
}

void FaultFacts::read_flags() {
  has_flags_ = true;
  flags_ = args_.flags;
  for_each_op([this](u16, std::int16_t, u32 flags) { flags_ |= flags; });
  if (args_.queue == nullptr || !has_object()) return;
  const MqueueRec* queue = mqueue_at(*task_.cell, object_);
  if (queue != nullptr && is_nonblocking(*queue, *args_.queue) > 0) flags_ |= O_NONBLOCK;
}

u32 FaultFacts::flags() {
  if (!has_flags_) read_flags();
  return flags_;
}

i64 FaultFacts::type() {
  if (args_.op != FaultOp::Msgsnd) return args_.type;
  long type = 0;
  return copy_from_user(&type, args_.message, sizeof type) == 0 ? type : 0;
}

const char* FaultFacts::name() {
  if (has_name_) return name_;
  has_name_ = true;
  char* out = name_ + 1;
  constexpr u32 kRoom = kNameRoom - 1;
  if (args_.name != nullptr) {
    for (u32 n = 0; n + 1 < kRoom; ++n) {
      if (copy_from_user(out + n, args_.name + n, 1) != 0) out[n] = '\0';
      if (out[n] == '\0') break;
    }
  } else if (has_object()) {
    const Critical critical(task_);
    const Locked locked(task_, mqueue_table(*task_.cell).lock);
    const MqueueRec* queue = mqueue_at(*task_.cell, object_);
    const char* text = queue != nullptr ? mqueue_name(*task_.cell, *queue) : "";
    for (u32 n = 0; n + 1 < kRoom && text[n] != '\0'; ++n) out[n] = text[n];
  }
  if (*out != '\0') name_[0] = '/';
  return name_;
}

const char* FaultFacts::caller() {
  if (has_caller_) return caller_;
  has_caller_ = true;
  const FaultHost* host = task_.fault_host;
  caller_[0] = '?';
  if (host != nullptr && host->find_caller != nullptr)
    host->find_caller(caller_, sizeof caller_, &caller_offset_);
  return caller_;
}

}  // namespace ipcell
