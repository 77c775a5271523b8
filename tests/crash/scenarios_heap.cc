// The heap: where blocks come from and go to. Each leak or double use shows in check().
#include "tests/crash/scenario.h"

namespace crash {

namespace {

constexpr Message kNew = {5, 10, 9};

long send_loaded(Actor& actor) { return actor.send_loaded(0); }

Messages small_messages(int count) {
  Messages messages;
  for (int n = 0; n < count; ++n) messages.push_back({1, 10, static_cast<std::uint8_t>(n + 1)});
  return messages;
}

Messages with(Messages messages, const Message& last) {
  messages.push_back(last);
  return messages;
}

Messages without_first(Messages messages) {
  messages.erase(messages.begin());
  return messages;
}

constexpr int kLimit = static_cast<int>(ipcell::kCacheLimit[0]);

// The survivor has given more back than it keeps: the heap's own list has blocks.
void fill_free_list(Actor& actor) {
  queue_with(small_messages(2 * kLimit))(actor);
  actor.expect(actor.drain(0).size() == 2 * kLimit, "the set-up cannot drain");
  const auto& heap = actor.cell.layout().heap;
  actor.expect(heap.classes[0].free.count != 0, "the heap's free list is empty");
}

// As many blocks as a task keeps; the next that it frees makes it give some back.
void keep_many(Actor& actor) {
  for (int n = 0; n < kLimit; ++n) {
    actor.expect(actor.receive_raw(0, 100) == 10, "the victim cannot receive");
  }
}

// A chunk's worth of the largest blocks: the next needs another chunk.
Messages large_messages() {
  constexpr int kBlocks = static_cast<int>(ipcell::kChunkSize / ipcell::kBlockSize[7]);
  Messages messages;
  for (int n = 0; n < kBlocks; ++n) messages.push_back({1, 8000, static_cast<std::uint8_t>(n + 1)});
  return messages;
}

}  // namespace

void add_heap_scenarios(std::vector<Scenario>& scenarios) {
  const auto load = [](Actor& actor) { actor.load(kNew); };
  const auto either = [](Messages absent, Messages whole) {
    return [absent, whole](Actor& actor) { return expect_either(actor, 0, absent, whole); };
  };
  scenarios.push_back({.name = "heap-first-chunk",
                       .setup = [](Actor& actor) { actor.make_queue(0); },
                       .prepare = load,
                       .operation = send_loaded,
                       .verify = either({}, {kNew})});
  scenarios.push_back({.name = "heap-carve",
                       .setup = queue_with(small_messages(1)),
                       .prepare = load,
                       .operation = send_loaded,
                       .verify = either(small_messages(1), with(small_messages(1), kNew))});
  scenarios.push_back({.name = "heap-refill",
                       .setup = fill_free_list,
                       .prepare = load,
                       .operation = send_loaded,
                       .verify = either({}, {kNew})});
  constexpr Message kLarge = {5, 8000, 9};
  scenarios.push_back({.name = "heap-next-chunk",
                       .setup = queue_with(large_messages(), 100'000),
                       .prepare = [kLarge](Actor& actor) { actor.load(kLarge); },
                       .operation = send_loaded,
                       .verify = either(large_messages(), with(large_messages(), kLarge))});
  const Messages many = small_messages(kLimit + 3);
  const Messages left(many.begin() + kLimit, many.end());
  scenarios.push_back({.name = "heap-give-back",
                       .setup = queue_with(many),
                       .prepare = keep_many,
                       .operation = [](Actor& actor) { return actor.receive_raw(0, 100); },
                       .expected = 10,
                       .verify = either(left, without_first(left))});
}

}  // namespace crash
