// A fault rule while it is made of its text: what the parts of the parser share.
#pragma once

#include "core/ipc/fault_scan.h"

namespace ipcell {

struct FaultDraft {
  FaultScanner in;
  FaultParseOptions options;
  FaultRule* rule;
  const char* text = nullptr;        // where the rule's own text begins
  u32 ops = 0;                       // those left that have all of the predicates' fields
  u32 named = 0;                     // those that are named one by one, and not by a group
  FaultSpan preds[kFaultPreds];      // where they stand
  FaultSpan actions[kFaultActions];  // where they stand
  const FaultWord* words[kFaultActions] = {};  // of the actions: which of its names one has

  FaultText place_of(FaultSpan part) const {
    return {static_cast<u16>(part.text - text), static_cast<u16>(part.length)};
  }
};

// Each takes its part of the text. False: the complaint is made.
bool parse_fault_predicates(FaultDraft& draft);
bool parse_fault_triggers(FaultDraft& draft);
bool parse_fault_actions(FaultDraft& draft);

// Refuses what has no meaning, and what Linux could not do unless that is allowed.
bool judge_fault_rule(FaultDraft& draft);

// `name` is none of the words: says so, and which one was meant, or all that there are.
bool complain_of_word(const FaultDraft& draft, FaultSpan name, const char* kind, FaultWords words);

// An id of a rule: takes it, or complains.
bool take_fault_id(FaultScanner& in, FaultSpan* id);

}  // namespace ipcell
