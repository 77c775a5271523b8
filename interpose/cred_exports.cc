// The calls that change a process's credentials or its root folder: before, the cell is mapped;
// after, the permission checks read the credentials anew.
#include <grp.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "interpose/process.h"
#include "interpose/real.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

// glibc exports capset(2) without declaring it.
extern "C" int capset(void* header, const void* data) noexcept;

namespace {

// The cell is mapped with the rights that the program started with: afterwards it may lack them.
template <class Call>
auto changing_credentials(Call call) {
  ipcell::map_cell_early();
  const auto result = call();
  ipcell::forget_credentials();
  return result;
}

}  // namespace

IPCELL_EXPORT int setuid(uid_t uid) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(setuid)(uid); });
}
IPCELL_EXPORT int setgid(gid_t gid) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(setgid)(gid); });
}
IPCELL_EXPORT int seteuid(uid_t uid) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(seteuid)(uid); });
}
IPCELL_EXPORT int setegid(gid_t gid) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(setegid)(gid); });
}
IPCELL_EXPORT int setreuid(uid_t real_id, uid_t effective) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(setreuid)(real_id, effective); });
}
IPCELL_EXPORT int setregid(gid_t real_id, gid_t effective) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(setregid)(real_id, effective); });
}
IPCELL_EXPORT int setresuid(uid_t real_id, uid_t effective, uid_t saved) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(setresuid)(real_id, effective, saved); });
}
IPCELL_EXPORT int setresgid(gid_t real_id, gid_t effective, gid_t saved) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(setresgid)(real_id, effective, saved); });
}
IPCELL_EXPORT int setfsuid(uid_t uid) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(setfsuid)(uid); });
}
IPCELL_EXPORT int setfsgid(gid_t gid) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(setfsgid)(gid); });
}
IPCELL_EXPORT int setgroups(size_t count, const gid_t* groups) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(setgroups)(count, groups); });
}
IPCELL_EXPORT int initgroups(const char* user, gid_t group) {
  return changing_credentials([&] { return IPCELL_REAL(initgroups)(user, group); });
}
IPCELL_EXPORT int capset(void* header, const void* data) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(capset)(header, data); });
}
IPCELL_EXPORT int chroot(const char* path) noexcept {
  return changing_credentials([&] { return IPCELL_REAL(chroot)(path); });
}
