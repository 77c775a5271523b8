// A struct timespec in the program's memory. A 32-bit program has two: that of old, and the one of
// _TIME_BITS=64, which is the 64-bit program's.
#pragma once

#include <cerrno>
#include <type_traits>

#include "core/base/clock.h"
#include "core/base/usercopy.h"

namespace ipcell {

class UserTime {
 public:
  UserTime(const struct timespec* place)  // NOLINT(google-explicit-constructor)
      : place_(place) {}
  // A struct timespec of 64-bit time.
  static UserTime wide(const void* place) {
    UserTime time(nullptr);
    time.place_ = place;
    time.width_.be_wide();
    return time;
  }

  explicit operator bool() const { return place_ != nullptr; }
  // 0, or -EFAULT. Linux: kernel/time/time.c:get_timespec64(), get_old_timespec32()
  int read(KernelTimespec* time) const {
    if (sizeof(long) == sizeof(i64)) return copy_from_user(time, place_, sizeof *time);
    if (width_.is_wide) {
      if (copy_from_user(time, place_, sizeof *time) != 0) return -EFAULT;
      // Above are 32 bits of padding.
      time->nanoseconds = static_cast<i64>(static_cast<u64>(time->nanoseconds) & 0xffffffffu);
      return 0;
    }
    i32 words[2];
    if (copy_from_user(words, place_, sizeof words) != 0) return -EFAULT;
    *time = {words[0], words[1]};
    return 0;
  }

 private:
  // On a 64-bit machine there is one kind, and the whole of this goes in a register.
  struct Either {
    bool is_wide = false;
    void be_wide() { is_wide = true; }
  };
  struct Wide {
    static constexpr bool is_wide = true;
    void be_wide() {}
  };

  const void* place_;
  [[no_unique_address]] std::conditional_t<sizeof(long) == sizeof(i64), Wide, Either> width_;
};

}  // namespace ipcell
