// Actor: a process of a run as a scenario's code sees it, with its own mapping of the cell, its
// task, and the calls that the scenarios are made of. A broken expectation ends the process; the
// driver finds the text on the board.
#pragma once

#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include <string>
#include <vector>

#include "core/ipc/check.h"
#include "core/ipc/mqueue.h"
#include "core/ipc/msg.h"
#include "core/ipc/sem.h"
#include "core/ipc/shm.h"
#include "core/syscalls.h"
#include "tests/crash/board.h"

// The victim's operation stands between these two. The first stops a traced process; the driver
// knows the second by its address.
extern "C" void crash_begin();
extern "C" void crash_end();

namespace crash {

// Of a semop(2), and of a set's semaphores.
using Ops = std::vector<struct sembuf>;
using Values = std::vector<unsigned short>;

// The longest text that a scenario uses.
constexpr std::uint32_t kMaxText = 24 * 1024;
constexpr long kMaxMqText = kMaxText;

constexpr int kWakeLimitMs = 1000;  // nobody may sleep longer than this once its time has come

class Actor {
 public:
  Actor(Board& shared, Slate& slate, const char* path)
      : board(shared), me(slate), cell_path_(path) {}
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  // --- its own place in the cell
  void open_cell();
  void attach();
  // Tells failure and ends the process unless `holds`.
  [[gnu::format(printf, 3, 4)]] void expect(bool holds, const char* format, ...);

  // --- queues, by their number in board.ids
  void make_queue(int queue, int key = IPC_PRIVATE, int flags = 0600);
  void set_qbytes(int queue, unsigned long qbytes);
  long remove(int queue);
  struct msqid_ds stat(int queue);
  unsigned long count(int queue) { return stat(queue).msg_qnum; }
  ipcell::MsgQueueRec& record(int queue) {
    return *cell.at<ipcell::MsgQueueRec>(board.records[queue]);
  }

  // --- messages. send() prepares the buffer itself; the victim does that before its marker, by
  // load().
  void load(const Message& message);
  long send_loaded(int queue, int flags = 0);
  long send(int queue, const Message& message, int flags = 0);
  // Receives into me.message and checks the text.
  long receive(int queue, std::uint32_t size, long type = 0, int flags = 0);
  // The same without the check: what stands between the victim's markers is the call alone.
  long receive_raw(int queue, std::uint32_t size, long type = 0, int flags = 0);
  // Takes all messages out.
  std::vector<Message> drain(int queue);
  void fill(int queue, int count, std::uint32_t size, std::uint8_t first_tag, long type = 1);

  // --- sets of semaphores, by their number in board.sets (actor_sem.cc)
  void make_set(int set, const Values& values, int key = IPC_PRIVATE);
  long semop(int set, const Ops& ops, const struct timespec* timeout = nullptr) {
    return ipcell::sys_semtimedop(task, board.sets[set], ops.data(), ops.size(), timeout);
  }
  long control_set(int set, int command, int num = 0, unsigned long argument = 0) {
    return ipcell::sys_semctl(task, board.sets[set], num, command, argument);
  }
  Values values(int set);
  // Who changed the semaphore last.
  long last_pid(int set, int num = 0) { return control_set(set, GETPID, num); }
  // The text of /proc, for which each set is locked and its dead are buried. Its length.
  long read_proc_sem();
  // A set's whole life, with SEM_UNDO.
  void exercise_set();
  // No process but this one is left among those that used SEM_UNDO.
  void expect_no_processes();
  ipcell::SemSetRec& set_record(int set) {
    return *cell.at<ipcell::SemSetRec>(board.set_records[set]);
  }

  // --- segments, by their number in board.segments (actor_shm.cc)
  // Fills it with what check_text_of() looks for.
  void make_segment(int segment, std::size_t pages, int key = IPC_PRIVATE, int flags = 0);
  // 0 or -errno; where it is, is `place`.
  long attach_segment(int segment, const void* address = nullptr, int flags = 0);
  long detach_segment(const void* address) { return ipcell::sys_shmdt(task, address); }
  long control_segment(int segment, int command, void* buffer = nullptr) {
    return ipcell::sys_shmctl(task, board.segments[segment], command, buffer);
  }
  struct shmid_ds stat_segment(int segment);
  unsigned long attached(int segment) { return stat_segment(segment).shm_nattch; }
  bool has_segment(int segment) {
    struct shmid_ds stat;
    return control_segment(segment, IPC_STAT, &stat) == 0;
  }
  // The segment has what make_segment() stored, in each of its pages.
  void check_text_of(int segment, std::size_t pages);
  // The text of /proc, for which the dead of each segment are detached. Its length.
  long read_proc_shm();
  // A segment's whole life.
  void exercise_segment();
  // The file has memory for pages of segments that are there, and for no others.
  void expect_no_stray_memory();
  // Segments that nobody has any more, and that are removed, are known to be so: a living task is
  // about to take them away.
  void expect_none_doomed();
  ipcell::SegmentRec& segment_record(int segment) {
    return *cell.at<ipcell::SegmentRec>(board.segment_records[segment]);
  }

  // --- POSIX queues "q0", "q1" ..., by their number (actor_mqueue.cc)
  void make_mqueue(int queue, long most = 10, long size = kMaxMqText);
  // 0 or -errno.
  long open_mqueue(int queue, int flags = O_RDWR);
  long unlink_mqueue(int queue);
  // What the last close(2) does.
  long close_mqueue(int queue);
  long mq_send_loaded(int queue, const struct timespec* deadline = nullptr);
  long mq_send(int queue, const Message& message);
  long mq_receive(int queue, const struct timespec* deadline = nullptr);
  // The same without the check of the text.
  long mq_receive_raw(int queue, const struct timespec* deadline = nullptr);
  // Takes all messages out.
  std::vector<Message> mq_drain(int queue);
  // A queue's whole life.
  void exercise_mqueue();
  // Takes the names away and closes what is open: no queue, no pipe and no memory is left.
  void expect_no_mqueues();
  ipcell::MqueueRec& mqueue_record(int queue) {
    return *cell.at<ipcell::MqueueRec>(board.mqueue_records[queue]);
  }

  // --- for the survivor: the others
  // True if the sleeper's task still is in a queue's list; while nobody runs.
  bool is_waiting(int sleeper) const;
  void let_sleepers_go();
  // Waits for the sleeper's result, kWakeLimitMs at most.
  long result_of(int sleeper);
  const Message& message_of(int sleeper) const { return board.sleepers[sleeper].message; }
  // Sleeper `sleeper` has received exactly this.
  void expect_received(int sleeper, const Message& message);
  long result_of_contender(int contender);
  // Locks every queue, set and segment once: whoever does so finishes what a dead task left
  // unsettled.
  void touch();
  void check(ipcell::CheckMode mode, const char* when);

  Board& board;
  Slate& me;
  ipcell::Cell cell;
  ipcell::Task task;
  ipcell::AddressMap addresses;
  ipcell::MqueueDescriptor mqueues[kMaxMqueues];
  // Where it has attached last.
  unsigned char* place = nullptr;

 private:
  void check_text(std::uint32_t size);

  const char* cell_path_;
  std::string folder_;
  ipcell::Cred cred_;
};

// A process's text of a message, as msgsnd(2) wants it.
struct Buffer {
  long type;
  unsigned char text[kMaxText];
};
extern Buffer buffer;

// Removes the pipes of queues, and their folder; for a signal handler as well.
void remove_pipes(const char* folder);

// Who the calling thread is.
ipcell::TaskIdentity identify();

}  // namespace crash
