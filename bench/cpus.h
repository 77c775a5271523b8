// Which CPUs the processes of a row run on.
#pragma once

#include <sched.h>

namespace ipcell::bench {

// Where a row puts its own process and its peers. All are subsets of what the program was started
// with.
struct Placement {
  cpu_set_t ours;
  cpu_set_t theirs;
};

Placement one_cpu();          // Everybody on one CPU.
Placement two_cpus();         // We on one, the peers on another.
Placement anywhere_on_two();  // Everybody wherever the scheduler wants, of two CPUs.

// Confines this process for the object's life.
class ScopedAffinity {
 public:
  explicit ScopedAffinity(const cpu_set_t& cpus);
  ~ScopedAffinity();
  ScopedAffinity(const ScopedAffinity&) = delete;
  ScopedAffinity& operator=(const ScopedAffinity&) = delete;

 private:
  cpu_set_t before_;
};

void confine_to(const cpu_set_t& cpus);

}  // namespace ipcell::bench
