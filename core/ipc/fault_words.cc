#include "core/ipc/fault_words.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "core/ipc/fault_outcomes.h"
#include "core/ipc/fault_parse.h"

namespace ipcell {

namespace {

template <u32 N>
constexpr FaultWords words_of(const FaultWord (&words)[N]) {
  return {words, N};
}

template <class T>
constexpr i64 number(T value) {
  return static_cast<i64>(value);
}

constexpr FaultWord kCalls[] = {
    {"msgget", 0, bit_of(FaultOp::Msgget), number(FaultOp::Msgget)},
    {"msgsnd", 0, bit_of(FaultOp::Msgsnd), number(FaultOp::Msgsnd)},
    {"msgrcv", 0, bit_of(FaultOp::Msgrcv), number(FaultOp::Msgrcv)},
    {"msgctl", 0, bit_of(FaultOp::Msgctl), number(FaultOp::Msgctl)},
    {"semget", 0, bit_of(FaultOp::Semget), number(FaultOp::Semget)},
    {"semop", 0, bit_of(FaultOp::Semop), number(FaultOp::Semop)},
    {"semtimedop", 0, bit_of(FaultOp::Semtimedop), number(FaultOp::Semtimedop)},
    {"semctl", 0, bit_of(FaultOp::Semctl), number(FaultOp::Semctl)},
    {"shmget", 0, bit_of(FaultOp::Shmget), number(FaultOp::Shmget)},
    {"shmat", 0, bit_of(FaultOp::Shmat), number(FaultOp::Shmat)},
    {"shmdt", 0, bit_of(FaultOp::Shmdt), number(FaultOp::Shmdt)},
    {"shmctl", 0, bit_of(FaultOp::Shmctl), number(FaultOp::Shmctl)},
    {"mq_open", 0, bit_of(FaultOp::MqOpen), number(FaultOp::MqOpen)},
    {"mq_close", 0, bit_of(FaultOp::MqClose), number(FaultOp::MqClose)},
    {"mq_unlink", 0, bit_of(FaultOp::MqUnlink), number(FaultOp::MqUnlink)},
    {"mq_send", 0, bit_of(FaultOp::MqSend), number(FaultOp::MqSend)},
    {"mq_timedsend", 0, bit_of(FaultOp::MqTimedsend), number(FaultOp::MqTimedsend)},
    {"mq_receive", 0, bit_of(FaultOp::MqReceive), number(FaultOp::MqReceive)},
    {"mq_timedreceive", 0, bit_of(FaultOp::MqTimedreceive), number(FaultOp::MqTimedreceive)},
    {"mq_notify", 0, bit_of(FaultOp::MqNotify), number(FaultOp::MqNotify)},
    {"mq_getattr", 0, bit_of(FaultOp::MqGetattr), number(FaultOp::MqGetattr)},
    {"mq_setattr", 0, bit_of(FaultOp::MqSetattr), number(FaultOp::MqSetattr)},
};
static_assert(words_of(kCalls).count == kFaultOps);

constexpr FaultWord kGroups[] = {
    {"sysv.*", 0, kSysvOps, 0}, {"posix.*", 0, kMqOps, 0}, {"msg.*", 0, kMsgOps, 0},
    {"sem.*", 0, kSemOps, 0},   {"shm.*", 0, kShmOps, 0},  {"mq.*", 0, kMqOps, 0},
};

// --------------------------------------------------------------------------- predicates

constexpr u32 kIdOps = kSysvOps & ~kGetOps & ~bit_of(FaultOp::Shmdt);

constexpr FaultWord kFields[] = {
    {"key", 0, kGetOps | kIdOps, number(FaultField::Key)},
    {"name", 0, kMqOps, number(FaultField::Name)},
    {"id", 0, kIdOps, number(FaultField::Id)},
    {"type", 0, FaultOp::Msgsnd | FaultOp::Msgrcv, number(FaultField::Type)},
    {"prio", 0, kMqSendOps, number(FaultField::Prio)},
    {"size", 0, kSendOps | kReceiveOps | FaultOp::Shmget, number(FaultField::Size)},
    {"nsems", 0, kSemopOps | FaultOp::Semget, number(FaultField::Nsems)},
    {"sem", 0, kSemopOps | FaultOp::Semctl, number(FaultField::Sem)},
    {"cmd", 0, kCtlOps, number(FaultField::Command)},
    {"flag", 0, kAllOps, number(FaultField::Flag)},
    {"depth", 0, kSendOps | kReceiveOps, number(FaultField::Depth)},
    {"block", 0, kBlockingOps, number(FaultField::Block)},
    {"prog", 0, kAllOps, number(FaultField::Program)},
    {"argv", 0, kAllOps, number(FaultField::Arguments)},
    {"proc", 0, kAllOps, number(FaultField::Process)},
    {"thread", 0, kAllOps, number(FaultField::Thread)},
    {"uid", 0, kAllOps, number(FaultField::Uid)},
    {"caller", 0, kAllOps, number(FaultField::Caller)},
    {"after", 0, kAllOps, number(FaultField::After)},
};

constexpr i64 kMsgExcept = 020000, kMsgCopy = 040000;  // Linux: include/uapi/linux/msg.h
constexpr i64 kShmNoreserve = 010000;                  // Linux: include/uapi/linux/shm.h
constexpr u32 kNowaitOps = FaultOp::Msgsnd | FaultOp::Msgrcv | kSemopOps;

constexpr FaultWord kFlags[] = {
    {"IPC_CREAT", 0, kGetOps, IPC_CREAT},
    {"IPC_EXCL", 0, kGetOps, IPC_EXCL},
    {"IPC_NOWAIT", 0, kNowaitOps, IPC_NOWAIT},
    {"MSG_NOERROR", 0, bit_of(FaultOp::Msgrcv), MSG_NOERROR},
    {"MSG_EXCEPT", 0, bit_of(FaultOp::Msgrcv), kMsgExcept},
    {"MSG_COPY", 0, bit_of(FaultOp::Msgrcv), kMsgCopy},
    {"SEM_UNDO", 0, kSemopOps, SEM_UNDO},
    {"SHM_RDONLY", 0, bit_of(FaultOp::Shmat), SHM_RDONLY},
    {"SHM_RND", 0, bit_of(FaultOp::Shmat), SHM_RND},
    {"SHM_REMAP", 0, bit_of(FaultOp::Shmat), SHM_REMAP},
    {"SHM_EXEC", 0, bit_of(FaultOp::Shmat), SHM_EXEC},
    {"SHM_HUGETLB", 0, bit_of(FaultOp::Shmget), SHM_HUGETLB},
    {"SHM_NORESERVE", 0, bit_of(FaultOp::Shmget), kShmNoreserve},
    {"O_CREAT", 0, bit_of(FaultOp::MqOpen), O_CREAT},
    {"O_EXCL", 0, bit_of(FaultOp::MqOpen), O_EXCL},
    {"O_NONBLOCK", 0, kMqSendOps | kMqReceiveOps | FaultOp::MqOpen, O_NONBLOCK},
    {"O_RDONLY", 0, bit_of(FaultOp::MqOpen), O_RDONLY},
    {"O_WRONLY", 0, bit_of(FaultOp::MqOpen), O_WRONLY},
    {"O_RDWR", 0, bit_of(FaultOp::MqOpen), O_RDWR},
};

constexpr FaultWord kCommands[] = {
    {"IPC_RMID", 0, kCtlOps, IPC_RMID},
    {"IPC_SET", 0, kCtlOps, IPC_SET},
    {"IPC_STAT", 0, kCtlOps, IPC_STAT},
    {"IPC_INFO", 0, kCtlOps, IPC_INFO},
    {"MSG_STAT", 0, bit_of(FaultOp::Msgctl), MSG_STAT},
    {"MSG_INFO", 0, bit_of(FaultOp::Msgctl), MSG_INFO},
    {"MSG_STAT_ANY", 0, bit_of(FaultOp::Msgctl), 13},
    {"GETPID", 0, bit_of(FaultOp::Semctl), GETPID},
    {"GETVAL", 0, bit_of(FaultOp::Semctl), GETVAL},
    {"GETALL", 0, bit_of(FaultOp::Semctl), GETALL},
    {"GETNCNT", 0, bit_of(FaultOp::Semctl), GETNCNT},
    {"GETZCNT", 0, bit_of(FaultOp::Semctl), GETZCNT},
    {"SETVAL", 0, bit_of(FaultOp::Semctl), SETVAL},
    {"SETALL", 0, bit_of(FaultOp::Semctl), SETALL},
    {"SEM_STAT", 0, bit_of(FaultOp::Semctl), SEM_STAT},
    {"SEM_INFO", 0, bit_of(FaultOp::Semctl), SEM_INFO},
    {"SEM_STAT_ANY", 0, bit_of(FaultOp::Semctl), 20},
    {"SHM_LOCK", 0, bit_of(FaultOp::Shmctl), SHM_LOCK},
    {"SHM_UNLOCK", 0, bit_of(FaultOp::Shmctl), SHM_UNLOCK},
    {"SHM_STAT", 0, bit_of(FaultOp::Shmctl), SHM_STAT},
    {"SHM_INFO", 0, bit_of(FaultOp::Shmctl), SHM_INFO},
    {"SHM_STAT_ANY", 0, bit_of(FaultOp::Shmctl), 15},
};

// --------------------------------------------------------------------------- triggers, actions

constexpr FaultWord kTriggers[] = {
    {"skip", 0, kAllOps, 0}, {"times", 0, kAllOps, 0}, {"p", 0, kAllOps, 0},
    {"t", 0, kAllOps, 0},    {"per", 0, kAllOps, 0},
};

constexpr FaultWord kScopes[] = {
    {"global", 0, kAllOps, number(FaultScope::Global)},
    {"proc", 0, kAllOps, number(FaultScope::Process)},
    {"thread", 0, kAllOps, number(FaultScope::Thread)},
    {"object", 0, kAllOps, number(FaultScope::Object)},
};

constexpr FaultWord kActions[] = {
    {"err", 0, kAllOps, number(FaultAct::Error)},
    {"eintr", 0, kBlockingOps, number(FaultAct::Interrupt)},
    {"rmid", 0, kAllOps, number(FaultAct::Remove)},
    {"limit", 0, kAllOps, number(FaultAct::Limit)},
    {"full", 0, kBlockingOps, number(FaultAct::Full)},
    {"empty", 0, kReceiveOps, number(FaultAct::Full)},
    {"busy", 0, kSemopOps, number(FaultAct::Full)},
    {"timeout", 0, kDeadlineOps, number(FaultAct::Timeout)},
    {"delay", 0, kAllOps, number(FaultAct::Delay)},
    {"yield", 0, kAllOps, number(FaultAct::Yield)},
    {"stop", 0, kAllOps, number(FaultAct::Stop)},
    {"sig", 0, kAllOps, number(FaultAct::Signal)},
    {"kill", 0, kAllOps, number(FaultAct::Kill)},
    {"exit", 0, kAllOps, number(FaultAct::Exit)},
    {"log", 0, kAllOps, number(FaultAct::Log)},
    {"off", 0, kAllOps, number(FaultAct::Off)},
    {"unsafe.corrupt", 0, kSendOps | kReceiveOps, number(FaultAct::Corrupt)},
    {"unsafe.drop", 0, kSendOps, number(FaultAct::Drop)},
    {"unsafe.dup", 0, kSendOps, number(FaultAct::Duplicate)},
};

constexpr FaultWord kRemovePoints[] = {
    {"before", 0, kAllOps, number(FaultPoint::Enter)},
    {"blocked", 0, kBlockingOps, number(FaultPoint::Blocked)},
};
constexpr FaultWord kKillPoints[] = {
    {"before", 0, kAllOps, number(FaultPoint::Enter)},
    {"blocked", 0, kBlockingOps, number(FaultPoint::Blocked)},
    {"after", 0, kAllOps, number(FaultPoint::Exit)},
};
constexpr FaultWord kDelayPoints[] = {
    {"enter", 0, kAllOps, number(FaultPoint::Enter)},
    {"blocked", 0, kBlockingOps, number(FaultPoint::Blocked)},
    {"woken", 0, kBlockingOps, number(FaultPoint::Woken)},
    {"exit", 0, kAllOps, number(FaultPoint::Exit)},
};

// The calls that a limit has a say in, and those that show it. The ranges are the sysctls' own.
constexpr i64 kIntMax = 0x7fffffff, kLongMax = 0x7fffffffffffffff;
constexpr FaultWord kLimits[] = {
    {"msgmax", 0, FaultOp::Msgsnd | FaultOp::Msgrcv | FaultOp::Msgctl, kIntMax},
    {"msgmnb", 0, FaultOp::Msgget | FaultOp::Msgctl, kIntMax},
    {"msgmni", 0, FaultOp::Msgget | FaultOp::Msgctl, 32768},
    {"semmsl", 0, FaultOp::Semget | FaultOp::Semctl, kIntMax},
    {"semmns", 0, FaultOp::Semget | FaultOp::Semctl, kIntMax},
    {"semopm", 0, kSemopOps | FaultOp::Semctl, kIntMax},
    {"semmni", 0, FaultOp::Semget | FaultOp::Semctl, 32768},
    {"shmmax", 0, FaultOp::Shmget | FaultOp::Shmctl, kLongMax},
    {"shmall", 0, FaultOp::Shmget | FaultOp::Shmctl, kLongMax},
    {"shmmni", 0, FaultOp::Shmget | FaultOp::Shmctl, 32768},
    {"queues_max", 0, bit_of(FaultOp::MqOpen), kIntMax},
    {"msg_max", 1, bit_of(FaultOp::MqOpen), 65536},
    {"msgsize_max", 128, bit_of(FaultOp::MqOpen), 16777216},
};
static_assert(words_of(kLimits).count == kFaultLimits);

constexpr FaultWord kSignals[] = {
    {"SIGHUP", 0, kAllOps, SIGHUP},   {"SIGINT", 0, kAllOps, SIGINT},
    {"SIGQUIT", 0, kAllOps, SIGQUIT}, {"SIGILL", 0, kAllOps, SIGILL},
    {"SIGTRAP", 0, kAllOps, SIGTRAP}, {"SIGABRT", 0, kAllOps, SIGABRT},
    {"SIGBUS", 0, kAllOps, SIGBUS},   {"SIGFPE", 0, kAllOps, SIGFPE},
    {"SIGKILL", 0, kAllOps, SIGKILL}, {"SIGUSR1", 0, kAllOps, SIGUSR1},
    {"SIGSEGV", 0, kAllOps, SIGSEGV}, {"SIGUSR2", 0, kAllOps, SIGUSR2},
    {"SIGPIPE", 0, kAllOps, SIGPIPE}, {"SIGALRM", 0, kAllOps, SIGALRM},
    {"SIGTERM", 0, kAllOps, SIGTERM}, {"SIGSTKFLT", 0, kAllOps, SIGSTKFLT},
    {"SIGCHLD", 0, kAllOps, SIGCHLD}, {"SIGCONT", 0, kAllOps, SIGCONT},
    {"SIGSTOP", 0, kAllOps, SIGSTOP}, {"SIGTSTP", 0, kAllOps, SIGTSTP},
    {"SIGTTIN", 0, kAllOps, SIGTTIN}, {"SIGTTOU", 0, kAllOps, SIGTTOU},
    {"SIGURG", 0, kAllOps, SIGURG},   {"SIGXCPU", 0, kAllOps, SIGXCPU},
    {"SIGXFSZ", 0, kAllOps, SIGXFSZ}, {"SIGVTALRM", 0, kAllOps, SIGVTALRM},
    {"SIGPROF", 0, kAllOps, SIGPROF}, {"SIGWINCH", 0, kAllOps, SIGWINCH},
    {"SIGIO", 0, kAllOps, SIGIO},     {"SIGPOLL", 0, kAllOps, SIGIO},
    {"SIGPWR", 0, kAllOps, SIGPWR},   {"SIGSYS", 0, kAllOps, SIGSYS},
};

// The first of a number is its name. All that a System V or POSIX IPC call is told of anywhere, and
// the common ones beside.
#define IPCELL_ERRNO(name)                                                                         \
  { #name, 0, kAllOps, name }
constexpr FaultWord kErrnos[] = {
    IPCELL_ERRNO(EPERM),        IPCELL_ERRNO(ENOENT),     IPCELL_ERRNO(ESRCH),
    IPCELL_ERRNO(EINTR),        IPCELL_ERRNO(EIO),        IPCELL_ERRNO(ENXIO),
    IPCELL_ERRNO(E2BIG),        IPCELL_ERRNO(ENOEXEC),    IPCELL_ERRNO(EBADF),
    IPCELL_ERRNO(ECHILD),       IPCELL_ERRNO(EAGAIN),     IPCELL_ERRNO(EWOULDBLOCK),
    IPCELL_ERRNO(ENOMEM),       IPCELL_ERRNO(EACCES),     IPCELL_ERRNO(EFAULT),
    IPCELL_ERRNO(ENOTBLK),      IPCELL_ERRNO(EBUSY),      IPCELL_ERRNO(EEXIST),
    IPCELL_ERRNO(EXDEV),        IPCELL_ERRNO(ENODEV),     IPCELL_ERRNO(ENOTDIR),
    IPCELL_ERRNO(EISDIR),       IPCELL_ERRNO(EINVAL),     IPCELL_ERRNO(ENFILE),
    IPCELL_ERRNO(EMFILE),       IPCELL_ERRNO(ENOTTY),     IPCELL_ERRNO(ETXTBSY),
    IPCELL_ERRNO(EFBIG),        IPCELL_ERRNO(ENOSPC),     IPCELL_ERRNO(ESPIPE),
    IPCELL_ERRNO(EROFS),        IPCELL_ERRNO(EMLINK),     IPCELL_ERRNO(EPIPE),
    IPCELL_ERRNO(EDOM),         IPCELL_ERRNO(ERANGE),     IPCELL_ERRNO(EDEADLK),
    IPCELL_ERRNO(ENAMETOOLONG), IPCELL_ERRNO(ENOLCK),     IPCELL_ERRNO(ENOSYS),
    IPCELL_ERRNO(ENOTEMPTY),    IPCELL_ERRNO(ELOOP),      IPCELL_ERRNO(ENOMSG),
    IPCELL_ERRNO(EIDRM),        IPCELL_ERRNO(ENODATA),    IPCELL_ERRNO(ETIME),
    IPCELL_ERRNO(EPROTO),       IPCELL_ERRNO(EBADMSG),    IPCELL_ERRNO(EOVERFLOW),
    IPCELL_ERRNO(EMSGSIZE),     IPCELL_ERRNO(EOPNOTSUPP), IPCELL_ERRNO(ENOTSUP),
    IPCELL_ERRNO(ENOBUFS),      IPCELL_ERRNO(ETIMEDOUT),  IPCELL_ERRNO(ECONNREFUSED),
    IPCELL_ERRNO(EALREADY),     IPCELL_ERRNO(ESTALE),     IPCELL_ERRNO(EDQUOT),
    IPCELL_ERRNO(ECANCELED),    IPCELL_ERRNO(EOWNERDEAD), IPCELL_ERRNO(ENOTRECOVERABLE),
};
#undef IPCELL_ERRNO

// --------------------------------------------------------------------------- spelling

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

constexpr u32 kLongestWord = 24;

// Letters put in, left out, changed, or changed places, without regard to case.
u32 distance(FaultSpan given, const char* word) {
  const u32 length = static_cast<u32>(__builtin_strlen(word));
  // Three rows of the usual table: of the prefixes of `given` with 2, 1, and 0 letters less.
  u32 rows[3][kLongestWord + 1];
  for (u32 n = 0; n <= length; ++n) rows[0][n] = n;
  for (u32 row = 1; row <= given.length; ++row) {
    u32* const now = rows[row % 3];
    const u32* const last = rows[(row + 2) % 3];
    const u32* const last_but_one = rows[(row + 1) % 3];
    now[0] = row;
    for (u32 n = 1; n <= length; ++n) {
      const char c = lower(given.text[row - 1]), d = lower(word[n - 1]);
      u32 least = last[n - 1] + (c == d ? 0 : 1);
      if (last[n] + 1 < least) least = last[n] + 1;
      if (now[n - 1] + 1 < least) least = now[n - 1] + 1;
      const bool is_swapped =
          row > 1 && n > 1 && c == lower(word[n - 2]) && d == lower(given.text[row - 2]);
      if (is_swapped && last_but_one[n - 2] + 1 < least) least = last_but_one[n - 2] + 1;
      now[n] = least;
    }
  }
  return rows[given.length % 3][length];
}

}  // namespace

bool FaultSpan::is(const char* word) const {
  return __builtin_strlen(word) == length && __builtin_memcmp(text, word, length) == 0;
}

FaultWords fault_call_words() { return words_of(kCalls); }
FaultWords fault_group_words() { return words_of(kGroups); }
FaultWords fault_field_words() { return words_of(kFields); }
FaultWords fault_flag_words() { return words_of(kFlags); }
FaultWords fault_command_words() { return words_of(kCommands); }
FaultWords fault_trigger_words() { return words_of(kTriggers); }
FaultWords fault_scope_words() { return words_of(kScopes); }
FaultWords fault_action_words() { return words_of(kActions); }
FaultWords fault_point_words(FaultAct act) {
  if (act == FaultAct::Remove) return words_of(kRemovePoints);
  return act == FaultAct::Kill ? words_of(kKillPoints) : words_of(kDelayPoints);
}
FaultWords fault_limit_words() { return words_of(kLimits); }
FaultWords fault_signal_words() { return words_of(kSignals); }
FaultWords fault_errno_words() { return words_of(kErrnos); }

const FaultWord* find_fault_word(FaultWords words, FaultSpan name) {
  for (const FaultWord& word : words) {
    if (name.is(word.name)) return &word;
  }
  return nullptr;
}

const FaultWord* nearest_fault_word(FaultWords words, FaultSpan name) {
  if (name.length == 0 || name.length > kLongestWord) return nullptr;
  const FaultWord* nearest = nullptr;
  // A third of the letters may be wrong, and at most two.
  u32 least = name.length < 3 ? 1 : name.length < 6 ? 2 : 3;
  for (const FaultWord& word : words) {
    const u32 found = distance(name, word.name);
    if (found >= least) continue;
    least = found;
    nearest = &word;
  }
  return nearest;
}

bool matches_fault_glob(FaultSpan pattern, const char* word) {
  // After a mismatch the last star takes one letter more.
  const char* p = pattern.text;
  const char* star = nullptr;
  const char* taken = nullptr;
  while (*word != '\0') {
    if (p != pattern.end() && *p == '*') {
      star = p++;
      taken = word;
    } else if (p != pattern.end() && (*p == '?' || *p == *word)) {
      ++p;
      ++word;
    } else if (star != nullptr) {
      p = star + 1;
      word = ++taken;
    } else {
      return false;
    }
  }
  while (p != pattern.end() && *p == '*') ++p;
  return p == pattern.end();
}

const char* name_of(FaultOp op) {
  const u32 index = static_cast<u32>(op);
  return index < kFaultOps ? kCalls[index].name : nullptr;
}

const char* name_of_errno(int number) {
  for (const FaultWord& word : kErrnos) {
    if (word.value == number) return word.name;
  }
  return nullptr;
}

const char* manual_page_of(FaultOp op) {
  switch (op) {
    case FaultOp::Msgsnd:
    case FaultOp::Msgrcv: return "msgop(2)";
    case FaultOp::Semtimedop: return "semop(2)";
    case FaultOp::Shmat:
    case FaultOp::Shmdt: return "shmop(2)";
    case FaultOp::MqTimedsend: return "mq_send(3)";
    case FaultOp::MqTimedreceive: return "mq_receive(3)";
    case FaultOp::MqSetattr: return "mq_getattr(3)";
    case FaultOp::Msgget: return "msgget(2)";
    case FaultOp::Msgctl: return "msgctl(2)";
    case FaultOp::Semget: return "semget(2)";
    case FaultOp::Semop: return "semop(2)";
    case FaultOp::Semctl: return "semctl(2)";
    case FaultOp::Shmget: return "shmget(2)";
    case FaultOp::Shmctl: return "shmctl(2)";
    case FaultOp::MqOpen: return "mq_open(3)";
    case FaultOp::MqClose: return "mq_close(3)";
    case FaultOp::MqUnlink: return "mq_unlink(3)";
    case FaultOp::MqSend: return "mq_send(3)";
    case FaultOp::MqReceive: return "mq_receive(3)";
    case FaultOp::MqNotify: return "mq_notify(3)";
    case FaultOp::MqGetattr: return "mq_getattr(3)";
  }
  return "its manual page";
}

bool can_block(FaultOp op) { return (kBlockingOps & bit_of(op)) != 0; }

}  // namespace ipcell
