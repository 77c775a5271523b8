#include "tests/model/traffic.h"

#include "core/syscalls.h"

namespace ipcell::model {

namespace {

struct Head {
  u32 sender;
  u32 number;
  u32 size;  // bytes of text after the head
  u32 checksum;
};

struct Buffer {
  long type;
  Head head;
  u8 text[kLongestLetter];
};

thread_local Buffer received;
thread_local long received_size = -1;

u32 checksum_of(const Buffer& buffer) {
  u32 sum = static_cast<u32>(buffer.type) * 31 + buffer.head.sender;
  sum = sum * 31 + buffer.head.number;
  sum = sum * 31 + buffer.head.size;
  for (u32 n = 0; n < buffer.head.size; ++n) sum = sum * 31 + buffer.text[n];
  return sum;
}

}  // namespace

long send_letter(Task& task, int id, const Letter& letter, std::size_t size, int flags) {
  static thread_local Buffer buffer;
  if (size > kLongestLetter) size = kLongestLetter;
  buffer.type = letter.type;
  buffer.head = {letter.sender, letter.number, static_cast<u32>(size), 0};
  for (std::size_t n = 0; n < size; ++n)
    buffer.text[n] = static_cast<u8>(letter.number * 7 + letter.sender + n * 5);
  buffer.head.checksum = checksum_of(buffer);
  return sys_msgsnd(task, id, &buffer, sizeof(Head) + size, flags);
}

long receive_letter(Task& task, int id, long type, int flags, Letter* letter) {
  Buffer& buffer = received;
  received_size = sys_msgrcv(task, id, &buffer, sizeof buffer - sizeof buffer.type, type, flags);
  if (received_size >= 0) *letter = {buffer.head.sender, buffer.head.number, buffer.type};
  return received_size;
}

bool is_letter_sound() {
  const long wanted = static_cast<long>(sizeof(Head)) + received.head.size;
  return received_size == wanted && received.head.checksum == checksum_of(received);
}

}  // namespace ipcell::model
