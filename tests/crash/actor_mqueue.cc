// What actors do with POSIX queues.
#include <dirent.h>
#include <mqueue.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "tests/crash/actor.h"

namespace crash {

namespace {

// Each run's cell is fresh, and counts its pipes from 1 on.
constexpr int kPipes = 64;

constexpr struct timespec kPast = {0, 0};

void name_of(int queue, char (&name)[8]) { std::snprintf(name, sizeof name, "q%d", queue); }

int count_pipes(const std::string& folder) {
  DIR* entries = opendir((folder + "/mq").c_str());
  if (entries == nullptr) return 0;
  int count = 0;
  while (const struct dirent* entry = readdir(entries)) count += entry->d_name[0] != '.';
  closedir(entries);
  return count;
}

}  // namespace

void remove_pipes(const char* folder) {
  char path[100];
  for (int n = 1; n <= kPipes; ++n) {
    std::snprintf(path, sizeof path, "%s/mq/%d", folder, n);
    unlink(path);
  }
  std::snprintf(path, sizeof path, "%s/mq", folder);
  rmdir(path);
}

void Actor::make_mqueue(int queue, long most, long size) {
  char name[8];
  name_of(queue, name);
  struct mq_attr shape = {};
  shape.mq_maxmsg = most;
  shape.mq_msgsize = size;
  const ipcell::MqueueOpen request = {name, O_RDWR | O_CREAT | O_EXCL, 0600, &shape, 0, ~0ull};
  const long fd = ipcell::sys_mq_open(task, request, &mqueues[queue]);
  expect(fd >= 0, "mq_open failed: %ld", fd);
  board.mqueue_records[queue] = mqueues[queue].queue;
}

long Actor::open_mqueue(int queue, int flags) {
  char name[8];
  name_of(queue, name);
  const ipcell::MqueueOpen request = {name, flags, 0600, nullptr, 0, ~0ull};
  const long fd = ipcell::sys_mq_open(task, request, &mqueues[queue]);
  return fd >= 0 ? 0 : fd;
}

long Actor::unlink_mqueue(int queue) {
  char name[8];
  name_of(queue, name);
  return ipcell::sys_mq_unlink(task, name);
}

long Actor::close_mqueue(int queue) {
  ipcell::sys::call(SYS_close, mqueues[queue].fd);
  mqueues[queue].fd = -1;
  ipcell::sys_mq_closed(task);
  return 0;
}

long Actor::mq_send_loaded(int queue, const struct timespec* deadline) {
  return ipcell::sys_mq_timedsend(task, mqueues[queue], reinterpret_cast<const char*>(buffer.text),
                                  me.message.size, static_cast<ipcell::u32>(me.message.type),
                                  deadline);
}

long Actor::mq_send(int queue, const Message& message) {
  load(message);
  return mq_send_loaded(queue);
}

long Actor::mq_receive_raw(int queue, const struct timespec* deadline) {
  ipcell::u32 priority = 0;
  const long result =
      ipcell::sys_mq_timedreceive(task, mqueues[queue], reinterpret_cast<char*>(buffer.text),
                                  sizeof buffer.text, &priority, deadline);
  buffer.type = static_cast<long>(priority);
  return result;
}

long Actor::mq_receive(int queue, const struct timespec* deadline) {
  const long result = mq_receive_raw(queue, deadline);
  if (result >= 0) check_text(static_cast<std::uint32_t>(result));
  return result;
}

std::vector<Message> Actor::mq_drain(int queue) {
  std::vector<Message> messages;
  while (mq_receive(queue, &kPast) >= 0) messages.push_back(me.message);
  return messages;
}

// With a queue of another name than the scenario's.
void Actor::exercise_mqueue() {
  const int queue = kMaxMqueues - 1;
  make_mqueue(queue, 4, 9000);
  std::uint8_t tag = 220;
  for (const Message& message :
       {Message{3, 0, 0}, Message{1, 100, ++tag}, Message{9, 8500, ++tag}, Message{3, 5, ++tag}}) {
    expect(mq_send(queue, message) == 0, "afterwards mq_send fails");
  }
  const auto messages = mq_drain(queue);
  expect(messages.size() == 4 && messages[0].type == 9 && messages[1].size == 0 &&
             messages[2].size == 5 && messages[3].type == 1,
         "afterwards messages come in another order");
  expect(unlink_mqueue(queue) == 0, "afterwards mq_unlink fails");
  close_mqueue(queue);
}

void Actor::expect_no_mqueues() {
  for (int queue = 0; queue < kMaxMqueues; ++queue) {
    (void)unlink_mqueue(queue);
    if (mqueues[queue].fd >= 0) close_mqueue(queue);
  }
  ipcell::sys_mq_sweep(task);
  const ipcell::MqueueTable& table = ipcell::mqueue_table(cell);
  expect(table.count == 0 && table.unlinked == 0 && table.first == 0,
         "at the end there are %u message queues", table.count);
  const int pipes = count_pipes(folder_);
  expect(pipes == 0, "at the end there are %d pipes", pipes);
  check(ipcell::CheckMode::Quiescent, "without the message queues");
}

}  // namespace crash
