#include "cpus.h"

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace ipcell::bench {
namespace {

cpu_set_t allowed_now() {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof cpus, &cpus) != 0)
    throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
  return cpus;
}

// Taken at the first call, before any row confines the process.
const cpu_set_t& allowed_at_start() {
  static const cpu_set_t cpus = allowed_now();
  return cpus;
}

// The nth allowed CPU alone, counted from 0.
cpu_set_t nth_cpu(int n) {
  const cpu_set_t& allowed = allowed_at_start();
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || n-- > 0) continue;
    cpu_set_t single;
    CPU_ZERO(&single);
    CPU_SET(cpu, &single);
    return single;
  }
  throw std::runtime_error("needs two CPUs");
}

}  // namespace

Placement one_cpu() { return {nth_cpu(0), nth_cpu(0)}; }

Placement two_cpus() { return {nth_cpu(0), nth_cpu(1)}; }

Placement anywhere_on_two() {
  const cpu_set_t first = nth_cpu(0);
  const cpu_set_t second = nth_cpu(1);
  cpu_set_t both;
  CPU_OR(&both, &first, &second);
  return {both, both};
}

void confine_to(const cpu_set_t& cpus) {
  if (sched_setaffinity(0, sizeof cpus, &cpus) != 0)
    throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
}

ScopedAffinity::ScopedAffinity(const cpu_set_t& cpus) : before_(allowed_now()) { confine_to(cpus); }

ScopedAffinity::~ScopedAffinity() { sched_setaffinity(0, sizeof before_, &before_); }

}  // namespace ipcell::bench
