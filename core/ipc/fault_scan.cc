#include "core/ipc/fault_scan.h"

namespace ipcell {

namespace {

constexpr i64 kLongMax = 0x7fffffffffffffff;
constexpr u64 kBillion = 1000000000;
constexpr u32 kNoDigit = 99;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_word_char(char c) { return is_digit(c) || is_letter(c) || c == '_'; }

constexpr u32 digit_of(char c) {
  if (is_digit(c)) return static_cast<u32>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<u32>(lower - 'a') + 10 : kNoDigit;
}

bool is_one_of(char c, const char* set) {
  for (; *set != '\0'; ++set) {
    if (*set == c) return true;
  }
  return false;
}

}  // namespace

// --------------------------------------------------------------------------- complaints

FaultComplaint::FaultComplaint(FaultError* error, const char* base, FaultSpan where)
    : error_(error) {
  if (error == nullptr) return;
  *error = {};
  error->column = static_cast<u32>(where.text - base) + 1;
  error->length = where.length == 0 ? 1 : static_cast<u32>(where.length);
}

void FaultComplaint::put(const char* text, std::size_t length) const {
  if (error_ == nullptr) return;
  constexpr std::size_t kRoom = sizeof error_->message - 1;
  const std::size_t used = __builtin_strlen(error_->message);
  for (std::size_t n = 0; n < length && used + n < kRoom; ++n) error_->message[used + n] = text[n];
}

const FaultComplaint& FaultComplaint::operator<<(const char* text) const {
  put(text, __builtin_strlen(text));
  return *this;
}

const FaultComplaint& FaultComplaint::operator<<(i64 number) const {
  char digits[24];
  TextWriter writer(digits, sizeof digits);
  writer.put_signed(number, 0);
  put(digits, writer.used());
  return *this;
}

const FaultComplaint& FaultComplaint::operator<<(FaultSpan text) const {
  constexpr std::size_t kShown = 40;
  *this << "`";
  put(text.text, text.length < kShown ? text.length : kShown);
  return *this << (text.length > kShown ? "...`" : "`");
}

const FaultComplaint& FaultComplaint::list(FaultWords words) const {
  for (u32 n = 0; n < words.count; ++n) {
    *this << (n == 0 ? "" : n + 1 == words.count ? " or " : ", ") << words.first[n].name;
  }
  return *this;
}

const FaultComplaint& FaultComplaint::list_calls(u32 ops) const {
  const char* separator = "";
  for (const FaultWord& word : fault_call_words()) {
    if ((ops & word.ops) == 0) continue;
    *this << separator << word.name;
    separator = ", ";
  }
  return *this;
}

// --------------------------------------------------------------------------- words

void FaultScanner::skip_blanks() {
  while (at_ != end_ && is_fault_space(*at_)) ++at_;
}

bool FaultScanner::take(char c) {
  const char* p = at_;
  while (p != end_ && is_fault_space(*p)) ++p;
  if (p == end_ || *p != c) return false;
  at_ = p + 1;
  return true;
}

FaultSpan FaultScanner::take_word(const char* also) {
  const char* const start = at_;
  while (at_ != end_ && (is_word_char(*at_) || is_one_of(*at_, also))) ++at_;
  return since(start);
}

FaultSpan FaultScanner::look_at_word() const {
  FaultScanner ahead = *this;
  ahead.skip_blanks();
  const char* const start = ahead.at_;
  const FaultSpan word = ahead.take_word("_.*?-");
  return word.length != 0 || start == end_ ? word : FaultSpan{start, 1};
}

bool FaultScanner::take_text(const char* what, FaultSpan* text) {
  skip_blanks();
  const char* const start = at_;
  if (peek() == '"') {
    ++at_;
    while (at_ != end_ && *at_ != '"') ++at_;
    if (at_ == end_) return complain(since(start)) << "expected a `\"` at the end of " << what;
    *text = {start + 1, static_cast<std::size_t>(at_ - start - 1)};
    ++at_;
  } else {
    while (at_ != end_ && *at_ != ',' && *at_ != ']') {
      if (*at_ == '"')
        return complain({at_, 1}) << "expected quotes around all of " << what << ", or none";
      ++at_;
    }
    const char* last = at_;
    while (last != start && is_fault_space(last[-1])) --last;
    *text = {start, static_cast<std::size_t>(last - start)};
  }
  if (text->length == 0) return complain(since(start)) << "expected " << what;
  return true;
}

// --------------------------------------------------------------------------- numbers

// False if there is no number at all. What is taken goes on up to the word's end.
bool FaultScanner::take_digits(FaultSpan* token, bool* is_negative, u64* magnitude,
                               bool* is_too_large) {
  const char* const start = at_;
  const char* p = at_;
  *is_negative = p != end_ && *p == '-';
  if (*is_negative) ++p;
  if (p == end_ || !is_digit(*p)) return false;
  u32 base = 10;
  if (*p == '0' && end_ - p > 1) {
    const bool is_hexadecimal = end_ - p > 2 && (p[1] | 0x20) == 'x' && digit_of(p[2]) != kNoDigit;
    if (is_hexadecimal) p += 2;
    base = is_hexadecimal ? 16 : 8;
  }
  *magnitude = 0;
  *is_too_large = false;
  for (; p != end_ && digit_of(*p) < base; ++p) {
    if (__builtin_mul_overflow(*magnitude, static_cast<u64>(base), magnitude) ||
        __builtin_add_overflow(*magnitude, static_cast<u64>(digit_of(*p)), magnitude))
      *is_too_large = true;
  }
  at_ = p;
  *token = since(start);
  return true;
}

bool FaultScanner::take_scaled(const char* what, FaultRange range, bool is_size, i64* value) {
  skip_blanks();
  const char* const start = at_;
  FaultSpan token;
  bool is_negative, is_too_large;
  u64 magnitude;
  if (!take_digits(&token, &is_negative, &magnitude, &is_too_large))
    return complain() << "expected " << what;
  if (is_size) {
    const char unit = static_cast<char>(peek() & ~0x20);
    const u32 shift = unit == 'K' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : 0;
    if (shift != 0) {
      is_too_large = is_too_large || magnitude > ~0ull >> shift;
      magnitude <<= shift;
      ++at_;
    }
  }
  if (at_ != end_ && is_word_char(*at_)) {
    take_word("");
    return complain(since(start)) << since(start) << " is no number; expected " << what;
  }
  const u64 limit = is_negative ? 1ull << 63 : ~0ull >> 1;
  *value = static_cast<i64>(is_negative ? 0 - magnitude : magnitude);
  if (is_too_large || magnitude > limit || *value < range.least || *value > range.most) {
    const FaultComplaint complaint = complain(since(start));
    complaint << since(start) << " is out of range: expected " << what << " of ";
    if (range.most == kLongMax && !is_too_large && magnitude <= limit)
      return complaint << "at least " << range.least;
    return complaint << range.least << " to " << range.most;
  }
  return true;
}

bool FaultScanner::take_number(const char* what, FaultRange range, i64* value) {
  return take_scaled(what, range, false, value);
}
bool FaultScanner::take_size(const char* what, FaultRange range, i64* value) {
  return take_scaled(what, range, true, value);
}

// Digits, and behind a point at most nine.
bool FaultScanner::take_decimal(const char* what, Decimal* value) {
  skip_blanks();
  const char* const start = at_;
  *value = {0, 0};
  if (!is_digit(peek())) return complain() << "expected " << what;
  bool is_too_large = false;
  for (; is_digit(peek()); ++at_) {
    if (value->whole > kBillion * kBillion) is_too_large = true;
    value->whole = value->whole * 10 + digit_of(*at_);
  }
  // Two points are the middle of a range.
  const bool has_fraction = end_ - at_ > 1 && at_[0] == '.' && at_[1] != '.';
  if (has_fraction) {
    ++at_;
    if (!is_digit(peek())) return complain() << "expected digits behind the point";
    u64 unit = kBillion;
    for (; is_digit(peek()); ++at_) {
      unit /= 10;
      if (unit == 0) return complain({at_, 1}) << "expected at most nine digits behind the point";
      value->billionths += unit * digit_of(*at_);
    }
  }
  if (is_too_large) return complain(since(start)) << since(start) << " is too large";
  return true;
}

bool FaultScanner::take_duration(i64* value) {
  constexpr const char* kWhat = "a duration, as `10ms` or `1.5s`";
  static constexpr FaultWord kUnits[] = {
      {"ns", 0, 0, 1},         {"us", 0, 0, 1000},         {"ms", 0, 0, 1000000},
      {"s", 0, 0, 1000000000}, {"min", 0, 0, 60000000000}, {"h", 0, 0, 3600000000000},
  };
  constexpr FaultWords kList = {kUnits, sizeof kUnits / sizeof kUnits[0]};
  skip_blanks();
  const char* const start = at_;
  Decimal number;
  if (!take_decimal(kWhat, &number)) return false;
  const FaultSpan unit = take_word("");
  const FaultWord* const word = find_fault_word(kList, unit);
  if (word == nullptr) {
    return (complain(unit.length == 0 ? look_at_word() : unit) << "expected the duration's unit: ")
        .list(kList);
  }
  const u64 scale = static_cast<u64>(word->value);
  u64 total;
  // Units below a second divide a billion, the others are multiples of it.
  const u64 fraction = scale >= kBillion ? number.billionths * (scale / kBillion)
                                         : number.billionths / (kBillion / scale);
  if (__builtin_mul_overflow(number.whole, scale, &total) ||
      __builtin_add_overflow(total, fraction, &total) || total > ~0ull >> 1)
    return complain(since(start)) << since(start) << " is too long";
  *value = static_cast<i64>(total);
  return true;
}

bool FaultScanner::take_chance(u64* value) {
  constexpr const char* kWhat = "a chance, as `0.25` or `25%`";
  skip_blanks();
  const char* const start = at_;
  Decimal number;
  if (!take_decimal(kWhat, &number)) return false;
  const bool is_percentage = peek() == '%';
  if (is_percentage) ++at_;
  const u64 whole = is_percentage ? 100 : 1;
  if (number.whole > whole || (number.whole == whole && number.billionths != 0)) {
    return complain(since(start)) << since(start)
                                  << " is out of range: expected a chance from 0 to "
                                  << (is_percentage ? "100%" : "1");
  }
  // 2^32 * number / whole in two steps, each of which fits 64 bits.
  const u64 part = number.whole * kBillion + number.billionths, all = whole * kBillion;
  const u64 high = part << 26;
  *value = ((high / all) << 6) + ((high % all) << 6) / all;
  if (*value == 0 && part != 0)
    return complain(since(start)) << since(start) << " is too small a chance";
  return true;
}

}  // namespace ipcell
