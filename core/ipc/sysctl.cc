// Reading and writing sysctls, byte for byte as the kernel does.
//
// Each value is a word of its own, stored at once and outside of any journal: a writer that dies
// has stored it or not, and a vector is left half written by an error in the kernel, too.
#include "core/ipc/sysctl.h"

#include <cerrno>

#include "core/ipc/reap.h"
#include "core/ipc/shm.h"
#include "core/ipc/text.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

using Kind = Sysctl::Kind;

constexpr i64 kIntMax = 0x7fffffff;
constexpr i64 kMaxMessages = 65536, kMaxMessageSize = 16 * 1024 * 1024;  // Linux: HARD_MSGMAX …
constexpr u32 kForRoot = 0644, kForNobody = 0444;

constexpr u64 place_of_limit(u64 offset) {
  return offsetof(CellLayout, header) + offsetof(Header, limits) + offset;
}
constexpr u64 place_of_next_id(u32 family) {
  return offsetof(CellLayout, registries) + family * sizeof(Registry) + offsetof(Registry, next_id);
}

#define IPCELL_LIMIT(member) place_of_limit(offsetof(Limits, member))
constexpr Sysctl kTable[] = {
    {"kernel.msgmax", Kind::Numbers, kForRoot, IPCELL_LIMIT(msgmax), 1, 0, kIntMax},
    {"kernel.msgmnb", Kind::Numbers, kForRoot, IPCELL_LIMIT(msgmnb), 1, 0, kIntMax},
    {"kernel.msgmni", Kind::Numbers, kForRoot, IPCELL_LIMIT(msgmni), 1, 0, kMaxIds},
    {"kernel.sem", Kind::Semaphores, kForRoot, IPCELL_LIMIT(semmsl), 4, 0, kMaxIds},
    {"kernel.shmmax", Kind::Longs, kForRoot, IPCELL_LIMIT(shmmax), 1, 0, 0},
    {"kernel.shmall", Kind::Longs, kForRoot, IPCELL_LIMIT(shmall), 1, 0, 0},
    {"kernel.shmmni", Kind::Numbers, kForRoot, IPCELL_LIMIT(shmmni), 1, 0, kMaxIds},
    {"kernel.shm_rmid_forced", Kind::Orphans, kForRoot, IPCELL_LIMIT(shm_rmid_forced), 1, 0, 1},
    {"kernel.auto_msgmni", Kind::Dummy, kForRoot, 0, 1, 0, 1},
    {"kernel.msg_next_id", Kind::NextId, kForNobody, place_of_next_id(kFamilyMsg), 1, 0, kIntMax},
    {"kernel.sem_next_id", Kind::NextId, kForNobody, place_of_next_id(kFamilySem), 1, 0, kIntMax},
    {"kernel.shm_next_id", Kind::NextId, kForNobody, place_of_next_id(kFamilyShm), 1, 0, kIntMax},
    {"fs.mqueue.queues_max", Kind::Numbers, kForRoot, IPCELL_LIMIT(mq_queues_max), 1, -kIntMax - 1,
     kIntMax},
    {"fs.mqueue.msg_max", Kind::Numbers, kForRoot, IPCELL_LIMIT(mq_msg_max), 1, 1, kMaxMessages},
    {"fs.mqueue.msgsize_max", Kind::Numbers, kForRoot, IPCELL_LIMIT(mq_msgsize_max), 1, 128,
     kMaxMessageSize},
    {"fs.mqueue.msg_default", Kind::Numbers, kForRoot, IPCELL_LIMIT(mq_msg_default), 1, 1,
     kMaxMessages},
    {"fs.mqueue.msgsize_default", Kind::Numbers, kForRoot, IPCELL_LIMIT(mq_msgsize_default), 1, 128,
     kMaxMessageSize},
};
#undef IPCELL_LIMIT
static_assert(sizeof kTable / sizeof kTable[0] == kSysctls);

u32& word_of(const Cell& cell, const Sysctl& sysctl, u32 index) {
  return reinterpret_cast<u32*>(reinterpret_cast<char*>(&cell.layout()) + sysctl.place)[index];
}
u64& long_of(const Cell& cell, const Sysctl& sysctl) {
  return *reinterpret_cast<u64*>(reinterpret_cast<char*>(&cell.layout()) + sysctl.place);
}

