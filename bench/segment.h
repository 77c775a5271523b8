// A segment for a row, and an attachment of it.
#pragma once

#include <utility>

#include "objects.h"

namespace ipcell::bench {

inline constexpr std::size_t kPage = 4096;

template <class Api>
class Segment : public Object {
 public:
  explicit Segment(std::size_t size)
      : Object([size] { return check(Api::shmget(IPC_PRIVATE, size, IPC_CREAT | 0600), "shmget"); },
               &remove_id) {}

 private:
  static long remove_id(int id) { return Api::shmctl(id, IPC_RMID, nullptr); }
};

template <class Api>
class Attachment {
 public:
  explicit Attachment(int segment)
      : start_(reinterpret_cast<char*>(check(Api::shmat(segment, nullptr, 0), "shmat"))) {}
  ~Attachment() {
    if (start_ != nullptr) Api::shmdt(start_);
  }
  Attachment(Attachment&& other) noexcept : start_(std::exchange(other.start_, nullptr)) {}
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  char* data() const { return start_; }

 private:
  char* start_;
};

}  // namespace ipcell::bench
