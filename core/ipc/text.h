// Numbers into text without stdio, for the views of /proc.
#pragma once

#include "core/base/types.h"

namespace ipcell {

class TextWriter {
 public:
  TextWriter(char* out, std::size_t size) : out_(out), size_(size) {}

  void put(const char* text) {
    for (; *text != '\0'; ++text) put_char(*text);
  }
  void put_char(char c) {
    if (used_ < size_) out_[used_] = c;
    ++used_;
  }
  // Right-aligned in `width`, as printf's %*d, %*u and %*o.
  void put_signed(long long value, int width) {
    const bool negative = value < 0;
    const unsigned long long magnitude = negative ? 0ull - static_cast<unsigned long long>(value)
                                                  : static_cast<unsigned long long>(value);
    put_number(magnitude, 10, width, negative);
  }
  void put_unsigned(unsigned long long value, int width) { put_number(value, 10, width, false); }
  void put_octal(unsigned long long value, int width) { put_number(value, 8, width, false); }

  // As printf's %0*llx.
  void put_hex(unsigned long long value, int width) {
    int digits = 1;
    while (digits < 16 && (digits < width || value >> 4 * digits != 0)) ++digits;
    while (digits-- > 0) put_char("0123456789abcdef"[value >> 4 * digits & 15]);
  }

  // Characters put, whether or not they fitted.
  std::size_t used() const { return used_; }
  bool overflowed() const { return used_ > size_; }

 private:
  void put_number(unsigned long long value, unsigned base, int width, bool negative) {
    char digits[24];
    int count = 0;
    do {
      digits[count++] = static_cast<char>('0' + value % base);
      value /= base;
    } while (value != 0);
    if (negative) digits[count++] = '-';
    for (int n = count; n < width; ++n) put_char(' ');
    while (count > 0) put_char(digits[--count]);
  }

  char* out_;
  std::size_t size_;
  std::size_t used_ = 0;
};

}  // namespace ipcell
