#include "cli/trap/memory.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sys/mman.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <vector>

#include "core/base/usercopy.h"

namespace ipcell::cli {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPagesAtOnce = 256;
// What is kept for the next call.
constexpr std::size_t kUsualRoom = 1 << 16;

// The kernel reads a piece as a whole or not at all.
std::vector<iovec> cut_at_pages(std::uint64_t address, std::size_t size) {
  std::vector<iovec> pieces;
  while (size > 0 && pieces.size() < kPagesAtOnce) {
    const std::size_t here = std::min<std::size_t>(size, kPage - address % kPage);
    pieces.push_back({reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)), here});
    address += here;
    size -= here;
  }
  return pieces;
}

using Transfer = ssize_t (*)(pid_t, const iovec*, unsigned long, const iovec*, unsigned long,
                             unsigned long);

std::size_t transfer(Transfer call, pid_t pid, std::uint64_t address, char* local,
                     std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const std::vector<iovec> remote = cut_at_pages(address + done, size - done);
    const iovec here = {local + done, size - done};
    const ssize_t moved = call(pid, &here, 1, remote.data(), remote.size(), 0);
    if (moved <= 0) break;
    done += static_cast<std::size_t>(moved);
  }
  return done;
}

void recover(int signal, siginfo_t*, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  auto& counter = registers.gregs[REG_RIP];
#elif defined(__aarch64__)
  auto& counter = registers.pc;
#endif
  const std::uintptr_t target = recover_usercopy(static_cast<std::uintptr_t>(counter));
  if (target != 0) {
    counter = static_cast<std::remove_reference_t<decltype(counter)>>(target);
    return;
  }
  std::signal(signal, SIG_DFL);
}

}  // namespace

std::size_t read_memory(pid_t pid, std::uint64_t address, void* to, std::size_t size) {
  return transfer(process_vm_readv, pid, address, static_cast<char*>(to), size);
}

bool write_memory(pid_t pid, std::uint64_t address, const void* from, std::size_t size) {
  char* const local = const_cast<char*>(static_cast<const char*>(from));
  return transfer(process_vm_writev, pid, address, local, size) == size;
}

bool is_memory_gone(pid_t tid) {
  char byte;
  const iovec here = {&byte, 1};
  const iovec nowhere = {nullptr, 1};
  return process_vm_readv(tid, &here, 1, &nowhere, 1, 0) < 0 && errno == ESRCH;
}

Mirror::~Mirror() {
  if (base_ != nullptr) munmap(base_, room_ + kPage);
}

bool Mirror::reserve(std::size_t size) {
  const std::size_t wanted = std::max(kUsualRoom, (size + kPage - 1) / kPage * kPage);
  if (base_ != nullptr && wanted == room_) return true;
  if (base_ != nullptr) munmap(base_, room_ + kPage);
  base_ = nullptr;
  void* const made = mmap(nullptr, wanted + kPage, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (made == MAP_FAILED) return false;
  base_ = static_cast<char*>(made);
  room_ = wanted;
  return mprotect(base_ + room_, kPage, PROT_NONE) == 0;
}

void* Mirror::make(std::size_t size) {
  if (!reserve(size)) return nullptr;
  start_ = base_ + room_ - size;
  return start_;
}

void* Mirror::read(pid_t pid, std::uint64_t address, std::size_t size) {
  if (make(size) == nullptr) return nullptr;
  const std::size_t there = read_memory(pid, address, start_, size);
  if (there == size) return start_;
  char* const shorter = base_ + room_ - there;
  std::copy_backward(start_, start_ + there, base_ + room_);
  start_ = shorter;
  return start_;
}

bool Mirror::write_back(pid_t pid, std::uint64_t address, std::size_t size) const {
  return size == 0 || write_memory(pid, address, start_, size);
}

void handle_faults() {
  struct sigaction action = {};
  action.sa_sigaction = recover;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace ipcell::cli
