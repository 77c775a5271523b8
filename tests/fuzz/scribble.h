// Nonsense for a cell: random bits anywhere, or plausible wrong values at the places that matter.
#pragma once

#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/player.h"

namespace fuzz {

constexpr int kFaultRulesMade = 8;

class Scribbler {
 public:
  explicit Scribbler(const ipcell::Cell& cell);
  // Spoils one place, and if `tells` says on stderr what it did.
  void scribble(Rng& rng, bool tells);

 private:
  struct Field {
    const char* name;
    std::uint64_t offset;
    unsigned size;  // 1, 4 or 8 bytes
  };

  template <class T>
  void add(const char* name, const T& place);
  void add_tables();
  void add_faults();
  void add_registry(ipcell::Registry& registry);
  void add_tasks();
  void add_heap_records();
  std::uint64_t any_value(Rng& rng) const;
  std::uint64_t any_block(Rng& rng) const;
  void store(std::uint64_t offset, unsigned size, std::uint64_t value);

  const ipcell::Cell& cell_;
  std::vector<Field> fields_;
};

}  // namespace fuzz
