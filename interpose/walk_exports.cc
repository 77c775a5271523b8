// nftw(3) and its kin walk inside of libc, which knows nothing of /dev/mqueue: a walk of a folder
// of queues is made here, over that one folder and its files.

// Else nftw64 would be nftw.
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interpose/queue_path.h"
#include "interpose/real.h"
#include "interpose/time64.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

bool is_queue_folder_at(const char* path) {
  return QueuePath(AT_FDCWD, path).is(QueuePathKind::Folder);
}

int stat_as(const char* path, struct stat* status) { return stat(path, status); }
int stat_as(const char* path, struct stat64* status) { return stat64(path, status); }
#if defined(__i386__)
extern "C" int __stat64_time64(const char* path, StatTime64* status);
int stat_as(const char* path, StatTime64* status) { return __stat64_time64(path, status); }
#endif

// One walk; `Status` is what the program's function is shown. Glibc: io/ftw.c
template <class Status>
class QueueWalk {
 public:
  using Visit = int(const char*, const Status*, int, struct FTW*);

  QueueWalk(const char* path, Visit* function, int flags) : visit_(function), flags_(flags) {
    length_ = strnlen(path, sizeof path_ - kMqueueNameRoom - 1);
    while (length_ > 1 && path[length_ - 1] == '/') --length_;
    memcpy(path_, path, length_);
    path_[length_] = '\0';
    for (std::size_t n = 0; n + 1 < length_; ++n) {
      if (path_[n] == '/') where_.base = static_cast<int>(n + 1);
    }
  }

  int run() {
    DIR* const stream = opendir(path_);
    if (stream == nullptr) return -1;
    const bool is_folder_last = (flags_ & FTW_DEPTH) != 0;
    int result = is_folder_last ? 0 : visit(FTW_D);
    if (result == FTW_SKIP_SUBTREE && has_actions()) {
      result = 0;
    } else if (result == 0) {
      result = visit_files(stream);
      if (result == 0 && is_folder_last) result = visit(FTW_DP);
    }
    closedir(stream);
    return result == FTW_SKIP_SIBLINGS && has_actions() ? 0 : result;
  }

 private:
  bool has_actions() const { return (flags_ & FTW_ACTIONRETVAL) != 0; }

  int visit(int kind) {
    Status status;
    if (stat_as(path_, &status) != 0) return 0;
    return visit_(path_, &status, kind, &where_);
  }

  int visit_files(DIR* stream) {
    const struct FTW folder = where_;
    where_ = {static_cast<int>(length_) + 1, folder.level + 1};
    int result = 0;
    while (const struct dirent64* const entry = result == 0 ? readdir64(stream) : nullptr) {
      if (entry->d_name[0] == '.' &&
          (entry->d_name[1] == '\0' || strcmp(entry->d_name, "..") == 0)) {
        continue;
      }
      path_[length_] = '/';
      memcpy(path_ + length_ + 1, entry->d_name, strnlen(entry->d_name, kMqueueNameRoom - 1) + 1);
      result = visit(FTW_F);
    }
    path_[length_] = '\0';
    where_ = folder;
    return result == FTW_SKIP_SIBLINGS && has_actions() ? 0 : result;
  }

  Visit* visit_;
  int flags_;
  struct FTW where_ = {};
  std::size_t length_;
  char path_[PATH_MAX + kMqueueNameRoom];
};

constinit Real<int(const char*, __nftw_func_t, int, int)> real_nftw("nftw");
constinit Real<int(const char*, __nftw64_func_t, int, int)> real_nftw64("nftw64");

}  // namespace

}  // namespace ipcell

IPCELL_EXPORT int nftw(const char* path, __nftw_func_t visit, int descriptors, int flags) {
  if (!ipcell::is_queue_folder_at(path)) return ipcell::real_nftw(path, visit, descriptors, flags);
  return ipcell::QueueWalk<struct stat>(path, visit, flags).run();
}
IPCELL_EXPORT int nftw64(const char* path, __nftw64_func_t visit, int descriptors, int flags) {
  if (!ipcell::is_queue_folder_at(path))
    return ipcell::real_nftw64(path, visit, descriptors, flags);
  return ipcell::QueueWalk<struct stat64>(path, visit, flags).run();
}
#if defined(__i386__)
using Nftw64Visit = int(const char*, const ipcell::StatTime64*, int, struct FTW*);
extern "C" int __nftw64_time64(const char* path, Nftw64Visit* visit, int descriptors, int flags);
IPCELL_EXPORT int __nftw64_time64(const char* path, Nftw64Visit* visit, int descriptors,
                                  int flags) {
  if (!ipcell::is_queue_folder_at(path))
    return IPCELL_REAL(__nftw64_time64)(path, visit, descriptors, flags);
  return ipcell::QueueWalk<ipcell::StatTime64>(path, visit, flags).run();
}
#endif
