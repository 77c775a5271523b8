// fork(2) with attachments, in the child: it takes over what its parent has made for it. The parent
// is a sleeper that stops in its fork(2), and the victim is given its memory as a child would have
// it.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/crash/shm_tools.h"

namespace crash {

namespace {

// fork(2) as the shim brackets it.
ipcell::ForkRecord g_fork;
int begin_fork(ipcell::Task& task) { return ipcell::sys_fork_begin(task, g_fork); }
void end_fork(ipcell::Task& task, int child) {
  ipcell::sys_fork_unlock(task);
  ipcell::sys_fork_end(task, g_fork, child);
}

// Stops between the two calls.
long stop_in_fork(Actor& actor) {
  actor.expect(actor.attach_segment(0) == 0, "the parent cannot attach");
  actor.expect(begin_fork(actor.task) == 0, "the parent cannot begin");
  actor.board.heir = actor.addresses.heir;
  actor.board.heir_serial = actor.addresses.heir_serial;
  kill(getpid(), SIGSTOP);
  end_fork(actor.task, actor.board.victim.pid);
  return 0;
}

// The fork(2) is one that the library does not see.
long stop_unseen(Actor& actor) { return attacher()(actor); }

// What fork(2) copies.
void be_child(Actor& actor) {
  ipcell::AddressMap& map = actor.addresses;
  const ipcell::SegmentRec& segment = actor.segment_record(0);
  actor.expect(map.make_room(2), "the child has no room");
  const int access = PROT_READ | PROT_WRITE;
  const long address = map.file.map({segment.first_page, segment.pages}, 0, false, access, false);
  actor.expect(address > 0, "the child has no mapping");
  const auto start = static_cast<ipcell::u64>(address);
  map.add({start, start + kSegmentBytes, actor.board.segment_records[0], 0, map.next_attachment(),
           static_cast<ipcell::u32>(access)});
  map.owner_pid = actor.board.sleepers[0].pid;
  map.heir = actor.board.heir;
  map.heir_serial = actor.board.heir_serial;
  map.heir_version = map.version();
  actor.task.identity.image = static_cast<ipcell::u32>(map.owner_pid);
  actor.place = reinterpret_cast<unsigned char*>(start);
}

long become_task(Actor& actor) {
  actor.attach();
  return 0;
}

// The parent's attachment, and the child's own. Until the parent goes on, what was made for a child
// that is dead is still counted.
Outcome verify_child(Actor& actor, bool is_parent_dead, bool is_seen) {
  const bool is_gone = actor.board.victim.has_ended;
  const long parents = is_parent_dead ? 0 : 1;
  // A thread that died before it was a task has left a process that nobody knows.
  const long least = is_gone || actor.board.is_thread ? 0 : 1;
  long found = static_cast<long>(actor.attached(0));
  const long most = is_gone && (is_parent_dead || !is_seen) ? 0 : 1;
  actor.expect(found >= parents + least && found <= parents + most,
               "nattch is %ld: the child is %s, the parent is %s", found,
               is_gone ? "dead" : "there", is_parent_dead ? "dead" : "there");
  if (!is_parent_dead) {
    actor.let_sleepers_go();
    actor.expect(actor.result_of(0) == 0, "the parent returned %ld", actor.result_of(0));
    found = static_cast<long>(actor.attached(0));
    actor.expect(found >= 1 + least && found <= (is_gone ? 1 : 2),
                 "when the parent has gone on nattch is %ld", found);
  }
  actor.check_text_of(0, kSegmentPages);
  return Outcome::Absent;
}

Scenario inheriting(const char* name, std::function<long(Actor&)> parent, bool is_parent_dead,
                    bool is_seen = true) {
  Scenario scenario = attaching(name, be_child, become_task, {});
  scenario.attaches = true;
  scenario.is_driver_known = true;
  scenario.sleepers = {std::move(parent)};
  scenario.doomed = is_parent_dead ? 1 : 0;
  scenario.verify = [=](Actor& actor) { return verify_child(actor, is_parent_dead, is_seen); };
  return scenario;
}

// Lets the parent go on with its fork(2) while the child stands where it stands.
long let_parent_go(Actor& actor) {
  Slate& parent = actor.board.sleepers[0];
  kill(parent.pid, SIGCONT);
  await(parent.progress, kDone, 20);
  return 0;
}

// The parent dies in its fork(2) and is reaped, before its child's first moment. The reaper can't
// ask whether there is a child.
long reap_parent(Actor& actor) {
  actor.task.addresses = nullptr;
  const long error = kill_sleeper(actor);
  reap(actor);
  kill(getpid(), SIGSTOP);
  return error;
}

// ---------------------------------------------------------------- who reaps the parent

// Nobody was born: the victim finds that out.
Scenario reaping(const char* name, std::function<long(Actor&)> operation, long expected) {
  Scenario scenario = attaching(name, [](Actor&) {}, std::move(operation), {});
  scenario.is_driver_known = true;
  scenario.sleepers = {stop_in_fork};
  scenario.doomed = 1;
  scenario.expected = expected;
  scenario.verify = [](Actor& actor) {
    // A process without a task might be the child.
    const long most = actor.board.is_thread ? 1 : 0;
    const long found = static_cast<long>(actor.attached(0));
    actor.expect(found <= most, "nattch is %ld when parent and child are dead", found);
    actor.check_text_of(0, kSegmentPages);
    return Outcome::Absent;
  };
  return scenario;
}

}  // namespace

void add_shm_inherit_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(inheriting("shm-inherit", stop_in_fork, false));
  scenarios.push_back(inheriting("shm-inherit-orphan", stop_in_fork, true));
  scenarios.back().sleepers.push_back(reap_parent);
  scenarios.back().doomed = 0;
  // The child reaps its parent itself.
  scenarios.push_back(inheriting("shm-inherit-reap", stop_in_fork, true));
  scenarios.back().is_long = true;
  scenarios.push_back(inheriting("shm-inherit-unseen", stop_unseen, false, false));
  scenarios.push_back(inheriting("shm-inherit-race", stop_in_fork, false));
  scenarios.back().contenders = {let_parent_go};
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "pause-shm-inherit";
  scenarios.back().is_pause = true;
  scenarios.push_back(reaping("shm-unborn-reap", reap, 0));
  scenarios.back().is_long = true;
  scenarios.push_back(reaping("shm-unborn-look", stat_zero, 0));
  scenarios.back().is_long = true;
  // The victim can't ask whether there is a child: it leaves that to others.
  scenarios.push_back(reaping("shm-unborn-leave", reap, 0));
  scenarios.back().prepare = [](Actor& actor) { actor.task.addresses = nullptr; };
}

}  // namespace crash
