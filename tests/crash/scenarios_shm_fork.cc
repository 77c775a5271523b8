// fork(2) with attachments, in the parent: counted before there is a child, and whether there is
// one or not, nothing is lost and nothing is left. The child is a real one.
#include <dirent.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/crash/shm_tools.h"

namespace crash {

namespace {

constexpr int kChildMs = 20'000;

// ---------------------------------------------------------------- the child

// It becomes a task when it is told to, and then says what it is to end with.
[[noreturn]] void live_as_child(Actor& actor) {
  Slate& slate = actor.board.child;
  slate.tid = getpid();
  slate.pid = getpid();
  announce(slate.progress, kReady);
  if (!await(slate.command, kStart, kChildMs)) _exit(1);
  actor.addresses.reset_lock();
  const ipcell::u32 image = actor.task.identity.image;
  actor.task.identity = identify();
  actor.task.identity.image = image;
  slate.result = ipcell::attach_task(actor.task);
  slate.slot = actor.task.slot;
  announce(slate.progress, kDone);
  if (await(slate.command, kVerify, kChildMs)) {
    // What it inherited can be used, and be given up.
    ++actor.place[1];
    slate.result = detach_place(actor);
    announce(slate.progress, kVerified);
    await(slate.command, kFinish, kChildMs);
  }
  _exit(0);
}

// fork(2) as the shim brackets it.
ipcell::ForkRecord g_fork;
int begin_fork(ipcell::Task& task) { return ipcell::sys_fork_begin(task, g_fork); }
void end_fork(ipcell::Task& task, int child) {
  ipcell::sys_fork_unlock(task);
  ipcell::sys_fork_end(task, g_fork, child);
}

// The parent's side of fork(2), as the shim has it.
long fork_child(Actor& actor) {
  const int error = begin_fork(actor.task);
  if (error != 0) return error;
  const pid_t child = fork();
  if (child == 0) live_as_child(actor);
  end_fork(actor.task, child);
  return child > 0 ? 0 : -1;
}

long fail_to_fork(Actor& actor) {
  const int error = begin_fork(actor.task);
  if (error != 0) return error;
  end_fork(actor.task, -1);
  return 0;
}

long begin_to_fork(Actor& actor) { return begin_fork(actor.task); }

// ---------------------------------------------------------------- the survivor

pid_t parent_of(const char* pid) {
  char path[64], text[512];
  std::snprintf(path, sizeof path, "/proc/%s/stat", pid);
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return 0;
  const std::size_t size = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  text[size] = '\0';
  const char* end = std::strrchr(text, ')');
  return end != nullptr && std::strlen(end) > 4 ? std::atoi(end + 4) : 0;
}

bool is_actor(const Board& board, pid_t pid) {
  bool is_found = pid == board.survivor.pid || pid == board.victim.pid || pid == getpid() ||
                  pid == board.recoverer.pid;
  for (const Slate& slate : board.sleepers) is_found = is_found || pid == slate.pid;
  for (const Slate& slate : board.contenders) is_found = is_found || pid == slate.pid;
  return is_found;
}

// The victim's child: when that is dead, the driver's.
bool is_there_a_child(const Actor& actor) {
  DIR* proc = opendir("/proc");
  bool is_found = false;
  while (const dirent* entry = readdir(proc)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0 || is_actor(actor.board, pid)) continue;
    const pid_t parent = parent_of(entry->d_name);
    if (parent == actor.board.victim.pid || parent == getppid()) is_found = true;
  }
  closedir(proc);
  return is_found;
}

// Whether the victim had come to its fork(2). The child waits, and is not yet a task.
void meet_child(Actor& actor) {
  if (!is_there_a_child(actor)) return;
  Slate& child = actor.board.child;
  actor.expect(await(child.progress, kReady, 5000), "the child does not begin");
  // Told to go on, it is to be done before anybody looks.
  if (child.command >= kStart)
    actor.expect(await(child.progress, kDone, 5000), "the child does not become a task");
}

// The parent's attachments and the child's, of `pieces` each.
Outcome verify_fork(Actor& actor, long pieces) {
  Slate& child = actor.board.child;
  const bool is_gone = actor.board.victim.has_ended;
  const bool has_child = child.pid != 0;
  const long parents = is_gone ? 0 : pieces;
  // A process that lives may have begun, and not have come to the fork(2).
  const long most = has_child || !is_gone ? pieces : 0;
  long found = static_cast<long>(actor.attached(0));
  actor.expect(found >= parents + (has_child ? pieces : 0) && found <= parents + most,
               "nattch is %ld: a child %d, a parent %d", found, has_child, !is_gone);
  actor.check_text_of(0, kSegmentPages);
  if (!has_child) return Outcome::Absent;
  announce(child.command, kStart);
  actor.expect(await(child.progress, kDone, 5000), "the child does not become a task");
  actor.expect(child.result == 0, "the child's task returned %ld", child.result);
  ipcell::reap_dead_tasks(actor.task);
  found = static_cast<long>(actor.attached(0));
  actor.expect(found == parents + pieces, "with its child nattch is %ld", found);
  actor.expect(actor.attach_segment(0) == 0, "the survivor cannot attach");
  const unsigned char before = actor.place[1];
  announce(child.command, kVerify);
  actor.expect(await(child.progress, kVerified, 5000), "the child does not go on");
  actor.expect(child.result == 0, "the child's shmdt returned %ld", child.result);
  actor.expect(actor.place[1] == before + 1, "the child stores somewhere else");
  release_segment(actor);
  found = static_cast<long>(actor.attached(0));
  actor.expect(found == parents + pieces - 1, "after the child's shmdt nattch is %ld", found);
  return Outcome::Whole;
}

Scenario forking(const char* name, int pieces, std::function<long(Actor&)> operation) {
  Scenario scenario = attaching(name, attach_before(pieces), std::move(operation), {});
  scenario.is_driver_known = true;
  scenario.after_death = meet_child;
  scenario.verify = [pieces](Actor& actor) { return verify_fork(actor, pieces); };
  return scenario;
}

// Lets the child become a task while the victim stands where it stands.
long start_child(Actor& actor) {
  Slate& child = actor.board.child;
  if (!await(child.progress, kReady, 5)) return 0;
  announce(child.command, kStart);
  await(child.progress, kDone, 5);
  return 0;
}

}  // namespace