// --------------------------------------------------------------------------- parsing

// Linux: lib/ctype.c
constexpr bool is_space(char c) {
  return (c >= '\t' && c <= '\r') || c == ' ' || static_cast<u8>(c) == 0xa0;
}
constexpr bool is_separator(char c) { return c == ' ' || c == '\t' || c == '\n'; }
constexpr u32 kNoDigit = 99;
constexpr u32 digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<u32>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<u32>(lower - 'a') + 10 : kNoDigit;
}

struct Number {
  u64 magnitude = 0;
  bool is_negative = false;
};

// What is left of a text that is written.
class Written {
 public:
  Written(const char* text, std::size_t size) : at_(text), end_(text + size) {}

  void skip_spaces() {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  // Linux: kernel/sysctl.c:proc_get_long(). 0 or -EINVAL.
  int take(Number* number) {
    // So many characters are looked at; a number that fills them might go on behind.
    constexpr std::size_t kLongest = 21;
    const char* const limit = left() > kLongest ? at_ + kLongest : end_;
    const char* p = at_;
    number->is_negative = left() > 1 && *p == '-';
    if (number->is_negative) ++p;
    if (p == limit || *p < '0' || *p > '9' || !take_digits(p, limit, &number->magnitude))
      return -EINVAL;
    if (p == at_ + kLongest || (p != end_ && !is_separator(*p))) return -EINVAL;
    at_ = p;
    return 0;
  }

 private:
  // Linux: lib/kstrtox.c:_parse_integer_fixup_radix(), _parse_integer(). False if it is too large.
  static bool take_digits(const char*& p, const char* limit, u64* value) {
    u32 base = 10;
    if (*p == '0') {
      const bool is_hexadecimal =
          limit - p > 2 && (p[1] | 0x20) == 'x' && digit_of(p[2]) != kNoDigit;
      base = is_hexadecimal ? 16 : 8;
      if (is_hexadecimal) p += 2;
    }
    *value = 0;
    for (; p != limit && digit_of(*p) < base; ++p) {
      if (__builtin_mul_overflow(*value, base, value) ||
          __builtin_add_overflow(*value, digit_of(*p), value))
        return false;
    }
    return true;
  }

  const char* at_;
  const char* end_;
};

// Linux: kernel/sysctl.c:do_proc_dointvec_conv(). False if it is no int.
bool to_int(const Number& number, i64* value) {
  const u64 limit = static_cast<u64>(kIntMax) + (number.is_negative ? 1 : 0);
  if (number.magnitude > limit) return false;
  *value = static_cast<i64>(number.magnitude);
  if (number.is_negative) *value = -*value;
  return true;
}

// --------------------------------------------------------------------------- storing

// 0, -EINVAL, -ERANGE.
int store(Task& task, const Sysctl& sysctl, u32 index, const Number& number) {
  const Cell& cell = *task.cell;
  if (sysctl.kind == Kind::Longs) {
    if (number.is_negative) return -EINVAL;
    store_relaxed(long_of(cell, sysctl), number.magnitude);
    return 0;
  }
  i64 value;
  if (!to_int(number, &value)) return -EINVAL;
  const bool is_in_range = value >= sysctl.min && value <= sysctl.max;
  if (sysctl.kind == Kind::Semaphores) {
    // Linux: ipc/util.h:sem_check_semmni()
    if (index + 1 == sysctl.count && !is_in_range) return -ERANGE;
  } else if (!is_in_range) {
    return -EINVAL;
  }
  if (sysctl.kind != Kind::Dummy)
    store_relaxed(word_of(cell, sysctl, index), static_cast<u32>(value));
  return 0;
}

// Linux: kernel/sysctl.c:do_proc_dointvec(), do_proc_doulongvec_minmax(). Bytes that count as
// written, or -errno.
long write_numbers(Task& task, const Sysctl& sysctl, const char* text, std::size_t size) {
  const std::size_t looked_at = size < kSysctlWritten ? size : kSysctlWritten;
  Written written(text, looked_at);
  u32 index = 0;
  int range_error = 0;
  for (; index < sysctl.count; ++index) {
    written.skip_spaces();
    if (written.left() == 0) break;
    Number number;
    if (written.take(&number) != 0) return -EINVAL;
    const int error = store(task, sysctl, index, number);
    if (error == -EINVAL) return error;
    if (error != 0) range_error = error;
  }
  if (index == 0) return -EINVAL;
  written.skip_spaces();
  return range_error != 0 ? range_error : static_cast<long>(size - written.left());
}

Registry* registry_of(const Cell& cell, const Sysctl& sysctl) {
  for (u32 family = 0; family < kFamilies; ++family) {
    if (sysctl.place == place_of_next_id(family)) return &cell.layout().registries[family];
  }
  return nullptr;
}

// The registry is locked, so that a transaction that is taken back doesn't bring an older id back.
long write_next_id(Task& task, const Sysctl& sysctl, const char* text, std::size_t size) {
  Registry* const registry = registry_of(*task.cell, sysctl);
  if (registry == nullptr) return -EINVAL;
  Locked locked(task, registry->lock);
  return write_numbers(task, sysctl, text, size);
}

// Linux: ipc/ipc_sysctl.c:proc_ipc_dointvec_minmax_orphans()
long write_orphans(Task& task, const Sysctl& sysctl, const char* text, std::size_t size) {
  // Who is dead by now died under what was set until now.
  sweep_segments(task);
  const long result = write_numbers(task, sysctl, text, size);
  if (result >= 0) remove_orphans(task);
  return result;
}

}  // namespace

