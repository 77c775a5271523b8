// msgget: the registry, and a fresh record.
#include "tests/crash/scenario.h"

namespace crash {

namespace {

constexpr int kKey = 0x1234;

long get(Actor& actor, int key, int flags = 0) {
  return ipcell::sys_msgget(actor.task, key, flags);
}

int objects(Actor& actor) {
  struct msginfo info;
  ipcell::sys_msgctl(actor.task, 0, MSG_INFO, &info);
  return info.msgpool;
}

// The queue is there with all that belongs to it, or the next one gets what it would have got.
Outcome verify_new(Actor& actor, int key, int expected_id) {
  const long found = get(actor, key);
  const long id = found >= 0 ? found : get(actor, key, IPC_CREAT | 0600);
  actor.expect(found >= 0 || found == -ENOENT, "msgget of the key returns %ld", found);
  actor.expect(id == expected_id, "the key has the identifier %ld and not %d", id, expected_id);
  actor.board.ids[3] = static_cast<int>(id);
  const struct msqid_ds stat = actor.stat(3);
  actor.expect(stat.msg_qnum == 0 && stat.msg_qbytes == 16384 && stat.msg_perm.mode == 0600,
               "the new queue is not a new queue");
  actor.expect(actor.send(3, {1, 50, 1}, IPC_NOWAIT) == 0, "nothing can be sent to the new queue");
  actor.expect(actor.remove(3) == 0, "the new queue cannot be removed");
  actor.expect(get(actor, key) == -ENOENT, "the key leads to the removed queue");
  return found >= 0 ? Outcome::Whole : Outcome::Absent;
}

Outcome verify_private(Actor& actor) {
  const int count = objects(actor);
  actor.expect(count == 0 || count == 1, "there are %d queues", count);
  return count == 1 ? Outcome::Whole : Outcome::Absent;
}

// Three keys of one bucket. If registry.cc hashes otherwise, the set-up says so.
constexpr unsigned bucket_of(int key) {
  return static_cast<unsigned>(key) * 2654435761u >> 20 & (ipcell::kKeyBuckets - 1);
}
constexpr int colliding_key(int number) {
  for (int key = 1;; ++key) {
    if (bucket_of(key) == 77 && number-- == 0) return key;
  }
}
constexpr int kChain[] = {colliding_key(0), colliding_key(1), colliding_key(2)};

void make_chain(Actor& actor, int count) {
  for (int n = 0; n < count; ++n) actor.make_queue(n, kChain[n]);
  const auto& registry = ipcell::msg_registry(actor.cell);
  actor.expect(registry.entries[1].key_next == 1, "the keys do not collide: the hash has changed");
}

Outcome verify_chain(Actor& actor) {
  for (int n : {0, 1}) {
    actor.expect(get(actor, kChain[n]) == n, "key %d of the chain is not found", n);
  }
  return verify_new(actor, kChain[2], 2);
}

constexpr int kNextId = 5 * static_cast<int>(ipcell::kMaxIds) + 3;

Outcome verify_next_id(Actor& actor) {
  const auto& registry = ipcell::msg_registry(actor.cell);
  const int count = objects(actor);
  actor.expect(registry.next_id == (count == 1 ? -1 : kNextId), "next_id is %d beside %d queues",
               registry.next_id, count);
  return verify_new(actor, kKey, kNextId);
}

// Leaves a chain of three without its middle.
Outcome verify_unchained(Actor& actor) {
  const long middle = get(actor, kChain[1]);
  actor.expect(middle == 1 || middle == -ENOENT, "the middle key gives %ld", middle);
  for (int n : {0, 2}) actor.expect(get(actor, kChain[n]) == n, "key %d of the chain is lost", n);
  if (middle >= 0) return Outcome::Absent;
  actor.expect(objects(actor) == 2, "the removed queue is counted");
  return Outcome::Whole;
}

Outcome verify_highest(Actor& actor) {
  struct msginfo info;
  const long highest = ipcell::sys_msgctl(actor.task, 0, MSG_INFO, &info);
  actor.expect(highest == info.msgpool - 1, "the highest index is %ld of %d queues", highest,
               info.msgpool);
  return highest == 1 ? Outcome::Whole : Outcome::Absent;
}

}  // namespace

void add_get_scenarios(std::vector<Scenario>& scenarios) {
  const auto nothing = [](Actor&) {};
  scenarios.push_back({.name = "get-new",
                       .setup = nothing,
                       .operation = [](Actor& actor) { return get(actor, kKey, IPC_CREAT | 0600); },
                       .verify = [](Actor& actor) { return verify_new(actor, kKey, 0); }});
  scenarios.push_back({.name = "get-private",
                       .setup = nothing,
                       .operation = [](Actor& actor) { return get(actor, IPC_PRIVATE, 0600); },
                       .verify = verify_private});
  scenarios.push_back({.name = "get-existing",
                       .setup = [](Actor& actor) { actor.make_queue(0, kKey); },
                       .operation = [](Actor& actor) { return get(actor, kKey, IPC_CREAT | 0600); },
                       .verify = unchanged({}),
                       .is_unordered = true});
  scenarios.push_back(
      {.name = "get-chain",
       .setup = [](Actor& actor) { make_chain(actor, 2); },
       .operation = [](Actor& actor) { return get(actor, kChain[2], IPC_CREAT | 0600); },
       .expected = 2,
       .verify = verify_chain});
  scenarios.push_back(
      {.name = "get-next-id",
       .setup = [](Actor& actor) { ipcell::msg_registry(actor.cell).next_id = kNextId; },
       .operation = [](Actor& actor) { return get(actor, kKey, IPC_CREAT | 0600); },
       .expected = kNextId,
       .verify = verify_next_id});
  scenarios.push_back({.name = "rmid-chain",
                       .setup = [](Actor& actor) { make_chain(actor, 3); },
                       .operation = [](Actor& actor) { return actor.remove(1); },
                       .verify = verify_unchained});
  scenarios.push_back({.name = "rmid-highest",
                       .setup =
                           [](Actor& actor) {
                             for (int n : {0, 1, 2}) actor.make_queue(n);
                           },
                       .operation = [](Actor& actor) { return actor.remove(2); },
                       .verify = verify_highest});
}

}  // namespace crash