void add_shm_fork_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(forking("shm-fork-begin", 2, begin_to_fork));
  scenarios.push_back(forking("shm-fork-fails", 1, fail_to_fork));
  scenarios.push_back(forking("shm-fork", 1, fork_child));
  scenarios.push_back(forking("shm-fork-pieces", 3, fork_child));
  scenarios.push_back(forking("shm-fork-race", 1, fork_child));
  scenarios.back().contenders = {start_child};
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "pause-shm-fork";
  scenarios.back().is_pause = true;
  // Two segments, one of them removed: it goes with the last who has it.
  scenarios.push_back(forking("shm-fork-removed", 1, fork_child));
  Scenario& removed = scenarios.back();
  removed.setup = [](Actor& actor) {
    segment_zero(actor);
    actor.make_segment(1, kSegmentPages);
  };
  removed.prepare = [](Actor& actor) {
    actor.expect(actor.attach_segment(1) == 0, "the victim cannot attach");
    actor.expect(actor.control_segment(1, IPC_RMID) == 0, "the victim cannot remove");
    attach_before(1)(actor);
  };
  removed.verify = [](Actor& actor) {
    const bool is_kept = actor.board.child.pid != 0 || !actor.board.victim.has_ended;
    actor.expect(actor.has_segment(1) == is_kept, "the removed segment is %s",
                 is_kept ? "gone" : "there");
    const Outcome outcome = verify_fork(actor, 1);
    actor.expect(actor.has_segment(1) == is_kept, "the removed segment is %s, later",
                 is_kept ? "gone" : "there");
    return outcome;
  };
  removed.verify_end = [](Actor& actor) {
    end_unattached(actor);
    actor.expect(!actor.has_segment(1), "the removed segment is there at the end");
  };
}

}  // namespace crash