const Sysctl& sysctl_at(u32 number) { return kTable[number]; }

u32 find_sysctl(const char* name, std::size_t length) {
  for (u32 number = 0; number < kSysctls; ++number) {
    const char* const known = kTable[number].name;
    std::size_t n = 0;
    while (n < length && known[n] != '\0' &&
           (known[n] == name[n] || (known[n] == '.' && name[n] == '/')))
      ++n;
    if (n == length && known[n] == '\0') return number;
  }
  return kSysctls;
}

// Linux: kernel/sysctl.c:do_proc_dointvec(), do_proc_doulongvec_minmax()
std::size_t sys_sysctl_print(Task& task, u32 number, char* out) {
  const Sysctl& sysctl = kTable[number];
  TextWriter text(out, kSysctlText);
  for (u32 index = 0; index < sysctl.count; ++index) {
    if (index != 0) text.put_char('\t');
    if (sysctl.kind == Kind::Longs) {
      text.put_unsigned(load_relaxed(long_of(*task.cell, sysctl)), 0);
    } else {
      const u32 word =
          sysctl.kind == Kind::Dummy ? 0 : load_relaxed(word_of(*task.cell, sysctl, index));
      text.put_signed(static_cast<i32>(word), 0);
    }
  }
  text.put_char('\n');
  return text.used();
}

// Linux: ipc/ipc_sysctl.c:ipc_permissions(), ipc/mq_sysctl.c:mq_permissions(). Who owns the cell is
// the root of its namespace.
bool sys_sysctl_may_write(const Task& task, u32 number) {
  const Cred& cred = *task.cred;
  const bool is_owner = cred.euid == task.cell->owner() && cred.euid != 0;
  if (is_owner) return true;
  if (kTable[number].kind == Kind::NextId)
    return cred.has_capability(kCapCheckpointRestore) || cred.has_capability(kCapSysAdmin);
  return cred.euid == 0;
}

// Linux: fs/proc/proc_sysctl.c:proc_sys_call_handler()
long sys_sysctl_write(Task& task, u32 number, const char* text, std::size_t size, i64 position) {
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  const Sysctl& sysctl = kTable[number];
  if (!sys_sysctl_may_write(task, number)) return -EPERM;
  // Linux: kernel/sysctl.c:proc_first_pos_non_zero_ignore(), as kernel.sysctl_writes_strict is 1.
  if (size == 0 || position != 0) return static_cast<long>(size);
  long result;
  switch (sysctl.kind) {
    case Kind::NextId: result = write_next_id(task, sysctl, text, size); break;
    case Kind::Orphans: result = write_orphans(task, sysctl, text, size); break;
    default: result = write_numbers(task, sysctl, text, size); break;
  }
  reap_met(task);
  return result;
}

}  // namespace ipcell
