#include "tests/crash/actor.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "core/ipc/signature.h"
#include "tests/crash/tracee.h"

// Not inlined and not merged with each other: the driver looks for them.
__attribute__((noinline)) void crash_begin() { asm volatile("int3"); }
__attribute__((noinline)) void crash_end() { asm volatile("nop" ::: "memory"); }

namespace crash {

// One for each process: they fork before they use it.
Buffer buffer;

namespace {

unsigned char text_byte(std::uint8_t tag, std::uint32_t n) {
  return n == 0 ? tag : static_cast<unsigned char>(tag * 31u + n * 7u + n / 251u);
}

// Spinning before a sleep makes instructions without number, of which none does anything.
void never_spin(ipcell::Task& task) {
  task.spin_pause = task.yield_pause = ~0u;
  task.yield_credit = 0;
  task.turn_pause = ~0u;
}

// The time stands still: a second's change would change the number of a victim's instructions.
ipcell::i64 fixed_clock() { return 1'700'000'000; }

}  // namespace

ipcell::TaskIdentity identify() {
  ipcell::TaskIdentity identity;
  identity.pid = getpid();
  identity.tid = static_cast<int>(syscall(SYS_gettid));
  bool is_zombie;
  if (!ipcell::read_process(getpid(), &identity.start_time, &is_zombie)) identity.start_time = 0;
  struct ::stat space;
  if (::stat("/proc/self/ns/pid", &space) == 0) identity.pid_namespace = space.st_ino;
  identity.image = static_cast<ipcell::u32>(getpid());
  return identity;
}

void Actor::expect(bool holds, const char* format, ...) {
  if (holds) return;
  char text[400];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  note_failure(board, "%s", text);
  _exit(3);
}

void Actor::open_cell() {
  const ipcell::Cell::Options options = {ipcell::kLayoutSignature};
  const ipcell::CellStatus status = ipcell::Cell::open(cell_path_, options, &cell);
  expect(status.ok(), "the cell does not open: %s (%d)", status.describe(), status.error);
  cred_.euid = geteuid();
  cred_.egid = cred_.fsgid = getegid();
  cred_.capabilities = 1ull << ipcell::kCapSysResource;
  task.cell = &cell;
  task.cred = &cred_;
  task.clock = fixed_clock;
  never_spin(task);
  task.identity = identify();
  expect(task.identity.start_time != 0, "/proc does not know us");
  addresses.file.set_file(cell, cell_path_);
  task.addresses = &addresses;
  folder_ = std::string(cell_path_).substr(0, std::string(cell_path_).rfind('/'));
  task.folder = folder_.c_str();
}

void Actor::attach() {
  const int error = ipcell::attach_task(task);
  expect(error == 0, "a task cannot attach: %d", error);
  me.slot = task.slot;
}

void Actor::make_queue(int queue, int key, int flags) {
  const long id = ipcell::sys_msgget(task, key, flags | IPC_CREAT);
  expect(id >= 0, "msgget failed: %ld", id);
  board.ids[queue] = static_cast<int>(id);
  board.records[queue] = ipcell::msg_registry(cell).entries[id % ipcell::kMaxIds].record;
}

struct msqid_ds Actor::stat(int queue) {
  struct msqid_ds out;
  const long error = ipcell::sys_msgctl(task, board.ids[queue], IPC_STAT, &out);
  expect(error == 0, "IPC_STAT failed: %ld", error);
  return out;
}

void Actor::set_qbytes(int queue, unsigned long qbytes) {
  struct msqid_ds wanted = stat(queue);
  wanted.msg_qbytes = qbytes;
  const long error = ipcell::sys_msgctl(task, board.ids[queue], IPC_SET, &wanted);
  expect(error == 0, "IPC_SET failed: %ld", error);
}

long Actor::remove(int queue) {
  return ipcell::sys_msgctl(task, board.ids[queue], IPC_RMID, nullptr);
}

void Actor::load(const Message& message) {
  me.message = message;
  buffer.type = message.type;
  for (std::uint32_t n = 0; n < message.size; ++n) buffer.text[n] = text_byte(message.tag, n);
}

long Actor::send_loaded(int queue, int flags) {
  return ipcell::sys_msgsnd(task, board.ids[queue], &buffer, me.message.size, flags);
}

long Actor::send(int queue, const Message& message, int flags) {
  load(message);
  return send_loaded(queue, flags);
}

long Actor::receive_raw(int queue, std::uint32_t size, long type, int flags) {
  return ipcell::sys_msgrcv(task, board.ids[queue], &buffer, size, type, flags);
}

void Actor::check_text(std::uint32_t size) {
  const std::uint8_t tag = size != 0 ? buffer.text[0] : 0;
  for (std::uint32_t n = 0; n < size; ++n) {
    expect(buffer.text[n] == text_byte(tag, n), "a message's text is torn at byte %u of %u", n,
           size);
  }
  me.message = {buffer.type, size, tag};
}

long Actor::receive(int queue, std::uint32_t size, long type, int flags) {
  const long result = receive_raw(queue, size, type, flags);
  if (result >= 0) check_text(static_cast<std::uint32_t>(result));
  return result;
}

std::vector<Message> Actor::drain(int queue) {
  std::vector<Message> messages;
  while (receive(queue, kMaxText, 0, IPC_NOWAIT) >= 0) messages.push_back(me.message);
  return messages;
}

void Actor::fill(int queue, int count, std::uint32_t size, std::uint8_t first_tag, long type) {
  for (int n = 0; n < count; ++n) {
    const long error =
        send(queue, {type, size, static_cast<std::uint8_t>(first_tag + n)}, IPC_NOWAIT);
    expect(error == 0, "the queue can't be filled: %ld", error);
  }
}

// ---------------------------------------------------------------- the survivor's view

bool Actor::is_waiting(int sleeper) const {
  return cell.task(board.sleepers[sleeper].slot)->wait.linked != 0;
}

void Actor::let_sleepers_go() {
  for (const Slate& sleeper : board.sleepers) {
    if (sleeper.pid > 0 && !sleeper.has_ended) kill(sleeper.pid, SIGCONT);
  }
  for (const Slate& contender : board.contenders) {
    if (contender.pid > 0) kill(contender.pid, SIGCONT);
  }
}

long Actor::result_of(int sleeper) {
  Slate& slate = board.sleepers[sleeper];
  if (await(slate.progress, kDone, kWakeLimitMs)) return slate.result;
  const ipcell::WaitNode& node = cell.task(slate.slot)->wait;
  expect(false, "sleeper %d sleeps on: wait word %u, linked %u, state %c", sleeper, node.word,
         node.linked, thread_state(slate.pid));
  return slate.result;
}

void Actor::expect_received(int sleeper, const Message& message) {
  const long result = result_of(sleeper);
  const Message& got = message_of(sleeper);
  expect(result == static_cast<long>(message.size) && got == message,
         "sleeper %d got %ld (type %ld, tag %u) and not tag %u", sleeper, result, got.type, got.tag,
         message.tag);
}

long Actor::result_of_contender(int contender) {
  Slate& slate = board.contenders[contender];
  expect(await(slate.progress, kDone, kWakeLimitMs), "contender %d sleeps on", contender);
  return slate.result;
}

void Actor::touch() {
  // Processes that were there a moment ago may be gone.
  task.stranger_seen_ns = 0;
  struct msginfo info;
  const long result = ipcell::sys_msgctl(task, 0, MSG_INFO, &info);
  expect(result >= 0, "MSG_INFO failed: %ld", result);
  expect(read_proc_sem() > 0, "the text of /proc/sysvipc/sem is empty");
  expect(read_proc_shm() > 0, "the text of /proc/sysvipc/shm is empty");
  ipcell::sys_mq_sweep(task);
}

void Actor::check(ipcell::CheckMode mode, const char* when) {
  char text[300];
  const char* violation = ipcell::check_cell(cell, mode, text, sizeof text);
  expect(violation == nullptr, "%s: %s", when, violation != nullptr ? violation : "");
}

}  // namespace crash
