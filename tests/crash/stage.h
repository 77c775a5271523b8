// The processes of one run, and the cell that they share. Whatever happens, none of them and no
// file is left when the stage is gone.
#pragma once

#include <string>
#include <vector>

#include "tests/crash/scenario.h"
#include "tests/crash/tracee.h"

namespace crash {

class Stage {
 public:
  Stage(const Scenario& scenario, const std::string& folder);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  Board& board() { return *board_; }
  const ipcell::Cell& cell() const { return cell_; }

  // All until the victims begin: the survivor, the queues, the sleepers, which are stopped then.
  void set_up(bool is_late);
  // Forks a victim, and takes it to its marker.
  bool start_victim(Slate& slate, bool is_second, bool as_thread);
  void kill_doomed();
  void start_contenders();
  // They sleep, and are stopped, so that they do not look at the queue while it is checked.
  void stop_lingering();
  // The survivor's part when somebody is dead. False: it found something, or did not come back.
  bool verify();
  // Ends the others, has the survivor check once more, and ends it.
  void finish();

  bool ask_survivor(Command command, Progress answer, int timeout_ms);
  // Ends the process and waits for it.
  void end_process(Slate& slate);
  // The victim's child, whose parent has ended.
  void end_child();

 private:
  void become_known();
  template <class Body>
  void spawn(Slate& slate, const Body& body);
  bool await_ready(Slate& slate, const char* otherwise);
  bool await_asleep(Slate& slate);
  void stop(Slate& slate);
  void survive(Actor& actor);
  void recover(Actor& actor);
  void exercise(Actor& actor);

  const Scenario& scenario_;
  std::string path_;
  Board* board_;
  ipcell::Cell cell_;
  ipcell::Task task_;  // the driver's own, if it is to have one
};

}  // namespace crash
