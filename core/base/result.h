// Kernel-style results: a value, or -errno.
#pragma once

#include <cerrno>

namespace ipcell {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(value), error_(0) {}  // NOLINT(google-explicit-constructor)
  static Result failure(int negative_errno) { return Result(negative_errno, Failure{}); }

  bool ok() const { return error_ == 0; }
  int error() const { return error_; }  // -errno, or 0
  T& operator*() { return value_; }
  T* operator->() { return &value_; }

 private:
  struct Failure {};
  Result(int error, Failure) : value_(), error_(error) {}

  T value_;
  int error_;
};

}  // namespace ipcell
