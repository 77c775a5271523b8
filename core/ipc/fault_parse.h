// Rules of fault injection, made of text. docs/faults.md has the grammar.
#pragma once

#include "core/cell/fault_rule.h"

namespace ipcell {

// Where a text went wrong.
struct FaultError {
  u32 column = 0;          // in bytes, from 1
  u32 length = 0;          // bytes that are wrong, at least 1
  u32 is_illegal = 0;      // 1: allow_illegal would let it pass
  char message[320] = {};  // what is wrong and what was expected; no full stop
};

struct FaultParseOptions {
  // Outcomes that Linux could not give, and unsafe.*
  bool allow_illegal = false;
  // Judges an extended regular expression; nullptr: any will do.
  bool (*is_regex)(const char* text, std::size_t length) = nullptr;
};

// The length of the text's first rule: up to the `;` or the line's end that ends it, or the text's.
std::size_t fault_rule_length(const char* text, std::size_t length);

// True if there is nothing but blanks and a comment (`#` to the line's end).
bool is_fault_blank(const char* text, std::size_t length);

// One rule, blanks around it allowed. False: `error` says why, and columns count from `text`.
bool parse_fault_rule(const char* text, std::size_t length, const FaultParseOptions& options,
                      FaultRule* rule, FaultError* error);

// Names, as rules have them. nullptr if there is none.
const char* name_of(FaultOp op);
const char* name_of_errno(int number);  // "ENOMEM"

}  // namespace ipcell
