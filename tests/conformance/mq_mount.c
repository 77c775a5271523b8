/*
 * mount(2) of the type mqueue shows the namespace's queues at any folder, as at /dev/mqueue;
 * umount(2) ends it. Children and new programs see it, whoever is in it or has it open keeps it.
 */
#include "mq_folder.h"
#include <dirent.h>
#include <sys/statfs.h>

static char base[64], at[80], path[300];

static const char* in(const char* folder, const char* name) {
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static int count_names(const char* folder) {
  DIR* stream = opendir(folder);
  CHECK(stream != NULL);
  int count = 0;
  for (struct dirent* entry; (entry = readdir(stream)) != NULL;) count += entry->d_name[0] != '.';
  closedir(stream);
  return count;
}

static void check_refused(void) {
  CHECK_ERRNO(mount("none", "/nowhere/at/all", "mqueue", 0, NULL), ENOENT);
  CHECK_ERRNO(mount("none", "/etc/passwd", "mqueue", 0, NULL), ENOTDIR);
  CHECK_ERRNO(mount("none", "/etc/passwd/below", "mqueue", 0, NULL), ENOTDIR);
  CHECK_ERRNO(mount("none", at, "mqueue", 0, "size=1"), EINVAL);
  CHECK_ERRNO(umount(at), EINVAL);
  CHECK_ERRNO(umount2(at, 1 << 20), EINVAL);
  CHECK_ERRNO(umount("/nowhere/at/all"), ENOENT);
}

/* The queue "/q" by all kinds of paths; the current folder is `base`. */
static void check_seen(const char* folder) {
  struct stat status;
  struct statfs filesystem;
  CHECK_EQ(stat(in(folder, "q"), &status), 0);
  CHECK_EQ(status.st_mode, S_IFREG | 0600);
  CHECK_EQ(stat(folder, &status), 0);
  CHECK_EQ(status.st_mode, S_IFDIR | 01777);
  CHECK_EQ(statfs(folder, &filesystem), 0);
  CHECK_EQ(filesystem.f_type, MQUEUE_MAGIC);
  CHECK_EQ(count_names(folder), 1);
  int queue = CHECK_OK(open(in(folder, "q"), O_RDWR));
  CHECK_EQ(attributes(queue).mq_maxmsg, 1);
  CHECK_EQ(close(queue), 0);
  int made = CHECK_OK(open(in(folder, "made"), O_RDWR | O_CREAT | O_EXCL, 0600));
  CHECK_EQ(close(made), 0);
  CHECK_EQ(access(in(folder, "made"), F_OK), 0);
  CHECK_EQ(count_names(folder), 2);
  CHECK_EQ(mq_unlink("/made"), 0);
  CHECK_ERRNO(access(in(folder, "made"), F_OK), ENOENT);
  CHECK_ERRNO(mount("none", in(folder, "q"), "mqueue", 0, NULL), ENOTDIR);
  CHECK_ERRNO(mount("none", folder, "mqueue", 0, NULL), EBUSY);
  CHECK_ERRNO(umount(in(folder, "q")), EINVAL);
  CHECK_ERRNO(umount(in(folder, "none")), ENOENT);
  CHECK_ERRNO(rmdir(folder), EBUSY);
}

static void check_current_folder(void) {
  char text[300], resolved[4096];
  CHECK_EQ(chdir(at), 0);
  CHECK(getcwd(text, sizeof text) != NULL);
  CHECK_TEXT(text, at);
  CHECK_EQ(access("q", F_OK), 0);
  CHECK_EQ(access("../below", F_OK), 0);
  CHECK(realpath("q", resolved) != NULL);
  CHECK_TEXT(resolved, in(at, "q"));
  CHECK_ERRNO(umount(at), EBUSY);
  CHECK_EQ(chdir(base), 0);
  int folder = CHECK_OK(open(at, O_RDONLY | O_DIRECTORY));
  CHECK_EQ(faccessat(folder, "q", F_OK, 0), 0);
  CHECK_ERRNO(umount(at), EBUSY);
  CHECK_EQ(close(folder), 0);
}

int main(void) {
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    SKIP("needs the right to mount");
  strcpy(base, "/tmp/mq_mount.XXXXXX");
  CHECK(mkdtemp(base) != NULL);
  CHECK_EQ(chdir(base), 0);
  snprintf(at, sizeof at, "%s/below", base);
  CHECK_EQ(mkdir(at, 0700), 0);
  check_refused();
  int hidden = CHECK_OK(open(in(at, "hidden"), O_CREAT | O_WRONLY, 0600));
  close(hidden);

  mqd_t mq = NEW_QUEUE("/q", 1, 1);
  CHECK_EQ(mount("none", at, "mqueue", MS_NOSUID, NULL), 0);
  CHECK_ERRNO(access(in(at, "hidden"), F_OK), ENOENT);
  check_seen(at);
  check_seen("below");
  pid_t child = fork_child();
  if (child == 0) {
    check_seen("below");
    execlp("sh", "sh", "-c", "test $(ls below) = q && test -e $PWD/below/q && mountpoint -q below",
           NULL);
    _exit(2);
  }
  CHECK_CHILD(child);
  check_current_folder();

  CHECK_EQ(umount(at), 0);
  CHECK_EQ(count_names(at), 1);
  CHECK_EQ(access(in(at, "hidden"), F_OK), 0);
  CHECK_ERRNO(umount(at), EINVAL);

  /* Two at a time, one of them by a child. */
  CHECK_EQ(mkdir("other", 0700), 0);
  CHECK_EQ(mount("none", "below", "mqueue", 0, NULL), 0);
  CHECK_EQ(system("mount -t mqueue source other"), 0);
  check_seen("below");
  check_seen("other");
  CHECK_EQ(system("umount below"), 0);
  check_seen("other");
  CHECK_EQ(access("below/hidden", F_OK), 0);
  CHECK_EQ(umount2("other", MNT_DETACH), 0);
  CHECK_EQ(count_names("other"), 0);

  CLOSE_QUEUE(mq);
  REMOVE_QUEUE("/q");
  CHECK_EQ(unlink(in(at, "hidden")), 0);
  CHECK_EQ(rmdir(at), 0);
  CHECK_EQ(rmdir("other"), 0);
  CHECK_EQ(rmdir(base), 0);
}
