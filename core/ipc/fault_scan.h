// Reading the text of a fault rule: a place in it, words and numbers, and the complaint about what
// is not as it should be. Inside of the parser.
#pragma once

#include "core/ipc/fault_parse.h"
#include "core/ipc/fault_words.h"

namespace ipcell {

// Writes a FaultError's message. It is false, so that a parser can return it.
class FaultComplaint {
 public:
  // `error`: may be nullptr, where nobody wants to know. Columns count from `base`.
  FaultComplaint(FaultError* error, const char* base, FaultSpan where);

  const FaultComplaint& operator<<(const char* text) const;
  const FaultComplaint& operator<<(i64 number) const;
  // In backquotes, cut if it is long.
  const FaultComplaint& operator<<(FaultSpan text) const;
  operator bool() const { return false; }  // NOLINT(google-explicit-constructor)

  void mark_illegal() const {
    if (error_ != nullptr) error_->is_illegal = 1;
  }

  // "a, b or c"
  const FaultComplaint& list(FaultWords words) const;
  // "msgsnd, msgrcv"; of many the first few.
  const FaultComplaint& list_calls(u32 ops) const;

 private:
  void put(const char* text, std::size_t length) const;

  FaultError* error_;
};

// Ranges are those of what is asked for.
struct FaultRange {
  i64 least, most;
};

class FaultScanner {
 public:
  FaultScanner(const char* text, std::size_t length, FaultError* error)
      : base_(text), at_(text), end_(text + length), error_(error) {}

  const char* at() const { return at_; }
  bool is_at_end() const { return at_ == end_; }
  char peek() const { return at_ == end_ ? '\0' : *at_; }
  void skip_blanks();
  // Takes blanks and the character, or neither.
  bool take(char c);
  void advance(std::size_t count) { at_ += count; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  // Letters, digits, and what is in `also`.
  FaultSpan take_word(const char* also);
  // What a complaint shows where none of the words known was found.
  FaultSpan look_at_word() const;
  // For a part of the text.
  FaultScanner over(FaultSpan part) const {
    FaultScanner other = *this;
    other.at_ = part.text;
    other.end_ = part.end();
    return other;
  }
  FaultSpan since(const char* start) const {
    return {start, static_cast<std::size_t>(at_ - start)};
  }

  // Decimal, hexadecimal or octal; with `K`, `M`, `G` if it is a size. The complaint says `what`
  // was expected.
  bool take_number(const char* what, FaultRange range, i64* value);
  bool take_size(const char* what, FaultRange range, i64* value);
  // "10ms", "1.5s": nanoseconds.
  bool take_duration(i64* value);
  // "0.25" or "25%": in 2^32nds.
  bool take_chance(u64* value);
  // What stands up to one of `,` and `]`, or in quotes.
  bool take_text(const char* what, FaultSpan* text);

  FaultComplaint complain(FaultSpan where) const { return {error_, base_, where}; }
  // About what comes next.
  FaultComplaint complain() const { return complain(look_at_word()); }

 private:
  struct Decimal {
    u64 whole;
    u64 billionths;
  };
  bool take_digits(FaultSpan* token, bool* is_negative, u64* magnitude, bool* is_too_large);
  bool take_scaled(const char* what, FaultRange range, bool is_size, i64* value);
  bool take_decimal(const char* what, Decimal* value);

  const char* base_;
  const char* at_;
  const char* end_;
  FaultError* error_;
};

constexpr bool is_fault_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

}  // namespace ipcell
